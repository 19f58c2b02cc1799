"""A figure holds so many panels and solvers; what it leaves out, its caption says."""

from dataclasses import replace

import pandas as pd
import pytest
from test_report_example import cell, ok, written

from rkbench import report
from rkbench.report import appearance
from rkbench.report.figures import bars, panels

CELLS = pd.DataFrame(
    {
        "solver": [f"s{n}" for n in range(40)],
        "task": "digits",
        "method": ["euler"] + ["other"] * 39,
        "test_accuracy": [n / 40 for n in range(40)],
        "test_score": [float("nan")] * 40,
        "status": "ok",
        "timing_valid": [False] * 2 + [True] * 38,
    }
)


def test_what_fits_is_drawn_without_a_word():
    assert panels.first(["a", "b", "a"], "tasks") == (["a", "b"], "")
    assert panels.accurate(CELLS[:30], "euler") == (list(CELLS["solver"][:30]), "")


def test_solvers_of_one_task_each_are_all_drawn_while_their_lines_fit():
    """As many as would be too many if each were on every task."""
    parted = CELLS[:28].assign(task=[f"task{n % 4}" for n in range(28)])
    assert panels.accurate(parted, "euler") == (list(parted["solver"]), "")


def test_of_too_many_tasks_the_first_are_drawn_and_the_others_counted():
    shown, sentence = panels.first(range(8), "tasks")
    assert shown == [0, 1, 2, 3, 4, 5]
    assert sentence.startswith(" 6 of 8 tasks")


def test_of_too_many_solvers_the_most_accurate_are_drawn_in_their_order_and_the_baseline():
    shown, sentence = panels.accurate(CELLS, "euler")
    assert shown == ["s0", *(f"s{n}" for n in range(11, 40))]
    assert sentence.startswith(" 30 of 40 solvers")


def test_the_more_tasks_the_fewer_solvers_each_has():
    both = pd.concat([CELLS.assign(task=f"t{n}") for n in range(3)])
    assert len(panels.accurate(both, "euler")[0]) == 25


def test_cells_that_ran_beside_others_are_counted():
    assert panels.beside(CELLS).startswith(" 2 cells ran beside others")
    assert panels.beside(CELLS[2:]) == ""


def test_a_panel_of_thirty_solvers_has_a_look_for_each():
    assert len(set(appearance.of(CELLS["solver"][:30]).values())) == 30


def test_methods_of_one_variant_differ_in_dashes_where_their_color_comes_again():
    found = appearance.of_ladders([f"m{n}" for n in range(30)], [""])
    assert len({(look.color, str(look.dashes)) for look in found.values()}) == 30


def test_a_task_where_all_failed_has_its_panel_of_bars(tmp_path):
    methods = ("euler", "rk4")
    records = [ok(cell(method, task="first")) for method in methods]
    lost = [ok(cell(method, task="second"), train_seconds=None) for method in methods]
    records += [replace(record, status="diverged") for record in lost]
    first, second = next(bars.draw(report.load(written(tmp_path / "run", records)))).figure.axes
    assert [text.get_text() for text in second.texts] == ["1 of 1 diverged"] * 2
    assert first.get_xlabel() == second.get_xlabel() == "training time, s"


@pytest.mark.parametrize("noun", ["tasks", "solvers"])
def test_a_sentence_names_where_all_are(noun):
    assert panels.first(range(9), noun)[1].endswith("cells.parquet has all.")
