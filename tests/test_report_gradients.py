"""Roads to the gradient: memory against depth, costs at equal error, and sentences that claim what was measured."""

import math

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import figures, gradient_findings, gradients, tables

EMPTY = ("train_seconds", "test_accuracy", "train_accuracy", "nfe_eval")
DEPTHS = (2, 8, 32, 128)


def planned(method="rk4", seed=0, **given):
    given = {"task": "deep", "experiment": "gradient", "epochs": None, "dtype": "float64"} | given
    if "rtol" not in given:
        given = {"steps": 8} | given
    point = cell(method, seed, **given)
    named = (point[key] for key in ("engine", "gradient", "adjoint_rtol"))
    return point | {"cell_id": "-".join(map(str, (point["cell_id"], *named)))}


def differentiated(
    method="rk4", seed=0, seconds=1.0, memory=2.0, error=1e-4, off=0.0, timing_valid=True, **given
):
    """Return the record of a solve and its gradient."""
    point = planned(method, seed, **given)
    values = {
        "step_seconds": seconds, "step_memory_mb": memory, "gradient_error": error, "discrete_gradient_error": off,
        "accepted": float(point["steps"] or round(-10 * math.log10(point["rtol"]))), "timing_valid": timing_valid,
    }  # fmt: skip
    return ok(point, epochs=0, **dict.fromkeys(EMPTY) | values)


def road(
    gradient="backprop", pace=1.0, memory=lambda n: float(n), seeds=(0, 1, 2), jitter=0.01, wrong=1.0, **given
):
    """Return a ladder of equal steps: time ``pace`` per step, error of fourth order, times ``wrong``."""
    return [
        differentiated(
            gradient=gradient, seed=seed, steps=n, seconds=n * pace * (1 + jitter * seed), memory=memory(n),
            error=wrong * n**-4.0, **given,
        )
        for seed in seeds
        for n in DEPTHS
    ]  # fmt: skip


def loaded(folder, *roads, **manifest):
    return report.load(written(folder / "run", [record for one in roads for record in one], **manifest))


def entries(table):
    """Return the text of a table: row name → heading → text."""
    headings = [column.heading for column in table.columns]
    return {
        cells[0].text: dict(zip(headings, [one.text for one in cells], strict=True))
        for cells in table.cells()
    }


def findings(results):
    return " ".join(sentence for table in tables.of(results) for sentence in table.findings)


def test_a_road_is_a_gradient_of_ours_or_an_engine(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop"), road("segments"), road("backprop", engine="reversible"),
        road("backprop", engine="torchdiffeq"), road("adjoint", engine="torchdiffeq"),
    )  # fmt: skip
    assert set(gradients.cells(results.cells)["ladder"]) == {
        "rk4 · backprop", "rk4 · segments", "rk4 · reversible", "rk4 · torchdiffeq · backprop",
        "rk4 · torchdiffeq · adjoint",
    }  # fmt: skip


def test_equal_and_adaptive_steps_are_ladders_of_their_own(tmp_path):
    results = loaded(tmp_path, road("backprop"), [differentiated(rtol=1e-3), differentiated(rtol=1e-6)])
    chosen = gradients.cells(results.cells)
    assert set(chosen["ladder"]) == {"rk4 · equal steps", "rk4"}
    assert set(chosen["variant"]) == {""}
    assert set(chosen["setting"]) == {"rtol 1e-3", "rtol 1e-6", *(f"{n} steps" for n in DEPTHS)}


def test_options_of_a_road_make_ladders_too(tmp_path):
    results = loaded(
        tmp_path, road("backprop"), road("adjoint", adjoint_rtol=1e-3), road("adjoint", adjoint_rtol=1e-6)
    )
    assert set(gradients.cells(results.cells)["variant"]) == {
        "backprop", "adjoint · adjoint rtol 1e-3", "adjoint · adjoint rtol 1e-6",
    }  # fmt: skip


