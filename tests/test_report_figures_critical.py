"""What a tight solve changes over the steps of training: a line per method, down to no sample at all."""

from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report.figures import critical

STEPS = (2, 4, 8)


def trained(method, steps, share, seed=0, task="digits"):
    return ok(
        cell(method, seed, task=task, steps=steps), tight_label_changes=share, tight_accuracy_change=0.0
    )


def drawings(tmp_path, records, tested=1000):
    run = written(tmp_path, list(records), data={"digits8": {"test": tested, "sha256": "c"}})
    return list(critical.draw(report.load(run)))


def panel(tmp_path, records, tested=1000):
    [drawing] = drawings(tmp_path, records, tested)
    return drawing.figure.axes[0]


def test_a_line_per_method_shows_the_medians_in_percent(tmp_path):
    records = [trained("euler", n, (0.1 + 0.01 * s) / n, s) for n in STEPS for s in range(3)]
    records += [trained("rk4", n, 0.0) for n in STEPS]
    axes = panel(tmp_path, records)
    first, second = (line.get_xydata() for line in axes.lines[:2])
    assert [x for x, _ in first] == list(STEPS)
    assert [round(y, 9) for _, y in first] == [5.5, 2.75, 1.375]
    assert second.tolist() == [[n, 0.0] for n in STEPS]


def test_no_change_at_all_is_on_the_axis_and_a_single_sample_above_it(tmp_path):
    axes = panel(
        tmp_path, [trained("euler", n, share) for n, share in zip(STEPS, (0.2, 0.001, 0.0), strict=True)]
    )
    assert axes.get_yscale() == "symlog"
    low, high = axes.get_ylim()
    assert low < 0 < 20 < high
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == ["0", "0.1"]
    zero, one, ten = (axes.transData.transform((2, y))[1] for y in (0, 0.1, 1.0))
    assert zero < one < ten


def test_the_dashed_line_is_what_an_odes_network_may_change_at_least_a_sample(tmp_path):
    records = [trained("euler", n, 0.1) for n in STEPS]
    for tested, text in ((10_000, "0.20 %"), (359, "0.28 %")):
        assert [one.get_text() for one in panel(tmp_path / str(tested), records, tested).texts] == [text]


def test_seeds_have_an_interval(tmp_path):
    axes = panel(tmp_path, [trained("euler", n, 0.1 + 0.1 * s, s) for n in STEPS for s in range(3)])
    [(_, low), (_, high)] = axes.collections[0].get_segments()[0]
    assert (round(low, 9), round(high, 9)) == (10, 30)


def test_two_numbers_of_steps_or_only_failures_draw_nothing(tmp_path):
    assert drawings(tmp_path / "two", [trained("euler", n, 0.1) for n in STEPS[:2]]) == []
    lost = [failed(cell("euler", steps=n)) for n in STEPS]
    assert drawings(tmp_path / "lost", lost) == []


def test_every_task_has_its_panel_and_twenty_five_methods_a_legend(tmp_path):
    records = [
        trained(f"m{k}", n, 0.5 / n, task=task) for task in ("a", "b") for k in range(25) for n in STEPS
    ]
    [drawing] = drawings(tmp_path, records)
    assert [axes.get_title(loc="left") for axes in drawing.figure.axes] == ["a", "b"]
    assert len(drawing.figure.legends[0].get_texts()) == 25
