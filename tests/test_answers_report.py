"""A run whose suite asks a question answers it, in sentences that carry intervals; one whose suite asks none is as before."""

import io
import json
from typing import Any

import pytest
from answers_example import ASK, asking, trained
from rich.console import Console
from test_report_example import cell, three_solvers

from rkbench import report
from rkbench.record import Record
from rkbench.report import digest, figures, markdown, verdicts
from rkbench.report.answers import dependence, saying

SEEDS = 7


def solvers(
    task: str = "pendulum", high: int | None = 1, low: int | None = 4, seeds: int = SEEDS, **given: Any
) -> list[Record]:
    """Return the records of euler and rk4, which need so many epochs, a little more on some seeds, at equal evaluations."""
    return [
        record
        for seed in range(seeds)
        for record in (
            trained("euler", seed, low and low + seed % 2, task, **given),
            trained("rk4", seed, high and high + seed % 3 % 2, task),
        )
    ]


def said(folder, records, tasks, **manifest):
    [found] = saying.of(report.load(asking(folder / "run", records, tasks, **manifest)))
    return found


def test_a_task_is_told_with_its_target_ratio_interval_settings_and_seeds(tmp_path):
    found = said(tmp_path, solvers(), ["pendulum"])
    [(mark, sentence)] = found.findings
    assert mark.words == "pays"
    assert sentence.startswith(
        "On pendulum, higher order reaches a test error of 0.05 with 0.250× [0.200–0.400] the evaluations of f in training "
        "(rk4 ×10 against euler ×10, 7 seeds); "
    )
    assert "with 1.00× the evaluations of f in use: the same within 2 %" in sentence
    assert sentence.endswith("the same as an ODE.")


def test_answers_that_differ_with_what_is_counted_are_told_together(tmp_path):
    found = said(tmp_path, solvers(), ["pendulum"])
    assert found.answer == (
        "It depends on what is counted: counting evaluations of f in training and evaluations of f in training as an ODE, "
        "yes; counting the time of training, it cannot be told; counting evaluations of f in use, no."
    )


def test_a_side_that_never_reaches_the_target_is_told_in_counts(tmp_path):
    [(mark, sentence)] = said(tmp_path, solvers(low=None), ["pendulum"]).findings
    assert mark.words == "pays"
    assert "only higher order reaches a test error of 0.05 (7 of 7 seeds against 0 of 7, rk4" in sentence


def test_a_target_that_nothing_reaches_is_told(tmp_path):
    found = said(tmp_path, solvers(low=None, high=None), ["pendulum"])
    assert found.findings[0][1] == (
        "On pendulum, neither side reaches a test error of 0.05 on any of 7 seeds."
    )
    assert found.answer == "It cannot be told."


def test_networks_that_learnt_their_solver_do_not_count_as_an_ode(tmp_path):
    [(_, sentence)] = said(tmp_path, solvers(tight_score_change=0.5), ["pendulum"]).findings
    assert sentence.endswith("as an ODE, only higher order reaches it (7 of 7 seeds against 0 of 7).")


def test_too_few_seeds_estimate_and_give_no_verdict(tmp_path):
    found = said(tmp_path, solvers(seeds=3), ["pendulum"])
    assert found.findings[0][0].words == "undecided"
    assert "3 seeds, no verdict on 3 seeds)" in found.findings[0][1]


def test_a_run_that_was_stopped_says_what_it_can_and_what_is_missing(tmp_path):
    records = solvers()
    planned = [{key: getattr(one, key) for key in ("cell_id", *cell())} for one in records]
    planned += [cell("rk4", SEEDS, task="pendulum"), cell("dopri5", 0, task="pendulum", rtol=1e-3)]
    methods = {"dopri5": {"order": 5, "stages": 7, "stability": [1.0]}}
    tasks = ["pendulum", "lorenz"]
    found = said(tmp_path, records, tasks, plan=planned, methods=methods)
    assert "(rk4 ×10 against euler ×10, 7 seeds)" in found.findings[0][1]
    assert found.notes == (
        "Lower order: euler. Higher order: dopri5 and rk4.",
        "Not part of this run: lorenz.",
        "On pendulum, 2 of 16 cells have not run or were skipped; what is said rests on the others.",
    )


def test_a_task_without_one_of_the_sides_is_told(tmp_path):
    records = [one for one in solvers() if one.method == "rk4"]
    found = said(tmp_path, records, ["pendulum"])
    assert found.answer == "It cannot be told: nothing was measured on both sides."
    assert "Without networks trained by methods of both sides: pendulum." in found.notes


