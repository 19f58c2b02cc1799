"""A result is reused only for what decided it: data, torch's build, the harness's code, a plugin's."""

from pathlib import Path

import pytest

from rkbench import checksums, identity, registry, source, suite
from rkbench.plan import expand

QUICK = suite.select(suite.load("quick"), seeds=1)


def ids(plugins=None):
    return {cell.cell_id for cell in expand(QUICK, plugins or registry.default())}


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (checksums, "of", lambda dataset: "other data"),
        (identity, "torch_build", lambda: "another build"),
        (source, "of_harness", lambda: "edited"),
    ],
)
def test_what_decides_the_outcome_makes_every_cell_new(module, name, value, monkeypatch):
    before = ids()
    monkeypatch.setattr(module, name, value)
    assert before.isdisjoint(ids())


def test_an_edited_package_has_another_digest_and_an_edited_report_does_not(tmp_path):
    (tmp_path / "report").mkdir()
    for name in ("__init__.py", "engine.py", "report/page.py"):
        (tmp_path / name).write_text("x = 1\n")
    root = tmp_path / "__init__.py"
    before = source.digest(root, ("report",))
    (tmp_path / "report" / "page.py").write_text("x = 2\n")
    assert source.digest(root, ("report",)) == before
    (tmp_path / "engine.py").write_text("x = 2\n")
    assert source.digest(root, ("report",)) != before


def test_a_single_file_is_known_by_what_is_in_it_and_not_by_where_it_lies(tmp_path):
    first, second = tmp_path / "a.py", tmp_path / "b" / "a.py"
    second.parent.mkdir()
    first.write_text("x = 1\n")
    second.write_text("x = 1\n")
    assert source.digest(first) == source.digest(second)
    second.write_text("x = 2\n")
    assert source.digest(first) != source.digest(second)


def test_the_parts_of_rkbench_that_only_tell_exist():
    from importlib import resources

    there = {entry.name for entry in resources.files("rkbench").iterdir()}
    assert set(source.TELLING) <= there


def test_the_build_of_torch_is_more_than_its_version():
    assert "git_version" in identity.torch_build()


def test_a_plugin_of_a_distribution_is_known_by_its_source_too():
    owner = registry.default().owner("engine", "reversible")
    assert owner.digest.startswith(f"{owner.distribution} {owner.version} ")
    assert owner.digest.split()[-1] == source.digest(Path(owner.code))
