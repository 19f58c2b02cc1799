"""Whatever a file of results says, it is read, or left out with a note, or refused in one sentence."""

import json

from asv_results import benchmark, row, write, write_benchmarks
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rkbench import history
from rkbench.errors import UserError

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
PLACES = ("commit_hash", "env_name", "date", "params", "result_columns", "results", "version")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from([*PLACES, "row", "benchmarks", "all"]), what=ANYTHING)
def test_a_file_that_says_anything_raises_no_traceback(tmp_path, place, what):
    write_benchmarks(tmp_path, benchmark("nfe", "evaluations of f"))
    write(tmp_path, 0, {"nfe": row([14])})
    file = write(tmp_path, 1, {"nfe": what if place == "row" else row([14])})
    told = json.loads(file.read_text())
    if place in PLACES:
        told[place] = what
    file.write_text(json.dumps(what if place == "all" else told))
    if place == "benchmarks":
        (tmp_path / "benchmarks.json").write_text(json.dumps(what))
    try:
        found = history.load(tmp_path)
    except UserError:
        return
    json.dumps(history.as_dict(found), allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.none() | st.floats(allow_infinity=True), max_size=8), st.sampled_from(["s", "MiB", "steps"])
)
def test_any_numbers_are_judged(tmp_path_factory, values, unit):
    folder = tmp_path_factory.mktemp("results")
    write_benchmarks(folder, benchmark("b", unit))
    for commit, value in enumerate([1.0, *values]):
        write(folder, commit, {"b": row([value])})
    history.as_dict(history.load(folder))
