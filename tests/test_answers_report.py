"""A run whose suite asks a question answers it, in sentences that carry intervals; one whose suite asks none is as before."""

import io
import json
import math
from typing import Any

import pytest
from answers_example import ASK, asking, trained
from rich.console import Console
from test_report_example import cell, failed, three_solvers

from rkbench import report
from rkbench.record import Record
from rkbench.report import digest, figures, markdown, verdicts
from rkbench.report.answers import cost_table, dependence, methods, saying
from rkbench.report.answers.costs import TRAINING
from rkbench.report.answers.rule import Answer

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


def erring(
    high: float, low: float, task: str = "pendulum", seeds: int = SEEDS, change: float = 0.0
) -> list[Record]:
    """Return the records of euler and rk4 that end with such errors; euler's grow by ``change`` when solved tightly."""
    return [
        record
        for seed in range(seeds)
        for record in (
            trained("euler", seed, 1, task, test_score=low + seed / 1e4, tight_score_change=change),
            trained("rk4", seed, 1, task, test_score=high + seed / 1e4),
        )
    ]


def test_a_task_is_told_with_its_ratio_interval_settings_and_seeds(tmp_path):
    found = said(tmp_path, erring(0.03, 0.04), ["pendulum"])
    as_trained, as_ode = found.measured
    [(mark, sentence)] = as_trained.findings
    assert mark.words == "less error"
    assert (
        sentence == "On pendulum, rk4 ×10 leaves 0.752× [0.751–0.753] the test error of euler ×10 (7 seeds)."
    )
    assert as_trained.answer == "Yes: less error on 1 (pendulum 0.752×)."
    assert as_ode.findings == as_trained.findings


def test_errors_that_agree_give_one_answer(tmp_path):
    answers = []
    for place, errors in enumerate([(0.03, 0.04), (0.04, 0.03), (0.04, 0.04)]):
        (tmp_path / str(place)).mkdir()
        answers.append(said(tmp_path / str(place), erring(*errors), ["pendulum"]).answer)
    assert answers == ["Yes.", "No.", "No."]


def test_errors_that_disagree_are_told_one_by_one(tmp_path):
    found = said(tmp_path, erring(0.04, 0.03, change=0.05), ["pendulum"])
    assert (
        found.answer == "It depends on the measure: by the error as trained, no; by the error as an ODE, yes."
    )
    assert [one.findings[0][0].words for one in found.measured] == ["more error", "less error"]


def test_errors_of_which_one_side_spends_more_are_compared_with_what_both_can_spend(tmp_path):
    costly = [trained("rk4", seed, 1, nfe=40, steps=40, test_score=0.001) for seed in range(SEEDS)]
    found = said(tmp_path, [*erring(0.04, 0.03), *costly], ["pendulum"])
    assert "rk4 ×10 leaves" in found.measured[0].findings[0][1]


def test_one_measure_that_tells_nothing_is_no_dependence_on_the_measure():
    yes, open_yes, unknown = (
        Answer("yes", open=False),
        Answer("yes", open=True),
        Answer("undecided", open=True),
    )
    assert saying.headline({"a": yes, "b": unknown}) == "By a, yes; by b, it cannot be told."
    assert saying.headline({"a": yes, "b": open_yes}) == "Yes, as far as it could be told."


def test_a_question_of_which_tasks_are_missing_is_answered_as_far_as_it_could_be_told(tmp_path):
    assert (
        said(tmp_path, erring(0.03, 0.04), ["pendulum", "lorenz"]).answer
        == "Yes, as far as it could be told."
    )


def test_a_question_may_hold_what_figures_take_for_mathematics(tmp_path):
    question = {"ask": "Does $\\order$ pay?", "tasks": ["pendulum"], "low": [], "high": []}
    results = report.load(asking(tmp_path / "run", erring(0.03, 0.04), ["pendulum"], question=[question]))
    assert next(figures.draw(results)).encode("svg")


def test_a_side_that_always_fails_has_no_error_to_compare(tmp_path):
    records = [
        one
        if one.method == "rk4"
        else failed(cell(one.method, one.seed, task="pendulum"), order=1, score="error", target=0.05)
        for one in erring(0.03, 0.04)
    ]
    [(mark, sentence)] = said(tmp_path, records, ["pendulum"]).measured[0].findings
    assert sentence == "On pendulum, only higher order has an error that is known (7 seeds)."
    assert mark.words == "less error"


