"""torchode (Lienen & Günnemann 2022), with the whole batch as one sample, or as what it is made for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rkbench import Solution, Stats, Status
from rkbench_solvers import dormand_prince, euler, heun, tsitouras
from rkbench_solvers.engines.defect import Defect
from rkbench_solvers.engines.peer import Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

METHODS = (
    Shipped("Euler", euler.EULER, equal_steps=True),
    Shipped("Heun", heun.HEUN_2, equal_steps=True, adaptive=True),
    Shipped("Dopri5", dormand_prince.SHAMPINE_54, equal_steps=True, adaptive=True),
    Shipped("Tsit5", tsitouras.TSITOURAS_54, equal_steps=True, adaptive=True),
)

DEFECTS = (
    Defect(
        "batch",
        "a sample that fails ends the batch, and the others are returned unfinished as successes; the adapter leads it to "
        "the end, and control='batch' knows one sample only",
        rows="none",
    ),
    Defect("compile", "the documented torch.compile(solver).solve(...) compiles nothing", rows="none"),
    Defect(
        "n_f_evals", "it is the largest of the batch, given for every sample; the adapter counts", rows="none"
    ),
    Defect(
        "step underflow",
        "there is none: steps lost in the round-off of t go on to max_steps",
        rows="adaptive",
    ),
    Defect("output times", "equal steps give them by interpolation", rows="equal steps"),
    Defect("Euler", "its interpolation is linear", rows="equal steps", methods=("euler",)),
)

START_CALLS = 2
"""Evaluations of f to choose the first step; FSAL methods use one of them again."""


class TorchodeEngine(Peer):
    """torchode, whose step size belongs to a sample: with ``control="sample"`` as it is made.

    With ``control="batch"`` it is made to share one: the batch is one sample of all features. Its own I controller is
    used, without gradients through the step sizes. The library does not say which steps it took, so `Solution.steps`
    is empty, and after a failure `Solution.t_reached` is where f was called last; ``via_torchode_samples`` tells how
    samples fare. `Stats.vjps` is 0.
    """

    name = "torchode"
    library = "torchode"
    methods = METHODS
    controls = ("batch", "sample")
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with ``torchode.AutoDiffAdjoint``.

        Raises:
            SolverError: ``control="sample"`` was asked for a state without an axis.
        """
        if problem.solver.control == "sample":
            from rkbench_solvers.engines.via_torchode_samples import solve

            return solve(problem, self.theirs(problem.solver))
        f, shape = problem.f, problem.y0.shape

        def flat(t: Tensor, y: Tensor) -> Tensor:
            return f(t.reshape(()).to(y.dtype), y.reshape(shape)).reshape(1, -1)

        adjoint = _adjoint(problem, self.theirs(problem.solver))
        term = _torchode().ODETerm(flat, with_stats=False)
        answer = adjoint.solve(_as_theirs(problem), term=term, dt0=_first_step(problem))
        stats = _stats(problem, answer.stats)
        status = _status(int(answer.status))
        if status is not Status.OK:
            return problem.failed(status, float(f.t), stats)
        return problem.solved(_rows(problem, answer.ys), stats)


def _torchode() -> Any:
    return import_module("torchode")


def _adjoint(problem: Problem, method: str) -> Any:
    solver = problem.solver
    tolerances = (solver.rtol, solver.atol, solver.max_steps) if solver.adaptive else None
    return _built(method, tolerances, problem.y0.device)


@cache
def _built(method: str, tolerances: tuple[float, float, int] | None, device: Any) -> Any:
    """Return the library's solver, built once as its users would."""
    torchode = _torchode()
    step = getattr(torchode, method)(term=None)
    if tolerances is None:
        return torchode.AutoDiffAdjoint(step, torchode.FixedStepController())
    rtol, atol, max_steps = tolerances
    controller = torchode.IntegralController(atol=atol, rtol=rtol).to(device)
    return torchode.AutoDiffAdjoint(
        step,
        controller,
        max_steps=max_steps + 1,  # the library fails a solve that ends with its last step
        backprop_through_step_size_control=False,
    )


def _as_theirs(problem: Problem) -> Any:
    """Return the problem in torchode's terms: one sample."""

    def tensor(*times: float) -> Tensor:
        return _times(problem, *times)

    between = len(problem.stops) > 2
    return _torchode().InitialValueProblem(
        y0=problem.y0.reshape(1, -1),
        t_start=tensor(problem.t0),
        t_end=tensor(problem.t1),
        t_eval=tensor(*problem.stops)[None] if between else None,
    )


def _first_step(problem: Problem) -> Any:
    """Return the equal step, or None. The library adds steps up, so by round-off it could need one too many."""
    import torch

    if problem.solver.adaptive:
        return None
    assert problem.solver.steps is not None
    slack = 4 * problem.solver.steps * torch.finfo(torch.float64).eps
    return _times(problem, problem.h * (1 + slack))


def _times(problem: Problem, *times: float) -> Tensor:
    """Return times in the state's precision, or in float64 where equal steps are added up."""
    import torch

    like = problem.y0
    dtype = torch.promote_types(like.dtype, torch.float32) if problem.solver.adaptive else torch.float64
    return torch.tensor(times, dtype=dtype, device=like.device)


def _rows(problem: Problem, ys: Tensor) -> Tensor:
    """Return the states at the stops; ys is [1, stops, features], or [1, 1, features] for t1 alone."""
    import torch

    rows = ys[0].reshape(-1, *problem.y0.shape)
    enough = len(problem.stops) > 2 or problem.times == (problem.t1,)
    return rows if enough else torch.stack([problem.y0, rows[0]])


def _stats(problem: Problem, told: dict[str, Any]) -> Stats:
    accepted = int(told["n_accepted"])
    rejected = int(told["n_steps"]) - accepted
    start = START_CALLS if problem.solver.adaptive else 0
    method = problem.solver.method
    rejected_calls = rejected * (method.stages - method.fsal)
    return Stats(
        nfe_start=start,
        nfe_accepted=problem.f.calls - start - rejected_calls,
        nfe_rejected=rejected_calls,
        accepted=accepted,
        rejected=rejected,
    )


def _status(code: int) -> Status:
    codes = _torchode().status_codes
    named = {
        codes.SUCCESS: Status.OK,
        codes.REACHED_DT_MIN: Status.STEP_UNDERFLOW,
        codes.REACHED_MAX_STEPS: Status.MAX_STEPS,
    }
    return named.get(code, Status.NON_FINITE)
