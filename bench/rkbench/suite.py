"""A suite: a named matrix in a TOML file, read strictly, and narrowed or extended from the command line."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rkbench import manifest, questions
from rkbench.errors import SuiteError, unknown
from rkbench.printable import printable
from rkbench.questions import Question
from rkbench.strictly import check_keys, listed


@dataclass(frozen=True)
class SolverAxis:
    """One block of the matrix: every combination of its lists, on all tasks of the suite or on those in ``tasks``."""

    method: tuple[str, ...]
    tasks: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    rtol: tuple[float, ...] = ()
    atol: tuple[float, ...] = ()
    controller: tuple[str, ...] = ()
    engine: tuple[str, ...] = ("rkbench",)
    gradient: tuple[str, ...] = ("backprop",)
    norm: tuple[str, ...] = ("rms",)
    control: tuple[str, ...] = ("batch",)
    compile: tuple[bool, ...] = (False,)
    speculative: tuple[bool, ...] = (False,)
    adjoint_rtol: tuple[float, ...] = ()
    adjoint_atol: tuple[float, ...] = ()
    seminorm: tuple[bool, ...] = ()
    checkpoints: tuple[int, ...] = ()

    def covers(self, task: str) -> bool:
        """Return whether the block is for a task."""
        return not self.tasks or task in self.tasks


@dataclass(frozen=True)
class Suite:
    """A matrix of tasks × solvers × seeds, and how to run it.

    Attributes:
        name: how users ask for it.
        title: one line for the report.
        tasks: names of tasks.
        solvers: blocks of solvers.
        baseline: the method whose time is 1 in the report.
        seeds: number of seeds, 0 … seeds - 1.
        threads: CPU threads per cell.
        device: where the cells run.
        dtype: floating-point type, one of `DTYPES`.
        epochs: instead of the tasks' own number; None leaves it.
        timeout_seconds: a cell that takes longer is ended and recorded so.
        memory_limit_mb: MiB; a cell whose processes take more is ended and recorded so. None is most of the machine's memory,
            divided among the cells that run at a time.
        reference: rows published elsewhere, shown beside ours.
        question: what the report is to answer.
        scale: which of its sizes a suite of several has; empty for one of a single size.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    solvers: tuple[SolverAxis, ...]
    baseline: str
    seeds: int = 3
    threads: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    epochs: int | None = None
    timeout_seconds: float = 600.0
    memory_limit_mb: float | None = None
    reference: tuple[dict[str, Any], ...] = field(default=())
    question: tuple[Question, ...] = ()
    scale: str = ""


DTYPES = ("float32", "float64", "bf16_mixed")
"""Floating-point types; bf16_mixed is float32 but for f, which computes in bfloat16 what bears it."""

LIMITS = {"seeds": 2**32, "threads": 4096, "epochs": 10**6}
"""The largest whole numbers; a seed is one of 32 bits."""

MOST_STEPS, LARGEST = 10**9, 1e300
"""Steps of a solve, and what a tolerance stays below."""

# What a method gets that a suite does not name: `--method mine`.
ADDED = SolverAxis(method=(), steps=(10,), rtol=(1e-3,))

TYPES = {
    "title": str,
    "tasks": list,
    "baseline": str,
    "seeds": int,
    "threads": int,
    "device": str,
    "dtype": str,
    "epochs": int,
    "timeout_seconds": (int, float),
    "memory_limit_mb": (int, float),
    "solvers": list,
    "reference": list,
    "question": list,
    "scale": dict,
}
SCALED = frozenset(TYPES) - {"reference", "scale"}
"""Keys that ``[scale.NAME]`` may set instead of the suite's own."""

NUMBERS = (int, float)
AXES = {f.name: str for f in fields(SolverAxis)} | {
    "steps": int,
    "checkpoints": int,
    "rtol": NUMBERS,
    "atol": NUMBERS,
    "adjoint_rtol": NUMBERS,
    "adjoint_atol": NUMBERS,
    "compile": bool,
    "speculative": bool,
    "seminorm": bool,
}


