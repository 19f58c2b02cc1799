"""diffrax through the bridge to JAX: the same numbers, gradients and counts as ours, or a sentence why not."""

import pytest
import torch
from torch import nn

import rkbench
from rkbench import Recipe, data
from rkbench.classification import Classification
from rkbench.interface import make_solver
from rkbench.measure import Counted, audit
from rkbench.networks.tanh import TanhField, tanh_net
from rkbench.train import Training, TrainingError
from rkbench_solvers.engines import ENGINES

diffrax = pytest.importorskip("diffrax")
from jax import numpy as jnp  # noqa: E402 - only where diffrax is

ENGINE = next(engine for engine in ENGINES if engine.name == "diffrax")
DOUBLE = torch.float64
ADAPTIVE = {"method": "dopri5_shampine", "controller": "i", "rtol": 1e-4, "atol": 1e-6}
EQUAL = {"method": "heun2", "steps": 7}
TIMES = {"t_eval": [1.0, 0.8, 0.1, 0.0], "t_span": (1.0, 0.0)}
Y0 = torch.linspace(-1, 1, 12, dtype=DOUBLE).reshape(3, 4)


class Pair:
    """A function in both frameworks, with the tensors it takes."""

    def __init__(self, ours, theirs, *tensors):
        self.ours, self.theirs, self.tensors = ours, theirs, tensors

    def __call__(self, t, y):
        return self.ours(t, y, *self.tensors)

    def twin(self):
        return rkbench.Twin(self, self.theirs, self.tensors)


def tanh(dtype=DOUBLE):
    torch.manual_seed(0)
    return TanhField(4).to(dtype)


def moving(weight=None):
    """A right-hand side that depends on t."""
    weight = torch.linspace(-1, 1, 16, dtype=DOUBLE).reshape(4, 4) if weight is None else weight
    return Pair(lambda t, y, w: torch.tanh(y @ w + t), moving_in_jax, weight)


def moving_in_jax(t, y, w):
    return jnp.tanh(y @ w + t)


def solve(f, y0=Y0, t_span=(0.0, 1.0), engine=ENGINE, gradient="checkpoint", **options):
    return rkbench.solve(f, y0, t_span, engine=engine, gradient=gradient, **options)


@pytest.mark.parametrize("shipped", ENGINE.methods, ids=lambda shipped: shipped.theirs)
def test_equal_steps_end_where_ours_do(shipped):
    ours, theirs = (solve(moving(), method=shipped.tableau, steps=5, engine=e) for e in ("rkbench", ENGINE))
    torch.testing.assert_close(ours.y, theirs.y, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "dtype"),
    [
        (ADAPTIVE, torch.float32),
        (ADAPTIVE | TIMES, DOUBLE),
        (EQUAL, DOUBLE),
        (EQUAL | TIMES, torch.float32),
    ],
)
def test_states_and_gradients_are_those_of_the_native_engine(options, dtype):
    def outcome(engine, gradient):
        f, y0 = tanh(dtype), Y0.to(dtype, copy=True).requires_grad_()
        solution = solve(f, y0, engine=engine, gradient=gradient, **options)
        assert (solution.status, solution.y.dtype) == (rkbench.Status.OK, dtype)
        torch.sin(solution.y).sum().backward()
        return solution.y.detach(), y0.grad, f.linear.weight.grad, f.linear.bias.grad

    near = 1e-4 if "rtol" in options else 1e-13 if dtype == DOUBLE else 1e-5
    for ours, theirs in zip(outcome("rkbench", "backprop"), outcome(ENGINE, "checkpoint"), strict=True):
        assert (ours - theirs).norm() < near * ours.norm()


def test_backprop_and_checkpoint_are_one_gradient():
    found = []
    for gradient in ("backprop", "checkpoint"):
        y0 = Y0.clone().requires_grad_()
        found.append(torch.autograd.grad(solve(tanh(), y0, gradient=gradient, **EQUAL).y[-1].sum(), y0)[0])
    torch.testing.assert_close(*found, rtol=1e-13, atol=1e-13)


def decay(rate):
    return Pair(lambda t, y, rate: -rate * y, decay_in_jax, torch.tensor(rate, dtype=DOUBLE))


