"""Tasks: data, network, recipe, score and target. One file per family; torch is imported when one is built."""

from rkbench.hookspecs import hookimpl
from rkbench.tasks.tanh import DIGITS8_TANH, MNIST8_TANH
from rkbench.tasks.task import Recipe, Task

__all__ = ["Recipe", "Task", "rkbench_tasks"]


@hookimpl
def rkbench_tasks():
    """Return the built-in tasks."""
    return [DIGITS8_TANH, MNIST8_TANH]
