"""A clock that is set back costs nothing: it dates records, and decides neither what is done nor how long it took."""

import ast
import dataclasses
from pathlib import Path

from test_resume import CELLS, QUICK, WAS, Watcher

import rkbench
from rkbench import inventory, plan, runner, store
from rkbench.plan import blank_record

WALL_CLOCK = {
    ("time", "time"),
    ("time", "time_ns"),
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
}


def test_the_clock_on_the_wall_is_read_in_one_place_for_dates_alone():
    found = []
    for file in Path(rkbench.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Attribute):
                holder = ast.unparse(node.value).rpartition(".")[2]
                found += [file.name] * ((holder, node.attr) in WALL_CLOCK)
    assert found == ["plan.py"]
    assert plan.now().endswith("+00:00")


def test_records_from_the_future_count_and_nothing_runs_again(tmp_path, monkeypatch):
    data = {"digits8": {"sha256": WAS}}
    monkeypatch.setattr(inventory, "datasets", lambda *_: data)
    future = "2099-01-01T00:00:00+00:00"
    store.write_manifest(
        tmp_path,
        {"suite": {"name": "quick"}, "plan": [], "data": data, "started_at": future, "sessions": [future]},
    )
    with store.opened(tmp_path) as writer:
        writer.append(dataclasses.replace(blank_record(CELLS[0]), status="ok", measured_at=future))
    watcher = Watcher()
    runner.run(runner.Job(QUICK, CELLS, []), tmp_path, watcher)
    assert set(watcher.began) == {CELLS[1].cell_id}
    first, second = store.read(tmp_path).records
    assert first.measured_at > second.measured_at
    assert second.wall_seconds > 0
    assert store.read(tmp_path).manifest["sessions"][0] == future