def decay_in_jax(t, y, rate):
    return -rate * y


@pytest.mark.parametrize("rate", [1.0, 1000.0])  # the second begins with rejections
@pytest.mark.parametrize("method", ["dopri5_shampine", "dopri8", "heun2"])
def test_an_audit_counts_what_is_claimed(method, rate):
    counted = Counted(decay(rate))
    with audit([counted]):
        stats = solve(counted, t_span=(0.0, 0.1), **ADAPTIVE | {"method": method}).stats
    assert counted.calls == stats.nfe > 0
    assert (rate == 1.0) == (stats.rejected == 0)
    assert not counted.lent


def test_an_audit_counts_the_way_back_too():
    counted, y0 = Counted(tanh()), Y0.clone().requires_grad_()
    with audit([counted]):
        solve(counted, y0, **EQUAL).y[-1].sum().backward()
    assert counted.calls > 14
    assert counted.vjps == 14


def test_without_an_audit_the_twin_is_lent_uncounted():
    counted = Counted(tanh())
    solve(counted, **EQUAL)
    assert (counted.calls, counted.lent) == (0, True)


def test_weights_are_read_at_every_solve():
    f = tanh()
    before = solve(f, **EQUAL).y[-1]
    with torch.no_grad():
        f.linear.bias += 1
    after = solve(f, **EQUAL).y[-1]
    assert (after - before).abs().min() > 0.1
    torch.testing.assert_close(after, solve(f, engine="rkbench", **EQUAL).y[-1], rtol=0, atol=1e-13)


def test_a_weight_changed_between_the_passes_is_noticed():
    f = tanh()
    y = solve(f, **EQUAL).y
    with torch.no_grad():
        f.linear.weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_what_is_returned_may_be_written_into():
    f, y0 = tanh(), Y0.clone().requires_grad_()
    y = solve(f, y0, **EQUAL).y
    expected = torch.autograd.grad(y.sum(), y0, retain_graph=True)[0].clone()
    with torch.no_grad():
        y.detach().zero_()
    torch.testing.assert_close(torch.autograd.grad(y.sum(), y0)[0], expected)
    assert Y0[0, 0] == -1


def test_a_gradient_of_a_gradient_is_refused():
    y0 = Y0.clone().requires_grad_()
    with pytest.raises(rkbench.SolverError, match="cannot be differentiated again; choose another engine"):
        torch.autograd.grad(solve(tanh(), y0, **EQUAL).y.sum(), y0, create_graph=True)


@pytest.mark.parametrize("shape", [(), (0, 4), (1, 4), (2, 3, 4)])
def test_a_state_of_any_shape_passes(shape):
    f = Pair(lambda t, y: -y, minus_in_jax)
    y = solve(f, torch.ones(shape, dtype=DOUBLE), method="euler", steps=2).y
    torch.testing.assert_close(y, torch.stack([torch.ones(shape), torch.full(shape, 0.25)]).double())


def minus_in_jax(t, y):
    return -y


def test_a_state_with_strides_passes():
    strided = Y0.T.contiguous().T
    assert not strided.is_contiguous()
    torch.testing.assert_close(solve(tanh(), strided, **EQUAL).y, solve(tanh(), **EQUAL).y)


def test_an_empty_interval_asks_for_no_twin():
    assert torch.equal(solve(lambda t, y: y, t_span=(0.3, 0.3), **EQUAL).y[-1], Y0)


# In training.


class Boaster(type(ENGINE)):
    """diffrax, with a claim that is one too small."""

    def run(self, problem):
        solution = super().run(problem)
        solution.stats.nfe_accepted -= 1
        return solution


def trained(engine):
    torch.manual_seed(0)
    solver = make_solver("heun2", steps=2, engine=engine, gradient="checkpoint")
    recipe = Recipe(1, 512)
    lesson = Classification(data.load("digits8"), recipe)
    training = Training(tanh_net(solver, 64, 10), lesson, recipe, epochs=1, seed=0)
    training.run(lambda row: None)
    return training


