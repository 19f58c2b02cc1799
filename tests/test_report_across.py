"""Networks trained on one dataset stand in one table, beside what others publish of theirs."""

import io

import pytest
from rich.console import Console
from test_report_depths import NOTHING
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import extent, families, markdown, page, tables

CHEN, OTHER = "Chen et al. 2018, table 1", "Somebody else"
PUBLISHED = [
    {"source": CHEN, "label": "ODE-Net", "task": "odenet", "test_error": 0.42, "parameters_millions": 0.22, "memory": "O(1)"},
    {"source": CHEN, "label": "Theirs alone", "test_error": 1.6},
    {"source": OTHER, "label": "ResNet", "task": "resnet", "test_error": "0.51 ± 0.05", "time": "O(L)"},
]  # fmt: skip


def free(task, seed=0, **measured):
    """Return the record of a network that solves nothing."""
    record = ok(
        cell("", seed, task=task) | NOTHING | {"steps": None}, nfe_forward=None, nfe_backward=None, **measured
    )
    record.curve = [
        {name: value for name, value in row.items() if name != "nfe_forward"} for row in record.curve
    ]
    return record


def two_networks(folder, **manifest):
    solved = [
        ok(
            cell("rk4", seed, task="small_odenet"),
            accuracy=0.95 + 0.01 * seed,
            step_memory_mb=12.0,
            epoch_seconds=2.0,
        )
        for seed in range(3)
    ]
    for record in solved:
        record.curve[0]["nfe_forward"] = 8
    return report.load(written(folder, [free("small_resnet", parameters=576_778), *solved], **manifest))


def entries(table):
    """Return the texts of a table, with their intervals, by row and heading."""
    headings = [column.heading for column in table.columns]
    return {
        cells[0].text: {h: f"{c.text} {c.interval}".strip() for h, c in zip(headings, cells, strict=True)}
        for cells in table.cells()
    }


@pytest.fixture
def across(tmp_path):
    return tables.of(two_networks(tmp_path / "run", reference=PUBLISHED))[0]


def test_it_comes_first_and_names_the_data_and_what_the_tasks_share(across):
    assert across.title == "2 tasks on digits8 (small_…)"


def test_networks_have_short_names_and_their_numbers_with_intervals(across):
    found = entries(across)["odenet · rk4 ×10"]
    assert found == {
        "network": "odenet · rk4 ×10", "test error, %": "4.00 3.00–5.00", "parameters": "4,810",
        "training memory, MiB": "12.0", "s per epoch": "2.00", "NFE forward": "10", "NFE first → last epoch": "8 → 10",
        "cells": "3 ok",
    }  # fmt: skip


def test_what_others_publish_stands_behind_the_network_it_is_about_and_the_rest_last(across):
    assert list(entries(across)) == [
        "resnet",
        "ResNet [2]",
        "odenet · rk4 ×10",
        "ODE-Net [1]",
        "Theirs alone [1]",
    ]


def test_what_others_publish_is_marked_with_its_source_and_shown_as_it_was_printed(across):
    found = entries(across)
    told = {
        "test error, %": "0.42",
        "parameters": "0.22 M",
        "training memory, MiB": "O(1)",
        "cells": "published",
    }
    assert told.items() <= found["ODE-Net [1]"].items()
    assert found["ResNet [2]"]["test error, %"] == "0.51 ± 0.05"
    assert f"[1] {CHEN}; [2] {OTHER}." in across.caption


def test_a_column_without_news_is_left_out(across):
    """No network evaluates f on the way back."""
    assert "NFE backward" not in [column.heading for column in across.columns]


def test_one_task_needs_no_table_across_unless_others_publish_theirs(tmp_path):
    records = [ok(cell(task="small_odenet"))]
    alone, beside = (
        report.load(written(tmp_path / name, records, reference=rows))
        for name, rows in (("a", []), ("b", PUBLISHED))
    )
    assert [one.task for one in tables.of(alone)] == ["small_odenet"]
    assert [one.task for one in tables.of(beside)] == ["1 task on digits8", "small_odenet"]


def test_each_dataset_has_its_own_table_and_what_is_published_about_it(tmp_path):
    records = [
        ok(cell(task=f"{data}_{net}", dataset=data)) for data in ("digits8", "mnist") for net in ("a", "b")
    ]
    row = {"source": CHEN, "label": "A", "task": "a", "dataset": "mnist", "test_error": 1.0}
    first, second, *_ = tables.of(report.load(written(tmp_path / "run", records, reference=[row])))
    assert list(entries(first)) == ["a · euler ×10", "b · euler ×10"]
    assert list(entries(second)) == ["a · euler ×10", "A [1]", "b · euler ×10"]


