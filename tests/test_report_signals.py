"""Signals in a report: a row per network, whatever its depth, sentences with numbers, and figures of every layer."""

from typing import Any

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import appearance, figures, markdown, signals, tables

EMPTY = ("train_seconds", "test_accuracy", "train_accuracy", "nfe_eval")
NO_SOLVER = dict.fromkeys(("engine", "gradient", "norm", "control", "controller"), "") | {
    "steps": None,
    "atol": None,
}


def planned(task, method="", seed=0, **given):
    given = {"experiment": "signal", "epochs": None, "dtype": "float64"} | (
        given if method else NO_SOLVER | given
    )
    return cell(method, seed, task=f"digits8_signal_{task}", **given)


def followed(task, method="", seed=0, layers=4, factor=0.5, parameters=0.5, **given):
    """Return the record of a network each of whose layers multiplies the gradient by a factor."""
    rows = [
        {
            "layer": n,
            "state_gradient": factor ** (layers - n),
            "parameter_gradient": parameters ** (layers - n),
        }
        for n in range(1, layers + 1)
    ]
    values: dict[str, Any] = {
        "layers": layers,
        "signal": rows,
        "state_gradient_ratio": factor ** (layers - 1),
    }
    values |= {"parameter_gradient_ratio": parameters ** (layers - 1)}
    values |= dict.fromkeys(EMPTY)
    return ok(planned(task, method, seed, **given), epochs=0, **values)


def stack(name, factor, depths=(4, 16), options="", seeds=(0, 1, 2), jitter=0.01, **given):
    return [
        followed(
            f"{name}[depth={n}{options}]", layers=n, seed=seed, factor=factor * (1 + jitter * seed), **given
        )
        for seed in seeds
        for n in depths
    ]


def solved(method, factor=0.99, steps=(4, 16), seeds=(0, 1, 2)):
    return [
        followed("odenet", method, seed, layers=n, factor=factor ** (4 / n), steps=n) for seed in seeds for n in steps
    ]  # fmt: skip


def loaded(folder, *networks):
    return report.load(written(folder / "run", [record for one in networks for record in one]))


@pytest.fixture
def run(tmp_path):
    return loaded(
        tmp_path,
        stack("sigmoid", 0.1), stack("tanh", 0.5), stack("tanh", 0.9, options=", init=xavier"), solved("euler"),
        solved("rk4", 0.98),
    )  # fmt: skip


def entries(table):
    """Return the text of a table: row name → heading → text."""
    headings = [column.heading for column in table.columns]
    return {
        cells[0].text: dict(zip(headings, [one.text for one in cells], strict=True))
        for cells in table.cells()
    }


def test_a_row_is_a_network_of_any_depth_or_one_method_that_solves_it(run):
    [table] = tables.of(run)
    assert set(entries(table)) == {"sigmoid", "tanh", "tanh[init=xavier]", "odenet · euler", "odenet · rk4"}
    assert table.title == "Signals on digits8 (first layer ÷ last)"


def test_the_table_has_the_ratio_at_every_depth_and_the_factor_of_a_layer(run):
    found = entries(tables.of(run)[0])["tanh"]
    assert found["state, 4 layers"] == f"{0.505**3:.3f}"
    assert found["state, 16 layers"] == f"{0.505**15:.2e}"
    assert found["per layer"] == "0.505"
    assert found["parameters, 4 layers"] == "0.125"
    assert found["cells"] == "6 ok"


def test_every_number_has_its_interval(run):
    [table] = tables.of(run)
    rows = [cells for cells in table.cells() if cells[0].text == "tanh"]
    named = dict(zip([column.heading for column in table.columns], rows[0], strict=True))
    assert named["state, 4 layers"].interval == f"{0.5**3:.3f}–{0.51**3:.3f}"


def test_the_sentences_order_the_networks_and_tell_the_range_of_solvers(run):
    whole, each, of_steps = tables.of(run)[0].findings
    assert whole.startswith("Of 16 layers, the gradient at the first over that at the last: 1.")
    order = [
        whole.index(f" for {name}")
        for name in ("sigmoid,", "tanh,", "tanh[init=xavier]", "odenet with 2 solvers")
    ]
    assert order == sorted(order)
    assert "0.505 [0.500–0.510] for tanh," in each
    assert of_steps == "Of odenet that ratio is 0.927 to 0.970, from 4 to 16 steps of any of its solvers."


