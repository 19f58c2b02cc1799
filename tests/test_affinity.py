"""A cell that is timed stays on its own CPUs, with every thread and process that it starts."""

import os

import pytest

from rkbench import machine, suite
from rkbench.cell import run
from rkbench.plan import expand
from rkbench.registry import default
from rkbench.worker import Worker

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="this system ties no process to CPUs"
)


def tell_affinity(send):
    send({"cpus": sorted(os.sched_getaffinity(0))})


def test_a_worker_is_tied_to_the_cpus_it_is_given():
    last = max(os.sched_getaffinity(0))
    worker = Worker(tell_affinity, cpus=[last])
    try:
        assert worker.message(60) == {"cpus": [last]}
    finally:
        worker.close()


def test_a_cell_gets_as_many_cpus_as_it_has_threads(monkeypatch):
    monkeypatch.setattr(machine, "affinity", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(machine, "_siblings", lambda cpu: [str(cpu)])
    assert machine.cpus_for(1) == [3]
    assert machine.cpus_for(3) == [1, 2, 3]


def test_whole_cores_come_before_the_second_halves_of_cores(monkeypatch):
    monkeypatch.setattr(machine, "affinity", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(machine, "_siblings", lambda cpu: ["0", "2"] if cpu in (0, 2) else ["1", "3"])
    assert {cpu % 2 for cpu in machine.cpus_for(2)} == {0, 1}
    assert len(machine.cpus_for(3)) == 3


def test_a_cell_with_more_threads_than_there_are_cpus_is_not_tied(monkeypatch):
    monkeypatch.setattr(machine, "affinity", lambda: [0])
    assert machine.cpus_for(2) == []


def test_a_record_names_the_cpus_and_the_threads():
    [cell] = expand(suite.select(suite.load("quick"), tasks=["decay"], methods=["rk4"], seeds=1), default())
    record = run(cell, [], lambda row: None, alone=True)
    assert record.cpus == ",".join(map(str, machine.affinity()))
    assert record.threads == cell.threads