def names() -> list[str]:
    """Return the built-in suites."""
    folder = resources.files("rkbench") / "suites"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load(name: str, scale: str | None = None) -> Suite:
    """Return a built-in suite by name, or the suite of a TOML file by path, in one of its scales: the first unless named.

    Raises:
        UnknownNameError: no such suite.
        SuiteError: the file is not TOML, or holds a key or value that no suite has.
    """
    if name.endswith(".toml"):
        path = Path(name)
        try:
            text = path.read_text(encoding="utf-8") if path.is_file() else None
        except (OSError, UnicodeDecodeError) as error:
            raise SuiteError(
                f"The suite file {name:.100} cannot be read ({error}); name a text in UTF-8."
            ) from None
        if text is None:
            raise SuiteError(
                f"There is no suite file {name}; give the path of a TOML file or one of: {', '.join(names())}."
            )
        return parse(printable(path.stem), text, scale)
    if name not in names():
        raise unknown("suite", name, names())
    text = (resources.files("rkbench") / "suites" / f"{name}.toml").read_text(encoding="utf-8")
    return parse(name, text, scale)


def parse(name: str, text: str, scale: str | None = None) -> Suite:
    """Return the suite of a TOML text, in one of its scales: the first unless named."""
    try:
        raw = tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # of numbers that are too long, and of brackets in brackets, too
        raise SuiteError(f"Suite {name} is not valid TOML ({error}); mend that line.") from None
    check_keys(name, "key", raw, TYPES)
    raw = _scaled(name, raw, scale)
    for key in ("title", "tasks", "baseline", "solvers"):
        if key not in raw:
            raise SuiteError(f"Suite {name} has no {key}; add it.")
    axes = tuple(_axis(name, block) for block in raw.pop("solvers"))
    raw["title"] = printable(raw["title"])
    raw["tasks"] = listed(name, "tasks", raw["tasks"], str)
    raw["reference"] = tuple(_published(name, row) for row in raw.get("reference", ()))
    raw["question"] = tuple(questions.read(name, block) for block in raw.get("question", ()))
    suite = checked(Suite(name=name, solvers=axes, **raw))
    for question in suite.question:
        questions.check(name, question, suite.tasks, {m for axis in axes for m in axis.method})
    _check_tasks(suite)
    return suite


def _scaled(name: str, raw: dict[str, Any], scale: str | None) -> dict[str, Any]:
    """Return the keys of a suite in one of its scales, each of which sets some of them."""
    scales = raw.pop("scale", {})
    if not scales:
        if scale is not None:
            raise SuiteError(f"Suite {name} has one size; drop --scale {scale}.")
        return raw
    for own in scales.values():
        if not isinstance(own, dict):
            raise SuiteError(f"Suite {name}: scale holds tables such as [scale.small]; make {own!r:.60} one.")
        check_keys(name, "key of a scale", own, {key: TYPES[key] for key in SCALED})
    chosen = scale if scale is not None else next(iter(scales))
    if chosen not in scales:
        raise SuiteError(f"Suite {name} has no scale {chosen!r}; choose one of: {', '.join(scales)}.")
    return raw | scales[chosen] | {"scale": chosen}


def checked(suite: Suite) -> Suite:
    """Return the suite, or say what in it makes no sense."""
    for key, most in LIMITS.items():
        value = getattr(suite, key)
        if value is not None and not 1 <= value <= most:
            raise SuiteError(
                f"{key} must be at least 1 and at most {most:,}, not {_short(value)}; mend it in the suite {suite.name}."
            )
    if not 0 < suite.timeout_seconds < math.inf:
        raise SuiteError(f"timeout_seconds must be finite and above 0, not {suite.timeout_seconds}.")
    if suite.memory_limit_mb is not None and not suite.memory_limit_mb > 0:
        raise SuiteError(f"memory_limit_mb must be above 0, not {suite.memory_limit_mb}.")
    if not suite.tasks or not suite.solvers:
        raise SuiteError(
            f"Suite {suite.name} has no {'tasks' if not suite.tasks else 'solvers'}; name at least one."
        )
    for axis in suite.solvers:
        _check_numbers(suite.name, axis)
    if suite.dtype not in DTYPES:
        raise SuiteError(f"dtype must be one of {', '.join(DTYPES)}; not {suite.dtype!r}.")
    return suite


def _check_numbers(name: str, axis: SolverAxis) -> None:
    """Refuse numbers that no solver takes, of methods too that would not heed them."""
    for key in ("steps", "checkpoints"):
        for value in getattr(axis, key):
            if not 1 <= value <= MOST_STEPS:
                raise SuiteError(
                    f"Suite {name}: {key} must be at least 1 and at most {MOST_STEPS:,}, not {_short(value)}; mend it."
                )
    for key in ("rtol", "atol", "adjoint_rtol", "adjoint_atol"):
        for value in getattr(axis, key):
            if not 0 <= value < LARGEST:
                raise SuiteError(
                    f"Suite {name}: {key} must be a number from 0 on, not {_short(value)}; such as 1e-3."
                )


