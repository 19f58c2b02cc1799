"""diffrax (Kidger 2021), listed with the reason why it runs nothing here."""

from __future__ import annotations

from rkbench import Solution, Solver, SolverError
from rkbench_solvers.engines.peer import Peer, Problem


class DiffraxEngine(Peer):
    """diffrax integrates functions that JAX can trace; the f of an ODE-net here is a torch module.

    Calling torch from JAX step by step would measure the bridge. A task that gives its f in both frameworks, with
    the same weights, would make it comparable; there is none.
    """

    name = "diffrax"
    library = "diffrax"

    def unavailable(self) -> str:
        """Return why nothing can be run, installed or not."""
        return "diffrax needs f in JAX, and f here is torch's; choose another engine."

    def unsupported(self, solver: Solver) -> str | None:
        """Return the same for every solver."""
        return self.unavailable()

    def run(self, problem: Problem) -> Solution:
        """Say why not, to whoever did not ask first."""
        raise SolverError(self.unavailable())