def test_the_table_names_the_law_of_every_road(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop", memory=lambda n: 0.5 * n), road("checkpoint", memory=lambda n: 1 + n / 16),
        road("segments", memory=lambda n: 1 + n**0.5), road("binomial", memory=lambda n: 1 + math.log2(n)),
        road("adjoint", memory=lambda n: 2.0), road("interpolated", memory=lambda n: 1.5 if n < 8 else math.nan),
    )  # fmt: skip
    found = entries(tables.of(results)[0])
    laws = {name.removeprefix("rk4 · "): row["memory"] for name, row in found.items()}
    assert laws == {
        "backprop": "O(N·s)", "checkpoint": "O(N)", "segments": "O(√N)", "binomial": "O(log N)", "adjoint": "O(1)",
        "interpolated": "–",
    }  # fmt: skip
    assert found["rk4 · checkpoint"]["MiB per N, √N or log2 N"] == "0.0625"
    assert (found["rk4 · backprop"]["N"], found["rk4 · backprop"]["MiB"]) == ("2 → 128", "1.00 → 64.0")
    assert list(found)[0] == "rk4 · backprop"


def test_time_is_compared_with_backprop_at_the_same_setting_and_seed(tmp_path):
    results = loaded(tmp_path, road("backprop"), road("segments", pace=1.5, jitter=0.03))
    [deep, _] = tables.of(results)
    cells = {
        cells[0].text: dict(zip([c.heading for c in deep.columns], cells, strict=True))
        for cells in deep.cells()
    }
    ratio = cells["rk4 · segments"]["time ÷ backprop"]
    assert (ratio.text, ratio.interval) == ("1.53", "1.50–1.56")
    assert cells["rk4 · backprop"]["time ÷ backprop"].text == "1.00"


def test_costs_at_equal_error_are_read_between_rungs_seed_by_seed(tmp_path):
    results = loaded(tmp_path, road("backprop"))
    paid = gradients.costs(gradients.cells(results.cells))
    assert list(paid[1e-6].shown.values()) == pytest.approx(
        [10**1.5 * (1 + 0.01 * seed) for seed in range(3)]
    )
    assert list(paid[1e-6].memory.values()) == pytest.approx([10**1.5] * 3)
    assert not paid[1e-9].reached


def test_a_coarsest_rung_that_is_good_enough_gives_a_bound(tmp_path):
    results = loaded(tmp_path, road("backprop", wrong=1e-3), road("segments", wrong=1e-3))
    found = entries(tables.of(results)[1])
    assert found["rk4 · backprop"]["MiB to 1e-3"] == "≤ 2.00"
    assert (
        "Left out, since more accurate at the coarsest setting: rk4 · backprop and rk4 · segments."
        in findings(results)
    )


def test_the_fastest_the_leanest_and_what_it_costs_are_said(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop"), road("segments", pace=2.0, memory=lambda n: 3.0), road("adjoint", pace=3.0, memory=lambda n: 4.0),
    )  # fmt: skip
    sentence = findings(results)
    assert (
        "At a gradient error of 1e-6, rk4 · backprop is fastest, with 31,939 [31,623–32,255] ms" in sentence
    )
    assert "rk4 · segments is leanest, with 3.00 MiB, and takes 2.00 times as long" in sentence
    assert "Beaten by none" not in sentence


def test_a_road_between_the_fastest_and_the_leanest_is_said_to_be_beaten_by_none(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop"), road("segments", pace=2.0, memory=lambda n: 3.0), road("adjoint", pace=3.0, memory=lambda n: 2.0),
    )  # fmt: skip
    assert (
        "Beaten by none in time and memory both, too: rk4 · segments (3.00 MiB, 2.00 times as long)."
        in findings(results)
    )


