"""The figures of training tasks: loss, accuracy, time and work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rkbench.record import CellStatus
from rkbench.report import frames, looks, numbers
from rkbench.report.figures.style import INK, Drawing, linestyle, plain_log, styled
from rkbench.report.results import Results
from rkbench.report.statistics import Estimate, median

_LOG_FROM = 4
"""Spread, largest ÷ smallest, from which times are drawn on a logarithmic axis."""
_ACCURACY_TICKS = (0, 0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)

Panel = Callable[[Axes, Results, str, dict[str, looks.Look]], None]


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the figures that the run has numbers of training tasks for."""
    trained = results.of("training")
    named = set(trained.cells["solver"])
    style = {solver: look for solver, look in looks.of(results.cells["solver"]).items() if solver in named}
    for name, title, caption, panel, table, column in _FIGURES:
        if name == "nfe_epochs" and not _varies(trained.epochs):
            continue
        if getattr(trained, table)[column].notna().any():
            with styled():
                yield Drawing(
                    name, title, caption, _panels(trained, panel, style, title, legend=table == "epochs")
                )


def _panels(results: Results, panel: Panel, style: dict[str, looks.Look], title: str, legend: bool) -> Figure:
    tasks = list(dict.fromkeys(results.cells["task"]))
    width = 6.2 if len(tasks) == 1 else (4.6 if legend else 6.2) * len(tasks)
    height = 3.8 if legend else 1.5 + 0.32 * len(style)
    figure = Figure(figsize=(width, height), layout="constrained")
    for axes, task in zip(figure.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
        panel(axes, results, task, style)
        axes.set_title(task if len(tasks) > 1 else title)
    if len(tasks) > 1:
        figure.suptitle(title, x=0.01, ha="left", weight="bold")
    if legend:
        _legend(figure, style)
    return figure


def _legend(figure: Figure, style: dict[str, looks.Look]) -> None:
    handles = []
    for solver, look in style.items():
        handle = Line2D([], [], color=look.color, linestyle=linestyle(look), marker=look.marker, ms=4.5)
        handle.set_label(looks.name(solver))
        handles.append(handle)
    figure.legend(
        handles=handles, loc="outside right upper", fontsize=9 if len(handles) < 12 else 7, handlelength=3
    )


def _loss(axes: Axes, results: Results, task: str, style: dict[str, looks.Look]) -> None:
    epochs = results.epochs[(results.epochs["task"] == task) & (results.epochs["train_loss"] > 0)]
    whole = epochs["cell_id"].isin(results.cells.loc[_ok(results.cells, task), "cell_id"])
    for solver, points in epochs[whole].groupby("solver", sort=False):
        look = style[str(solver)]
        sns.lineplot(
            points, x="epoch", y="train_loss", estimator="median", errorbar=("pi", 100), err_kws={"alpha": 0.18, "lw": 0},
            color=look.color, linestyle=linestyle(look), lw=1.8, legend=False, ax=axes,
        )  # fmt: skip
    for (solver, _), points in epochs[~whole].groupby(["solver", "cell_id"], sort=False):
        color = style[str(solver)].color
        axes.plot(
            points["epoch"],
            points["train_loss"],
            color=color,
            lw=0.9,
            ls=":",
            marker="x",
            markevery=[-1],
            ms=6,
        )
    axes.set(yscale="log", xlabel="epoch", ylabel="training loss, nats")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    plain_log(axes.yaxis)


def _accuracy(axes: Axes, results: Results, task: str, style: dict[str, looks.Look]) -> None:
    epochs = results.epochs[results.epochs["task"] == task].dropna(subset=["test_accuracy", "train_seconds"])
    for (solver, _), one in epochs.groupby(["solver", "seed"], sort=False):
        axes.plot(
            one["train_seconds"], one["test_accuracy"], color=style[str(solver)].color, alpha=0.3, lw=0.8
        )
    for solver, points in epochs.groupby("solver", sort=False):
        look, middle = (
            style[str(solver)],
            points.groupby("epoch")[["train_seconds", "test_accuracy"]].median(),
        )
        axes.plot(
            middle["train_seconds"],
            middle["test_accuracy"],
            color=look.color,
            ls=linestyle(look),
            lw=1.6,
            marker=look.marker,
            ms=3.5,
        )
    axes.set(xlabel="training time, s", ylabel="test accuracy, %")
    target = results.cells.loc[results.cells["task"] == task, "target"].dropna().max()
    _accuracy_axis(axes, epochs["test_accuracy"], target)
    wide = _spread(epochs.groupby("cell_id")["train_seconds"].max()) > _LOG_FROM
    if wide:
        axes.set_xscale("log")
        plain_log(axes.xaxis)
    if pd.notna(target):
        axes.axhline(target, color=INK, lw=1, ls=(0, (5, 3)))
        # Where the curves are not: over the line before they rise, or under it when they have risen.
        at, offset, side = (0, (4, 3), "left") if wide else (1, (-4, -11), "right")
        axes.annotate(
            f"target {numbers.percent(target)} %", (at, target), offset, xycoords=("axes fraction", "data"),
            textcoords="offset points", ha=side, fontsize=8.5,
        )  # fmt: skip


def _times(axes: Axes, results: Results, task: str, style: dict[str, looks.Look]) -> None:
    _dots(axes, results, task, style, "train_seconds", numbers.seconds)
    values = results.cells.loc[_ok(results.cells, task), "train_seconds"]
    axes.set(xlabel="training time, s", ylabel="")
    if _spread(values) > _LOG_FROM:
        axes.set_xscale("log")
        axes.set_xlim(values[values > 0].min() / 1.4, values.max() * 1.4)
        plain_log(axes.xaxis)
    else:
        axes.set_xlim(left=0)


def _work(axes: Axes, results: Results, task: str, style: dict[str, looks.Look]) -> None:
    _dots(axes, results, task, style, "nfe_forward", numbers.count)
    axes.set(xlabel="evaluations of f per forward solve of a training step", ylabel="")
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=(1, 2, 5, 10)))


