"""torchdiffeq (Chen 2018), landing on the output times, and as it behaves when nothing is said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rkbench import Solution, Stats, Status
from rkbench_solvers import bogacki_shampine, dormand_prince, euler, heun, kutta, prince_dormand, runge
from rkbench_solvers.engines.peer import Counted, Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

METHODS = (
    Shipped("euler", euler.EULER, equal_steps=True),
    Shipped("midpoint", runge.MIDPOINT, equal_steps=True),
    Shipped("heun2", heun.HEUN_2, equal_steps=True),
    Shipped("heun3", heun.HEUN_3, equal_steps=True),
    Shipped("rk4", kutta.RK38, equal_steps=True),
    Shipped("bosh3", bogacki_shampine.BOGACKI_SHAMPINE_32, adaptive=True),
    Shipped("dopri5", dormand_prince.SHAMPINE_54, adaptive=True),
    Shipped("dopri8", prince_dormand.PRINCE_DORMAND_87, adaptive=True),
)

DEFECTS = {
    "adaptive_heun, fehlberg2": "the last stage is reused as if they were FSAL, so they are other methods than named",
    "tsit5": "not in the release; where it is, the solution carried forward is the one of order 4",
    "first step": "its size stays in the autograd graph; where f takes t off the graph, the gradient is off by more "
    "than any tolerance removes",
}

AS_SHIPPED_DEFECTS = DEFECTS | {
    "t1": "adaptive methods step past t1, evaluate f there, and interpolate back with order 4",
    "step_size": "the grid is built by arange, which can add a last step of round-off length",
}


class TorchdiffeqEngine(Peer):
    """torchdiffeq made to land on every output time (``step_t``), and on equal steps that are equal.

    Its own I controller is used, and its own choice of the first step. `Stats.vjps` stays 0: the library does not
    say which stages the gradient reaches.
    """

    name = "torchdiffeq"
    library = "torchdiffeq"
    methods = METHODS
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with ``torchdiffeq.odeint``."""
        adaptive = problem.solver.adaptive
        watch = _Adaptive(problem) if adaptive else _Equal(problem)
        try:
            rows = self._odeint(problem, watch)
        except _StepBudgetError:
            return watch.failed(Status.MAX_STEPS)
        except AssertionError as error:
            return watch.failed(_status(error, watch))
        return problem.solved(rows, watch.stats(), watch.steps())

    def _odeint(self, problem: Problem, watch: _Watch) -> Tensor:
        import torch

        solver, like = problem.solver, problem.y0
        # Adaptive methods keep time in float64 whatever they are given; equal steps are its users' float32.
        time = torch.float64 if solver.adaptive else torch.promote_types(like.dtype, torch.float32)

        def tensor(times: list[float]) -> Tensor:
            return torch.tensor(times, dtype=time, device=like.device)

        return import_module("torchdiffeq").odeint(
            watch,
            like,
            tensor(problem.stops),
            rtol=solver.rtol,
            atol=solver.atol,
            method=self.theirs(solver),
            options=self._options(problem, tensor),
        )

    def _options(self, problem: Problem, tensor: Callable[[list[float]], Tensor]) -> dict[str, Any]:
        if problem.solver.adaptive:
            return {"step_t": tensor(problem.stops[1:])}
        grid = tensor(problem.grid)
        return {"grid_constructor": lambda f, y0, t: grid}


class TorchdiffeqAsShippedEngine(TorchdiffeqEngine):
    """torchdiffeq with its defaults: it steps past t1 and interpolates back; equal steps by ``step_size``.

    f is called outside [t0, t1], and the last of the accepted steps ends there.
    """

    name = "torchdiffeq_as_shipped"
    defects = AS_SHIPPED_DEFECTS

    def _options(self, problem: Problem, tensor: Callable[[list[float]], Tensor]) -> dict[str, Any]:
        return {} if problem.solver.adaptive else {"step_size": abs(problem.h)}


class _StepBudgetError(Exception):
    """The library's own limit starts anew at each output time, so the budget is kept here."""


class _Watch(ABC):
    """f as torchdiffeq sees it: counted, with the callbacks that the library looks for on it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.f: Counted = problem.f
        self.taken: list[Tensor] = []
        self.tried: Any = None

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        return self.f(t, y)

    def steps(self) -> list[float]:
        """Return the accepted signed steps, in one transfer."""
        import torch

        if not self.taken:
            return []
        return [self.problem.direction * h for h in torch.stack(self.taken).tolist()]

    @abstractmethod
    def stats(self) -> Stats:
        """Return the counts so far."""

    def failed(self, status: Status) -> Solution:
        """Return how far it came."""
        steps = self.steps()
        return self.problem.failed(status, self.problem.t0 + sum(steps), self.stats(), steps)


class _Equal(_Watch):
    """Watches equal steps."""

    def callback_step(self, t: Tensor, y: Tensor, h: Tensor) -> None:
        """Note a step."""
        self.taken.append(h)

    def stats(self) -> Stats:
        return Stats(nfe_accepted=self.f.calls, accepted=len(self.taken))


class _Adaptive(_Watch):
    """Watches steps that are tried, accepted and rejected."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.rejected = self.rejected_calls = 0
        self.start_calls: int | None = None
        self.before = 0

    def callback_step(self, t: Tensor, y: Tensor, h: Tensor) -> None:
        """Note that a step will be tried."""
        if len(self.taken) + self.rejected >= self.problem.solver.max_steps:
            raise _StepBudgetError
        if self.start_calls is None:
            self.start_calls = self.f.calls
        self.before, self.tried = self.f.calls, h

    def callback_accept_step(self, t: Tensor, y: Tensor, h: Tensor) -> None:
        """Note that it was accepted."""
        self.taken.append(h)

    def callback_reject_step(self, t: Tensor, y: Tensor, h: Tensor) -> None:
        """Note that it was rejected."""
        self.rejected += 1
        self.rejected_calls += self.f.calls - self.before

    def stats(self) -> Stats:
        start = self.f.calls if self.start_calls is None else self.start_calls
        return Stats(
            nfe_start=start,
            nfe_accepted=self.f.calls - start - self.rejected_calls,
            nfe_rejected=self.rejected_calls,
            accepted=len(self.taken),
            rejected=self.rejected,
        )


def _status(error: AssertionError, watch: _Watch) -> Status:
    """Return what an assertion of the library means; another's is raised again.

    A step size that is not finite, as NaN makes it, is replaced by 0 and then reported as underflow.
    """
    said = str(error)
    if said.startswith("non-finite values in state"):
        return Status.NON_FINITE
    if said.startswith("underflow in dt"):
        return Status.NON_FINITE if float(watch.tried) == 0.0 else Status.STEP_UNDERFLOW
    raise error
