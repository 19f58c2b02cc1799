"""What asv wrote is read as it is: failures and gaps kept, machines apart, foreign files left out with a note."""

import json

import pytest
from asv_results import NAN, benchmark, row, sha, write, write_benchmarks

from rkbench import history
from rkbench.errors import HistoryError

PARAMS = [["'rk4 x10'", "'euler x10'"], ["1", "2"]]


@pytest.fixture
def folder(tmp_path):
    write_benchmarks(tmp_path, benchmark("nfe", "evaluations of f"), benchmark("time", "seconds", "time"))
    return tmp_path


def only(folder, **options):
    [judged] = history.load(folder, **options).judged
    return judged


def states(judged):
    return [point.state for point in judged.series.points]


def test_null_is_a_failure_and_nan_is_not_applicable_and_neither_is_dropped(folder):
    for commit, value in enumerate([NAN, 14, None, 14]):
        write(folder, commit, {"nfe": row([value])})
    judged = only(folder)
    assert states(judged) == ["not applicable", "measured", "failed", "measured"]
    assert judged.changes == ()


def test_a_benchmark_that_failed_with_all_parameters_has_a_failure_for_each(folder):
    write(folder, 0, {"nfe": row(None, PARAMS)})
    judged = history.load(folder).judged
    assert len(judged) == 4
    assert {tuple(states(one)) for one in judged} == {("failed",)}


def test_values_go_with_their_parameters(folder):
    write(folder, 0, {"nfe": row([1, 2, 3, 4], PARAMS)})
    found = {one.series.parameters: one.series.points[0].value for one in history.load(folder).judged}
    assert found == {"rk4 x10, 1": 1, "rk4 x10, 2": 2, "euler x10, 1": 3, "euler x10, 2": 4}


def test_a_series_goes_on_when_others_join_it(folder):
    write(folder, 0, {"nfe": row([10], [["'rk4'"]])})
    write(folder, 1, {"nfe": row([7, 10], [["'euler'", "'rk4'"]])})
    found = {one.series.parameters: len(one.series.points) for one in history.load(folder).judged}
    assert found == {"rk4": 2, "euler": 1}


def test_commits_are_in_the_order_of_their_dates_whatever_the_files_are_called(folder):
    for commit, date in ((5, 3), (2, 9), (7, 1)):
        write(folder, commit, {"nfe": row([commit])}, date=date)
    found = history.load(folder)
    assert [point.value for point in found.judged[0].series.points] == [7, 5, 2]
    assert any("order of their dates" in note for note in found.notes)


def test_two_machines_are_never_one_series(folder):
    write(folder, 0, {"time": row([1.0], spread=0.001)})
    write(folder, 1, {"time": row([9.0], spread=0.001)}, machine="faster")
    judged = history.load(folder).judged
    assert {one.series.machine: len(one.series.points) for one in judged} == {"ci": 1, "faster": 1}
    assert not any(one.changes for one in judged)


def test_another_environment_is_another_series(folder):
    write(folder, 0, {"nfe": row([1])})
    file = write(folder, 1, {"nfe": row([2])})
    file.write_text(file.read_text().replace('"existing"', '"virtualenv-py3.99"'))
    assert len(history.load(folder).judged) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{torn", "is left out"),
        ("[1, 2]", "no JSON object"),
        ("[" * 100_000, "is left out"),
        ('{"some": "thing"}', "no result of asv"),
        ("\udcff", "is left out"),
    ],
)
def test_a_foreign_file_is_left_out_with_a_note(folder, text, why):
    write(folder, 0, {"nfe": row([14])})
    (folder / "ci" / "foreign.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    found = history.load(folder)
    assert [point.value for point in found.judged[0].series.points] == [14]
    assert any("foreign.json" in note and why in note for note in found.notes)


@pytest.mark.parametrize("commit", ["--output=evil", "", "HEAD", 7, None])
def test_what_is_no_hash_never_reaches_git(folder, commit):
    write(folder, 0, {"nfe": row([14])})
    file = write(folder, 1, {"nfe": row([14])})
    file.write_text(json.dumps(json.loads(file.read_text()) | {"commit_hash": commit}))
    found = history.load(folder)
    assert len(found.commits) == 1
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    "broken", [7, [], [[1, 2], []], [[1], 5], [[1], [5]], [["x"], []], [[True], []], [[1e999], []]]
)
def test_a_broken_result_is_told_or_failed_and_never_a_number(folder, broken):
    write(folder, 0, {"nfe": row([14])})
    write(folder, 1, {"nfe": broken})
    found = history.load(folder)
    values = [point.value for point in found.judged[0].series.measured]
    assert values == [14]
    assert states(found.judged[0])[1:] in ([], ["failed"])


def test_what_an_earlier_version_of_a_benchmark_measured_is_left_out_with_a_note(folder):
    write(folder, 0, {"nfe": row([100], version="0")})
    write(folder, 1, {"nfe": row([14])})
    found = history.load(folder)
    assert [point.value for point in found.judged[0].series.points] == [14]
    assert any("earlier version" in note for note in found.notes)


def test_a_benchmark_that_is_gone_is_told(folder):
    write(folder, 0, {"nfe": row([14]), "gone": row([1])})
    found = history.load(folder)
    assert len(found.judged) == 1
    assert any("gone" in note for note in found.notes)


def test_a_commit_that_two_files_hold_counts_once(folder):
    write(folder, 0, {"nfe": row([14])})
    write(folder, 0, {"nfe": row([15])}, name="other.json")
    found = history.load(folder)
    assert len(found.judged[0].series.points) == 1
    assert any("repeats" in note for note in found.notes)


def test_since_leaves_out_what_is_older_and_so_accepts_it(folder):
    for commit, value in enumerate([10, 14, 14]):
        write(folder, commit + 1, {"nfe": row([value])})
    assert only(folder).regressed
    assert not only(folder, since=sha(2)).regressed
    with pytest.raises(HistoryError, match="No commit here is named 'f00d'"):
        history.load(folder, since="f00d")


@pytest.mark.parametrize(("make", "what"), [(False, "benchmarks.json"), (True, "no results of asv")])
def test_a_folder_without_results_says_what_to_do(tmp_path, make, what):
    if make:
        write_benchmarks(tmp_path)
    with pytest.raises(HistoryError, match=f"{what}.*run `?asv run"):
        history.load(tmp_path)
