"""Controls are the function of time that they say, whatever grid it is given on."""

import itertools

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from rkbench.errors import SolverError
from rkbench.networks.controls import BETWEEN, Controls, PenalisedControls

NODES = (0.0, 0.3, 0.5, 1.2)
SETS = {"constant": 3, "linear": 4, "quadratic": 7}
EVERY = pytest.mark.parametrize("between", BETWEEN)


def controls(between, nodes=NODES, dtype=torch.float64):
    torch.manual_seed(0)
    made = Controls(nodes, {"K": torch.zeros(2, 3), "b": torch.zeros(())}, between).to(dtype)
    torch.nn.init.normal_(made.values)
    return made


def at(made, t, interval=None):
    """All of θ(t) in one row."""
    found = made.at(torch.tensor(t, dtype=made.values.dtype), interval)
    return torch.cat([tensor.reshape(-1) for tensor in found.values()])


def close(found, expected, within=1e-14):
    torch.testing.assert_close(found, expected, rtol=within, atol=within)


@EVERY
def test_the_sets_are_counted(between):
    assert controls(between).values.shape == (SETS[between], 7)


@EVERY
def test_theta_has_the_names_and_shapes_that_it_began_with(between):
    found = controls(between).at(torch.tensor(0.4, dtype=torch.float64))
    assert {name: tuple(tensor.shape) for name, tensor in found.items()} == {"K": (2, 3), "b": ()}


@EVERY
def test_theta_is_constant_in_time_at_the_start(between):
    initial = {"K": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([7.0])}
    made = Controls(NODES, initial, between)
    for t in (0.0, 0.1, 0.3, 0.77, 1.2):
        for name, tensor in made.at(torch.tensor(t)).items():
            close(tensor, initial[name], within=1e-6)


def test_linear_controls_are_numpys_interpolation():
    made = controls("linear")
    for t in (0.0, 0.1, 0.3, 0.42, 0.5, 0.9, 1.2):
        expected = [np.interp(t, NODES, column) for column in made.values.detach().T.numpy()]
        close(at(made, t), torch.tensor(expected, dtype=torch.float64))


def test_constant_controls_jump_at_a_node_and_take_the_side_they_are_asked_for():
    made = controls("constant")
    assert torch.equal(at(made, 0.3), made.values[1])
    assert torch.equal(at(made, 0.3, torch.tensor([0])), made.values[0])
    assert torch.equal(at(made, 1.2), made.values[2])


def test_quadratic_controls_take_each_set_as_it_is_at_nodes_and_midpoints():
    made = controls("quadratic")
    times = [0.0, 0.15, 0.3, 0.4, 0.5, 0.85, 1.2]
    for t, row in zip(times, made.values, strict=True):
        close(at(made, t), row)


def test_quadratic_controls_follow_a_parabola_exactly():
    made = controls("quadratic")
    times = torch.tensor([0.0, 0.15, 0.3, 0.4, 0.5, 0.85, 1.2], dtype=torch.float64)
    with torch.no_grad():
        made.values.copy_((2 - 3 * times + times.square())[:, None].expand(-1, 7))
    for t in (0.07, 0.33, 1.1):
        close(at(made, t), torch.full((7,), 2 - 3 * t + t * t, dtype=torch.float64))