def test_training_counts_by_claims_that_an_audit_confirms():
    ours, theirs = trained("rkbench"), trained(ENGINE)
    assert set(theirs.log.nfe_forward) == set(ours.log.nfe_forward) == {4}
    assert theirs.vjps == ours.vjps == [4]
    assert (
        min(theirs.log.nfe_backward) > 4
    )  # stages are computed again, and it can be known from the audit only
    assert theirs.curve[0]["train_loss"] == pytest.approx(ours.curve[0]["train_loss"], rel=1e-4)


def test_a_false_claim_does_not_pass_the_audit():
    with pytest.raises(TrainingError, match="claims 3 evaluations of f where the harness counted 4"):
        trained(Boaster())


# Failures.


def nan_in_jax(t, y):
    return jnp.where(t > 0.5, jnp.nan, -y)


def blown_in_jax(t, y):
    return y * y


@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_nan_in_f_ends_the_solve(dtype):
    f = Counted(Pair(lambda t, y: torch.where(t > 0.5, y * torch.nan, -y), nan_in_jax))
    with audit([f]):
        solution = solve(f, Y0.to(dtype), **ADAPTIVE)
    assert solution.status is rkbench.Status.NON_FINITE
    assert 0.4 < solution.t_reached <= 0.5
    assert solution.stats.nfe == f.calls < 1000
    assert solution.y[-1].isnan().all()


def test_nan_after_equal_steps_is_told():
    f = Pair(lambda t, y: torch.where(t > 0.5, y * torch.nan, -y), nan_in_jax)
    assert solve(f, **EQUAL).status is rkbench.Status.NON_FINITE


def test_a_singularity_and_a_spent_budget_end_the_solve():
    f = Pair(lambda t, y: y * y, blown_in_jax)
    one = torch.ones(2, dtype=DOUBLE)
    assert solve(f, one, (0.0, 2.0), **ADAPTIVE).status is not rkbench.Status.OK
    spent = solve(f, one, (0.0, 0.9), max_steps=3, **ADAPTIVE)
    assert (spent.status, spent.stats.accepted + spent.stats.rejected) == (rkbench.Status.MAX_STEPS, 3)
    assert 0 < spent.t_reached < 0.9


# What is refused.


def other_in_jax(t, y, w):
    return jnp.tanh(y @ w.T + t)


def wide_in_jax(t, y, w):
    return (y @ w)[None]


@pytest.mark.parametrize(
    ("theirs", "said"),
    [(other_in_jax, "is off by up to"), (wide_in_jax, "gives .* for")],
    ids=["other values", "other shape"],
)
def test_a_twin_that_is_another_f_is_refused(theirs, said):
    f = moving()
    f.theirs = theirs
    with pytest.raises(rkbench.SolverError, match=f"The twin of f in JAX {said}.*; correct its twin"):
        solve(f, torch.zeros(3, 4, dtype=DOUBLE), **EQUAL)  # where even a transposed weight would agree


def test_an_f_without_a_twin_is_refused():
    for f in (lambda t, y: -y, Counted(nn.Linear(4, 4))):
        with pytest.raises(rkbench.UnsupportedError, match="f has no twin in JAX; give it a method twin()"):
            solve(f, **EQUAL)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_refused(dtype):
    with pytest.raises(rkbench.SolverError, match="float32 or float64 here, not in torch"):
        solve(tanh(dtype), Y0.to(dtype), **EQUAL)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"controller": "pi"}, "its own I controller and not pi; use controller='i'"),
        ({"compile": True}, "it is always compiled, by JAX; drop compile=True"),
        ({"gradient": "adjoint"}, "its gradient is checkpoint and backprop, and not adjoint"),
        ({"method": "dopri5"}, "its Dopri5 is our dopri5_shampine"),
    ],
)
def test_what_it_cannot_do_is_refused_with_the_reason(options, reason):
    with pytest.raises(rkbench.SolverError, match=f"The engine diffrax cannot run .*{reason}"):
        solve(tanh(), **ADAPTIVE | options)


def test_the_library_does_not_choose_its_first_step():
    """When this fails, the library has mended it: take the defect off the list."""
    one = torch.ones(1, dtype=DOUBLE)
    ends = [solve(decay(1e-4), one, (0.0, t1), max_steps=1, **ADAPTIVE).t_reached for t1 in (1.0, 100.0)]
    assert ends == [0.01, 0.01]
