"""Speculative solves: the steps of the last solve tried again, and never accepted unseen.

torch's eager backend makes the same graphs without generating code.
"""

from functools import partial

import pytest
import torch
from torch import nn

import rkbench
from rkbench import SolverError, Status
from rkbench.integrate import graphs

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")

OPTIONS = {"method": "bosh3", "rtol": 1e-2, "atol": 1e-2, "compile": True, "speculative": True}


@pytest.fixture(autouse=True)
def no_code_generation(monkeypatch):
    graphs._graph.cache_clear()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))


class Decay(nn.Module):
    """y' = -rate y, with the rate a parameter."""

    def __init__(self, rate=1.0):
        super().__init__()
        self.rate = nn.Parameter(torch.tensor(rate, dtype=torch.float64))

    def forward(self, t, y):
        return -self.rate * y


def start(scale=1.0):
    return scale * torch.linspace(1, 2, 6, dtype=torch.float64).view(3, 2)


def test_the_second_solve_takes_the_steps_of_the_first_and_no_probe():
    f = Decay()
    first = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    second = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    assert first.stats.speculative == 0
    assert second.stats.speculative == second.stats.accepted == first.stats.accepted
    assert second.steps == pytest.approx(first.steps, rel=1e-12)
    assert second.stats.nfe == first.stats.nfe - 1
    torch.testing.assert_close(second.y, first.y, rtol=1e-13, atol=0)


def test_a_step_above_the_tolerance_brings_the_ordinary_loop_back():
    f = Decay()
    rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    with torch.no_grad():
        f.rate.fill_(4.0)
    tried = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    plain = rkbench.solve(f, start(), (0.0, 1.0), **(OPTIONS | {"speculative": False}))
    torch.testing.assert_close(tried.y, plain.y, rtol=1e-13, atol=0)
    assert tried.stats.speculative == 0
    assert tried.stats.nfe == plain.stats.nfe + tried.stats.nfe_rejected - plain.stats.nfe_rejected
    assert tried.stats.rejected > plain.stats.rejected
    assert rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS).stats.speculative > 0


def test_too_many_steps_are_not_taken_for_ever():
    f = Decay(4.0)
    many = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS).stats.accepted
    with torch.no_grad():
        f.rate.fill_(1.0)
    for _ in range(2):
        solution = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    assert solution.stats.accepted < many


def test_the_gradient_is_that_of_the_accepted_steps():
    f, y0 = Decay(), start().requires_grad_()
    rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    solution = rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    ours = torch.autograd.grad(solution.y[-1].sum(), (y0, f.rate))
    again = rkbench.solve(f, y0, (0.0, 1.0), method="bosh3", controller=rkbench.replay(solution.steps))
    theirs = torch.autograd.grad(again.y[-1].sum(), (y0, f.rate))
    for mine, exact in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, exact, rtol=1e-12, atol=1e-13)


def test_nan_is_never_accepted():
    f = Decay()
    rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    solution = rkbench.solve(f, start(float("nan")), (0.0, 1.0), **OPTIONS)
    assert solution.status is Status.NON_FINITE


def test_other_functions_spans_and_shapes_have_steps_of_their_own():
    f = Decay()
    rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    for other in (
        rkbench.solve(Decay(), start(), (0.0, 1.0), **OPTIONS),
        rkbench.solve(f, start(), (0.0, 0.5), **OPTIONS),
        rkbench.solve(f, start()[:2], (0.0, 1.0), **OPTIONS),
    ):
        assert other.stats.speculative == 0


def test_f_is_evaluated_as_often_as_claimed():
    calls = 0

    def f(t, y):
        nonlocal calls
        calls += 1
        return -y

    with torch.compiler.set_stance("force_eager"):
        for scale in (1.0, 1.0, 1e4):
            calls = 0
            solution = rkbench.solve(f, start(scale), (0.0, 1.0), **OPTIONS)
            assert calls == solution.stats.nfe


@pytest.mark.parametrize("options", [{"compile": False}, {"steps": 3}])
def test_speculation_needs_a_compiled_adaptive_solve(options):
    with pytest.raises(SolverError, match="give compile=True and no steps, or drop it"):
        rkbench.solve(Decay(), start(), (0.0, 1.0), **(OPTIONS | options))
