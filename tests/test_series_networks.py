"""What reads irregular series: exact gradients, forgetting that only grows with time, and equal sizes."""

import pytest
import torch

from rkbench import UserError, registry
from rkbench.interface import make_solver
from rkbench.networks.gated import GRUD, Memory, RNNDelta
from rkbench.networks.latent import LatentODE
from rkbench.networks.observed import Observed
from rkbench.networks.recurrent import ASKS, matched
from rkbench.tasks.spirals import POINTS, STOP, spirals

TASKS = registry.default().tasks


def observed(batch, times, n=2):
    random = torch.Generator().manual_seed(3)
    t = torch.rand(batch, times, generator=random, dtype=torch.float64).sort(1).values
    x = torch.randn(batch, times, n, generator=random, dtype=torch.float64)
    return Observed(t - t[:, :1], x, torch.rand(batch, times, n, generator=random) < 0.8)


@pytest.mark.parametrize("method", ["rk4", "dopri5"])
def test_the_gradient_of_a_latent_ode_is_that_of_differences(method):
    torch.manual_seed(0)
    network = LatentODE(2, 2, 4, 3, make_solver(method, steps=3), noise=0.3, learn_noise=True).double()
    given, weights = observed(3, 6), list(network.parameters())

    def loss():
        torch.manual_seed(5)  # the same latent states are drawn again
        return network.loss(given, given)

    loss().backward()
    for _ in range(5):
        direction = [torch.randn_like(weight) for weight in weights]
        slope = sum(
            float((weight.grad * part).sum()) for weight, part in zip(weights, direction, strict=True)
        )
        ends = []
        for step in (1e-5, -2e-5, 1e-5):
            with torch.no_grad():
                for weight, part in zip(weights, direction, strict=True):
                    weight += step * part
                ends.append(float(loss()))
        assert slope == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-6)


def test_the_shares_that_gru_d_keeps_never_grow_with_time():
    torch.manual_seed(0)
    unit = GRUD(2, 30, pace=1.0)
    with torch.no_grad():
        unit.forgetting.weight.abs_()  # rates that a training found
        unit.fading.abs_()
    for kept in unit.decays(torch.linspace(0, 50, 40)[:, None].expand(-1, 2)):
        assert ((kept > 0) & (kept <= 1)).all()
        assert (kept.diff(dim=0) <= 0).all()
        assert kept[-1].min() < 0.5 * kept[0].max()


def test_what_gru_d_saw_last_fades_to_the_mean():
    unit = GRUD(1, 4, pace=1.0)
    memory = Memory(torch.zeros(1, 4), torch.full((1, 1), 5.0), torch.zeros(1, 1))
    never = memory._replace(last=torch.zeros(1, 1))
    apart = [
        (unit.ahead(memory, torch.tensor([wait])) - unit.ahead(never, torch.tensor([wait]))).norm().item()
        for wait in (0.0, 5.0, 500.0)
    ]
    assert apart[0] > apart[1] > 1e-3
    assert apart[2] < 1e-6


@pytest.mark.parametrize("unit", [RNNDelta, GRUD])
def test_the_time_since_each_number_was_seen_is_its_own(unit):
    given = Observed(
        torch.tensor([[0.0, 2.0, 6.0]]),
        torch.ones(1, 3, 2),
        torch.tensor([[[True, False], [True, True], [False, True]]]),
    )
    memory = unit(2, 4, pace=2.0).read(given)
    assert memory.since.tolist() == [[[0, 0], [0, 0], [2, 0]]]
    assert memory.last[0, 0].tolist() == [1, 0]


@pytest.mark.parametrize("unit", [RNNDelta, GRUD])
def test_reading_a_series_is_a_step_for_each_observation(unit):
    torch.manual_seed(0)
    unit, (t, x, seen) = unit(2, 4, pace=0.1).double(), observed(3, 6)
    read = unit.read(Observed(t, x, seen))
    start = torch.zeros(3, 2, dtype=x.dtype)
    memory = Memory(torch.zeros(3, 4, dtype=x.dtype), start, start)
    for i, wait in enumerate(torch.diff(t, dim=1, prepend=t[:, :1]).unbind(1)):
        memory = unit.step(memory, x[:, i], seen[:, i], wait)
        for stepped, whole in zip(memory, read, strict=True):
            assert torch.allclose(stepped, whole[:, i], atol=1e-12)
    assert not seen.all()


@pytest.mark.parametrize("unit", ["rnn", "gru_d"])
def test_a_forecast_needs_nothing_of_what_comes_later(unit):
    torch.manual_seed(0)
    network, given = ASKS["extrapolation"](unit, 2, 8, pace=0.1).double(), observed(2, 5)
    times = given.t[:, -1:] + torch.tensor([[0.1, 0.3, 0.7]])
    assert torch.allclose(network.foretell(given, times)[:, :2], network.foretell(given, times[:, :2]))


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("name", ["spirals", "series"])
def test_all_networks_are_of_one_size(ask, name):
    of = {"latent_ode": make_solver("rk4", steps=1), "rnn": None, "gru_d": None}
    few = {"spirals": 10} if name == "spirals" else {}
    sizes = [
        sum(weight.numel() for weight in model.network.parameters() if weight.requires_grad)
        for model in (TASKS[f"{name}_{kind}"].model(solver, ask=ask, **few) for kind, solver in of.items())
    ]
    assert max(sizes) <= 1.02 * min(sizes)


@pytest.mark.parametrize("hidden", [1, -3])
def test_a_width_that_is_none_is_refused(hidden):
    with pytest.raises(UserError, match="2 or more"):
        matched("interpolation", "rnn", 2, hidden, pace=1.0)


def test_looking_for_a_width_draws_no_weights():
    torch.manual_seed(0)
    found = matched("extrapolation", "rnn", 2, 0, pace=1.0)
    torch.manual_seed(0)
    same = matched("extrapolation", "rnn", 2, found.reader.in_features, pace=1.0)
    assert torch.equal(found.reader.weight, same.reader.weight)


@pytest.mark.parametrize("name", ["spirals_latent_ode", "spirals_rnn", "spirals_gru_d"])
@pytest.mark.parametrize("option", [{"ask": "inter"}, {"observed": 2}, {"observed": 101}])
def test_spirals_that_cannot_be_asked_for_are_refused(name, option):
    with pytest.raises(UserError, match="from 3 to 100 observations"):
        TASKS[name].model(None, **option)


@pytest.mark.parametrize("observed", [3, 30, 100])
def test_interpolation_asks_between_observations_and_extrapolation_after_them(observed):
    between, after = (spirals(6, observed, ask) for ask in ASKS_OF_SPIRALS)
    assert torch.equal(between.x, after.x)
    assert (between.t_asked > between.t[:, :-1]).all()
    assert (between.t_asked < between.t[:, 1:]).all()
    assert (after.t_asked[:, 0] > after.t[:, -1]).all()
    assert torch.allclose(after.t_asked.diff(dim=1), torch.tensor(STOP / (POINTS - 1)), rtol=1e-3)


ASKS_OF_SPIRALS = ("interpolation", "extrapolation")
