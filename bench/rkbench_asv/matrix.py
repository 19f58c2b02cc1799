"""The little matrix: tasks × solvers through the command line, once per commit; its records are the series.

The command line and the columns of a record are what a user sees, so they are what lasts over the commits. What a
commit does not have yet, a task or a method, is not available there.
"""

from .workload import SOLVERS, TIMED

TRAINED = ["digits8_tanh", "digits8_odenet"]
SOLVED = ["arenstorf", "detest_b5", "detest_e2", "lorenz", "pleiades"]

EPOCHS = 2
"""Of a training: enough for an error that an engine's mistake would change."""

ADAPTIVE = [label for label, solver in SOLVERS.items() if "rtol" in solver]
TRAININGS = [f"{task}, {label}" for task in TRAINED for label in TIMED]
SOLVES = [f"{task}, {label}" for task in SOLVED for label in ADAPTIVE]


class Matrix:
    """One cell of the matrix is one parameter of every series."""

    version = "1"
    params = TRAININGS + SOLVES
    param_names = ["cell"]

    def setup_cache(self):
        """Return cell -> its record, and suite -> the seconds per cell that went into something else."""
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            return _trained(folder) | _solved(folder)

    setup_cache.timeout = 900  # pyright: ignore[reportFunctionMemberAccess]  (asv looks for it there)

    def setup(self, measured, cell):
        """Leave out what the commit does not have, which asv understands from here only."""
        if cell not in measured:
            raise NotImplementedError("this commit does not have the task")

    def _value(self, measured, cell, column):
        record = measured[cell]
        if record["status"] != "ok":
            raise RuntimeError(f"{record['status']}: {record['message']}")
        return record[column]


class Nfe(Matrix):
    """Per training step, or per solve."""

    unit = "evaluations of f"

    def track_nfe(self, measured, cell):
        """Return the evaluations of f in the forward pass, rejected steps included."""
        return self._value(measured, cell, "nfe_forward")


class Rejected(Matrix):
    """Per training step in the mean, or per solve."""

    params = [cell for cell in TRAININGS + SOLVES if "rtol" in SOLVERS[cell.partition(", ")[2]]]
    unit = "steps"

    def track_rejected(self, measured, cell):
        """Return the rejected steps."""
        return self._value(measured, cell, "rejected")


class TestError(Matrix):
    """After a short training of fixed length and seed."""

    params = TRAININGS
    unit = "share of wrong answers"

    def track_test_error(self, measured, cell):
        """Return the error on the test set, 0 to 1."""
        return 1 - self._value(measured, cell, "test_accuracy")


class SolutionError(Matrix):
    """Of an initial value problem at its end, in double precision."""

    params = SOLVES
    unit = "relative error"

    def track_solution_error(self, measured, cell):
        """Return the error against the reference answer."""
        return self._value(measured, cell, "solution_error")


class PeakMemory(Matrix):
    """Of the process of a cell, torch and all."""

    params = TRAININGS
    unit = "MiB"

    def track_peak_memory(self, measured, cell):
        """Return the most memory the process had."""
        return self._value(measured, cell, "peak_memory_mb")


class Overhead(Matrix):
    """What one more cell costs beyond training and evaluation: planning, its process, looks, record, report."""

    params = ["training", "solving"]
    param_names = ["matrix"]
    unit = "seconds per cell"

    def track_overhead(self, measured, matrix):
        """Return the seconds of the command that went into nothing measured, over its cells."""
        return self._value(measured, matrix, "seconds")


def _trained(folder):
    lines = [f"epochs = {EPOCHS}", 'baseline = "euler"', *_solvers(TIMED)]
    return _run(folder, "training", TRAINED, lines, ("train_seconds", "eval_seconds"))


def _solved(folder):
    lines = ['dtype = "float64"', 'baseline = "dopri5"', *_solvers(ADAPTIVE)]
    return _run(folder, "solving", SOLVED, lines, ("solve_seconds",))


def _solvers(labels):
    """Return the lines of a suite for these solvers."""
    import json

    for label in labels:
        yield "[[solvers]]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in SOLVERS[label].items())


def _run(folder, name, tasks, lines, columns):
    """Run one suite in one seed by the command line; return its records by cell, and its overhead.

    Args:
        folder: for the suite and its run.
        name: of the suite.
        tasks: those it may have; a commit may lack some.
        lines: of the suite, for all but its tasks.
        columns: of a record whose seconds are no overhead.
    """
    import json
    import time
    from pathlib import Path

    known = {task["name"] for task in json.loads(_rkbench("list", "tasks", "--json"))["tasks"]}
    here = [task for task in tasks if task in known]
    if not here:
        return {}
    suite, out = Path(folder) / f"{name}.toml", Path(folder) / name
    head = [f'title = "{name}"', f"tasks = {json.dumps(here)}", "seeds = 1", "threads = 1"]
    suite.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")
    start = time.perf_counter()
    _rkbench("run", str(suite), "--out", str(out))
    elapsed = time.perf_counter() - start
    records = [json.loads(line) for line in (out / "records.jsonl").read_text("utf-8").splitlines()]
    used = sum(record[column] or 0.0 for record in records for column in columns)
    overhead = {"status": "ok", "seconds": (elapsed - used) / len(records)}
    cells = {f"{record['task']}, {_label(record)}": record for record in records if not record.get("replica")}
    return cells | {name: overhead}


def _label(record):
    """Return the label of the solver that a record names."""
    return next(label for label, solver in SOLVERS.items() if solver.items() <= record.items())


def _rkbench(*arguments):
    """Run the command line; with exit code 1 a cell has failed, and says so in its record."""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "rkbench.cli", *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout
