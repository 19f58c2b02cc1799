"""What is told while a plan runs: every cell, failures as they come, and a time left that is not guessed."""

import io

import pytest
from rich.console import Console
from test_report_example import cell as planned

from rkbench.forecast import Forecast, spoken
from rkbench.plan import Cell
from rkbench.progress import Screen
from rkbench.record import Record

SECONDS = {"euler": 1.0, "rk4": 4.0, "dopri5": 20.0}


def cell(method="euler", seed=0, **given):
    extra = {"replica": 0, "plugin": "", "plugin_version": ""}
    return Cell(**planned(method, seed, **given) | extra | {"cell_id": f"{method} {given} {seed}"})


class Run:
    """A plan that is walked by hand, on a clock that is set by hand."""

    def __init__(self, cells, done=0, terminal=False):
        self.out, self.now = io.StringIO(), 0.0
        console = Console(file=self.out, width=120, force_terminal=terminal, color_system=None)
        self.screen = Screen(console, lambda: self.now)
        self.screen.__enter__()
        self.screen.planned(cells, done)

    def measure(self, cell, again=False, seconds=None, **record):
        self.screen.started(cell)
        self.now += SECONDS[cell.method] if seconds is None else seconds
        self.screen.ended(cell, Record(**{"status": "ok", "train_seconds": 1.0} | record), again)

    @property
    def text(self):
        return self.out.getvalue()


def blocks(seeds, tasks=("digits",)):
    return [cell(method, seed, task=task) for task in tasks for seed in range(seeds) for method in SECONDS]


def test_nothing_is_said_of_the_time_left_before_the_first_block_is_through():
    cells = blocks(3)
    run = Run(cells)
    for one in cells[:2]:
        run.measure(one)
        assert run.screen.summary() == f"{9 - run.screen.done} left"
    run.measure(cells[2])
    assert run.screen.summary() == "6 left, about 50 s"


def test_the_time_left_is_that_of_the_solvers_left_and_not_of_their_mean():
    cells = blocks(2)
    run = Run(cells)
    for one in [*cells[:3], cells[5]]:  # the slow one first
        run.measure(one)
    assert run.screen.summary() == "2 left, about 5 s"


def test_a_cell_under_way_is_counted_by_what_is_left_of_it():
    cells = blocks(2)
    run = Run(cells)
    for one in cells[:5]:
        run.measure(one)
    run.screen.started(cells[5])
    run.now += 15
    assert run.screen.forecast.left(run.now) == pytest.approx(5)
    run.now += 15
    assert run.screen.forecast.left(run.now) == 0


def test_a_cell_that_comes_again_is_told_and_still_to_be_done():
    cells = blocks(2)
    run = Run(cells)
    run.measure(cells[0], again=True, disturbance=0.23)
    for one in cells[1:3]:
        run.measure(one)
    assert "euler×10 seed 0: the machine was disturbed (23 %); it comes again" in run.text
    assert run.screen.summary() == "4 left, 1 measured again, about 26 s"
    for one in [*cells[3:], cells[0]]:
        run.measure(one)
    assert run.screen.summary() == "1 measured again"
    assert "[6/6] digits euler×10 seed 0: 1.00 s" in run.text


def test_a_task_that_was_not_begun_makes_it_at_least():
    cells = blocks(2, ("digits", "mnist8"))
    run = Run(cells)
    for one in cells[:3]:
        run.measure(one)
    assert run.screen.summary() == "9 left, at least 25 s (mnist8 not timed yet)"


def test_time_between_the_cells_counts_and_cells_beside_others_share_it():
    cells = blocks(2)
    alone = Forecast(cells)
    for n, one in enumerate(cells[:3]):
        alone.started(one, 10 * n)
        alone.ended(one, 10 * n + 5, again=False)
    assert alone.left(25) == pytest.approx(15 * 25 / 15)
    beside = Forecast(cells)
    for one in cells[:3]:
        beside.started(one, 0)
    for one in cells[:3]:
        beside.ended(one, 5, again=False)
    assert beside.left(5) == pytest.approx(5)


def test_a_skipped_cell_takes_no_time_and_is_no_failure():
    cells = [cell("rk4", 0, unavailable="no jax"), *blocks(2)]
    run = Run(cells)
    run.measure(cells[0], seconds=0, status="skipped", message="no jax")
    for one in cells[1:4]:
        run.measure(one)
    assert run.screen.summary() == "3 left, about 25 s"


def test_failures_are_told_as_they_come_and_counted():
    run = Run(blocks(1))
    run.measure(cell(), status="diverged", message="It [bold]diverged[/bold].")
    assert "[1/3] digits euler×10 seed 0: diverged It [bold]diverged[/bold]." in run.text
    assert run.screen.summary() == "2 left, 1 failed"


def test_plain_lines_tell_the_time_left_once_a_block():
    run = Run(blocks(3))
    for one in blocks(3):
        run.measure(one)
    assert [line.strip() for line in run.text.splitlines() if "about" in line] == [
        "6 left, about 50 s",
        "3 left, about 25 s",
    ]
    assert "\x1b" not in run.text


def test_a_terminal_shows_the_running_cell_with_its_epoch_and_loss():
    run = Run(blocks(2), terminal=True)
    for one in blocks(1):
        run.measure(one)
    run.screen.started(cell(seed=1))
    run.screen.epoch(
        cell(seed=1), {"epoch": 1, "train_loss": 0.25, "test_accuracy": 0.9, "nfe_forward": 10.0}
    )
    run.screen.progress.refresh()
    run.screen.__exit__()
    for text in ("digits euler×10 seed 1", "1/2", "loss 0.250, test 90.00 %, NFE 10", "3 left, about 25 s"):
        assert text in run.text


def test_what_an_earlier_run_measured_is_done():
    run = Run(blocks(1), done=3)
    assert "6 cells, 3 of them measured by an earlier run" in run.text
    run.measure(cell())
    assert "[4/6]" in run.text


def test_a_stop_says_what_is_kept():
    run = Run(blocks(1), done=3)
    assert run.screen.stopped() == "Stopped. 3 of 6 cells are measured and kept; the same command resumes."
    run.measure(cell(), again=True)  # kept, too: measured again only if there is time
    assert run.screen.stopped() == "Stopped. 4 of 6 cells are measured and kept; the same command resumes."


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (89, "89 s"), (95, "2 min"), (3599, "1 h 0 min"), (7500, "2 h 5 min")]
)
def test_a_time_is_spelled_as_it_is_spoken(seconds, text):
    assert spoken(seconds) == text
