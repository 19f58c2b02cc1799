"""Cells that are timed run one at a time, between pulses of the machine; one that was disturbed comes again."""

import dataclasses
from pathlib import Path

import pytest

from rkbench import lanes, registry, suite
from rkbench.errors import RunError
from rkbench.plan import blank_record, expand
from rkbench.sentinel import LIMIT, UNFELT, Pulse, Watch

CELLS = expand(suite.select(suite.load("quick"), seeds=2), registry.default())
TERMS = lanes.Terms(Path("run"), [], 1.0)
QUIET, BUSY = Pulse(0.1, 0.1), Pulse(0.1, 0.05)


class Silent:
    """A watcher who says nothing."""

    def started(self, cell):
        pass

    epoch = note = planned = ended = started


@pytest.fixture
def run(monkeypatch):
    """Run cells that end at once, with given pulses and status, and return what came out."""

    def call(pulses, cells=CELLS, status="ok", train_seconds=1.0):
        felt = iter(pulses)
        monkeypatch.setattr(lanes, "pulse", lambda: next(felt, QUIET))
        monkeypatch.setattr(lanes, "start_cell", lambda cell, *_, alone: alone)

        def ended(cell, *_):
            return dataclasses.replace(blank_record(cell), status=status, train_seconds=train_seconds)

        monkeypatch.setattr(lanes, "_ended", ended)
        return list(lanes.one_by_one(cells, TERMS, Silent()))

    return call


def test_on_a_quiet_machine_every_cell_is_measured_once(run):
    ended = run([])
    assert [cell for cell, _, _ in ended] == CELLS
    assert not any(again for _, _, again in ended)
    assert all(record.attempt == 1 and record.disturbance == 0 for _, record, _ in ended)


def test_the_cells_at_both_sides_of_a_disturbed_pulse_come_again_at_the_end(run):
    ended = run([QUIET, QUIET, BUSY])
    assert [again for _, _, again in ended] == [False, True, True, *[False] * (len(CELLS) - 1)]
    assert [cell for cell, _, _ in ended] == [*CELLS, CELLS[1], CELLS[2]]
    assert [record.attempt for _, record, _ in ended[-2:]] == [2, 2]
    assert ended[1][1].disturbance == pytest.approx(1)


def test_a_machine_that_is_never_quiet_ends_all_the_same_and_says_how_bad_it_was(run):
    ended = run([BUSY] * 1000)
    assert len(ended) == len(CELLS) + len(CELLS) // lanes.AGAIN
    assert all(record.disturbance > LIMIT for _, record, _ in ended)


def test_no_cell_is_measured_more_often_than_the_bound(run):
    many = CELLS * 10
    ended = run([BUSY] * 1000, cells=many)
    assert max(record.attempt for _, record, _ in ended) <= lanes.ATTEMPTS


def test_a_cell_without_times_has_nothing_to_be_measured_again(run):
    assert len(run([BUSY] * 1000, train_seconds=None)) == len(CELLS)


def test_a_cell_that_failed_does_not_come_again(run):
    assert len(run([BUSY] * 1000, status="diverged")) == len(CELLS)


def test_a_slow_pulse_among_usual_ones_is_a_disturbance_and_a_usual_one_is_not():
    watch = Watch()
    watch.pulses += [Pulse(0.1, 0.1)] * 5
    assert watch.disturbance() == 0
    watch.pulses.append(Pulse(0.12, 0.12))
    assert watch.disturbance() == pytest.approx(0.2)


def test_a_machine_that_is_as_busy_all_the_time_is_found_by_the_time_of_its_cpu():
    watch = Watch()
    watch.pulses += [Pulse(0.3, 0.1)] * 5
    assert watch.disturbance() == pytest.approx(2)


class Gone:
    """A process that ended before it said anything."""

    def __init__(self, *_, **__):
        pass

    def message(self, timeout):
        raise EOFError

    def close(self):
        pass


def refused(*_, **__):
    raise RunError("no process could be started")


@pytest.mark.parametrize("worker", [Gone, refused])
def test_a_pulse_that_nobody_feels_costs_no_record_and_counts_as_a_disturbance(monkeypatch, worker):
    monkeypatch.setattr(lanes, "Worker", worker)
    assert lanes.pulse() == UNFELT
    watch = Watch()
    watch.pulses += [QUIET] * 5 + [UNFELT]
    assert watch.disturbance() > LIMIT
