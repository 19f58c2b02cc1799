"""What can go wrong in a user's hands: each error is one sentence that says what, and ends with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rkbench.solution import Solution


class UserError(Exception):
    """A mistake its user can mend. The command line prints it without a traceback and exits with 2."""


class TableauError(UserError):
    """A tableau that contradicts itself or its claims; the message names the row, weight or claim."""


class PluginError(UserError):
    """A plugin that could not be imported, validated or asked."""


class UnknownNameError(UserError):
    """A method, controller, task, suite … that nobody registered."""


class SolverError(UserError):
    """Options of a solve that do not fit together."""


class UnsupportedError(SolverError):
    """What an engine finds that it cannot do when it is given f and the state; a cell that meets it is skipped."""


class DataError(UserError):
    """A dataset that is missing, broken or partial."""


class SuiteError(UserError):
    """A suite file or selection that cannot be expanded into cells."""


class RunError(UserError):
    """A run folder that cannot be opened, written or resumed."""


class HistoryError(UserError):
    """Results of asv that cannot be read, or a commit that is not among them."""


class SolveError(Exception):
    """A solve that ended before t1; its ``solution`` says where and why.

    Not a ``UserError``: it is a result (a diverging network, a tolerance out of reach), which the
    harness turns into a row of the report.
    """

    def __init__(self, solution: Solution, sentence: str) -> None:
        super().__init__(sentence)
        self.solution = solution


_FEW = 12
"""Names that a sentence lists where none is near."""


def unknown(kind: str, name: str, known: list[str] | tuple[str, ...]) -> UnknownNameError:
    """Return the error for a name that nobody registered, with the nearest known ones."""
    import difflib

    near = difflib.get_close_matches(name, known, n=3)
    names = sorted(known)
    few = ", ".join(names[:_FEW]) + (" and others" if len(names) > _FEW else "")
    hint = f"did you mean {', '.join(near)}?" if near else f"known: {few or 'none'}."
    return UnknownNameError(f"There is no {kind} named {name!r}; {hint} `rkbench list {kind}s` shows all.")
