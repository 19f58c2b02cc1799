"""Each sample of a batch may have a span of its own, in one solve: as many solves of one sample would do."""

import math

import pytest
import torch

import rkbench
from rkbench import SolverError, Status, registry

METHODS = registry.default().methods
ADAPTIVE = [name for name, method in METHODS.items() if method.adaptive]
CONTROLS = ["batch", "sample"]

T0 = torch.tensor([0.0, 0.5, 2.0, -1.0, 0.3], dtype=torch.float64)
T1 = torch.tensor([1.0, 0.75, 0.0, 1.5, 0.3], dtype=torch.float64)
"""Forth, short, back in time, long, and a sample that stays."""


def swirl(t, y):
    weight = torch.tensor([[0.5, -2.0], [2.0, 0.1]], dtype=y.dtype)
    return torch.tanh(y @ weight + torch.sin(t))


def states():
    return torch.tensor([[1.0, 0.0], [0.5, 2.0], [-1.0, 1.0], [0.0, 0.1], [3.0, 3.0]], dtype=torch.float64)


def alone(options, t_eval=None):
    """Return the states of each sample solved by itself."""
    solved = []
    for i, y0 in enumerate(states()):
        times = None if t_eval is None else [float(t) for t in t_eval[:, i]]
        span = (float(T0[i]), float(T1[i]))
        solved.append(rkbench.solve(swirl, y0[None], span, t_eval=times, **options).y)
    return torch.cat(solved, 1)


@pytest.mark.parametrize("name", METHODS)
def test_equal_steps_of_a_batch_are_those_of_its_samples(name):
    options = {"method": name, "steps": 7}
    solution = rkbench.solve(swirl, states(), (T0, T1), **options)
    assert torch.allclose(solution.y, alone(options), rtol=1e-10, atol=1e-10)
    assert solution.t.tolist() == [T0.tolist(), T1.tolist()]


@pytest.mark.parametrize("name", ADAPTIVE)
def test_samples_with_steps_of_their_own_are_as_if_alone(name):
    options = {"method": name, "rtol": 1e-5, "atol": 1e-7, "control": "sample"}
    solution = rkbench.solve(swirl, states(), (T0, T1), **options)
    assert solution.status is Status.OK
    assert torch.allclose(solution.y, alone(options), rtol=1e-10, atol=1e-10)
    assert solution.samples.t_reached == tuple(T1.tolist())


def test_shared_steps_keep_the_tolerance_in_every_span():
    solution = rkbench.solve(swirl, states(), (T0, T1), rtol=1e-8, atol=1e-10)
    exact = alone({"method": "dop853", "rtol": 1e-12, "atol": 1e-12})
    assert torch.allclose(solution.y, exact, rtol=1e-6, atol=1e-6)
    assert len(solution.steps) > 3


@pytest.mark.parametrize("control", CONTROLS)
def test_one_end_may_be_shared(control):
    solution = rkbench.solve(swirl, states(), (0.0, T1.abs()), control=control, rtol=1e-7)
    ends = T1.abs().tolist()
    apart = [
        rkbench.solve(swirl, y[None], (0.0, t), rtol=1e-7).y for y, t in zip(states(), ends, strict=True)
    ]
    assert torch.allclose(solution.y, torch.cat(apart, 1), atol=1e-5)


@pytest.mark.parametrize("control", CONTROLS)
def test_f_is_never_called_outside_a_samples_span(control):
    low, high = torch.minimum(T0, T1)[:, None], torch.maximum(T0, T1)[:, None]
    seen = []

    def f(t, y):
        seen.append(t)
        return swirl(t, y)

    times = {"method": "dop853", "rtol": 1e-6}
    rkbench.solve(f, states()[:4], (T0[:4], T1[:4]), control=control, **times)
    whole = [t for t in seen if len(t) == 4]
    assert len(whole) > 5
    assert all(bool(((low[:4] <= t) & (t <= high[:4])).all()) for t in whole)


@pytest.mark.parametrize("control", CONTROLS)
def test_evaluations_are_counted_as_calls_of_f(control):
    calls = 0

    def f(t, y):
        nonlocal calls
        calls += 1
        return swirl(t, y)

    solution = rkbench.solve(f, states(), (T0, T1), control=control, rtol=1e-6)
    assert solution.stats.nfe == calls


@pytest.mark.parametrize("control", CONTROLS)
def test_nobody_moves_where_all_spans_are_empty(control):
    def f(t, y):
        raise AssertionError("nobody asked for f")

    solution = rkbench.solve(f, states(), (T0, T0), control=control)
    assert torch.equal(solution.y, torch.stack((states(), states())))


@pytest.mark.parametrize("control", CONTROLS)
def test_a_sample_that_fails_is_told(control):
    y0 = torch.ones(3, 1, dtype=torch.float64)
    spans = (0.0, torch.tensor([0.5, 2.0, 0.25]))
    solution = rkbench.solve(lambda t, y: y * y, y0, spans, control=control, max_steps=200)
    assert solution.status is not Status.OK
    if control == "sample":
        assert solution.samples.failed == (1,)
        assert solution.y[-1, 0].item() == pytest.approx(2.0, rel=1e-2)


@pytest.mark.parametrize(
    ("span", "sentence"),
    [
        ((0.0, torch.ones(3)), "for 5 samples"),
        ((0.0, torch.ones(5, 1)), "for 5 samples"),
        ((0.0, torch.full((5,), math.nan)), "not finite"),
        ((0.0, torch.ones(5), torch.ones(5)), "give \\(t0, t1\\)"),
    ],
)
def test_spans_that_do_not_fit_the_batch_are_refused(span, sentence):
    with pytest.raises(SolverError, match=sentence):
        rkbench.solve(swirl, states(), span)


def test_compiling_is_refused():
    with pytest.raises(SolverError, match="drop it"):
        rkbench.solve(swirl, states(), (T0, T1), compile=True)


def test_half_precision_keeps_its_dtype():
    solution = rkbench.solve(lambda t, y: -y, states().bfloat16(), (T0, T1), steps=5, method="rk4")
    assert solution.y.dtype is torch.bfloat16


def test_another_library_follows_the_spans_too():
    options = {"method": "dopri5_shampine", "controller": "i", "rtol": 1e-7, "atol": 1e-9}
    ours = rkbench.solve(swirl, states(), (T0, T1), **options)
    theirs = rkbench.solve(swirl, states(), (T0, T1), engine="torchdiffeq", **options)
    assert torch.allclose(ours.y, theirs.y, rtol=1e-6, atol=1e-6)


def test_another_library_is_not_asked_for_more_than_the_ends():
    with pytest.raises(SolverError, match="use engine='rkbench'"):
        rkbench.solve(
            swirl,
            states(),
            (T0, T1),
            t_eval=[(T0 + T1) / 2],
            engine="torchdiffeq",
            method="dopri5_shampine",
            controller="i",
        )


def test_a_block_takes_the_spans_of_a_call():
    block = rkbench.ODEBlock(swirl, "rk4", steps=4)
    end = block(states(), (T0, T1))
    assert torch.equal(end, rkbench.solve(swirl, states(), (T0, T1), method="rk4", steps=4).y[-1])
    assert block(states(), (T0, T1), [T0, (T0 + T1) / 2, T1]).shape == (3, 5, 2)
    assert block.last_stats.nfe > 16
