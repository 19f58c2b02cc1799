"""torchdiffeq (Chen 2018), landing on the output times, and as it behaves when nothing is said."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rkbench import Solution, SolveError, Stats, Status
from rkbench_solvers import bogacki_shampine, dormand_prince, euler, heun, kutta, prince_dormand, runge
from rkbench_solvers.engines.defect import Defect
from rkbench_solvers.engines.peer import Counted, Peer, Problem
from rkbench_solvers.engines.shipped import Shipped

if TYPE_CHECKING:
    from torch import Tensor

    Tensors = Callable[[list[float]], Tensor]

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

DEFECTS = (
    Defect(
        "adaptive_heun, fehlberg2",
        "every tableau's last stage is reused as if it were FSAL, so they are other methods than named",
        rows="none",
    ),
    Defect("rk4", "it is the 3/8 rule, not the classical method", rows="none"),
    Defect(
        "tsit5",
        "not in the release; where it is, the solution carried forward is the one of order 4",
        rows="none",
    ),
    Defect(
        "gl4",
        "not in the release; where it is, one wrong node leaves order 1 where f depends on t",
        rows="none",
    ),
    Defect(
        "first step",
        "its size stays in the autograd graph; where f takes t off the graph, the gradient is off by more than any "
        "tolerance removes",
        rows="adaptive",
        gradients=("backprop",),
    ),
    Defect(
        "failures",
        "they are assertions, which python -O removes, and NaN is reported as an underflow; the adapter tells them "
        "apart",
        rows="adaptive",
    ),
    Defect("max_num_steps", "it starts anew at each output time; the adapter counts", rows="none"),
    Defect("adjoint", "it raises where f depends neither on y nor on a parameter", gradients=("adjoint",)),
    Defect(
        "dropout, batch norm",
        "on the way back, random numbers are drawn anew and buffers are updated once more",
        gradients=("adjoint",),
    ),
)

AS_SHIPPED_DEFECTS = (
    *DEFECTS,
    Defect(
        "t1",
        "adaptive methods step past t1, evaluate f there, and interpolate back with order 4, whatever the method's",
        rows="adaptive",
    ),
    Defect(
        "step_size",
        "the grid is built by arange, which can add a last step of round-off length",
        rows="equal steps",
    ),
    Defect("output times", "those between equal steps are interpolated linearly", rows="equal steps"),
)


class TorchdiffeqEngine(Peer):
    """torchdiffeq made to land on every output time (``step_t``), and on equal steps that are equal.

    Its own I controller is used, and its own choice of the first step. With ``backprop``, `Stats.vjps` stays 0: the
    library does not say which stages the gradient reaches.

    ``adjoint`` is its ``odeint_adjoint``; equal steps go back as they came. The parameters are those that a module
    registers, as its users have it; a plain function is evaluated once more to find the leaves of its graph, which
    counts as `Stats.nfe_start`. A way back that fails raises `SolveError`.
    """

    name = "torchdiffeq"
    library = "torchdiffeq"
    methods = METHODS
    gradients = ("backprop", "adjoint")
    defects = DEFECTS

    def run(self, problem: Problem) -> Solution:
        """Solve with ``torchdiffeq.odeint`` or ``torchdiffeq.odeint_adjoint``."""
        adaptive = problem.solver.adaptive
        watch = _Adaptive(problem) if adaptive else _Equal(problem)
        try:
            rows = self._odeint(problem, watch)
        except _StepBudgetError:
            return watch.failed(Status.MAX_STEPS)
        except AssertionError as error:
            return watch.failed(_status(error, watch))
        watch.finished = watch.stats()
        return problem.solved(rows, watch.finished, watch.steps())

    def _odeint(self, problem: Problem, watch: _Watch) -> Tensor:
        import torch

        solver, like = problem.solver, problem.y0
        # Adaptive methods keep time in float64 whatever they are given; equal steps are its users' float32.
        time = torch.float64 if solver.adaptive else torch.promote_types(like.dtype, torch.float32)

        def tensor(times: list[float]) -> Tensor:
            return torch.tensor(times, dtype=time, device=like.device)

        library = import_module("torchdiffeq")
        odeint, back = library.odeint, {}
        if solver.gradient == "adjoint":
            odeint, back = library.odeint_adjoint, self._back(problem, watch, tensor)
        return odeint(
            watch,
            like,
            tensor(problem.stops),
            rtol=solver.rtol,
            atol=solver.atol,
            method=self.theirs(solver),
            options=self._options(problem, problem.stops[1:], tensor),
            **back,
        )

    def _back(self, problem: Problem, watch: _Watch, tensor: Tensors) -> dict[str, Any]:
        """Return what ``odeint_adjoint`` is told of the way back."""

        def increasing(times: list[float]) -> Tensor:
            # By then, the library has reversed a clock that runs back.
            return tensor([problem.direction * t for t in times])

        options = self._options(problem, problem.stops[:-1], increasing)
        if problem.solver.seminorm:
            options["norm"] = "seminorm"
        rtol, atol = problem.solver.adjoint_tolerances
        return {
            "adjoint_rtol": rtol,
            "adjoint_atol": atol,
            "adjoint_options": options,
            "adjoint_params": _parameters(watch),
        }

    def _options(self, problem: Problem, targets: list[float], tensor: Tensors) -> dict[str, Any]:
        """Return the options that make a solve land on ``targets``, or take the equal steps either way."""
        if problem.solver.adaptive:
            return {"step_t": tensor(targets)}
        grid = tensor(problem.grid)

        def part(f: Any, y0: Tensor, t: Tensor) -> Tensor:
            inside = grid[(grid >= t.min()) & (grid <= t.max())]
            return inside if inside[0] == t[0] else inside.flip(0)

        return {"grid_constructor": part}


class TorchdiffeqAsShippedEngine(TorchdiffeqEngine):
    """torchdiffeq with its defaults: it steps past t1 and interpolates back; equal steps by ``step_size``.

    f is called outside [t0, t1], and the last of the accepted steps ends there.
    """

    name = "torchdiffeq_as_shipped"
    defects = AS_SHIPPED_DEFECTS

    def _options(self, problem: Problem, targets: list[float], tensor: Tensors) -> dict[str, Any]:
        return {} if problem.solver.adaptive else {"step_size": abs(problem.h)}


def _parameters(watch: _Watch) -> tuple[Tensor, ...]:
    """Return what f is differentiated by: what a module registers, or the leaves of one value of f."""
    import torch

    from rkbench import parameters_of

    f = watch.f.f
    if isinstance(f, torch.nn.Module):
        return tuple(f.parameters())
    y = watch.problem.y0.detach()
    watch.extra = 1
    with torch.enable_grad():
        k = watch(torch.tensor(watch.problem.t0, dtype=y.dtype, device=y.device), y)
    return parameters_of(f, k)


class _StepBudgetError(Exception):
    """The library's own limit starts anew at each output time, so the budget is kept here."""


