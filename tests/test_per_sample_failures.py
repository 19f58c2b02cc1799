"""A sample that fails does so alone, by name, and costs its mates nothing."""

import math

import pytest
import torch

import rkbench
from rkbench import Status


def grows(t, y):
    """y' = y²: a positive sample leaves for infinity at t = 1/y0, the others live for ever."""
    return y * y


START = torch.tensor([[-1.0], [2.0], [-0.5], [0.7], [0.1]], dtype=torch.float64)
OPTIONS = {"control": "sample", "rtol": 1e-6, "atol": 1e-8}


def test_a_singular_sample_underflows_where_it_is_and_the_others_arrive():
    solution = rkbench.solve(grows, START, (0.0, 1.0), t_eval=[0.25, 0.75, 1.0], **OPTIONS)
    assert solution.samples.status == (Status.OK, Status.STEP_UNDERFLOW, Status.OK, Status.OK, Status.OK)
    assert solution.samples.t_reached[1] == pytest.approx(0.5, abs=1e-5)
    assert solution.y[1:, 1].isnan().all()
    exact = START / (1 - START)
    others = [0, 2, 3, 4]
    assert torch.allclose(solution.y[-1, others], exact[others], rtol=1e-5)
    assert solution.y[0, 1].item() == pytest.approx(4.0, rel=1e-4)


def test_the_solution_says_how_many_failed_and_which_first():
    solution = rkbench.solve(grows, torch.cat((START, START)), (0.0, 1.0), **OPTIONS)
    assert solution.status is solution.ended is Status.STEP_UNDERFLOW
    assert solution.samples.failed == (1, 6)
    assert solution.t_reached == solution.samples.t_reached[1]
    assert "in sample 1, the first of 2 that failed out of 10. The step shrank" in solution.sentence
    with pytest.raises(rkbench.SolveError, match="in sample 1"):
        rkbench.odeint(grows, START, [0.0, 1.0], **OPTIONS)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_sample_that_starts_broken_takes_no_step(bad):
    y0 = START.clone()
    y0[1] = bad
    solution = rkbench.solve(grows, y0, (0.0, 1.0), **OPTIONS)
    assert solution.samples.status[1] is Status.NON_FINITE
    assert solution.samples.accepted[1] == solution.samples.rejected[1] == 0
    assert solution.samples.failed == (1,)
    assert "NON_FINITE at t = 0 after 0 steps in sample 1" in solution.sentence


def test_a_batch_that_starts_broken_is_told():
    solution = rkbench.solve(grows, START * math.nan, (0.0, 1.0), **OPTIONS)
    assert solution.samples.status == (Status.NON_FINITE,) * 5
    assert solution.y[0].isnan().all()
    assert solution.stats.nfe == 1


def test_a_sample_that_becomes_nan_fails_where_it_does():
    def f(t, y):
        return torch.where((t > 0.5) & (y > 5), math.nan, -0.1) * y

    y0 = torch.tensor([[1.0], [10.0], [3.0]], dtype=torch.float64)
    solution = rkbench.solve(f, y0, (0.0, 1.0), **OPTIONS)
    assert solution.samples.status == (Status.OK, Status.NON_FINITE, Status.OK)
    assert solution.samples.t_reached[1] == pytest.approx(0.5, abs=1e-6)
    assert torch.allclose(solution.y[-1, [0, 2]], y0[[0, 2]] * math.exp(-0.1), rtol=1e-6)


def test_each_sample_has_the_whole_step_budget():
    y0 = torch.tensor([[1.0, 0.1], [1.0, 30.0], [1.0, 100.0]], dtype=torch.float64)
    f = lambda t, y: torch.cos(y[:, 1:] * t) * torch.tensor([1.0, 0.0], dtype=torch.float64)  # noqa: E731
    solution = rkbench.solve(f, y0, (0.0, 2.0), max_steps=12, **OPTIONS)
    assert solution.samples.status == (Status.OK, Status.MAX_STEPS, Status.MAX_STEPS)
    used = [a + r for a, r in zip(solution.samples.accepted, solution.samples.rejected, strict=True)]
    assert used[0] < 12
    assert used[1:] == [12, 12]
    assert solution.y[-1, :, 0].isnan().tolist() == [False, True, True]
    assert "raise max_steps" in solution.sentence


def test_a_step_too_small_for_the_dtype_ends_the_sample():
    """At t = 0 any number is a step; float32 ends at 1e-38, and 0/0 must not follow."""
    y0 = torch.tensor([[1.0], [2.0]])
    f = lambda t, y: torch.where((t > 0) & (y > 1.5), math.nan, -1.0) * y  # noqa: E731
    solution = rkbench.solve(f, y0, (0.0, 1.0), control="sample")
    assert solution.samples.status == (Status.OK, Status.NON_FINITE)
    assert solution.y[-1, 0].item() == pytest.approx(math.exp(-1), rel=1e-3)


def test_a_value_of_f_for_another_number_of_samples_is_refused():
    """A closure over the batch would broadcast where one sample is left, and hand its mates' slopes to it."""
    shift = torch.zeros(5, 1, dtype=torch.float64)
    with pytest.raises(rkbench.SolverError, match="still running, of shape .*; .* use control='batch'"):
        rkbench.solve(lambda t, y: y[:1] * 0 + shift * 0 + 1, START, (0.0, 1.0), t_eval=[0.3], **OPTIONS)