def test_what_reaching_the_target_takes_is_told_in_a_sentence_and_a_table(tmp_path):
    results = report.load(asking(tmp_path / "run", solvers(), ["pendulum"]))
    [found], [table] = saying.of(results), cost_table.tables(results)
    assert found.reaching == (
        "To reach the target of 1 task, by evaluations of f in training, less on 1; by the time of training, undecided on 1; "
        "by evaluations of f in use, as much on 1; by evaluations of f in training as an ODE, less on 1."
    )
    [cells] = table.cells()
    entries = {
        column.heading: (cell.text, cell.interval) for column, cell in zip(table.columns, cells, strict=True)
    }
    assert entries["target"] == ("0.05 test error", "")
    assert entries["evaluations in training"] == ("0.250 ▼", "0.200–0.400")
    assert entries["evaluations in use"] == ("1.00 =", "")
    assert entries["reached"] == ("7 : 7 of 7", "rk4 ×10, euler ×10")


def test_a_side_that_never_reaches_the_target_costs_infinity(tmp_path):
    results = report.load(asking(tmp_path / "run", solvers(low=None), ["pendulum"]))
    [table] = cost_table.tables(results)
    texts = {column.heading: column.cell(table.rows[0]).text for column in table.columns}
    assert texts["evaluations in training"] == "0.00 ▼"
    assert texts["reached"] == "7 : 0 of 7"


def test_a_target_that_nothing_reaches_has_no_table(tmp_path):
    results = report.load(asking(tmp_path / "run", solvers(low=None, high=None), ["pendulum"]))
    assert not cost_table.tables(results)
    assert "not reached by either side on 1" in saying.of(results)[0].reaching


def test_networks_that_learnt_their_solver_do_not_reach_the_target_as_an_ode(tmp_path):
    results = report.load(asking(tmp_path / "run", solvers(tight_score_change=0.5), ["pendulum"]))
    [table] = cost_table.tables(results)
    texts = {column.heading: column.cell(table.rows[0]).text for column in table.columns}
    assert (texts["reached"], texts["reached as an ODE"]) == ("7 : 7 of 7", "7 : 0 of 7")


def test_too_few_seeds_estimate_and_give_no_verdict(tmp_path):
    [(mark, sentence)] = said(tmp_path, erring(0.03, 0.04, seeds=3), ["pendulum"]).measured[0].findings
    assert mark.words == "undecided"
    assert sentence.endswith("(3 seeds, no verdict on 3 seeds).")


def test_a_run_that_was_stopped_says_what_it_can_and_what_is_missing(tmp_path):
    records = solvers()
    planned = [{key: getattr(one, key) for key in ("cell_id", *cell())} for one in records]
    planned += [cell("rk4", SEEDS, task="pendulum"), cell("dopri5", 0, task="pendulum", rtol=1e-3)]
    methods = {"dopri5": {"order": 5, "stages": 7, "stability": [1.0]}}
    tasks = ["pendulum", "lorenz"]
    found = said(tmp_path, records, tasks, plan=planned, methods=methods)
    assert "rk4 ×10 leaves 1.00× the test error of euler ×10" in found.measured[0].findings[0][1]
    assert found.notes == (
        "Lower order: euler. Higher order: dopri5 and rk4.",
        "Not part of this run: lorenz.",
        "On pendulum, 2 of 16 cells have not run or were skipped; what is said rests on the others.",
    )


def test_a_task_without_one_of_the_sides_is_told(tmp_path):
    records = [one for one in solvers() if one.method == "rk4"]
    found = said(tmp_path, records, ["pendulum"])
    assert found.answer == "It cannot be told: nothing can be compared on any seed."
    assert "Without networks trained by methods of both sides: pendulum." in found.notes


def test_a_question_may_name_its_own_sides(tmp_path):
    question = {"ask": ASK, "tasks": ["pendulum"], "low": ["rk4"], "high": ["euler"]}
    found = said(tmp_path, erring(0.03, 0.04), ["pendulum"], question=[question])
    assert found.measured[0].findings[0][0].words == "more error"