def judged(task, seed=0, **measured):
    """Return the record of a model with a score of its own."""
    record = ok(cell("euler", seed, task=task, dataset=""), subject="spirals", score="RMSE", **measured)
    record.test_accuracy = record.train_accuracy = None
    record.test_score = record.train_score = 0.25
    return record


SPIRALS = [
    {"source": CHEN, "label": f"RNN, {seen}", "task": f"rnn[seen={seen}]", "dataset": "spirals", "test_score": score}
    for seen, score in ((30, 0.3937), (50, "0.32"))
]  # fmt: skip


def test_models_on_one_subject_stand_in_one_table_with_scores_published_for_their_options(tmp_path):
    records = [judged(f"spirals_{net}[seen={seen}]") for net in ("rnn", "ode") for seen in (30, 50)]
    table = tables.of(report.load(written(tmp_path / "run", records, reference=SPIRALS)))[0]
    found = {name: row["test RMSE"] for name, row in entries(table).items()}
    assert table.title == "4 tasks on spirals (spirals_…)"
    assert found == {
        "rnn[seen=30] · euler ×10": "0.250", "RNN, 30 [1]": "0.3937",
        "rnn[seen=50] · euler ×10": "0.250", "RNN, 50 [1]": "0.32",
        "ode[seen=30] · euler ×10": "0.250", "ode[seen=50] · euler ×10": "0.250",
    }  # fmt: skip


def test_models_without_a_subject_are_not_compared(tmp_path):
    records = [judged("a"), judged("b")]
    for record in records:
        record.subject = ""
    assert [one.task for one in tables.of(report.load(written(tmp_path / "run", records)))] == ["a", "b"]


def test_parameters_are_whole_beside_a_solver_that_has_not_run(tmp_path):
    records = [ok(cell(task="t_a")), ok(cell("rk4", task="t_b"))]
    plan = [cell(task="t_a"), cell("rk4", task="t_b"), cell("euler", task="t_b")]
    found = entries(tables.of(report.load(written(tmp_path / "run", records, plan)))[0])
    assert [row["parameters"] for row in found.values()] == ["4,810", "–", "4,810"]


def test_a_network_that_failed_keeps_its_row(tmp_path):
    records = [ok(cell(task="t_a")), failed(cell(task="t_b"))]
    found = entries(tables.of(report.load(written(tmp_path / "run", records)))[0])
    assert found["b · euler ×10"]["cells"] == "0 of 1 ok, 1 diverged"
    assert found["b · euler ×10"]["test error, %"] == "–"


def test_it_holds_as_many_rows_as_a_reader_sees_and_says_so(tmp_path, monkeypatch):
    results = two_networks(tmp_path / "run", reference=PUBLISHED)
    monkeypatch.setattr("rkbench.report.extent.ROWS", 4)
    found = tables.of(results)[0]
    assert len(found.rows) == extent.ROWS
    assert found.left_out.startswith("4 of 5 rows")


def test_every_document_has_it(tmp_path):
    results = two_networks(tmp_path / "run", reference=PUBLISHED)
    out = io.StringIO()
    report.show(results, Console(file=out, width=60))
    documents = (out.getvalue(), markdown.render(results, []), page.render(results, [], {}))
    for text in documents:
        assert "ODE-Net" in text
        assert "0.51 ± 0.05" in text
        assert text.count("Published elsewhere") == 0
    assert max(map(len, documents[0].splitlines())) <= 60


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["small_mlp", "small_resnet[blocks=2]"], ["mlp", "resnet[blocks=2]"]),
        (["d_control", "d_control_sym"], ["control", "control_sym"]),
        (["small_x[time_grid=2]", "small_x[time_grid=4]"], ["x[time_grid=2]", "x[time_grid=4]"]),
        (
            ["t_a[epochs=5]", "t_a[epochs=5, width=3]", "t_b[width=3,epochs=5]"],
            ["a", "a[width=3]", "b[width=3]"],
        ),
        (["small_odenet"], ["small_odenet"]),
        (["a", "b"], ["a", "b"]),
        (["a_", "a_b"], ["a_", "b"]),
    ],
)
def test_names_lose_what_all_have_in_common(names, short):
    assert list(families.short(names).values()) == short


@pytest.mark.parametrize(
    ("task", "wanted", "is_called"),
    [
        ("mnist_small_odenet", "odenet", True),
        ("mnist_odenet[downsampling=res]", "odenet", True),
        ("odenet", "odenet", True),
        ("mnist_resnet1", "resnet", False),
        ("mnist_fastresnet", "resnet", False),
    ],
)
def test_a_task_is_called_by_its_last_words(task, wanted, is_called):
    assert families.called(task, wanted) is is_called