class _Watch(ABC):
    """f as torchdiffeq sees it: counted, with the callbacks that the library looks for on it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.f: Counted = problem.f
        self.taken: list[Tensor] = []
        self.tried: Any = None
        self.finished: Stats | None = None
        self.extra = 0

    def __call__(self, t: Tensor, y: Tensor) -> Tensor:
        if self.finished is not None:  # the adjoint's way back
            self.finished.nfe_backward += 1
            self.finished.vjps += 1
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
        return Stats(nfe_start=self.extra, nfe_accepted=self.f.calls - self.extra, accepted=len(self.taken))


class _Adaptive(_Watch):
    """Watches steps that are tried, accepted and rejected."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.rejected = self.rejected_calls = 0
        self.start_calls: int | None = None
        self.before = 0
        self.steps_back = 0

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

    def callback_step_adjoint(self, t: Tensor, y: Any, h: Tensor) -> None:
        """End a way back that the library would end with a bare assertion, or not at all.

        Raises:
            SolveError: the budget is spent, or the step is lost in the round-off of t.
        """
        at, size = self.problem.direction * float(t), float(h)
        self.steps_back = 1 if at in self.problem.stops else self.steps_back + 1
        if self.steps_back > self.problem.solver.max_steps:
            raise self._lost(Status.MAX_STEPS, at)
        if at + size == at:
            raise self._lost(Status.STEP_UNDERFLOW if size else Status.NON_FINITE, at)

    def _lost(self, status: Status, at: float) -> SolveError:
        assert self.finished is not None
        solution = self.problem.failed(status, at, self.finished)
        return SolveError(solution, f"The adjoint, solved back to t = {at:g}: {status.advice}")

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
