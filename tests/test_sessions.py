"""A run folder remembers each start that measured something, so that a report can tell what was reused."""

import pytest
from test_resume import CELLS, QUICK, Watcher

from rkbench import inventory, runner, store
from rkbench.plan import blank_record

STARTS = ["2026-03-01T09:00:00+00:00", "2026-03-02T09:00:00+00:00", "2026-03-03T09:00:00+00:00"]


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return a function that starts the run at a time, lets so many of the cells left end, and gives the sessions."""

    def started(when, ending):
        def measured(todo, *_):
            for cell in todo[:ending]:
                record = blank_record(cell)
                record.status = "ok"
                yield cell, record, False

        monkeypatch.setattr(runner, "_measured", measured)
        monkeypatch.setattr(runner, "now", lambda: when)
        monkeypatch.setattr(inventory, "datasets", lambda *_: {})
        monkeypatch.setattr(runner, "up_to_date", lambda *_: True)
        runner.run(runner.Job(QUICK, CELLS, []), tmp_path, Watcher())
        manifest = store.read(tmp_path).manifest
        assert manifest["started_at"] == STARTS[0]
        return manifest["sessions"]

    return started


def test_a_resumed_run_knows_both_its_starts(start):
    assert start(STARTS[0], 1) == STARTS[:1]
    assert start(STARTS[1], 1) == STARTS[:2]


def test_a_start_that_finds_nothing_to_do_is_not_remembered(start):
    assert start(STARTS[0], 2) == STARTS[:1]
    assert start(STARTS[1], 2) == STARTS[:1]


def test_a_folder_from_before_sessions_were_remembered_has_the_start_it_knows(start, tmp_path):
    start(STARTS[0], 1)
    manifest = store.read(tmp_path).manifest
    del manifest["sessions"]
    store.write_manifest(tmp_path, manifest)
    assert start(STARTS[2], 1) == [STARTS[0], STARTS[2]]
