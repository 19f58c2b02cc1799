"""A compiled solve is the eager one: the same numbers, the same gradient, the same bill.

All but the last test trace with torch's eager backend, which makes the same graphs without generating code.
"""

import os
import shutil
from functools import partial

import pytest
import torch
from torch import nn

import rkbench
from rkbench import SolverError, Status
from rkbench.integrate import graphs

# torch looks at the gradient of every input while it traces, and is warned by itself.
pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")

EQUAL_STEPS = [
    {"method": "euler", "steps": 3},
    {"method": "rk4", "steps": 4},
    {"method": "tsit5", "steps": 2},
]
ADAPTIVE = [
    {"method": "dopri5", "rtol": 1e-5},
    {"method": "bosh3", "rtol": 1e-4, "norm": "worst_sample"},
    {"method": "bosh3", "rtol": 1e-4, "controller": "i"},
    {"method": "dop853", "rtol": 1e-6, "atol": 1e-6},
    {"method": "heun2", "rtol": 1e-2},
]


@pytest.fixture(autouse=True)
def no_code_generation(monkeypatch, request):
    graphs._graph.cache_clear()
    if "inductor" not in request.keywords:
        monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    yield
    graphs._graph.cache_clear()


class Field(nn.Module):
    """A small field that depends on time."""

    def __init__(self, n=3, dtype=torch.float64):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(n, n, dtype=dtype)

    def forward(self, t, y):
        return torch.tanh(self.linear(y)) * torch.cos(3 * t)


