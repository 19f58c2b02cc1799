"""diffrax (Kidger 2021), for an f that has a twin in JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkbench import Solution, Stats, Status
from rkbench_solvers import (
    bogacki_shampine,
    dormand_prince,
    euler,
    heun,
    prince_dormand,
    ralston,
    runge,
    tsitouras,
)
from rkbench_solvers.engines.defect import Defect
from rkbench_solvers.engines.peer import Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

METHODS = (
    Shipped("Euler", euler.EULER, equal_steps=True),
    Shipped("Heun", heun.HEUN_2, equal_steps=True, adaptive=True),
    Shipped("Midpoint", runge.MIDPOINT, equal_steps=True),  # ours has no embedded solution
    Shipped("Ralston", ralston.RALSTON_2, equal_steps=True, adaptive=True),
    Shipped("Bosh3", bogacki_shampine.BOGACKI_SHAMPINE_32, equal_steps=True, adaptive=True),
    Shipped("Tsit5", tsitouras.TSITOURAS_54, equal_steps=True, adaptive=True),
    Shipped("Dopri5", dormand_prince.SHAMPINE_54, equal_steps=True, adaptive=True),
    Shipped("Dopri8", prince_dormand.PRINCE_DORMAND_87, equal_steps=True, adaptive=True),
)

DEFECTS = (
    Defect(
        "first step",
        "in 0.7.2 it is always 0.01 long: the automatic choice does not recognise an ODE, and evaluates nothing",
        rows="adaptive",
    ),
    Defect(
        "FSAL",
        "f(t0, y0) is evaluated again for every rejection before the first accepted step",
        rows="adaptive",
    ),
    Defect(
        "backprop",
        "its DirectAdjoint, whose cost grows with max_steps and which the library advises against; its own default is "
        "checkpoint",
        gradients=("backprop",),
    ),
    Defect(
        "NaN",
        "a NaN in f is tried again with ever smaller steps up to max_steps; the adapter ends the solve where t no longer "
        "moves",
        rows="adaptive",
    ),
    Defect(
        "threads",
        "JAX takes every core the process may use, whatever torch is told, and where torch's idle threads spin on the same "
        "cores, its steps may take many times as long",
    ),
)


class DiffraxEngine(Peer):
    """diffrax, compiled by JAX, for an f that offers a `rkbench.Twin`; see ``via_jax`` for threads.

    Its PIDController is used as an I controller: as a PI controller it has our formula, but lets an accepted step
    never shrink the next, and applies the filter after a rejection, too. Equal steps are its ``StepTo``. Output
    times are interpolated by each method's own interpolation. It is compiled for each f, shape and option at the
    first solve, which then takes seconds.

    ``checkpoint`` is its default, RecursiveCheckpointAdjoint, which computes stages again, and keeps as many states
    as it would with its own budget of 4096 steps, or fewer; ``backprop`` is its DirectAdjoint. `Stats.nfe_backward`
    and `Stats.vjps` stay 0: the library does not tell them, and the harness counts them while it audits. The library
    does not say which steps it took either, so `Solution.steps` is empty.
    """

    name = "diffrax"
    library = "diffrax"
    methods = METHODS
    gradients = ("checkpoint", "backprop")
    compiling = "it is always compiled, by JAX"
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with ``diffrax.diffeqsolve``.

        Raises:
            SolverError: f has no twin in JAX, or another f for one.
        """
        from rkbench_solvers.engines.via_diffrax_jit import USERS_BUDGET, Spec, solve, stages
        from rkbench_solvers.engines.via_jax import Call, twin_of

        solver, y0 = problem.solver, problem.y0
        twin = twin_of(problem.f.f, problem.t0, problem.t1, y0)
        stops, grid = _times(problem, problem.stops), _grid(problem)
        spec = Spec(
            twin.function,
            self.theirs(solver),
            solver.gradient,
            solver.max_steps if solver.adaptive else max(USERS_BUDGET, len(grid)),
            (solver.rtol, solver.atol) if solver.adaptive else None,
            between=len(stops) > 2,
        )
        call = Call(solve(spec))
        rows = call(stops, grid, y0, *twin.tensors)
        counts, t = call.report
        *steps, reached, given_up, finite = counts.tolist()
        stats = _stats(*stages(spec.method), *steps)
        if reached:
            return problem.solved(rows, stats)
        stuck = Status.STEP_UNDERFLOW if finite else Status.NON_FINITE
        return problem.failed(stuck if given_up else Status.MAX_STEPS, float(t), stats)


def _times(problem: Problem, times: list[float]) -> Tensor:
    import torch

    return torch.tensor(times, dtype=problem.y0.dtype)


def _grid(problem: Problem) -> Tensor:
    """Return the ends of the equal steps, each once in the state's precision; t0 and t1 of an adaptive solve."""
    if problem.solver.adaptive:
        return _times(problem, [problem.t0, problem.t1])
    times = _times(problem, problem.grid).unique()
    return times if problem.direction > 0 else times.flip(0)


def _stats(stages: int, fsal: bool, probes: int, accepted: int, rejected: int, early: int) -> Stats:
    """Reckon the evaluations of f: an FSAL method takes one more until a step is accepted."""
    fresh = stages - fsal
    return Stats(
        nfe_start=probes,
        nfe_accepted=fresh * accepted + fsal * (accepted > 0),
        nfe_rejected=fresh * rejected + fsal * early,
        accepted=accepted,
        rejected=rejected,
    )
