"""Any tree of TOML is a suite that expands, or a sentence; a huge one is counted and never made."""

import json
import time
import tomllib
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rkbench import registry, size, suite
from rkbench.errors import SuiteError, UserError
from rkbench.plan import expand

quick = settings(max_examples=150, deadline=None, derandomize=True, database=None)


def _first_scale(raw):
    """Return a suite with what its first scale sets in the suite's own place, too."""
    return raw | next(iter(raw.get("scale", {}).values()), {})


BUILT_IN = {
    name: _first_scale(
        tomllib.loads((resources.files("rkbench") / "suites" / f"{name}.toml").read_text("utf-8"))
    )
    for name in suite.names()
}
KEYS = [*suite.TYPES, *suite.AXES, "small", "unknown"]
JUNK = [
    True, False, 0, -1, 1, 10**30, 0.5, float("nan"), float("inf"), -0.0, 1e-400, "", "x", "\x1b]0;x\x07", "euler",
    "digits8_tanh[epochs=-1]",
    [], [[]], ["x"], [1], [0.1], [True], {}, {"a": 1}, [{}], [{"method": "euler"}], [{"method": []}], [{"method": "rk4",
    "steps": 3}],
]  # fmt: skip
trees = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(JUNK), max_size=6)


def text(tree):
    """Return a tree as TOML, all in one table of values in their places."""
    return "\n".join(f"{key} = {_value(value)}" for key, value in tree.items())


def _value(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return (
        json.dumps(value).lower().replace("infinity", "inf")
        if isinstance(value, (bool, float))
        else json.dumps(value)
    )


def told(toml):
    """Return the cells, or None where a sentence refuses them."""
    try:
        found = suite.parse("fuzz", toml)
        size.refuse_huge(found, registry.default())
        return expand(found, registry.default()) if size.at_most(found, registry.default()) < 2000 else None
    except UserError as error:
        sentence = str(error)
    assert sentence.endswith((".", "?"))
    assert len(sentence) < 600
    return None


@quick
@given(trees)
def test_any_tree_is_a_suite_or_a_sentence(tree):
    told(text(tree))


@quick
@given(
    st.sampled_from(sorted(BUILT_IN)),
    st.sampled_from([*suite.TYPES, *suite.AXES]),
    st.sampled_from(JUNK),
    st.booleans(),
)
def test_a_built_in_suite_with_anything_in_any_place_expands_or_is_refused(name, key, junk, top):
    tree = BUILT_IN[name]
    if top:
        changed = tree | {key: junk}
    else:
        changed = tree | {
            "solvers": [
                {key: junk} | block if key == "method" else block | {key: junk} for block in tree["solvers"]
            ]
        }
    cells = told(text(changed))
    if cells is not None:
        assert all(cell.seed >= 0 and cell.threads >= 1 for cell in cells)
        assert all(cell.steps is None or cell.steps >= 1 for cell in cells)
        assert all(cell.rtol is None or 0 <= cell.rtol < 1e300 for cell in cells)


def test_the_trees_of_built_in_suites_are_written_back_as_they_were():
    for tree in BUILT_IN.values():
        assert tomllib.loads(text(tree)) == tree


@pytest.mark.parametrize("content", [b"\xff\xfe", b"seeds = " + b"9" * 5000, b"a = " + b"[" * 100_000, b"\0"])
def test_a_file_that_is_no_toml_is_refused(tmp_path, content):
    file = tmp_path / "odd.toml"
    file.write_bytes(content)
    with pytest.raises(SuiteError, match=r"cannot be read|not valid TOML"):
        suite.load(str(file))


HUGE = """
title = "t"
baseline = "dopri5"
tasks = ["digits8_tanh"]
seeds = {seeds}
[[solvers]]
method = ["dopri5", "tsit5"]
rtol = {many}
atol = {many}
engine = ["rkbench"]
"""


@pytest.mark.parametrize(("seeds", "many"), [(10**9, 1), (1000, 1000), (1, 1000)])
def test_millions_of_cells_are_counted_without_making_them(seeds, many):
    found = suite.parse("huge", HUGE.format(seeds=seeds, many=[1 / n for n in range(1, many + 1)]))
    began = time.process_time()
    assert size.at_most(found, registry.default()) == seeds * (2 * many**2 + (seeds > 1))
    with pytest.raises(
        SuiteError, match=r"a plan may have 1,000,000; shorten its lists or seeds, or split it"
    ):
        size.refuse_huge(found, registry.default())
    assert time.process_time() - began < 1


@pytest.mark.parametrize("name", suite.names())
def test_the_count_is_never_below_what_a_suite_expands_to(name):
    found = suite.load(name)
    assert len(expand(found, registry.default())) <= size.at_most(found, registry.default()) < size.MANY
