"""The columns of a run folder as Markdown, for `results/README.md`: ``python -m rkbench.report.columns``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from fnmatch import fnmatchcase

from rkbench.record import CURVE_COLUMNS, LOOK_COLUMNS, SIGNAL_COLUMNS, TRACE_COLUMNS, Record
from rkbench.report.summary import ESTIMATED, SUMMARY_COLUMNS

BEGIN = "<!-- columns: written by `python -m rkbench.report.columns`, do not edit by hand -->"
END = "<!-- end of columns -->"

SOLVER = (
    "Label of the solver, such as `rk4 ×10` (ten equal steps) or `dopri5 @ 1e-3` (adaptive, relative tolerance 10⁻³), "
    "unique within the run"
)
ELAPSED = (
    "Training time since the start of the cell, in seconds: that of its epochs so far, this one included"
)

_RECORD = {f.name: (str(f.type).removesuffix(" | None"), f.metadata["doc"]) for f in fields(Record)}

_UNITS = {
    "*seconds*": "s",
    "*_mb": "MiB",
    "*_accuracy": "share, 0 to 1",
    "*_accuracy_change": "share",
    "*_label_changes": "share, 0 to 1",
    "target": "share, 0 to 1, or that of the score",
    "*_score": "that of the score",
    "tight_score_change": "that of the score",
    "score_change": "that of the score",
    "disturbance": "share",
    "*_logit_change": "nats",
    "*_loss": "nats, unless the task has a loss of its own",
    "nfe_*": "evaluations of f",
    "vjps": "products",
    "steps": "steps",
    "by_steps": "steps",
    "critical_steps": "steps",
    "accuracy": "share, 0 to 1",
    "accuracy_change": "share",
    "label_changes": "share, 0 to 1",
    "logit_change": "nats",
    "nfe": "evaluations of f",
    "accepted": "steps",
    "rejected": "steps",
    "checkpoints": "states",
    "*rtol": "1",
    "*atol": "that of the state",
    "solver_error": "that of the samples",
    "*_error": "1",
    "*_ratio": "1",
    "*_abscissa": "1 / that of the problem's time",
    "condition": "1",
    "*_gradient": "nats",
    "layers": "layers",
    "layer": "number",
    "order": "1",
    "stages": "stages",
    "parameters": "parameters",
    "threads": "threads",
    "epochs": "epochs",
    "resumed_epochs": "epochs",
    "n_*": "cells",
    "t": "that of the problem's time",
    "h": "that of the problem's time",
    "seed": "number",
    "replica": "number",
    "attempt": "number",
    "epoch": "number",
}
"""Pattern of the names of columns that hold numbers -> their unit; ``1`` for what has none."""


def unit(name: str) -> str:
    """Return the unit of a column; empty for one that holds no numbers."""
    return next((unit for pattern, unit in _UNITS.items() if fnmatchcase(name, pattern)), "")


def markdown() -> str:
    """Return the tables of all columns between their markers."""
    curve = {name: ("int" if name == "epoch" else "float", doc) for name, doc in CURVE_COLUMNS.items()}
    trace = {name: ("int" if name == "rejected" else "float", doc) for name, doc in TRACE_COLUMNS.items()}
    kinds = {"by_method": "str", "by_steps": "int"}
    looks = {name: (kinds.get(name, "float"), doc) for name, doc in LOOK_COLUMNS.items()}
    signal = {name: ("int" if name == "layer" else "float", doc) for name, doc in SIGNAL_COLUMNS.items()}
    solver = {"solver": ("str", SOLVER)}
    keys = {name: _RECORD[name] for name in ("cell_id", "task")} | solver
    keys |= {name: _RECORD[name] for name in ("method", "seed")}
    sections = {
        "A record": _RECORD,
        "A row of `curve`": curve,
        "A row of `looks`": looks,
        "A row of `signal`": signal,
        "A row of `trace`": trace,
        "A row of `cells` and of `replicas`: those of a record but `curve`, `looks`, `signal` and `trace`, and": solver,
        "A row of `epochs`": keys | curve | {"train_seconds": ("float", ELAPSED)},
        "A row of the frame `looks`": keys | looks,
        "A row of `signals`": keys | signal,
        "A row of `traces`": keys | trace,
    }
    parts = [BEGIN]
    parts += [
        f"### {title}\n\n"
        + _table(
            ("column", "type", "unit", "meaning"),
            {name: (kind, unit(name), doc) for name, (kind, doc) in one.items()},
        )
        for title, one in sections.items()
    ]
    summary = {
        name: (f"`{name}_low`, `{name}_high`" if name in ESTIMATED else "", unit(name), doc)
        for name, doc in SUMMARY_COLUMNS.items()
    }
    title = "### A row of `summary()` and of `summary.csv`"
    parts += [f"{title}\n\n{_table(('column', 'interval', 'unit', 'meaning'), summary)}", END]
    return "\n\n".join(parts) + "\n"


def _table(headings: tuple[str, ...], columns: Mapping[str, tuple[str, ...]]) -> str:
    rows = [headings, ("---",) * len(headings), *((f"`{name}`", *texts) for name, texts in columns.items())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(markdown(), end="")