def many_tasks(number):
    """Return the records of tasks on which lower order errs more and more, and a tight solve takes more and more."""
    records = []
    for place in range(number):
        for record in erring(0.03, 0.04 + place / 100, f"task{place}"):
            tight = {"by_method": "dopri5", "by_rtol": 1e-5, "test_score": 0.04, "nfe": 100.0 + place}
            record.looks = [tight | {"by_method": record.method, "nfe": 10.0}, tight]
            records.append(record)
    return records, [f"task{place}" for place in range(number)]


def test_what_the_ratio_goes_with_is_looked_for_over_the_tasks(tmp_path):
    records, tasks = many_tasks(6)
    found = dependence.sentences(report.load(asking(tmp_path / "run", records, tasks)))
    assert found[0] == (
        "By the error as trained, the ratio of rk4 against euler falls with the evaluations of f that a tight solve of a "
        "trained network takes: Kendall's tau -1.00, p = 0.0056 over 6 tasks."
    )
    assert "in which too few tasks differ" in found[2]


def test_tasks_of_several_questions_that_compare_the_same_methods_are_taken_together(tmp_path):
    records, tasks = many_tasks(6)
    questions = [{"ask": f"{ASK} {part}", "tasks": tasks[part::2], "low": [], "high": []} for part in (0, 1)]
    found = dependence.sentences(report.load(asking(tmp_path / "run", records, tasks, question=questions)))
    assert "tau -1.00, p = 0.0056 over 6 tasks" in found[0]


def test_few_tasks_tell_nothing_of_what_it_depends_on(tmp_path):
    records, tasks = many_tasks(3)
    found = dependence.sentences(report.load(asking(tmp_path / "run", records, tasks)))
    assert found[0].endswith("nothing can be told, since so few tasks give no p-value below 0.67.")


def test_methods_at_their_best_setting_are_profiled_over_all_tasks(tmp_path):
    finer = [trained("euler", seed, 1, "pendulum", nfe=20, steps=20) for seed in range(SEEDS)]
    records = [*solvers(), *finer, *solvers("lorenz", low=None)]
    results = report.load(asking(tmp_path / "run", records, ["pendulum", "lorenz"]))
    found = methods.costs(results, TRAINING)
    assert list(found) == ["euler", "rk4"]
    assert found["euler"].tolist() == [20.0] * SEEDS + [math.inf] * SEEDS
    assert "profiles_answers" in [one.name for one in figures.draw(results)]


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
    assert len(rows) == 1 + 2 * 6


def test_the_same_records_give_the_same_answers(run):
    both = [report.load(run) for _ in range(2)]
    one, other = (markdown.answers(results, []) for results in both)
    assert one == other
    [drawn, again] = (next(figures.draw(results)) for results in both)
    assert drawn.encode("svg") == again.encode("svg")


def test_a_side_that_never_reaches_the_target_is_an_arrow_with_its_counts(run):
    drawing = next(figures.draw(report.load(run)))
    for axes in drawing.figure.axes[2:]:
        texts = [text.get_text() for text in axes.texts if text.get_text()]
        assert texts == ["7 of 7 : 0 of 7"]


def test_the_terminal_begins_with_the_answers(run):
    printed = io.StringIO()
    report.show(run, Console(file=printed, width=400))
    text = printed.getvalue()
    assert (
        text.index(ASK)
        < text.index("= the same: On pendulum, rk4 ×10 leaves 1.00×")
        < text.index("rk4 ×10 takes")
    )


def test_scripts_are_told_the_answers(run):
    results = report.load(run)
    told = json.loads(json.dumps(digest.of(results, run, run)))["answers"]
    assert told[0]["ask"] == ASK
    assert [one["finding"] for one in told[0]["measured"][0]["findings"]] == ["the same", "less error"]


def test_a_run_whose_suite_asks_nothing_has_no_answers(tmp_path):
    results = report.load(three_solvers(tmp_path / "run"))
    assert not saying.of(results)
    assert not dependence.sentences(results)
    assert markdown.answers(results, []) == ""
    assert next(figures.draw(results)).name != "answers"
    assert "answers" not in digest.of(results, tmp_path, tmp_path)
    assert verdicts.of(results)
