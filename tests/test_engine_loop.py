"""The loop keeps the rules of step-size control, whatever the controller does."""

import math

import pytest
import torch

import rkbench
from rkbench import StepController
from rkbench.integrate.adaptive import StepSize

Y0 = torch.ones(2, dtype=torch.float64)


def burst(t, y):
    """Slow but for a burst at t = 1/2, which rejects steps."""
    return torch.cos(t) - y + 50 * torch.exp(-(((t - 0.5) / 0.04) ** 2))


def recorded(controller):
    """Return the controller, and the list of the histories it is asked with."""
    asked = []

    def propose(errors, ratios, k):
        asked.append((tuple(errors), tuple(ratios), k))
        return controller.propose(errors, ratios, k)

    return StepController("recorded", propose=propose), asked


def test_a_rejected_step_leaves_no_trace():
    """The accepted steps replayed on a fixed grid give the same states to the last bit."""
    adaptive = rkbench.solve(burst, Y0, (0.0, 1.0), rtol=1e-4, atol=1e-6)
    assert adaptive.stats.rejected > 0
    replayed = rkbench.solve(burst, Y0, (0.0, 1.0), controller=rkbench.replay(adaptive.steps))
    assert replayed.y[-1].tolist() == pytest.approx(adaptive.y[-1].tolist(), rel=1e-12)


def test_the_history_holds_accepted_errors_only_newest_first():
    controller, asked = recorded(rkbench.digital_filter("i", beta=(1,)))
    rkbench.solve(burst, Y0, (0.0, 1.0), rtol=1e-4, atol=1e-6, controller=controller)
    for (errors, ratios, k), (later, _, _) in zip(asked, asked[1:], strict=False):
        assert all(0 < e <= 1 for e in errors)
        assert later[1:] == errors[:2]
        assert len(ratios) == len(errors) - 1
        assert k == 5


def test_a_step_does_not_grow_right_after_a_rejection():
    size = StepSize(StepController("eager", propose=lambda errors, ratios, k: 5.0), k=5, h=1.0)
    size.reject(2.0, taken=1.0)
    retry = size.h
    assert retry < 1.0
    size.accept(0.1, taken=retry, clipped=False)
    assert size.h == retry
    size.accept(0.1, taken=retry, clipped=False)
    assert size.h > retry


@pytest.mark.parametrize("error", [math.nan, math.inf, 1e300])
def test_a_step_that_blows_up_shrinks_by_the_least_factor(error):
    size = StepSize(rkbench.digital_filter("i", beta=(1,)), k=5, h=1.0)
    size.reject(error, taken=1.0)
    assert size.h == 0.2


def test_a_step_cut_to_land_does_not_enter_the_history():
    controller, asked = recorded(rkbench.digital_filter("i", beta=(1,)))
    size = StepSize(controller, k=5, h=1.0)
    size.accept(1e-9, taken=0.01, clipped=True)
    assert size.h == 1.0
    assert asked == []


def test_landing_on_many_output_times_does_not_shrink_the_steps_between():
    free = rkbench.solve(lambda t, y: -y, Y0, (0.0, 20.0), method="bs5", rtol=1e-4, atol=1e-4)
    landing = rkbench.solve(
        lambda t, y: -y, Y0, (0.0, 20.0), method="bs5", rtol=1e-4, atol=1e-4, t_eval=[5.0, 10.0, 20.0]
    )
    assert landing.stats.accepted <= free.stats.accepted + 3


@pytest.mark.parametrize("method", ["dopri5", "cash_karp", "dop853"])
def test_a_retry_keeps_the_first_slope(method):
    solution = rkbench.solve(burst, Y0, (0.0, 1.0), method=method, rtol=1e-4, atol=1e-6)
    stages = rkbench.registry.default().method(method).stages
    assert solution.stats.rejected > 0
    assert (
        solution.stats.nfe
        <= 2 + (solution.stats.accepted + solution.stats.rejected) * (stages - 1) + solution.stats.accepted
    )


