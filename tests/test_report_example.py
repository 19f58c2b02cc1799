"""A small run made by hand, which the other tests of the report read; and that it is a run."""

from pathlib import Path
from typing import Any

from rkbench import store
from rkbench.record import Record

SOLVER = {
    "epochs": 2,
    "method_digest": "",
    "suite": "s", "task": "digits", "dataset": "digits8", "engine": "rkbench", "gradient": "backprop", "norm": "rms",
    "control": "batch", "dtype": "float32", "device": "cpu", "compiled": False, "speculative": False, "threads": 1,
    "experiment": "training", "adjoint_rtol": None, "adjoint_atol": None, "seminorm": None, "checkpoints": None,
}  # fmt: skip


def cell(method: str = "euler", seed: int = 0, **given: Any) -> dict[str, Any]:
    """Return a planned cell: ten equal steps unless ``rtol`` is given."""
    given = {"steps": None if "rtol" in given else 10, "rtol": None, "atol": given.get("rtol")} | given
    point = (
        SOLVER | {"method": method, "seed": seed, "controller": "fixed" if given["steps"] else "pi"} | given
    )
    return {
        "cell_id": "-".join(
            str(point[key]) for key in ("task", "method", "steps", "rtol", "controller", "seed")
        )
    } | point


def ok(
    planned: dict[str, Any], seconds: float = 2.0, accuracy: float = 0.95, epochs: int = 2, **given: Any
) -> Record:
    """Return the record of a cell that ended well, with a curve of equal epochs."""
    point = {
        "seconds": seconds / max(epochs, 1),
        "test_loss": 0.4,
        "test_accuracy": accuracy,
        "nfe_forward": 10,
    }
    curve = [{"epoch": n, "train_loss": 1.0 / n} | point for n in range(1, epochs + 1)]
    values = {
        "status": "ok", "train_seconds": seconds, "test_accuracy": accuracy, "train_accuracy": accuracy, "nfe_forward": 10,
        "nfe_backward": 0, "vjps": 10, "nfe_eval": 10, "accepted": 10, "rejected": 0, "parameters": 4810, "host": "mill",
        "timing_valid": True, "curve": curve,
    }  # fmt: skip
    return Record(**planned | values | given)


def failed(planned: dict[str, Any], message: str = "It diverged; take more steps.", **given: Any) -> Record:
    """Return the record of a cell that diverged."""
    values: dict[str, Any] = {"status": "diverged", "message": message, "host": "mill"}
    return Record(**planned | values | given)


def written(
    folder: Path, records: list[Record], plan: list[dict[str, Any]] | None = None, **manifest: Any
) -> Path:
    """Write a run of these records, planned as given or as recorded, and return its folder."""
    folder.mkdir(exist_ok=True)
    default = [{key: getattr(record, key) for key in ("cell_id", *cell())} for record in records]
    suite = {"name": "s", "title": "A suite", "baseline": "euler"}
    base = {
        "suite": suite,
        "plan": default if plan is None else plan,
        "machine": {"cpu": "A CPU"},
        "started_at": "2026-03-01T09:00:00Z",
    }
    store.write_manifest(folder, base | manifest)
    with store.opened(folder) as writer:
        for record in records:
            writer.append(record)
    return folder


def three_solvers(folder: Path, seeds: int = 3) -> Path:
    """Write a run of euler, rk4 and dopri5, whose times are 2, 4 and 20 seconds, a little more each seed."""
    solvers = (
        (2.0, {"method": "euler"}),
        (4.0, {"method": "rk4"}),
        (20.0, {"method": "dopri5", "rtol": 1e-3}),
    )
    records = [
        ok(
            cell(seed=seed, **solver),
            seconds * (1 + 0.1 * seed),
            0.95 + 0.01 * seed,
            target=0.94,
            seconds_to_target=seconds / 2,
        )
        for seed in range(seeds)
        for seconds, solver in solvers
    ]
    return written(folder, records)


def test_the_example_is_a_run_with_every_record_planned(tmp_path):
    ledger = store.read(three_solvers(tmp_path / "run"))
    assert {record.cell_id for record in ledger.records} == {
        planned["cell_id"] for planned in ledger.manifest["plan"]
    }
    assert len(ledger.records) == 9
