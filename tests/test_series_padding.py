"""A series among longer ones is treated as if it were alone, and nothing depends on what fills its place up."""

import math

import pytest
import torch

from rkbench.interface import make_solver
from rkbench.networks.latent import LatentODE
from rkbench.networks.observed import Observed, mean_square, packed
from rkbench.networks.recurrent import ASKS
from rkbench.tasks.series import _errors, _loss

COUNTS = ((7, 3), (4, 1), (9, 2), (5, 5))
"""How many times are given and asked for of each series."""

KINDS = ["latent_ode", *((ask, unit) for ask in ASKS for unit in ("rnn", "gru_d"))]


@pytest.fixture(autouse=True)
def _doubles(monkeypatch):
    torch.set_default_dtype(torch.float64)
    # The latent state that a loss draws, alike for every series.
    monkeypatch.setattr(torch, "randn_like", lambda x: torch.full_like(x, 0.7))
    yield
    torch.set_default_dtype(torch.float32)


def network(kind):
    torch.manual_seed(1)
    if kind == "latent_ode":
        return LatentODE(2, 3, 6, 5, make_solver("rk4", steps=5), noise=0.2)
    ask, unit = kind
    return ASKS[ask](unit, 2, 6, pace=0.1)


def series(given, asked, inside):
    """Return a batch of one: times that rise, of which some inside or the last ones are asked for, with gaps in the values."""
    random = torch.Generator().manual_seed(10 * given + asked)
    t = (0.05 + torch.rand(given + asked, generator=random)).cumsum(0)
    x = torch.randn(given + asked, 2, generator=random)
    seen = torch.rand(given + asked, 2, generator=random) < 0.7
    seen[:, 0] |= ~seen.any(1)
    out = torch.zeros(given + asked, dtype=torch.bool)
    out[slice(1, 1 + asked) if inside else slice(given, None)] = True
    return tuple(part[where][None] for where in (~out, out) for part in (t - t[0], x, seen))


def together(many, filling=0.0):
    """Return batches of one as one batch, filled up with so much."""
    batch = []
    for parts in zip(*many, strict=True):
        longest = max(part.shape[1] for part in parts)
        rows = []
        for part in parts:
            whole = torch.full((1, longest, *part.shape[2:]), 0 if part.dtype is torch.bool else filling).to(
                part
            )
            whole[:, : part.shape[1]] = part
            rows.append(whole)
        batch.append(torch.cat(rows))
    return tuple(batch)


def all_series(kind):
    return [series(*count, inside=kind[0] == "interpolation") for count in COUNTS]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_batch_is_its_series_one_by_one(kind):
    net, many = network(kind), all_series(kind)
    alone = torch.cat([_errors(net, one) for one in many])
    assert torch.allclose(_errors(net, together(many)), alone, rtol=1e-10)
    losses = torch.stack([_loss(net, one) for one in many])
    assert torch.allclose(_loss(net, together(many)), losses.mean(), rtol=1e-10)
    assert losses.std() > 1e-3


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("filling", [1e6, math.nan])
def test_what_fills_up_changes_neither_loss_nor_errors_nor_gradients(kind, filling):
    found = []
    for filler in (0.0, filling):
        net, batch = network(kind), together(all_series(kind), filler)
        loss = _loss(net, batch)
        loss.backward()
        slopes = [weight.grad.flatten() for weight in net.parameters() if weight.grad is not None]
        found.append(torch.cat([loss[None], _errors(net, batch).detach(), *slopes]))
    assert torch.equal(*found)
    assert found[0].isfinite().all()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_value_that_was_not_observed_has_no_say(kind):
    net, batch = network(kind), list(together(all_series(kind)))
    before = _errors(net, tuple(batch))
    for values, seen in ((1, 2), (4, 5)):
        batch[values] = torch.where(batch[seen], batch[values], 99.0)
    assert torch.equal(_errors(net, tuple(batch)), before)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_series_may_stand_in_any_order(kind):
    net, order = network(kind), [2, 0, 3, 1]
    errors = _errors(net, together(all_series(kind)))
    shuffled = _errors(net, tuple(part[order] for part in together(all_series(kind))))
    assert torch.allclose(shuffled, errors[order], rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_was_seen_first_matters(kind):
    net, batch = network(kind), list(together(all_series(kind)))
    before = _errors(net, tuple(batch))
    x, seen = batch[1].clone(), batch[2].clone()
    x[:, [1, 2]], seen[:, [1, 2]] = batch[1][:, [2, 1]], batch[2][:, [2, 1]]
    batch[1:3] = x, seen
    assert (_errors(net, tuple(batch)) - before).abs().min() > 1e-9


def test_parts_are_merged_by_time_and_padding_comes_last():
    one = Observed(
        torch.tensor([[0.0, 3.0, 9.0]]),
        torch.tensor([[[1.0], [4.0], [8.0]]]),
        torch.tensor([[[True], [True], [False]]]),
    )
    two = Observed(torch.tensor([[2.0, 1.0]]), torch.tensor([[[3.0], [2.0]]]), torch.tensor([[[True], [True]]]))  # fmt: skip
    t, x, seen = packed(one, two)
    assert t.tolist() == [[0, 1, 2, 3, 3]]
    assert x.flatten().tolist() == [1, 2, 3, 4, 0]
    assert seen.flatten().tolist() == [True] * 4 + [False]


def test_a_mean_square_is_over_what_was_observed_of_a_series():
    off = torch.tensor([[[1.0], [3.0]], [[2.0], [math.nan]], [[5.0], [5.0]]])
    seen = torch.tensor([[[True], [True]], [[True], [False]], [[False], [False]]])
    assert mean_square(off, seen).tolist() == [5, 4, 0]
