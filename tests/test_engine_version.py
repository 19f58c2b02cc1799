"""What an engine's library measured is measured again once the library is another one."""

import dataclasses

import pytest

from rkbench import registry, runner, store, suite
from rkbench.plan import blank_record, engine_version, expand

PLUGIN = """
from rkbench import NativeEngine, hookimpl

class Adapter(NativeEngine):
    name = "adapter"
    version = {version!r}

    def unavailable(self):
        return None if self.version else "the library is not installed; install it."

@hookimpl
def rkbench_engines():
    return [Adapter()]
"""


@pytest.fixture
def planned(tmp_path):
    """A plan of the cells of the native engine and of an adapter, given the version of the library."""
    chosen = suite.select(
        suite.load("quick"), methods=["rk4"], engines=["rkbench", "adapter"], seeds=1, epochs=1
    )

    def plan(version):
        file = tmp_path / "adapter.py"
        file.write_text(PLUGIN.format(version=version))
        plugins = registry.load([file])
        found = expand(chosen, plugins)
        # As for an adapter that is installed: its code stays what it is, whatever it adapts.
        return {cell.engine: dataclasses.replace(cell, cell_id=f"of {cell.engine}") for cell in found}

    return plan


def due(cell, record, retry_failed=False):
    return runner._due(cell, record, retry_failed)


def measured(cell, status="ok"):
    return dataclasses.replace(blank_record(cell), status=status)


def test_a_cell_and_its_record_name_the_version_of_the_library(planned):
    cells = planned("1.2")
    assert cells["adapter"].engine_version == blank_record(cells["adapter"]).engine_version == "1.2"
    assert cells["rkbench"].engine_version == blank_record(cells["rkbench"]).engine_version == ""


@pytest.mark.parametrize("status", ["ok", "timeout"])
def test_another_version_of_the_library_is_measured_anew_and_nothing_else_is(planned, status):
    old, new = planned("1.2"), planned("1.3")
    assert due(new["adapter"], measured(old["adapter"], status))
    assert not due(old["adapter"], measured(old["adapter"], status))
    assert not due(new["rkbench"], measured(old["rkbench"], status))


def test_what_was_skipped_runs_once_the_library_is_there(planned):
    absent = planned(None)["adapter"]
    skipped = measured(absent, "skipped")
    assert not due(absent, skipped)
    assert due(planned("1.2")["adapter"], skipped)


def test_what_was_measured_stands_when_the_library_is_gone(planned):
    assert not due(planned(None)["adapter"], measured(planned("1.2")["adapter"]))


def test_a_record_of_another_version_replaces_the_first_without_a_note(planned, tmp_path):
    old, new = (measured(planned(version)["adapter"]) for version in ("1.2", "1.3"))
    folder = tmp_path / "run"
    with store.opened(folder) as writer:
        for record in (old, new):
            writer.append(record)
    store.write_manifest(folder, {"suite": {"name": "quick"}, "plan": []})
    ledger = store.read(folder)
    assert [record.engine_version for record in ledger.records] == ["1.3"]
    assert not any("repeats" in note for note in ledger.notes)


def test_every_adapter_that_runs_here_tells_its_version():
    for engine in registry.default().engines.values():
        if hasattr(engine, "version"):
            assert bool(engine_version(engine)) == (engine.unavailable() is None), engine.name