def test_times_within_their_spread_are_not_told_apart(tmp_path):
    noisy = [
        differentiated(
            gradient="segments",
            seed=seed,
            steps=n,
            seconds=n * 1.02 * 1.1 ** (seed - 1),
            error=n**-4.0,
            memory=9.0,
        )
        for seed in range(3)
        for n in DEPTHS
    ]
    sentence = findings(loaded(tmp_path, road("backprop", jitter=0.0), noisy))
    assert "rk4 · backprop is fastest" in sentence
    assert "not distinguishable from rk4 · segments (1.02 [0.927–1.12] times as long)" in sentence


def test_what_the_baseline_differs_by_from_itself_is_not_told_apart(tmp_path):
    again = [record for record in road("backprop", pace=1.3) if record.steps == DEPTHS[0]]
    for record in again:
        record.replica, record.cell_id = 1, f"{record.cell_id}-again"
    results = loaded(tmp_path, road("backprop"), road("segments", pace=1.2), road("adjoint", pace=1.4), again)
    sentence = findings(results)
    assert "not distinguishable from rk4 · segments (1.20 times as long)" in sentence
    assert entries(tables.of(results)[0])["rk4 · backprop"]["cells"] == "12 ok"


def test_one_seed_tells_no_times_apart(tmp_path):
    sentence = findings(
        loaded(tmp_path, road("backprop", seeds=(0,)), road("segments", pace=9.0, seeds=(0,)))
    )
    assert "on one seed, which tells no times apart" in sentence
    assert "times as long to" not in sentence
    assert "not distinguishable" not in sentence


def test_times_taken_beside_other_cells_are_shown_and_not_compared(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop", timing_valid=False),
        road("segments", timing_valid=False, memory=lambda n: 3.0),
    )
    [deep, even] = tables.of(results)
    assert entries(even)["rk4 · backprop"]["ms to 1e-6"] == "31,939 †"
    assert entries(deep)["rk4 · segments"]["time ÷ backprop"] == "–"
    assert "rk4 · segments is leanest, with 3.00 MiB; no times may be compared." in findings(results)
    assert tables.UNTIMED in tables.captions([deep, even])


def test_a_seed_that_fails_has_not_reached_the_error(tmp_path):
    lost = [failed(planned(gradient="segments", seed=2, steps=n)) for n in DEPTHS]
    results = loaded(tmp_path, road("backprop"), road("segments", seeds=(0, 1)), lost)
    assert "Not reached with every seed by rk4 · segments." in findings(results)
    found = entries(tables.of(results)[1])
    assert (found["rk4 · segments"]["ms to 1e-6"], found["rk4 · segments"]["cells"]) == (
        "–",
        "8 of 12 ok, 4 diverged",
    )


def test_cells_that_have_not_run_yet_count_for_nothing(tmp_path):
    records = [*road("backprop", seeds=(0, 1)), *road("segments", seeds=(0, 1))]
    plan = [
        planned(gradient=g, seed=s, steps=n)
        for g in ("backprop", "segments")
        for s in range(3)
        for n in DEPTHS
    ]
    results = report.load(written(tmp_path / "run", records, plan))
    assert "Not reached with every seed" not in findings(results).split("1e-9")[0]


def test_times_of_two_machines_are_not_compared(tmp_path):
    elsewhere = list(road("segments", pace=2.0))
    for record in elsewhere:
        record.host = "windmill"
    chosen = gradients.cells(loaded(tmp_path, road("backprop"), elsewhere).cells)
    one, other = (
        gradients.costs(chosen[chosen["gradient"] == name])[1e-6] for name in ("backprop", "segments")
    )
    assert math.isnan(gradients.ratio(one, other).median)


def test_the_distance_from_the_gradient_of_the_same_solve_is_said_with_its_setting(tmp_path):
    results = loaded(
        tmp_path,
        road("backprop"), road("checkpoint", off=2e-16), road("adjoint", off=3e-5, wrong=20.0),
    )  # fmt: skip
    sentence = findings(results)
    assert "to round-off (off by 2.0e-16 at most): rk4 · checkpoint." in sentence
    assert (
        "rk4 · adjoint is off the gradient of its own solve by 3.0e-05 at 2 steps and 3.0e-05 at 128 steps"
        in sentence
    )
    assert "its error is 20.0 times that of backprop" in sentence


