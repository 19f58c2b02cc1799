"""Time of one step and of one forward solve, and what is exactly reproducible of a solve: NFE and error."""

from typing import Any

from .workload import SOLVERS, TIMED, Timed, batch, network


class Forward(Timed):
    """The ODE block of the slides' network on one batch, without gradient."""

    params = TIMED
    param_names = ["solver"]
    number = 10

    def setup(self, solver):
        """Build the block and its input."""
        import torch

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        self.block = network(solver)[0]
        self.x, _ = batch()

    def time_forward(self, solver):
        """Solve once."""
        self.block(self.x)


class OneStep(Timed):
    """A single step of a method, whatever its error: what the stages cost with nothing around them."""

    params = list(dict.fromkeys(label.partition(" ")[0] for label in TIMED))
    param_names = ["method"]
    number = 50

    def setup(self, method):
        """Build f and its input."""
        import torch

        import rkbench
        from rkbench.networks.tanh import TanhField

        torch.set_num_threads(1)
        torch.set_grad_enabled(False)
        torch.manual_seed(0)
        field, (x, _) = TanhField(64), batch()
        self.step = lambda: rkbench.solve(field, x, (0.0, 0.1), method=method, steps=1)

    def time_step(self, method):
        """Take one step."""
        self.step()


class Exact:
    """What does not vary: measured once per commit, in one process, which pays for importing torch once."""

    version = "1"
    params = list(SOLVERS)
    param_names = ["solver"]

    def setup_cache(self):
        """Return solver -> (evaluations of f in the block, relative error against a known solution)."""
        return {solver: (_evaluations(solver), _error(solver)) for solver in SOLVERS}


class Evaluations(Exact):
    """One forward solve of the block."""

    unit = "evaluations of f"

    def track_nfe(self, measured, solver):
        """Return the evaluations of f, rejected steps included."""
        return measured[solver][0]


class Error(Exact):
    """y' = y cos t, y(0) = 1, up to t = 3, in double precision."""

    unit = "relative error"

    def track_error(self, measured, solver):
        """Return the relative error at t = 3."""
        return measured[solver][1]


def _evaluations(solver):
    block: Any = network(solver)[0]
    block(batch()[0])
    return block.last_stats.nfe


def _error(solver):
    import math

    import torch

    import rkbench

    y0 = torch.ones(1, dtype=torch.float64)
    solution = rkbench.solve(lambda t, y: y * torch.cos(t), y0, (0.0, 3.0), **SOLVERS[solver])
    return abs(float(solution.y[-1]) / math.exp(math.sin(3.0)) - 1)
