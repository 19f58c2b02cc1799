"""rkbench: a benchmark for Runge–Kutta methods inside neural networks.

Everything a plugin or a notebook may import is named here, and imported only when it is used: plain
``import rkbench`` imports neither torch nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rkbench.controller import FIXED, REPLAY, StepController, digital_filter, replay
    from rkbench.errors import (
        DataError,
        PluginError,
        SolveError,
        SolverError,
        SuiteError,
        TableauError,
        UnknownNameError,
        UnsupportedError,
        UserError,
    )
    from rkbench.hookspecs import hookimpl
    from rkbench.integrate.engine import NativeEngine
    from rkbench.integrate.gradients.buffers import buffers_of, unchanged
    from rkbench.integrate.gradients.leaves import parameters_of
    from rkbench.interface import odeint, solve
    from rkbench.model import Model
    from rkbench.networks.block import ODEBlock
    from rkbench.problem import InitialValueProblem
    from rkbench.report import load
    from rkbench.solution import Samples, Solution, Stats, Status
    from rkbench.solver import Engine, Solver
    from rkbench.tableau import ButcherTableau, Citation, TableauWarning
    from rkbench.task import GradientTask, ModelTask, Recipe, Score, SignalTask, SolveTask, Task
    from rkbench.twin import Twin

__version__ = "0.1.0"

_HOME = {
    "ButcherTableau": "tableau",
    "Citation": "tableau",
    "DataError": "errors",
    "Engine": "solver",
    "FIXED": "controller",
    "GradientTask": "task",
    "InitialValueProblem": "problem",
    "Model": "model",
    "ModelTask": "task",
    "NativeEngine": "integrate.engine",
    "ODEBlock": "networks.block",
    "PluginError": "errors",
    "REPLAY": "controller",
    "Recipe": "task",
    "Samples": "solution",
    "Score": "task",
    "SignalTask": "task",
    "Solution": "solution",
    "SolveError": "errors",
    "SolveTask": "task",
    "Solver": "solver",
    "SolverError": "errors",
    "Stats": "solution",
    "Status": "solution",
    "StepController": "controller",
    "SuiteError": "errors",
    "TableauError": "errors",
    "TableauWarning": "tableau",
    "Task": "task",
    "Twin": "twin",
    "UnknownNameError": "errors",
    "UnsupportedError": "errors",
    "UserError": "errors",
    "buffers_of": "integrate.gradients.buffers",
    "digital_filter": "controller",
    "hookimpl": "hookspecs",
    "load": "report",
    "odeint": "interface",
    "parameters_of": "integrate.gradients.leaves",
    "replay": "controller",
    "solve": "interface",
    "unchanged": "integrate.gradients.buffers",
}

__all__ = [
    "ButcherTableau",
    "Citation",
    "DataError",
    "Engine",
    "FIXED",
    "GradientTask",
    "InitialValueProblem",
    "Model",
    "ModelTask",
    "NativeEngine",
    "ODEBlock",
    "PluginError",
    "REPLAY",
    "Recipe",
    "Samples",
    "Score",
    "SignalTask",
    "Solution",
    "SolveError",
    "SolveTask",
    "Solver",
    "SolverError",
    "Stats",
    "Status",
    "StepController",
    "SuiteError",
    "TableauError",
    "TableauWarning",
    "Task",
    "Twin",
    "UnknownNameError",
    "UnsupportedError",
    "UserError",
    "buffers_of",
    "digital_filter",
    "hookimpl",
    "load",
    "odeint",
    "parameters_of",
    "replay",
    "solve",
    "unchanged",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rkbench' has no attribute {name!r}")
    value = getattr(import_module(f"rkbench.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