def test_round_off_is_that_of_the_floating_point_type(tmp_path):
    results = loaded(
        tmp_path, road("backprop", dtype="float32"), road("checkpoint", off=3e-6, dtype="float32")
    )
    assert "rk4 · checkpoint." in next(s for t in tables.of(results) for s in t.findings if "round-off" in s)


def test_a_road_beaten_in_time_and_memory_is_not_on_the_front(tmp_path):
    chosen = gradients.cells(
        loaded(
            tmp_path,
            road("backprop"),
            road("segments", pace=2.0),
            road("adjoint", pace=2.0, memory=lambda n: 1.0),
        ).cells
    )
    paid = {str(name): gradients.costs(cells)[1e-6] for name, cells in chosen.groupby("ladder")}
    assert gradient_findings.front(paid) == ["rk4 · backprop", "rk4 · adjoint"]


def test_a_task_without_a_true_gradient_has_one_table_and_no_figure_of_work(tmp_path):
    records = road("backprop") + road("segments")
    for record in records:
        record.gradient_error = None
    results = loaded(tmp_path, records)
    assert [table.title for table in tables.of(results)] == ["deep (against depth)"]
    drawn = {drawing.name for drawing in figures.draw(results)}
    assert "gradient_memory" in drawn
    assert "gradient_work" not in drawn


def test_a_run_in_which_every_gradient_failed_still_reports(tmp_path):
    run = written(tmp_path / "run", [failed(planned(steps=n)) for n in DEPTHS])
    results = report.load(run)
    assert list(figures.draw(results)) == []
    [table] = tables.of(results)
    assert entries(table)["rk4"]["cells"] == "0 of 4 ok, 4 diverged"
    assert report.write(run).exists()


def test_memory_that_was_out_of_sight_is_a_dash_and_no_claim(tmp_path):
    results = loaded(
        tmp_path, road("backprop"), road("adjoint", engine="diffrax", pace=0.5, memory=lambda n: None)
    )
    found = entries(tables.of(results)[0])
    assert found["rk4 · diffrax · adjoint"]["MiB"] == found["rk4 · diffrax · adjoint"]["memory"] == "–"
    assert "rk4 · diffrax · adjoint is fastest" in findings(results)
    assert "rk4 · backprop is leanest" in findings(results)


def test_the_sentences_stand_in_report_page_and_terminal(tmp_path, capsys):
    run = written(tmp_path / "run", road("backprop") + road("segments", pace=2.0, memory=lambda n: 3.0))
    page = report.write(run)
    report.show(run)
    for text in (
        page.read_text("utf-8"),
        (page.parent / "report.md").read_text("utf-8"),
        capsys.readouterr().out,
    ):
        assert "is fastest, with" in " ".join(text.split())


def test_the_summary_has_what_was_measured(tmp_path):
    results = loaded(
        tmp_path, road("backprop"), road("segments", pace=2.0), suite={"name": "s", "baseline": "rk4"}
    )
    summary = results.summary().set_index("solver").loc["rk4 ×2 · segments"]
    assert list(summary[["step_seconds", "step_memory_mb", "gradient_error"]]) == pytest.approx(
        [4.04, 2, 2**-4]
    )
    assert summary["time_ratio"] == pytest.approx(2.0)


def test_two_runs_compare_gradients(tmp_path):
    runs = [written(tmp_path / name, road(pace=pace)) for name, pace in (("a", 1.0), ("b", 2.0))]
    row = report.compare(*runs).iloc[0]
    assert (row["time_ratio"], row["step_memory_mb_a"]) == pytest.approx((2.0, 2.0))