def test_what_single_precision_could_not_hold_is_told(tmp_path):
    said = tables.of(loaded(tmp_path, stack("sigmoid", 0.1, (4, 64)), stack("tanh", 0.5, (4, 64))))[
        0
    ].findings
    assert said[-1].startswith("At the first of 64 layers it is below 1.4e-45")
    assert said[-1].endswith("for sigmoid.")


def test_a_network_that_failed_keeps_its_row(tmp_path):
    lost = [failed(planned("resnet[depth=4]", seed=seed)) for seed in (0, 1)]
    found = entries(tables.of(loaded(tmp_path, stack("tanh", 0.5), lost))[0])
    assert found["resnet"]["cells"] == "0 of 2 ok, 2 diverged"
    assert found["resnet"]["state, 4 layers"] == "–"


def test_a_run_of_failures_says_nothing_and_draws_nothing(tmp_path):
    results = loaded(tmp_path, [failed(planned("tanh[depth=4]", seed=seed)) for seed in (0, 1)])
    assert tables.of(results)[0].findings == ()
    assert not any(drawing.name.startswith("signal") for drawing in figures.draw(results))


def test_adaptive_steps_are_a_setting_of_their_own(tmp_path):
    adaptive = [followed("odenet", "dopri5", seed, layers=3 + seed, rtol=1e-3) for seed in (0, 1)]
    results = loaded(tmp_path, solved("euler", steps=(4,)), adaptive)
    [table] = tables.of(results)
    assert [column.heading for column in table.columns][1:3] == ["state, 4 layers", "state, rtol 1e-3"]
    assert [axes.get_title(loc="left") for axes in drawn(results)["signal_states"].axes[:2]] == [
        "4 layers",
        "rtol 1e-3",
    ]


def drawn(results):
    return {drawing.name: drawing.figure for drawing in figures.draw(results)}


def test_a_panel_per_depth_shows_every_network_whole_and_near_one(run):
    figure = drawn(run)["signal_states"]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["4 layers", "16 layers", "", ""]
    assert [len(axes.lines) for axes in figure.axes] == [5, 5, 5, 5]
    assert figure.axes[2].get_ylim() == pytest.approx((0.05, 20))
    assert figure.axes[0].get_ylim()[0] < 1e-10


def test_the_lines_end_at_one_and_start_at_the_ratio_of_the_median_seed(run):
    lines: Any = drawn(run)["signal_states"].axes[1].lines
    ends = [line.get_ydata() for line in lines]
    assert all(y[-1] == 1 for y in ends)
    assert any(y[0] == pytest.approx(0.505**15, rel=1e-9) for y in ends)


def test_networks_are_told_apart_without_color(run):
    lines = drawn(run)["signal_parameters"].axes[0].lines
    assert len({str(line.get_marker()) for line in lines}) == 5


def test_the_page_has_the_colors_of_the_figure(run):
    style = appearance.of_run(run.cells)
    used = {line.get_color() for line in drawn(run)["signal_states"].axes[0].lines}
    assert {style[ladder].color for ladder in signals.cells(run.cells)["ladder"]} == used


def test_a_gradient_of_zero_ends_its_line(tmp_path):
    record = followed("tanh[depth=4]")
    record.signal[0]["state_gradient"] = 0.0
    line: Any
    [line] = drawn(loaded(tmp_path, [record]))["signal_states"].axes[0].lines
    assert list(line.get_ydata()) == pytest.approx([float("nan"), 0.25, 0.5, 1], nan_ok=True)


def test_two_datasets_have_tables_and_panels_of_their_own(tmp_path):
    others = stack("tanh", 0.4)
    for record in others:
        record.task, record.dataset = record.task.replace("digits8", "mnist8"), "mnist8"
        record.cell_id += "m"
    results = loaded(tmp_path, stack("tanh", 0.5), others)
    assert [table.task for table in tables.of(results)] == ["Signals on digits8", "Signals on mnist8"]
    assert len(drawn(results)["signal_states"].axes) == 8


def test_the_frame_has_a_row_per_layer(run):
    assert len(run.signals) == 3 * 5 * (4 + 16)
    assert set(run.signals["layer"]) == set(range(1, 17))


def test_the_report_shows_table_sentences_and_figures(run):
    text = markdown.render(run, [])
    assert "## Signals on digits8" in text
    assert "Of 16 layers" in text