class Calls:
    """f, with its calls counted."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, t, y):
        self.calls += 1
        return self.f(t, y)


def inputs(dtype=torch.float64):
    return torch.linspace(-1, 1, 12, dtype=dtype).view(4, 3).requires_grad_()


def both(f, options, span=(0.0, 2.0), times=None, dtype=torch.float64):
    """Return the solutions with and without compiling, and their gradients."""
    found = []
    for compiled in (True, False):
        y0 = inputs(dtype)
        solution = rkbench.solve(f, y0, span, t_eval=times, compile=compiled, **options)
        grads = torch.autograd.grad(solution.y.square().sum(), (y0, *f.parameters()), allow_unused=True)
        found.append((solution, grads))
    return found


WITH_OUTPUTS = [
    (options, (0.0, 0.3, 1.0, 1.1, 2.0)) for options in (*EQUAL_STEPS[1:], ADAPTIVE[0], ADAPTIVE[4])
]


@pytest.mark.parametrize(("options", "times"), [(o, None) for o in EQUAL_STEPS + ADAPTIVE] + WITH_OUTPUTS)
def test_compiled_states_gradients_and_counts_are_the_eager_ones(options, times):
    (ours, ours_grads), (eager, eager_grads) = both(Field(), options, times=times)
    torch.testing.assert_close(ours.y, eager.y, rtol=1e-11, atol=1e-12)
    for mine, theirs in zip(ours_grads, eager_grads, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-10)
    assert ours.stats == eager.stats
    assert ours.steps == pytest.approx(eager.steps, rel=1e-5)  # the estimates of a tight solve are round-off
    assert ours.status is Status.OK


@pytest.mark.parametrize("options", [EQUAL_STEPS[0], ADAPTIVE[2]])
def test_time_may_run_backward(options):
    (ours, _), (eager, _) = both(Field(), options, span=(1.0, -1.0))
    torch.testing.assert_close(ours.y, eager.y, rtol=1e-11, atol=1e-12)
    assert ours.t_reached == -1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "options", [{"method": "rk4", "steps": 2}, {"method": "bosh3", "rtol": 1e-2, "atol": 1e-2}]
)
def test_every_floating_type_passes_through(options, dtype):
    (ours, _), (eager, _) = both(Field(dtype=dtype), options, dtype=dtype)
    assert ours.y.dtype is dtype
    torch.testing.assert_close(ours.y, eager.y, rtol=0, atol=max(1e-5, 8 * torch.finfo(dtype).eps))


def test_a_channels_last_state_stays_so():
    conv = nn.Conv2d(2, 2, 3, padding=1).to(memory_format=torch.channels_last)
    y0 = torch.randn(2, 2, 4, 4).to(memory_format=torch.channels_last)
    solution = rkbench.solve(
        lambda t, y: conv(y).tanh(), y0, (0, 1), t_eval=(1,), method="rk4", steps=2, compile=True
    )
    assert solution.y[0].is_contiguous(memory_format=torch.channels_last)


def test_many_steps_are_cut_into_few_graphs(monkeypatch):
    monkeypatch.setattr("rkbench.integrate.compiled.LARGEST", 16)
    seen = []
    f = Field()
    y0 = inputs()
    original = graphs._graph.__wrapped__

    def noted(function, signature, device):
        seen.append(signature)
        return original(function, signature, device)

    graphs._graph, kept = graphs.lru_cache(maxsize=None)(noted), graphs._graph
    try:
        solution = rkbench.solve(f, y0, (0, 1), method="rk4", steps=10, compile=True)
    finally:
        graphs._graph = kept
    assert len(seen) == 2  # of four steps, and of the two that are left
    eager = rkbench.solve(f, y0, (0, 1), method="rk4", steps=10)
    torch.testing.assert_close(solution.y, eager.y, rtol=1e-12, atol=1e-13)
    assert solution.stats == eager.stats


def test_functions_of_one_kind_do_not_meet_a_limit():
    """torch gives up on a function after eight graphs, unless it is helped."""
    y0 = torch.ones(2, dtype=torch.float64)
    for c in range(10):
        y = rkbench.solve(lambda t, y, c=c: -c * y, y0, (0, 1), method="euler", steps=2, compile=True).y[-1]
        torch.testing.assert_close(y, y0 * (1 - c / 2) ** 2)


@pytest.mark.parametrize("options", [{"method": "euler", "steps": 2}, {"method": "dopri5"}])
def test_an_f_that_returns_another_shape_is_refused_as_ever(options):
    with pytest.raises(SolverError, match="return dy/dt of the same shape and dtype"):
        rkbench.solve(lambda t, y: y[:, :1], inputs(), (0, 1), compile=True, **options)


def test_an_error_of_f_comes_through_as_it_is():
    def f(t, y):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        rkbench.solve(f, inputs(), (0, 1), method="euler", steps=2, compile=True)


def test_an_f_that_leaves_the_graph_is_refused_in_one_sentence():
    def f(t, y):
        torch._dynamo.graph_break()
        return y

    with pytest.raises(
        SolverError, match=r"cannot be compiled as one graph .*drop compile=True\.$"
    ) as refused:
        rkbench.solve(f, inputs(), (0, 1), method="euler", steps=2, compile=True)
    assert "\n" not in str(refused.value)


def test_a_state_that_blows_up_ends_typed():
    f = lambda t, y: y * y  # noqa: E731
    y0 = torch.full((1, 1), 10.0, dtype=torch.float64)
    eager = rkbench.solve(f, y0, (0.0, 1.0), method="dopri5", max_steps=60)
    compiled = rkbench.solve(f, y0, (0.0, 1.0), method="dopri5", max_steps=60, compile=True)
    assert compiled.status is eager.status is not Status.OK
    nan = rkbench.solve(lambda t, y: y * float("nan"), y0, (0.0, 1.0), method="dopri5", compile=True)
    assert nan.status is Status.NON_FINITE


def test_an_empty_interval_and_an_empty_batch_need_no_special_care():
    assert torch.equal(
        rkbench.solve(Field(), inputs(), (1.0, 1.0), method="bosh3", compile=True).y[-1], inputs()
    )
    empty = torch.empty(0, 3, dtype=torch.float64)
    assert rkbench.solve(Field(), empty, (0, 1), method="bosh3", compile=True).y.shape == (2, 0, 3)


@pytest.mark.parametrize("options", [{"gradient": "adjoint"}, {"control": "sample"}])
def test_what_cannot_be_compiled_is_refused(options):
    with pytest.raises(SolverError, match="drop compile=True"):
        rkbench.solve(Field(), inputs(), (0, 1), method="dopri5", compile=True, **options)


def test_f_is_evaluated_as_often_as_claimed():
    """Uncompiled, the traced functions are Python that a counter can see."""
    for options in EQUAL_STEPS + ADAPTIVE:
        f = Calls(Field())
        with torch.compiler.set_stance("force_eager"):
            solution = rkbench.solve(f, inputs(), (0.0, 2.0), compile=True, **options)
        assert f.calls == solution.stats.nfe


@pytest.mark.skipif(shutil.which(os.environ.get("CXX", "g++")) is None, reason="there is no C++ compiler")
@pytest.mark.inductor
def test_generated_code_gives_the_eager_numbers():
    f = Field()
    for options in ({"method": "heun2", "steps": 2}, {"method": "heun2", "rtol": 1e-2}):
        (ours, ours_grads), (eager, eager_grads) = both(f, options)
        torch.testing.assert_close(ours.y, eager.y, rtol=1e-11, atol=1e-12)
        for mine, theirs in zip(ours_grads, eager_grads, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-10)