def _work_over_epochs(axes: Axes, results: Results, task: str, style: dict[str, looks.Look]) -> None:
    """Draw the solvers whose work changes while a network learns; a constant tells nothing that a number does not."""
    epochs = results.epochs[results.epochs["task"] == task]
    for solver, points in epochs.groupby("solver", sort=False):
        if points["nfe_forward"].nunique() > 1:
            look = style[str(solver)]
            sns.lineplot(
                points, x="epoch", y="nfe_forward", estimator="median", errorbar=("pi", 100),
                err_kws={"alpha": 0.18, "lw": 0}, color=look.color, linestyle=linestyle(look), lw=1.8, legend=False, ax=axes,
            )  # fmt: skip
    axes.set(xlabel="epoch", ylabel="evaluations of f per forward solve")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _varies(epochs: pd.DataFrame) -> bool:
    return bool((epochs.groupby(["task", "solver"])["nfe_forward"].nunique() > 1).any())


def _dots(
    axes: Axes,
    results: Results,
    task: str,
    style: dict[str, looks.Look],
    column: str,
    spell: Callable[[float], str],
) -> None:
    """Draw a row per solver: each seed a dot, the median a stroke, its interval a bar; all in numbers beside it."""
    cells = results.cells[results.cells["task"] == task]
    ok = cells[_ok(cells, task)]
    solvers = list(dict.fromkeys(cells["solver"]))
    palette = {solver: style[solver].color for solver in solvers}
    sns.stripplot(
        ok, x=column, y="solver", order=solvers, hue="solver", hue_order=solvers, palette=palette,
        size=5.5, alpha=0.75, jitter=False, legend=False, ax=axes,
    )  # fmt: skip
    for row, solver in enumerate(solvers):
        middle = median(ok.loc[ok["solver"] == solver, column].to_numpy())
        axes.plot(
            [middle.low, middle.high],
            [row, row],
            color=palette[solver],
            lw=5,
            alpha=0.3,
            solid_capstyle="butt",
        )
        axes.plot([middle.median] * 2, [row - 0.3, row + 0.3], color=INK, lw=1.6)
        text = _in_words(middle, cells[cells["solver"] == solver], spell)
        axes.annotate(text, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=8.5)
    axes.set_yticks(range(len(solvers)), [looks.name(solver) for solver in solvers])
    axes.set_ylim(len(solvers) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _in_words(middle: Estimate, cells: pd.DataFrame, spell: Callable[[float], str]) -> str:
    """Return a median and its interval, and how many of the cells failed and how."""
    interval = numbers.interval(spell, *middle)
    parts = [f"{spell(middle.median)} ({interval})" if interval else spell(middle.median)]
    lost = cells.loc[cells["status"] != CellStatus.OK]
    if len(lost):
        words = sorted(set(lost["status"].where(~frames.pending(lost), frames.NOT_RUN)))
        parts.append(f"{len(lost)} of {len(cells)} {', '.join(words)}")
    return ", ".join(part for part in parts if part != numbers.NONE)


def _ok(cells: pd.DataFrame, task: str) -> pd.Series:
    return (cells["task"] == task) & (cells["status"] == CellStatus.OK)


def _spread(values: pd.Series) -> float:
    positive = values[values > 0]
    return float(positive.max() / positive.min()) if len(positive) else 1.0


def _accuracy_axis(axes: Axes, values: pd.Series, target: float) -> None:
    """Stretch the axis towards 100 %, where the differences are: as far apart as the errors are in logarithms."""
    shown = [*values, target] if pd.notna(target) else list(values)
    if not shown:
        return
    low, high = min(shown), max(shown)
    axes.set_yscale(
        "function",
        functions=(
            lambda y: -np.log10(np.clip(1.0005 - y, 5e-4, None)),
            lambda z: 1.0005 - 10.0 ** -np.asarray(z),
        ),
    )
    axes.set_ylim(max(0, low - max(0.05 * (high - low), 0.005)), 1 - 0.75 * (1 - high))
    ticks = [tick for tick in _ACCURACY_TICKS if low <= tick <= high]
    if len(ticks) >= 3:
        axes.set_yticks(ticks)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.4g}"))


_FIGURES = (
    (
        "loss", "Training loss over epochs",
        "Line: median over the seeds that ended ok; band: from the lowest to the highest of them. Dotted, ending in ×: a "
        "seed that failed. Logarithmic scale.",
        _loss, "epochs", "train_loss",
    ),
    (
        "accuracy", "Test accuracy over training time",
        "Thick line: median over seeds after each epoch; thin lines: the seeds. The scale is stretched towards 100 %. "
        "Dashed: the task's target, fixed before the run.",
        _accuracy, "epochs", "test_accuracy",
    ),
    (
        "time", "Training time per solver",
        "Dot: a seed; stroke: their median; bar: its 95 % interval; both in numbers at the right.",
        _times, "cells", "train_seconds",
    ),
    (
        "nfe", "Function evaluations per solver",
        "Evaluations of f in the forward solve of one training step. Dot: a seed; stroke: their median; bar: its 95 % "
        "interval; both in numbers at the right.",
        _work, "cells", "nfe_forward",
    ),
    (
        "nfe_epochs", "Function evaluations over epochs",
        "Evaluations of f in the forward solve of one training step, for the solvers whose steps adapt to the network as it "
        "learns; the others' stay what they are. Line: median over seeds; band: from the lowest to the highest.",
        _work_over_epochs, "epochs", "nfe_forward",
    ),
)  # fmt: skip