def test_the_last_step_lands_on_t1_exactly():
    for t1 in (0.1, 1 / 3, 2.0, 7.77):
        seen = []

        def f(t, y, seen=seen):
            seen.append(t.item())
            return -y

        solution = rkbench.solve(f, Y0, (0.0, t1), rtol=1e-5)
        assert solution.t_reached == t1
        assert max(seen) == t1


def test_more_steps_than_allowed_end_as_max_steps():
    solution = rkbench.solve(burst, Y0, (0.0, 1.0), rtol=1e-8, atol=1e-8, max_steps=5)
    assert solution.status is rkbench.Status.MAX_STEPS
    assert 0 < solution.t_reached < 1
    assert solution.stats.accepted + solution.stats.rejected == 5
    assert "raise max_steps" in solution.sentence
    assert solution.y[-1].isnan().all()


def test_a_singularity_ends_as_step_underflow_where_it_is():
    solution = rkbench.solve(lambda t, y: y * y, torch.ones(1, dtype=torch.float64), (0.0, 2.0), rtol=1e-6)
    assert solution.status is rkbench.Status.STEP_UNDERFLOW
    assert solution.t_reached == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("from_time", [0.0, 0.5])
def test_nan_in_f_ends_as_non_finite_where_it_begins(from_time):
    solution = rkbench.solve(lambda t, y: torch.where(t >= from_time, math.nan, -1.0) * y, Y0, (0.0, 1.0))
    assert solution.status is rkbench.Status.NON_FINITE
    assert solution.t_reached == pytest.approx(from_time, abs=1e-6)


def test_an_infinite_state_is_not_taken_for_an_exact_one():
    """Scaled by an infinite state every error is 0; the step must be rejected all the same."""
    y0 = torch.full((2,), 1e38)
    solution = rkbench.solve(lambda t, y: 1e38 * torch.ones_like(y), y0, (0.0, 10.0), rtol=1e-3)
    assert solution.status is not rkbench.Status.OK


def test_equal_steps_tell_a_non_finite_state_when_asked():
    solution = rkbench.solve(lambda t, y: y * y, torch.ones(1), (0.0, 2.0), method="rk4", steps=50)
    assert solution.status is rkbench.Status.NON_FINITE


def test_a_constant_problem_takes_few_steps():
    solution = rkbench.solve(lambda t, y: torch.zeros_like(y), Y0, (0.0, 1.0))
    assert torch.equal(solution.y[-1], Y0)
    assert solution.stats.nfe < 80


def test_equal_steps_tell_a_state_that_broke_after_the_last_output():
    f = lambda t, y: torch.where(t > 0.5, math.inf, 1.0) * y  # noqa: E731
    solution = rkbench.solve(f, Y0, (0.0, 1.0), method="euler", steps=10, t_eval=[0.0, 0.3])
    assert solution.status is rkbench.Status.NON_FINITE
    assert solution.sentence.startswith("NON_FINITE by t = 1.")


def test_equal_steps_tell_the_first_output_that_is_not_finite():
    f = lambda t, y: torch.where(t > 0.5, math.inf, 1.0) * y  # noqa: E731
    solution = rkbench.solve(f, Y0, (0.0, 1.0), method="euler", steps=10, t_eval=[0.3, 0.8, 1.0])
    assert solution.sentence.startswith("NON_FINITE by t = 0.8.")


def test_replayed_steps_may_not_turn_round():
    with pytest.raises(rkbench.SolverError, match="turn round"):
        rkbench.solve(burst, Y0, (0.0, 1.0), controller=rkbench.replay([2.0, -1.0]))


def test_replayed_steps_must_lead_to_t1():
    with pytest.raises(rkbench.SolverError, match="lead from 0 to 0.5, not to t1 = 1"):
        rkbench.solve(burst, Y0, (0.0, 1.0), controller=rkbench.replay([0.25, 0.25]))
