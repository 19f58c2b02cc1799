"""torchode with steps for each sample: as our own, but for what f meets, and a failure harms nobody else."""

import math

import pytest
import torch

import rkbench
from rkbench import Status
from rkbench_solvers.engines import ENGINES

pytest.importorskip("torchode")

ENGINE = next(engine for engine in ENGINES if engine.name == "torchode")
TIGHT = {"rtol": 1e-6, "atol": 1e-8}


def solve(f, y0, span, method="dopri5_shampine", engine=ENGINE, **options):
    options = {"control": "sample", "controller": "i"} | options
    return rkbench.solve(f, y0, span, method=method, engine=engine, **options)


def swirl(t, y):
    """y' = tanh(W y + sin t): smooth, and every sample as fast as it is large."""
    n = y.shape[-1]
    weight = 3 * torch.sin(torch.arange(n * n, dtype=torch.float64)).reshape(n, n).to(y.dtype)
    return torch.tanh(y @ weight + torch.sin(t))


def grows(t, y):
    """y' = y²: a positive sample leaves for infinity at t = 1/y0, the others live for ever."""
    return y * y


def batch(samples=12):
    torch.manual_seed(0)
    size = torch.linspace(0.1, 4.0, samples, dtype=torch.float64)[:, None]
    return size * torch.randn(samples, 4, dtype=torch.float64)


START = torch.tensor([[-1.0], [2.0], [-0.5], [0.7], [0.1]], dtype=torch.float64)


@pytest.mark.parametrize("method", [shipped.tableau.name for shipped in ENGINE.methods if shipped.adaptive])
@pytest.mark.parametrize("span", [(0.0, 1.5), (1.5, 0.0)])
@pytest.mark.parametrize("t_eval", [None, True])
def test_a_batch_is_its_samples_one_by_one(method, span, t_eval):
    y0 = batch(6)
    options = {"method": method, "rtol": 1e-4, "atol": 1e-6}
    options["t_eval"] = sorted([0.0, 0.3, 1.1], reverse=span[0] > span[1]) if t_eval else None
    together = solve(swirl, y0, span, **options)
    alone = [solve(swirl, row[None], span, **options) for row in y0]
    assert together.status is Status.OK
    assert torch.allclose(together.y, torch.cat([one.y for one in alone], 1), rtol=1e-9, atol=1e-9)
    assert together.samples.accepted == tuple(one.stats.accepted for one in alone)
    assert together.samples.rejected == tuple(one.stats.rejected for one in alone)
    assert len(set(together.samples.accepted)) > 1


@pytest.mark.parametrize("span", [(0.0, 2.0), (2.0, 0.0)])
def test_states_are_those_of_the_native_engine_within_tolerance(span):
    theirs, ours = (solve(swirl, batch(), span, engine=engine, **TIGHT) for engine in (ENGINE, "rkbench"))
    assert theirs.t == ours.t
    assert torch.allclose(theirs.y, ours.y, atol=1e-5)
    for steps in theirs.samples.steps:
        assert sum(steps) == pytest.approx(span[1] - span[0])
    difference = [a - b for a, b in zip(theirs.samples.accepted, ours.samples.accepted, strict=True)]
    assert max(map(abs, difference)) <= 2


def test_the_gradient_is_that_of_the_native_engine_within_tolerance():
    grads = []
    for engine in (ENGINE, "rkbench"):
        y0 = batch().requires_grad_()
        solve(swirl, y0, (0.0, 1.0), engine=engine, **TIGHT).y[-1].square().sum().backward()
        grads.append(y0.grad)
    assert torch.allclose(*grads, rtol=1e-4, atol=1e-4)


class Watched:
    """A burst at the time that the second component holds; each call is counted, with how many samples it meets."""

    def __init__(self):
        self.met = []

    def __call__(self, t, y):
        self.met.append((tuple(t.shape), len(y)))
        burst = 50 * torch.exp(-(((t - y[:, 1:]) / 0.04) ** 2))
        return (burst - y) * torch.tensor([1.0, 0.0], dtype=y.dtype)


def test_nfe_claimed_is_nfe_counted_and_every_call_meets_the_whole_batch():
    f = Watched()
    y0 = torch.tensor([[0.5, centre] for centre in (0.3, 0.5, 0.8, 5.0)], dtype=torch.float64)
    solution = solve(f, y0, (0.0, 1.0), rtol=1e-4, atol=1e-6)
    stats, samples = solution.stats, solution.samples
    assert stats.nfe == len(f.met)
    assert set(f.met) == {((4, 1), 4)}
    assert (stats.accepted, stats.rejected) == (max(samples.accepted), max(samples.rejected))
    assert stats.rejected > 0
    rounds = max(a + r for a, r in zip(samples.accepted, samples.rejected, strict=True))
    assert stats.nfe == 2 + 6 * rounds
    assert stats.nfe_rejected < 6 * stats.rejected


