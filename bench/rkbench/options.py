"""Options that several commands of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from rkbench.suite import DTYPES

plugin_option = click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="FILE",
    help="Also load this single-file plugin; may be repeated.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def matrix_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that narrow or extend a suite."""
    options = [
        click.option(
            "--method", "methods", multiple=True, help="A method of the suite selects it; any other is added."
        ),
        click.option("--task", "tasks", multiple=True, help="Train on this task instead."),
        click.option(
            "--scale",
            help="A size of a suite that has several, such as small or full; its first unless given.",
        ),
        click.option("--seeds", type=int, help="Number of seeds."),
        click.option(
            "--steps",
            type=int,
            multiple=True,
            help="Equal steps, for every method unless --rtol is given too.",
        ),
        click.option("--rtol", type=float, multiple=True, help="Relative tolerance of adaptive solvers."),
        click.option("--atol", type=float, multiple=True, help="Absolute tolerance; as --rtol unless given."),
        click.option(
            "--controller", "controllers", multiple=True, help="Step-size controller of adaptive solvers."
        ),
        click.option("--norm", "norms", multiple=True, help="Error norm: rms or worst_sample."),
        click.option("--engine", "engines", multiple=True, help="What executes the solves."),
        click.option("--gradient", "gradients", multiple=True, help="How the solves are differentiated."),
        click.option(
            "--control", "controls", multiple=True, help="What shares a step size: batch or sample."
        ),
        click.option("--compile/--no-compile", default=None, help="Compile every solve, or none."),
        click.option("--baseline", help="The method whose time is 1."),
        click.option("--epochs", type=int, help="Epochs, instead of the task's own number."),
        click.option("--threads", type=int, help="CPU threads of each cell."),
        click.option("--device", help="Where cells run, such as cuda."),
        click.option("--dtype", type=click.Choice(DTYPES), help="Floating-point type."),
        click.option("--timeout", "timeout_seconds", type=float, help="Seconds after which a cell is ended."),
        click.option(
            "--memory-limit",
            "memory_limit_mb",
            type=float,
            metavar="MIB",
            help="MiB of memory above which a cell is ended; most of the machine's, divided among --jobs, unless given.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command