@EVERY
@pytest.mark.parametrize("times", [1, 2])
def test_prolonged_controls_are_the_same_function(between, times):
    coarse = fine = controls(between)
    for _ in range(times):
        fine = fine.prolonged()
    assert fine.intervals == 2**times * coarse.intervals
    for j in range(fine.intervals):
        start, end = fine.nodes[j : j + 2]
        for s in (0.0, 0.2, 0.5, 1.0):
            t = start + s * (end - start)
            # at a jump, from the side of this interval
            close(at(fine, t, torch.tensor([j])), at(coarse, t, torch.tensor([j // 2**times])))


@EVERY
def test_prolonged_controls_have_the_same_size_and_are_trained_too(between):
    coarse = controls(between)
    fine = coarse.prolonged()
    assert fine.values.requires_grad
    assert fine.values.is_leaf
    close(fine.energy(size=1.0), coarse.energy(size=1.0))
    if between != "constant":  # a finer grid sees a jump as a steeper slope
        close(fine.energy(slope=1.0), coarse.energy(slope=1.0), within=1e-12)


@EVERY
def test_the_penalty_of_what_does_not_change_is_its_square_times_the_length(between):
    made = controls(between)
    with torch.no_grad():
        made.values.copy_(made.values[:1].expand_as(made.values).clone())
    close(made.energy(size=3.0, slope=5.0), 0.5 * 3 * 1.2 * made.values[0].square().sum(), within=1e-12)


@pytest.mark.parametrize("between", ["linear", "quadratic"])
def test_the_penalty_of_a_straight_line_is_its_integral(between):
    made = controls(between)
    times = torch.tensor([0.0, 0.15, 0.3, 0.4, 0.5, 0.85, 1.2][:: 2 if between == "linear" else 1])
    with torch.no_grad():
        made.values.copy_((1 + 2 * times)[:, None].expand(-1, 7))
    size, slope = 7 * (3.4**3 - 1) / 6, 7 * 4 * 1.2
    close(made.energy(size=1.0), torch.tensor(size / 2, dtype=torch.float64), within=1e-6)
    close(made.energy(slope=1.0), torch.tensor(slope / 2, dtype=torch.float64), within=1e-6)


def test_the_penalty_of_a_parabola_is_its_integral():
    made = Controls((0.0, 0.5, 2.0), {"K": torch.zeros(1, dtype=torch.float64)}, "quadratic")
    times = torch.tensor([0.0, 0.25, 0.5, 1.25, 2.0], dtype=torch.float64)
    with torch.no_grad():
        made.values.copy_(times.square()[:, None])
    close(made.energy(size=1.0, slope=1.0), torch.tensor(32 / 5 / 2 + 4 * 8 / 3 / 2, dtype=torch.float64))


def test_the_penalty_of_jumps_is_that_of_difference_quotients():
    made = controls("constant")
    jumps = made.values.detach().diff(dim=0).square().sum(1)
    distances = torch.tensor([0.25, 0.45], dtype=torch.float64)
    close(made.energy(slope=2.0), (jumps / distances).sum(), within=1e-12)


@EVERY
def test_gradients_by_parameters_and_time_are_those_of_finite_differences(between):
    made = controls(between)

    def value(values, t):
        found = torch.func.functional_call(Theta(made), {"controls.values": values}, (t,))
        return found["K"].sin(), found["b"]

    t = torch.tensor(0.41, dtype=torch.float64, requires_grad=between != "constant")
    assert gradcheck(value, (made.values.detach().clone().requires_grad_(), t))


class Theta(torch.nn.Module):
    def __init__(self, controls):
        super().__init__()
        self.controls = controls

    def forward(self, *t):
        return self.controls.at(*t) if t else self.controls.energy(0.7, 0.3)


@EVERY
def test_the_gradient_of_the_penalty_is_that_of_finite_differences(between):
    made = controls(between)

    def penalty(values):
        return torch.func.functional_call(Theta(made), {"controls.values": values}, ())

    assert gradcheck(penalty, made.values.detach().clone().requires_grad_())


def test_nodes_are_not_rounded_by_a_change_of_precision():
    made = controls("linear", nodes=(0.0, 0.1, 0.7)).float().double()
    assert made.clock.tolist() == [0.0, 0.1, 0.7]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@EVERY
def test_controls_work_in_any_precision(between, dtype):
    made = controls(between, dtype=dtype)
    for t in NODES:
        assert at(made, t).dtype == dtype
    [gradient] = torch.autograd.grad(made.at(torch.tensor(0.4, dtype=dtype))["K"].sum(), made.values)
    assert gradient.isfinite().all()


@EVERY
def test_beyond_its_ends_theta_stays_what_it_is_there(between):
    made = controls(between)
    close(at(made, -0.1), at(made, 0.0))
    close(at(made, 1.3), at(made, 1.2))


@EVERY
def test_saved_controls_load_again(between):
    saved, fresh = controls(between), Controls(NODES, {"K": torch.zeros(2, 3), "b": torch.zeros(())}, between)
    fresh.double().load_state_dict(saved.state_dict())
    assert torch.equal(at(fresh, 0.77), at(saved, 0.77))


@pytest.mark.parametrize(
    "nodes", [(), (0.0,), (0.0, 0.0), (1.0, 0.0), (0.0, float("nan")), (0.0, float("inf"))]
)
def test_nodes_must_increase(nodes):
    with pytest.raises(SolverError, match="two or more finite times that increase"):
        Controls(nodes, {"K": torch.zeros(1)})


def test_an_unknown_parameterisation_is_refused():
    with pytest.raises(SolverError, match="cubic.*constant, linear, quadratic"):
        Controls(NODES, {"K": torch.zeros(1)}, "cubic")


def test_a_time_for_each_sample_is_refused():
    with pytest.raises(SolverError, match="control='batch'"):
        controls("linear").at(torch.zeros(3, 1))


def test_every_element_sums_to_one_and_integrates_its_basis():
    """Weights of Simpson's rule on many points integrate products of parabolas exactly."""
    s = torch.linspace(0, 1, 9, dtype=torch.float64)
    weights = torch.tensor([1, 4, 2, 4, 2, 4, 2, 4, 1], dtype=torch.float64) / 24
    for element in BETWEEN.values():
        basis = torch.stack(element.basis(s))
        close(basis.sum(0), torch.ones_like(s))
        assert torch.tensor(element.mass).sum().item() == pytest.approx(1)
        for i, k in itertools.product(range(element.degree + 1), repeat=2):
            found = (weights * basis[i] * basis[k]).sum().item()
            assert found == pytest.approx(element.mass[i][k], abs=1e-3)  # degree 4: Simpson's error is small


def test_penalised_controls_add_their_energy_to_the_loss_on_every_grid():
    initial = {"weight": torch.randn(3, 2)}
    made = PenalisedControls((0.0, 0.5, 1.0), initial, "linear", size=0.5, slope=2.0)
    with torch.no_grad():
        made.values.normal_()
    close(made.penalty(), made.energy(size=0.5, slope=2.0), within=1e-12)
    close(made.prolonged().penalty(), made.penalty(), within=1e-6)
