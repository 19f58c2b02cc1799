"""Memory and time against depth: a line for each ladder that was trained at three depths or more, named with its law."""

import numpy as np
import pytest
from test_report_depths import STEPS, blocks, loaded, steps

from rkbench.report.figures import depths


def drawn(tmp_path, *records):
    return [drawing.figure for drawing in depths.draw(loaded(tmp_path, *records))]


def ladder(method, **power):
    return [
        steps(n, method, step_memory_mb=2 + n ** power.get("memory", 1.0), epoch_seconds=0.1 * n, accuracy=0.9) for n in STEPS
    ]  # fmt: skip


def test_memory_and_time_have_a_panel_each_with_the_laws_at_the_ends(tmp_path):
    deep = [blocks(n, step_memory_mb=10 + 2.0 * n, epoch_seconds=1.0 * n) for n in STEPS]
    [figure] = drawn(tmp_path, *deep, *ladder("rk4", memory=0.0))
    memory, time = figure.axes
    assert [axes.get_ylabel() for axes in (memory, time)] == [
        "memory of a training step, MiB",
        "time of an epoch, s",
    ]
    assert {text.get_text() for text in memory.texts} == {"resnet: O(N)", "odenet · rk4: O(1)"}
    assert {text.get_text() for text in time.texts} == {"resnet: O(N)", "odenet · rk4: O(N)"}


def test_what_was_measured_is_marked_and_the_law_is_drawn_through_it(tmp_path):
    [figure] = drawn(tmp_path, *ladder("rk4"))
    marks, law = figure.axes[0].lines[:2]
    assert marks.get_xydata().tolist() == [[n, 2.0 + n] for n in STEPS]
    assert np.interp(8, *law.get_xydata().T) == pytest.approx(10, rel=1e-3)


def test_a_measure_that_is_missing_has_no_panel(tmp_path):
    [figure] = drawn(tmp_path, *(steps(n, step_memory_mb=1.0 * n) for n in STEPS))
    assert [axes.get_ylabel() for axes in figure.axes] == ["memory of a training step, MiB"]


def test_two_depths_are_no_growth(tmp_path):
    assert drawn(tmp_path, *ladder("rk4")[:2]) == []


def test_many_ladders_are_named_in_a_legend(tmp_path):
    [figure] = drawn(tmp_path, *(record for k in range(25) for record in ladder(f"m{k}")))
    assert len(figure.legends[0].get_texts()) == 25
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == []
