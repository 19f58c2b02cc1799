"""What one cell gave: one flat, documented row, failures included, and its curve over epochs.

The columns are data: `COLUMNS` and `CURVE_COLUMNS` are read by the store, the report and the documentation.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields
from typing import Any

from rkbench import validity
from rkbench.printable import cleaned


class CellStatus:
    """Every way a planned cell can end; anything but ``OK`` counts as infinity in rankings."""

    OK = "ok"
    DIVERGED = "diverged"
    NON_FINITE = "non_finite"
    STEP_UNDERFLOW = "step_underflow"
    MAX_STEPS = "max_steps"
    TIMEOUT = "timeout"
    OUT_OF_MEMORY = "out_of_memory"
    CRASHED = "crashed"
    PLUGIN_FAILED = "plugin_failed"
    SKIPPED = "skipped"


def _column(doc: str, default: Any = None) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass
class Record:
    """One row. A value that was not reached is None; nothing is ever NaN."""

    cell_id: str = _column("Hash of everything that decides the outcome", "")
    suite: str = _column("Suite the cell was planned by", "")
    task: str = _column("Task: data, network, recipe, score and target; or an initial value problem", "")
    experiment: str = _column(
        "How the task was measured: `training` of a network, `solving` an initial value problem, the `gradient` of "
        "one solve, or the `signal` that comes back through a network as it is initialised",
        "training",
    )
    dataset: str = _column("Dataset of the task; empty for a task without one", "")
    method: str = _column(
        "Butcher tableau; empty, as all that describes a solver, for a network that solves nothing", ""
    )
    controller: str = _column("Step-size controller; `fixed` for equal steps", "")
    engine: str = _column("What executed the solves; `rkbench` is the native engine", "")
    gradient: str = _column("How the solve was differentiated", "")
    steps: int | None = _column("Number of equal steps; empty for an adaptive solve")
    rtol: float | None = _column("Relative tolerance of a step; empty for equal steps")
    atol: float | None = _column("Absolute tolerance of a step; empty for equal steps")
    adjoint_rtol: float | None = _column("Relative tolerance of the solve back in time; empty when not given")
    adjoint_atol: float | None = _column("Absolute tolerance of the solve back in time; empty when not given")
    seminorm: bool | None = _column(
        "Whether the error control of the solve back in time leaves the parameter gradient out; empty without one"
    )
    checkpoints: int | None = _column("States that a sparing gradient keeps; empty when not given")
    norm: str = _column("How the error of a step becomes one number", "")
    control: str = _column("What shares a step size", "")
    dtype: str = _column(
        "Floating-point type of states and parameters; `bf16_mixed` is float32, with f in bfloat16 under torch's autocast",
        "",
    )
    device: str = _column("Device the cell ran on", "")
    compiled: bool = _column("Whether the solve was compiled", False)
    speculative: bool = _column(
        "Whether the steps of the last solve were tried first, their errors checked afterwards", False
    )
    threads: int = _column("CPU threads of torch", 0)
    seed: int = _column("Seed of initial weights and batch order, the same for every solver", 0)
    replica: int = _column(
        "1 for the second label of the baseline solver, which measures what the run can resolve; else 0", 0
    )
    epochs: int | None = _column("Passes over the training set that were planned")
    status: str = _column(
        "How the cell ended: " + ", ".join(v for k, v in vars(CellStatus).items() if k.isupper()), ""
    )
    message: str = _column("One sentence about a cell that did not end ok", "")
    train_seconds: float | None = _column(
        "Time of all training steps, in seconds: forward, backward and update; loading, evaluation and warm-up excluded"
    )
    epoch_seconds: float | None = _column("Median over epochs of the training time of one epoch, in seconds")
    eval_seconds: float | None = _column("Time of one pass over the test set after training, in seconds")
    compile_seconds: float | None = _column(
        "Time spent compiling, in seconds, by every process of the cell; empty when nothing was compiled"
    )
    wall_seconds: float | None = _column(
        "Time of the whole cell, in seconds, from its process's first line to its record; of its last process only, where "
        "that one went on after an earlier one"
    )
    solve_seconds: float | None = _column(
        "Time of one solve of an initial value problem, in seconds; median over repeated solves after a first one"
    )
    solution_error: float | None = _column(
        "Error at the end of an initial value problem: the largest of any component, relative to the largest component "
        "of the reference answer or 1"
    )
    step_seconds: float | None = _column(
        "Time of one solve forward and backward, in seconds; median over repetitions after a first one"
    )
    step_memory_mb: float | None = _column(
        "Most tensors alive at once in one training step, in MiB, beyond data and parameters, or in one solve forward and "
        "backward, beyond state and parameters; empty where they are out of torch's sight on a CPU: in compiled graphs and "
        "in other frameworks"
    )
    gradient_error: float | None = _column(
        "Error of the gradient against that of a solve in float64 at a tight tolerance: difference over norm (2-norms), of "
        "the gradient to the initial state or of that to the parameters, whichever is larger"
    )
    discrete_gradient_error: float | None = _column(
        "The same against `backprop` through the same solve by the same engine, the exact gradient of what it computed; "
        "empty where the engine has no `backprop`"
    )
    layers: int | None = _column(
        "Layers through which the signal was followed: those of a stack, or the accepted steps of a solve"
    )
    state_gradient_ratio: float | None = _column(
        "Norm of the gradient with respect to the state after the first layer over that after the last, before training"
    )
    parameter_gradient_ratio: float | None = _column(
        "Norm of the gradient with respect to the parameters of the first layer over that of the last, before training"
    )
    train_accuracy: float | None = _column(
        "Share of the training set classified correctly after training, 0 to 1"
    )
    test_accuracy: float | None = _column("Share of the test set classified correctly after training, 0 to 1")
    train_loss: float | None = _column(
        "Mean loss over the training set after training: cross-entropy, in nats, unless the task has a score of its own"
    )
    test_loss: float | None = _column("The same over the test set")
    score: str = _column(
        "What `test_score` is, with its unit, such as `RMSE`; lower is better. Empty for a task judged by its accuracy",
        "",
    )
    subject: str = _column(
        "What the task's own data are called, so that tasks of one subject are seen together; empty for a task on a dataset",
        "",
    )
    train_score: float | None = _column(
        "Score on the training set after training, in its own unit, under its own solver"
    )
    test_score: float | None = _column(
        "Score on the test set after training, in its own unit; a likelihood is that of the network's ODE, solved at a tight "
        "tolerance, since under a coarse solver of its own, as in `test_loss`, it may be any"
    )
    tight_score_change: float | None = _column(
        "Score of the trained network when dopri5 solves it at a tight tolerance, less `test_score`; far from 0, it learnt its "
        "solver too; 0 for a likelihood, which is of such a solve anyway"
    )
    solver_error: float | None = _column(
        "What the solver loses of a test sample after training, in the mean, as the task measures it: for a normalizing "
        "flow, how far it is from itself after a way forth and back; empty for other tasks and where such a solve failed"
    )
    tight_accuracy_change: float | None = _column(
        "Accuracy of the trained network on the first 1000 test samples when dopri5 solves it at a tight tolerance, less "
        "its own there; far from 0, it learnt its solver too"
    )
    tight_label_changes: float | None = _column(
        "Share of the first 1000 test samples that the trained network classifies otherwise when dopri5 solves it at a "
        "tight tolerance, 0 to 1"
    )
    critical_steps: int | None = _column(
        "How few equal steps of its own method classify the first 1000 test samples as dopri5 at a tight tolerance does, to "
        "within 0.2 % of them or one; found by bisection, of all blocks together, empty where 64 in each are too few"
    )
    spectral_abscissa: float | None = _column(
        "Largest real part of an eigenvalue of f's Jacobian at the ends of the trained ODE blocks, per unit of time; median "
        "over the first 8 test samples"
    )
    numerical_abscissa: float | None = _column(
        "The same of the Jacobian's symmetric part: no distance grows faster there; per unit of time"
    )
    condition: float | None = _column(
        "Condition number of the derivative of the final state by the initial one (2-norm), median over these samples; "
        "empty for states of more than 128 numbers and for blocks that other layers stand between"
    )
    batch_logit_change: float | None = _column(
        "Largest difference of a logit between the first 100 test samples in a batch of the training size and each alone; "
        "empty where the samples of a batch do not share adaptive steps"
    )
    batch_label_changes: float | None = _column(
        "Share of these samples that the trained network classifies otherwise alone, 0 to 1"
    )
    nfe_forward: float | None = _column(
        "Evaluations of f in the forward pass of one training step, median over all steps, or in one solve; counted by "
        "the harness"
    )
    nfe_backward: float | None = _column(
        "Evaluations of f in the backward pass of one training step, counted by the harness; median over all steps"
    )
    vjps: float | None = _column(
        "Vector-Jacobian products of f in one training step, counted by the harness; median over the audited steps"
    )
    nfe_eval: float | None = _column(
        "Evaluations of f per forward solve of a test batch after training; median"
    )
    accepted: float | None = _column(
        "Accepted steps of the forward solve of one training step, median over all steps, or of one solve"
    )
    rejected: float | None = _column(
        "Rejected steps of the forward solve of one training step, mean over all steps since the median is mostly 0, or "
        "of one solve"
    )
    parameters: int | None = _column("Trainable parameters of the network")
    peak_memory_mb: float | None = _column(
        "Peak memory, in MiB: of the process on a CPU, of torch's allocator on a GPU"
    )
    order: int | None = _column("Proved order of the method")
    stages: int | None = _column("Stages of the method")
    error_estimator: str = _column(
        "Orders of the solutions the error estimate compares, such as `5(4)`; empty without one", ""
    )
    target: float | None = _column(
        "What the task names as its target, fixed before the run: test accuracy, 0 to 1, or a test score"
    )
    seconds_to_target: float | None = _column(
        "Training time until the first epoch that ends at the target or better, in seconds; empty when none did"
    )
    timing_valid: bool = _column("Whether the cell ran alone, so that its times may be compared", False)
    disturbance: float | None = _column(
        "How far the machine was off just before or after the cell, as a share: a fixed piece of work against its median "
        "over the run, or its time against the CPU's own; empty for a cell beside others"
    )
    attempt: int = _column(
        "Which measurement of the cell this is: one more for each time that the machine was disturbed by over 10 %",
        1,
    )
    resumed_epochs: int = _column(
        "Epochs that an earlier process trained, which was stopped; their times are those it took", 0
    )
    cpus: str = _column("CPUs that the cell was tied to or could run on, by number", "")
    measured_at: str = _column("When the cell ended, UTC, ISO 8601", "")
    host: str = _column("Name of the machine", "")
    commit: str = _column(
        "Commit of rkbench, with `+dirty` when the tree was changed; empty for an installed wheel", ""
    )
    rkbench_version: str = _column("Version of rkbench", "")
    plugin: str = _column("Distribution or file that brought the method", "")
    plugin_version: str = _column("Version of that distribution", "")
    torch_version: str = _column("Version of torch", "")
    engine_version: str = _column("Version of the library behind the engine; empty for the native one", "")
    engine_remarks: str = _column(
        "What is known to be wrong with solves of this kind by that library, as its adapter states; empty for nothing",
        "",
    )
    method_digest: str = _column("Hash of the method's coefficients", "")
    data_sha256: str = _column("Checksum of the files of the dataset", "")
    trace: list[dict[str, Any]] = field(
        default_factory=list,
        metadata={"doc": "One row per step of one solve that adapted its steps, see below"},
    )
    looks: list[dict[str, Any]] = field(
        default_factory=list,
        metadata={"doc": "One row per solver that the trained network was tried with, see below"},
    )
    signal: list[dict[str, Any]] = field(
        default_factory=list,
        metadata={"doc": "One row per layer through which the signal was followed, see below"},
    )
    curve: list[dict[str, Any]] = field(
        default_factory=list, metadata={"doc": "One row per epoch, see below"}
    )

    def to_json(self) -> str:
        """Return the row as one line of strict JSON."""
        return json.dumps(_finite({f.name: getattr(self, f.name) for f in fields(self)}), allow_nan=False)

    @classmethod
    def from_dict(cls, row: Any) -> Record:
        """Return the record of a parsed line, its texts printable.

        Raises:
            ValueError: the line is not a record: no cell id, no status, a column nobody knows, or a value that its column
                does not hold.
        """
        if not isinstance(row, dict):
            raise ValueError("not a record (not an object)")
        if not (row.get("cell_id") and row.get("status")):
            raise ValueError("not a record (without cell_id or status)")
        flat = row.copy()
        nested = [validity.refuse_rows(flat.pop(name), _NESTED[name]) for name in NESTED if name in flat]
        if not (validity.refuse(flat, _FLAT) and all(nested)):
            row = cleaned(row)
        record = cls.__new__(cls)  # its __init__ takes half as long again as all of the checks
        record.__dict__.update(_DEFAULTS | {name: [] for name in NESTED} | row)
        return record


COLUMNS = {f.name: f.metadata["doc"] for f in fields(Record)}
NESTED = ("trace", "looks", "signal", "curve")
"""Columns that hold rows of their own."""

POINT = (
    "task", "experiment", "dataset", "method", "controller", "engine", "gradient", "steps", "rtol", "atol",
    "adjoint_rtol", "adjoint_atol", "seminorm", "checkpoints", "norm", "control", "dtype", "device", "compiled",
    "speculative", "threads", "seed", "replica", "epochs", "method_digest",
)  # fmt: skip
"""Columns that repeat those of the planned cell."""

CURVE_COLUMNS = {
    "epoch": "Number of the epoch, from 1 on",
    "seconds": "Training time of the epoch, in seconds",
    "train_loss": "Mean loss over the epoch's training batches: cross-entropy, in nats, unless the task has its own",
    "test_loss": "Mean loss over the test set after the epoch",
    "test_accuracy": "Share of the test set classified correctly after the epoch, 0 to 1",
    "test_score": "Score on the test set after the epoch, in its own unit; lower is better",
    "nfe_forward": "Evaluations of f in the forward pass of one training step; median over the epoch",
    "accepted": "Accepted steps of one forward solve; median over the epoch",
    "rejected": "Rejected steps of one forward solve; mean over the epoch",
}

TRACE_COLUMNS = {
    "t": "Where the step starts, in the time of the problem",
    "h": "Its size, signed",
    "rejected": "Tries that were rejected before it was accepted",
}
LOOK_COLUMNS = {
    "by_method": "Butcher tableau that the trained network is solved by; the first row of a cell is its own solver",
    "by_steps": "Number of equal steps; empty for an adaptive solve",
    "by_rtol": "Relative tolerance of a step; empty for equal steps",
    "accuracy": "Share of the first 1000 test samples classified correctly, 0 to 1",
    "accuracy_change": "That, less the accuracy under its own solver",
    "label_changes": "Share of these samples classified otherwise than by its own solver, 0 to 1",
    "test_score": "Score on the test set, in its own unit, of a task that has one",
    "score_change": "That, less the score under its own solver",
    "logit_change": "Largest difference of a logit from that by its own solver",
    "nfe": "Evaluations of f per batch of the training size, in the mean",
    "seconds": "Time of all these samples, in seconds",
}
SIGNAL_COLUMNS = {
    "layer": "Number of the layer, from 1 at the input on",
    "state_gradient": "2-norm over the batch of the gradient of the loss with respect to the state after the layer, in nats "
    "as the state has no unit",
    "parameter_gradient": "2-norm of that with respect to the parameters of the layer; of a solve, of what the step adds to "
    "the gradient of those that all steps share",
}
NESTED_TYPES = {
    "trace": {name: "int" if name == "rejected" else "float" for name in TRACE_COLUMNS},
    "looks": dict.fromkeys(LOOK_COLUMNS, "float | None") | {"by_method": "str", "by_steps": "int | None"},
    "signal": {name: "int" if name == "layer" else "float | None" for name in SIGNAL_COLUMNS},
    "curve": {name: "int" if name == "epoch" else "float | None" for name in CURVE_COLUMNS},
}
"""Nested column -> the types of its rows' columns."""

_WORDS = {
    "status": [word for name, word in vars(CellStatus).items() if name.isupper()],
    "experiment": ["training", "solving", "gradient", "signal"],
}
_FLAT = {
    f.name: validity.column(f.name, str(f.type), _WORDS.get(f.name, ()))
    for f in fields(Record)
    if f.name not in NESTED
}
_DEFAULTS = {f.name: f.default for f in fields(Record) if f.name not in NESTED}
_NESTED = {
    nested: {name: validity.column(name, declared) for name, declared in types.items()}
    for nested, types in NESTED_TYPES.items()
}
LOGARITHMS = ("nats", "bits", "bits/dim")
"""Units of scores that may be negative, logarithms of likelihoods: two of them have a difference, and no ratio."""
LOOKED_AT, FLIPS = 1000, 0.002
"""Test samples that a trained network is looked at with, and the share of their answers in which two solvers of one ODE may
differ."""
LONGEST_TRACE = 500
"""Steps of a trace that are kept."""


def refuse_cell(cell: dict[str, Any]) -> None:
    """Refuse a planned cell whose columns could not be those of its record.

    Raises:
        ValueError: a value is not what its column holds.
    """
    validity.refuse({name: value for name, value in cell.items() if name in _FLAT}, _FLAT)
    if not cell["cell_id"]:
        raise ValueError("a cell has an empty cell_id")


def _finite(value: Any) -> Any:
    """Return the value with NaN and infinities as None, which strict JSON can hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    return value
