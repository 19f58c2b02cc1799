"""The page on the tasks tells what each trains, on what, how large it is, and what it is to reach."""

from functools import cache
from pathlib import Path

import torch
from test_published import _line

from rkbench import ModelTask, Task
from rkbench.interface import make_solver
from rkbench.registry import default

PAGE = Path(__file__).parents[1] / "results" / "tasks.md"
BEGIN, END = "<!-- tasks: begin -->", "<!-- tasks: end -->"
IMAGES = {
    "digits8": (1, 8, 8),
    "mnist8": (1, 8, 8),
    "mnist": (1, 28, 28),
    "mnist_rotated": (1, 28, 28),
    "mnist_rotated_background": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
}
"""Dataset -> shape of an image, so that networks are built where the data are not at hand."""


@cache
def table() -> str:
    """Return the table of the page."""
    head = ("task", "what it trains", "parameters", "score", "target", "epochs")
    rows = [_row(task) for task in default().tasks.values() if isinstance(task, Task | ModelTask)]
    return "\n".join([_line(head), "|---|---|--:|---|--:|--:|", *map(_line, rows)])


def _row(task):
    target = f"{100 * task.target:g} %" if isinstance(task, Task) else f"{task.target:g}"
    return (
        f"`{task.name}`",
        task.summary,
        f"{_parameters(task):,}",
        task.scored_by,
        target,
        str(task.epochs),
    )


def _parameters(task):
    solver = make_solver("rk4", steps=4) if task.solves else None
    if isinstance(task, ModelTask):
        network = task.model(solver).network
    else:
        network = task.network(solver, torch.zeros(2, *IMAGES[task.dataset]), 10)
    return sum(one.numel() for one in network.parameters() if one.requires_grad)


def test_the_page_tells_every_task_that_is_trained():
    page = PAGE.read_text("utf-8")
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)].strip() == table()


def test_every_task_says_what_it_is_and_where_it_is_from():
    assert all(task.summary for task in default().tasks.values())


if __name__ == "__main__":
    text = PAGE.read_text("utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    PAGE.write_text(f"{before}\n{table()}\n{after}", "utf-8")