@pytest.mark.parametrize("t_eval", [None, [0.0, 0.25, 0.75, 1.0]])
def test_a_sample_that_fails_does_so_alone(t_eval):
    solution = solve(grows, START, (0.0, 1.0), t_eval=t_eval, **TIGHT)
    samples = solution.samples
    assert samples.failed == (1,)
    assert samples.status[1] in (Status.STEP_UNDERFLOW, Status.NON_FINITE)
    assert samples.t_reached[1] == pytest.approx(0.5, abs=1e-4)
    assert sum(samples.steps[1]) == pytest.approx(samples.t_reached[1])
    assert solution.status is samples.ended is samples.status[1]
    others = [0, 2, 3, 4]
    assert torch.allclose(solution.y[-1, others], (START / (1 - START))[others], rtol=1e-4)
    assert solution.y[-1, 1].isnan().all()
    if t_eval:
        assert solution.y[1, 1].item() == pytest.approx(4.0, rel=1e-4)
        assert solution.y[2, 1].isnan().all()
    assert "in sample 1, the first of 1 that failed out of 5" in solution.sentence


def test_a_failing_mate_changes_nothing():
    alone = solve(grows, START[[0, 2, 3, 4]], (0.0, 1.0), **TIGHT)
    together = solve(grows, START, (0.0, 1.0), **TIGHT)
    assert torch.allclose(together.y[:, [0, 2, 3, 4]], alone.y, rtol=1e-9, atol=1e-9)
    assert [together.samples.accepted[i] for i in (0, 2, 3, 4)] == list(alone.samples.accepted)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sample_that_starts_broken_takes_no_step(bad):
    y0 = START.clone()
    y0[1] = bad
    samples = solve(grows, y0, (0.0, 1.0), **TIGHT).samples
    assert samples.status == (Status.OK, Status.NON_FINITE, Status.OK, Status.OK, Status.OK)
    assert samples.accepted[1] == 0
    assert samples.t_reached[1] == 0.0


def test_nothing_is_tried_once_every_sample_has_failed():
    solution = solve(grows, START * math.nan, (0.0, 1.0), t_eval=[0.0, 0.5, 1.0], **TIGHT)
    assert solution.samples.status == (Status.NON_FINITE,) * 5
    assert solution.y[1:].isnan().all()
    assert solution.stats.nfe == 2 + 6


def test_each_sample_has_the_whole_step_budget():
    y0 = torch.tensor([[1.0, 0.1], [1.0, 30.0], [1.0, 100.0]], dtype=torch.float64)
    f = lambda t, y: torch.cos(y[:, 1:] * t) * torch.tensor([1.0, 0.0], dtype=torch.float64)  # noqa: E731
    samples = solve(f, y0, (0.0, 2.0), max_steps=12, **TIGHT).samples
    assert samples.status == (Status.OK, Status.MAX_STEPS, Status.MAX_STEPS)
    used = [a + r for a, r in zip(samples.accepted, samples.rejected, strict=True)]
    assert used[0] < 12
    assert used[1:] == [12, 12]


def test_the_last_step_of_the_budget_may_arrive():
    needed = solve(swirl, batch(1), (0.0, 1.0), **TIGHT).stats
    budget = needed.accepted + needed.rejected
    assert solve(swirl, batch(1), (0.0, 1.0), max_steps=budget, **TIGHT).status is Status.OK
    assert solve(swirl, batch(1), (0.0, 1.0), max_steps=budget - 1, **TIGHT).status is Status.MAX_STEPS


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("shape", [(6,), (6, 2, 4), (3, 0), (0, 4)])
def test_any_shape_and_dtype_is_kept(dtype, shape):
    y0 = torch.linspace(-1.0, 1.0, math.prod(shape)).reshape(shape).to(dtype)
    solution = solve(lambda t, y: torch.sin(t) - y, y0, (0.0, 1.0), rtol=1e-4, atol=1e-4)
    assert solution.status is Status.OK
    assert (solution.y.dtype, solution.y.shape) == (dtype, (2, *shape))
    decay = math.exp(-1)
    exact = y0 * decay + (math.sin(1) - math.cos(1) + decay) / 2
    assert torch.allclose(solution.y[-1], exact, atol=1e-3)


@pytest.mark.parametrize("t1", [0.0, 1.0])
def test_a_state_without_samples_is_refused(t1):
    with pytest.raises(rkbench.SolverError, match="first axis"):
        solve(lambda t, y: -y, torch.tensor(1.0), (0.0, t1))


@pytest.mark.parametrize("engine", [e for e in ENGINES if e.name != "torchode"], ids=lambda e: e.name)
def test_the_other_libraries_say_that_they_share_steps(engine):
    if engine.unavailable():
        pytest.skip(engine.unavailable())
    method = "dopri5" if engine.name == "scipy" else "dopri5_shampine"
    with pytest.raises(rkbench.SolverError, match="use control='batch'"):
        solve(swirl, batch(), (0.0, 1.0), engine=engine, method=method, gradient=engine.gradients[0])
