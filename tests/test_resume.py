"""Given again, a run does what is left to do, and nothing that is done."""

import dataclasses

import pytest

from rkbench import checksums, inventory, registry, runner, store, suite
from rkbench.plan import blank_record, expand

QUICK = suite.select(suite.load("quick"), methods=["euler", "rk4"], seeds=1, epochs=1)
CELLS = expand(QUICK, registry.default())
WAS = checksums.of("digits8")


class Watcher:
    """Remembers what it is told."""

    def __init__(self):
        self.began = []
        self.counts = ()

    def planned(self, todo, done):
        self.counts = (len(todo) + done, done)

    def started(self, cell):
        self.began.append(cell.cell_id)

    def epoch(self, cell, row):
        pass

    def ended(self, cell, record, again):
        pass

    def note(self, sentence):
        pass


@pytest.fixture
def folder(tmp_path):
    """A finished run: the first cell ended ok, the second in a timeout."""
    store.write_manifest(
        tmp_path, {"suite": {"name": "quick"}, "plan": [], "data": {"digits8": {"sha256": WAS}}}
    )
    with store.opened(tmp_path) as writer:
        for cell, status in zip(CELLS, ("ok", "timeout"), strict=True):
            writer.append(dataclasses.replace(blank_record(cell), status=status))
    return tmp_path


def test_a_finished_run_starts_nothing(folder):
    watcher = Watcher()
    runner.run(runner.Job(QUICK, CELLS, []), folder, watcher)
    assert (watcher.began, watcher.counts) == ([], (2, 2))


def test_a_finished_run_takes_another_baseline(folder):
    runner.run(runner.Job(dataclasses.replace(QUICK, baseline="rk4"), CELLS, []), folder, Watcher())
    manifest = store.read(folder).manifest
    assert manifest["suite"]["baseline"] == "rk4"
    assert manifest["data"] == {"digits8": {"sha256": WAS}}


def test_failed_cells_run_again_when_asked_for(folder, monkeypatch):
    monkeypatch.setattr(inventory, "datasets", lambda names, device: {"digits8": {"sha256": WAS}})
    watcher = Watcher()
    runner.run(runner.Job(QUICK, CELLS, [], retry_failed=True), folder, watcher)
    assert set(watcher.began) == {CELLS[1].cell_id}  # more than once, where the machine was disturbed
    assert [r.status for r in store.read(folder).records] == ["ok", "ok"]


def test_changed_data_are_refused(folder, monkeypatch):
    monkeypatch.setattr(inventory, "datasets", lambda names, device: {"digits8": {"sha256": "is"}})
    more = expand(dataclasses.replace(QUICK, seeds=3), registry.default())
    with pytest.raises(runner.RunError, match="digits8 has changed"):
        runner.run(runner.Job(QUICK, more, []), folder, Watcher())


def test_a_lost_manifest_loses_no_record(folder):
    (folder / store.MANIFEST).unlink()
    watcher = Watcher()
    runner.run(runner.Job(QUICK, CELLS, []), folder, watcher)
    assert watcher.began == []
    assert len(store.read(folder).manifest["plan"]) == 2