def _short(value: float) -> str:
    return str(value) if isinstance(value, float) or abs(value) < LARGEST else "one beyond all measure"


def _axis(name: str, block: Any) -> SolverAxis:
    if not isinstance(block, dict) or "method" not in block:
        raise SuiteError(f"Suite {name}: each [[solvers]] block needs a method; add one.")
    check_keys(name, "solver key", block, AXES, scalars_or_lists=True)
    return SolverAxis(**{key: listed(name, key, value, AXES[key]) for key, value in block.items()})


def _check_tasks(suite: Suite) -> None:
    """Refuse a block of solvers for what the suite does not run."""
    for strange in (task for axis in suite.solvers for task in axis.tasks if task not in suite.tasks):
        raise SuiteError(
            f"Suite {suite.name}: a [[solvers]] block is for {strange!r:.60}, which is not among its tasks; mend it."
        )


def _published(name: str, row: Any) -> dict[str, Any]:
    """Return a row published elsewhere, which must be a table of texts and numbers."""
    try:
        manifest.refuse(row, manifest.PUBLISHED, "it")
    except ValueError as error:
        raise SuiteError(
            f"Suite {name}: reference = {row!r:.60} must be a table of texts and numbers, but {error}; quote its dates."
        ) from None
    return row


def select(
    suite: Suite,
    *,
    methods: Sequence[str] = (),
    tasks: Sequence[str] = (),
    steps: Sequence[int] = (),
    rtol: Sequence[float] = (),
    atol: Sequence[float] = (),
    controllers: Sequence[str] = (),
    norms: Sequence[str] = (),
    engines: Sequence[str] = (),
    gradients: Sequence[str] = (),
    controls: Sequence[str] = (),
    compile: bool | None = None,
    **settings: Any,
) -> Suite:
    """Return the suite narrowed or extended, as `rkbench run` promises.

    Methods the suite names select among them; methods it does not name are added to it (to the selection, when
    some were selected). ``steps`` runs every solver on equal steps, as `rkbench.solve` does, unless ``rtol`` or
    ``atol`` is given too, which then holds for the methods with an embedded solution. ``settings`` replace fields of
    the suite; None leaves them. An absolute tolerance follows ``rtol`` unless it is given.
    """
    known = {method for axis in suite.solvers for method in axis.method}
    added = tuple(dict.fromkeys(m for m in methods if m not in known))
    chosen = tuple(dict.fromkeys(m for m in methods if m in known))
    axes = list(suite.solvers)
    if chosen:
        narrowed = [replace(axis, method=tuple(m for m in axis.method if m in chosen)) for axis in axes]
        axes = [axis for axis in narrowed if axis.method]
    if added:
        axes.append(replace(ADDED, method=added))
    replaced: dict[str, Any] = {
        "controller": tuple(controllers),
        "norm": tuple(norms),
        "engine": tuple(engines),
        "gradient": tuple(gradients),
        "control": tuple(controls),
        "compile": () if compile is None else (compile,),
    }
    if rtol or atol:
        axes = [replace(axis, rtol=tuple(rtol) or axis.rtol, atol=tuple(atol)) for axis in axes]
    if steps:
        replaced["steps"] = tuple(steps)
        if not (rtol or atol):
            axes = [replace(axis, rtol=(), atol=(), controller=()) for axis in axes]
    axes = [replace(axis, **{key: value for key, value in replaced.items() if value}) for axis in axes]
    settings = {key: value for key, value in settings.items() if value is not None}
    if tasks:
        settings["tasks"] = tuple(dict.fromkeys(tasks))
        others = tuple(task for task in settings["tasks"] if task not in suite.tasks)
        axes = [replace(axis, tasks=axis.tasks and (*axis.tasks, *others)) for axis in axes]
        if others:  # the suite's title is about its own
            settings["title"] = f"{', '.join(settings['tasks'])}: matrix of the suite {suite.name}"
    if chosen and suite.baseline not in chosen:
        settings.setdefault("baseline", chosen[0])
    return checked(replace(suite, solvers=tuple(axes), **settings))