def test_a_question_may_name_its_own_sides(tmp_path):
    question = {"ask": ASK, "tasks": ["pendulum"], "low": ["rk4"], "high": ["euler"]}
    found = said(tmp_path, solvers(), ["pendulum"], question=[question])
    assert found.findings[0][0].words == "costs more"


def many_tasks(number):
    """Return the records of tasks of which each is solved in more epochs by lower order, and takes a tight solve more."""
    records = []
    for place in range(number):
        for record in solvers(f"task{place}", high=1, low=1 + place):
            tight = {"by_method": "dopri5", "by_rtol": 1e-5, "test_score": 0.04, "nfe": 100.0 + place}
            record.looks = [tight | {"by_method": record.method, "nfe": 10.0}, tight]
            records.append(record)
    return records, [f"task{place}" for place in range(number)]


def test_what_the_ratio_goes_with_is_looked_for_over_the_tasks(tmp_path):
    records, tasks = many_tasks(5)
    found = dependence.sentences(report.load(asking(tmp_path / "run", records, tasks)))
    assert found[0].startswith(
        "The ratio falls with the evaluations of f that a tight solve of a trained network takes: Kendall's tau -1.00, p = 0.033 "
        "over 5 tasks."
    )
    assert "in which too few tasks differ" in found[1]


def test_few_tasks_tell_nothing_of_what_it_depends_on(tmp_path):
    records, tasks = many_tasks(3)
    found = dependence.sentences(report.load(asking(tmp_path / "run", records, tasks)))
    assert found[0].endswith("nothing can be told, since so few tasks give no p-value below 0.67.")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    asking(folder, [*solvers(), *solvers("lorenz", low=None)], ["pendulum", "lorenz"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "_KINDS", figures._KINDS[:1])
        report.write(folder)
    return folder


def test_every_document_has_the_answers_before_the_verdicts(run):
    for name in ("index.html", "report.md"):
        text = (run / "report" / name).read_text()
        assert text.index(ASK) < text.index("Verdicts</h2>" if name == "index.html" else "## Verdicts")
    answers = (run / "report" / "answers.md").read_text()
    assert ASK in answers
    assert "(figures/answers.png)" in answers
    assert "## Verdicts" not in answers


def test_the_figure_and_the_numbers_are_there(run):
    assert {path.name for path in (run / "report" / "figures").iterdir()} == {
        f"answers.{kind}" for kind in ("png", "svg", "pdf")
    }
    rows = (run / "report" / "answers.csv").read_text().splitlines()
    assert rows[0].startswith('"question","task","target","cost","ratio"')
    assert len(rows) == 1 + 2 * 4


def test_the_same_records_give_the_same_answers(run):
    both = [report.load(run) for _ in range(2)]
    one, other = (markdown.answers(results, []) for results in both)
    assert one == other
    [drawn, again] = (next(figures.draw(results)) for results in both)
    assert drawn.encode("svg") == again.encode("svg")


def test_a_side_that_never_reaches_the_target_is_an_arrow_with_its_counts(run):
    drawing = next(figures.draw(report.load(run)))
    for axes in drawing.figure.axes:
        texts = [text.get_text() for text in axes.texts if text.get_text()]
        assert texts == ["7 of 7 : 0 of 7"]


def test_the_terminal_begins_with_the_answers(run):
    printed = io.StringIO()
    report.show(run, Console(file=printed, width=400))
    text = printed.getvalue()
    assert (
        text.index(ASK)
        < text.index("▼ pays: On pendulum, higher order reaches")
        < text.index("rk4 ×10 takes")
    )


def test_scripts_are_told_the_answers(run):
    results = report.load(run)
    told = json.loads(json.dumps(digest.of(results, run, run)))["answers"]
    assert told[0]["ask"] == ASK
    assert [one["finding"] for one in told[0]["findings"]] == ["pays", "pays"]


def test_a_run_whose_suite_asks_nothing_has_no_answers(tmp_path):
    results = report.load(three_solvers(tmp_path / "run"))
    assert not saying.of(results)
    assert not dependence.sentences(results)
    assert markdown.answers(results, []) == ""
    assert next(figures.draw(results)).name != "answers"
    assert "answers" not in digest.of(results, tmp_path, tmp_path)
    assert verdicts.of(results)
