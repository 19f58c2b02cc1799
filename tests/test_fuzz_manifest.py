"""A manifest with anything wrong in it is refused in one sentence, or is a run that can be reported."""

import contextlib
import copy
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from test_report_example import three_solvers

from rkbench import report, store
from rkbench.errors import RunError
from rkbench.report import digest, markdown

quick = settings(max_examples=12, deadline=None, derandomize=True, database=None)

MORE = {
    "suite": {"name": "s", "title": "A suite", "baseline": "euler", "solvers": [{"method": ["euler", "rk4"]}],
    "reference": []},
    "reference": [{"source": "A book", "method": "euler", "label": "E", "train_seconds": 2.0, "test_accuracy": 0.9}],
    "methods": {"euler": {"order": 1, "stages": 1, "stability": [1.0, 1.0]}},
    "versions": {"torch": "2.4.0"}, "machine": {"cpu": "A CPU", "cores": 2}, "data": {"digits8": {"sha256": "c",
    "train": 9, "test": 3}},
    "commit": "abc", "command": "rkbench run", "sessions": ["2026-03-01T09:00:00Z"], "threads": 1,
}  # fmt: skip
JUNK = [None, True, -1, 0, 10**400, 0.5, "", "\x1b]0;x\x07", "\ud800", [], [1], {}, {"a": 1}, [[]], "x"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return three_solvers(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def manifest(folder):
    return store.read_manifest(folder) | MORE


@st.composite
def places(draw, value):
    """Draw the keys that lead to a place in a value of JSON."""
    path = []
    while isinstance(value, (dict, list)) and value and (not path or draw(st.booleans())):
        path.append(draw(st.sampled_from(sorted(value) if isinstance(value, dict) else range(len(value)))))
        value = value[path[-1]]
    return path


@quick
@given(st.data(), st.sampled_from([*JUNK, "drop"]))
def test_a_manifest_with_anything_in_any_place_is_refused_or_reported(folder, manifest, data, junk):
    changed = copy.deepcopy(manifest)
    *path, last = data.draw(places(manifest))
    inner = changed
    for key in path:
        inner = inner[key]
    if junk == "drop":
        del inner[last]
    else:
        inner[last] = junk
    (folder / store.MANIFEST).write_text(json.dumps(changed))
    with contextlib.suppress(RunError):
        results = report.load(folder)
        report.show(results, Console(file=io.StringIO(), width=120))
        markdown.render(results, []).encode()
        json.dumps(digest.of(results, folder, folder), allow_nan=False)


WRONG = {
    "a list": [], "a plan of numbers": {"plan": [3]}, "a cell without its id": {"plan": [{}]},
    "an id of nothing": {"plan": [{"cell_id": ""}]},
    "a cell twice": {"plan": [{"cell_id": "a"}, {"cell_id": "a"}]}, "a seed of text": {"plan": [{"cell_id": "a",
    "seed": "0"}]},
    "a suite of text": {"suite": "s"}, "a solver without methods": {"suite": {"solvers": [{}]}},
    "threads of text": {"threads": "1"},
    "sessions of numbers": {"sessions": [1]}, "data without checksum": {"data": {"mnist": {}}},
    "a published time of text": {"reference": [{"train_seconds": "fast"}]},
    "stability of text": {"methods": {"x": {"order": 1, "stages": 1, "stability": ["1"]}}},
    "a number beyond all": {"threads": 10**30}, "brackets in brackets": None,
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_a_report_could_not_read_is_refused_in_one_sentence(tmp_path, what):
    text = '{"plan": ' + "[" * 100_000 if WRONG[what] is None else json.dumps(WRONG[what])
    (tmp_path / store.MANIFEST).write_text(text)
    with pytest.raises(
        RunError, match=r"is not the manifest of a run \(.*\); restore it or start a new run\.$"
    ):
        store.read_manifest(tmp_path)
