"""The table of a training task: time, accuracy and work, one row per solver."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from rkbench.report import depths, numbers, scores, trust
from rkbench.report.summary import baseline_solver
from rkbench.report.table import Cell, Column, Row, Table, estimate, status

if TYPE_CHECKING:
    from rkbench.report.results import Results  # which shows its tables in a notebook

CAPTION = (
    "Medians over seeds, with 95 % intervals of the median (94 % with five seeds, 75 % with three) beside or under them; a "
    "number alone is one seed, or seeds that agree to the digits shown. Training time leaves out loading, evaluation and "
    "warm-up. NFE are evaluations of f: in the forward solve of one training step, in the solve of one test batch, and in a "
    "whole training step, forward and backward. Steps are those of the forward solve."
)


def tables(results: Results) -> list[Table]:
    """Return the table of every training task of a run."""
    summary, found = results.summary(), []
    deep = depths.cells(results.cells)
    for name, task in summary[summary["experiment"] == "training"].groupby("task", sort=False):
        baseline = baseline_solver(task, results.baseline)
        columns, said = _columns(task, baseline), _sentences(results, task, deep[deep["task"] == name])
        rows = [{str(key): value for key, value in row.items()} for row in task.to_dict("records")]
        found.append(Table(str(name), _subtitle(task), tuple(columns), rows, CAPTION, said, baseline or ""))
    return found


def _sentences(results: Results, task: pd.DataFrame, deep: pd.DataFrame) -> tuple[str, ...]:
    """Return what a task says beside its verdicts, given its rows of the summary and of `depths.cells`."""
    stepped = deep[deep["unit"] == depths.STEP]
    rungs = stepped.drop_duplicates("solver")[["solver", "ladder", "depth"]]
    trusted = trust.sentences(
        task.merge(rungs, on="solver", how="left"), trust.limits(results, str(task["task"].iloc[0]))
    )
    return (*trusted, *depths.sentences(depths.rungs(stepped)))


def _columns(task: pd.DataFrame, baseline: str | None) -> list[Column]:
    """Return the columns that have something to say; parameters all alike stand in the subtitle."""
    score = scores.of(task)
    target = _to_target(task, score)
    judged, known = score.heading, score.heading.replace("test", "training", 1)
    solved_tightly, searched = (
        task[name].notna().any() for name in ("tight_label_changes", "critical_steps")
    )
    worsened = task["tight_score_change"].abs().max() > 0  # 0 throughout where that is the score
    said = [
        (True, "solver", _solver, "result"),
        (True, "training time, s", _time, "result"),
        (baseline is not None, f"time ÷ {baseline}", estimate("time_ratio", numbers.significant), "result"),
        (True, judged, estimate(score.column, score.spell), "result"),
        (True, known, estimate(score.training, score.spell), "result"),
        (task["target"].notna().any(), target, estimate("seconds_to_target", numbers.seconds), "result"),
        (worsened, WORSE, estimate("tight_score_change", _signed), "result"),
        (task["solver_error"].notna().any(), LOST, estimate("solver_error", numbers.significant), "result"),
        (solved_tightly, TIGHT, estimate("tight_label_changes", numbers.percent), "result"),
        (searched, ENOUGH, estimate("critical_steps", numbers.count), "result"),
        (True, "NFE forward solve", estimate("nfe_forward", numbers.count), "work"),
        (True, "NFE test solve", estimate("nfe_eval", numbers.count), "work"),
        (True, "NFE training step", estimate("nfe_step", numbers.count), "work"),
        (True, "steps taken / rejected", _steps, "work"),
        (task["parameters"].nunique() > 1, "parameters", _parameters, "work"),
        (True, "cells", lambda row: Cell(status(row), "", row["n_planned"] - row["n_ok"]), "work"),
    ]
    docs = {judged: f"{JUDGED} on the test set; a likelihood {TIGHTLY}."}
    docs |= {known: f"{JUDGED} on the training set, under its own solver."}
    docs |= _DOCS | {f"time ÷ {baseline}": RATIO, target: TO_TARGET}
    return [
        Column(heading, docs[heading], cell, group) for has_news, heading, cell, group in said if has_news
    ]


WORSE = "score change when solved tightly"
LOST = "solver error"
TIGHTLY = "is that of the network's ODE, solved at a tight tolerance"
JUDGED = "The task's own score after training, the lower the better, median over seeds;"
TIGHT = "other answers when solved tightly, %"
ENOUGH = "equal steps that suffice"
RATIO = "Training time over the baseline's, paired by seed and machine (Hodges–Lehmann estimate); no unit."
TO_TARGET = (
    "Training time until the first epoch that ends at the task's target or better, in seconds, median over seeds; "
    "a seed that failed or never reached it counts as infinity."
)
_DOCS = {
    "solver": "Method and how finely it steps: ×10 is ten equal steps, @ 1e-3 steps adapted to a relative tolerance of 1e-3.",
    "training time, s": "Time of all training steps, forward, backward and update, in seconds, median over seeds; loading, "
    "evaluation and warm-up are left out.",
    "test accuracy, %": "Share of the test set classified correctly after training, in percent, median over seeds.",
    "training accuracy, %": "Share of the training set classified correctly after training, in percent, median over seeds.",
    WORSE: "Test score of the trained network when dopri5 solves it at a tight tolerance, less its own; median over seeds. "
    "Far from 0, the network learnt its solver and is no ODE (Ott et al. 2021, arXiv:2007.15386).",
    LOST: "What the solver loses of a test sample after training, mean over samples, as the task measures it: for a "
    "normalizing flow, how far it is from itself after a way forth and back, in the unit of the samples; median over seeds.",
    TIGHT: "Share of the first 1000 test samples that the trained network classifies otherwise when dopri5 solves it at a "
    "tight tolerance, in percent, median over seeds. Far from 0, the network learnt its solver and is no ODE (Ott et al. "
    "2021, arXiv:2007.15386).",
    ENOUGH: "Fewest equal steps of its own method with which the trained network answers as its ODE does when solved at a "
    "tight tolerance, to within 0.2 % of the first 1000 test samples or one; median over the seeds with such a number, of "
    "all blocks together.",
    "NFE forward solve": "Evaluations of f in the forward solve of one training step; median over steps, then over seeds.",
    "NFE test solve": "Evaluations of f in the solve of one test batch after training; median over batches, then over seeds.",
    "NFE training step": "Evaluations of f in a whole training step, forward and backward; median over steps, then over "
    "seeds.",
    "steps taken / rejected": "Steps of the forward solve of one training step: accepted, median over training steps, and "
    "rejected, mean over them.",
    "parameters": "Trainable parameters of the network.",
    "cells": "How many of the planned cells, one per seed, ended well, and how the others did.",
}
"""Heading → what the column holds; the headings that name a baseline or a target are told above."""


def _to_target(task: pd.DataFrame, score: scores.Score) -> str:
    level = score.told(task["target"].max())
    return f"s to {level} test" if score is scores.ACCURACY else f"s to {score.name} {level}"


def _signed(value: float) -> str:
    return f"{value:+.2g}" if value == value else numbers.NONE


def _subtitle(task: pd.DataFrame) -> str:
    if task["parameters"].nunique() != 1:
        return ""
    return numbers.counted(int(task["parameters"].max()), "parameter")


def _solver(row: Row) -> Cell:
    return Cell(row["solver"], "", row["solver"])


def _time(row: Row) -> Cell:
    cell = estimate("train_seconds", numbers.seconds)(row)
    return cell._replace(text=cell.text + " †") if row["n_timed"] < row["n_ok"] else cell


def _steps(row: Row) -> Cell:
    """Return accepted and rejected steps as one entry, such as ``11 / 0.4``."""
    accepted, rejected = (estimate(name, numbers.count)(row) for name in ("accepted", "rejected"))
    interval = f"{accepted.interval or accepted.text} / {rejected.interval or rejected.text}"
    varies = accepted.interval or rejected.interval
    return Cell(f"{accepted.text} / {rejected.text}", interval if varies else "", accepted.key)


def _parameters(row: Row) -> Cell:
    known = not pd.isna(row["parameters"])
    return Cell(
        f"{int(row['parameters']):,}" if known else numbers.NONE, "", row["parameters"] if known else math.nan
    )
