"""Dynamic blocks step from control node to control node, with layers that have the Jacobians they promise."""

import itertools
from math import log, log2

import pytest
import torch
from torch.autograd import gradcheck
from torch.autograd.functional import jacobian

from rkbench import ODEBlock, replay
from rkbench.errors import SolverError
from rkbench.interface import make_solver
from rkbench.networks.controlled import dense_net, image_net, with_controls
from rkbench.networks.controls import BETWEEN, Controls
from rkbench.networks.dynamic import DynamicBlock, DynamicField, dynamic_block
from rkbench.networks.layers import LAYERS, Antisymmetric, Double, DoubleSym, Hamiltonian
from rkbench.networks.operators import NORMS, Convolution, Dense, tv_norm
from rkbench.networks.spectrum import numerical_abscissa, spectral_abscissa

NODES = (0.0, 1 / 3, 1.0)
T = torch.tensor(0.3, dtype=torch.float64)
EVERY = pytest.mark.parametrize("between", BETWEEN)
KINDS = pytest.mark.parametrize("name", LAYERS)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def varying(layer, between="linear", nodes=NODES, dtype=torch.float64, scale=0.7):
    """Controls that differ from set to set, far from their start."""
    torch.manual_seed(0)
    made = Controls(nodes, layer.initial(), between).to(dtype)
    torch.nn.init.normal_(made.values, std=scale)
    return made


def states(*shape, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=dtype)


def made(name, operator=None, **options):
    return LAYERS[name](operator or Dense(2 if name == "hamiltonian" else 4), **options)


def close(found, expected, within=1e-13):
    torch.testing.assert_close(found, expected, rtol=within, atol=within)


def classical(f, theta, times, y):
    """The scheme of the poster, written by hand: θ at t_j, twice at t_(j+1/2), and at t_(j+1)."""
    for j, (t, t_next) in enumerate(itertools.pairwise(times)):
        h, (start, middle, end) = t_next - t, theta(j)
        z1 = f(start, y)
        z2 = f(middle, y + h / 2 * z1)
        z3 = f(middle, y + h / 2 * z2)
        z4 = f(end, y + h * z3)
        y = y + h / 6 * (z1 + 2 * z2 + 2 * z3 + z4)
    return y


def by_hand(K1, b1, K2, b2):
    return lambda y: torch.tanh(torch.tanh(y @ K1.T + b1) @ K2.T + b2)


def sets_of(controls, n):
    """Each set of a dense double layer, taken apart by hand."""
    for row in controls.values:
        K1, b1, K2, b2 = row.split((n * n, n, n * n, n))
        yield K1.view(n, n), b1, K2.view(n, n), b2


@pytest.mark.parametrize("between", ["linear", "quadratic"])
def test_rk4_is_the_scheme_written_by_hand(between):
    """Linear between nodes: the middle is the mean. Independent at nodes and midpoints: the middle is a set."""
    nodes = (0.0, 0.25, 0.6, 1.0, 1.1)
    controls = varying(layer := Double(Dense(3)), between, nodes)
    sets = list(sets_of(controls, 3))

    def theta(j):
        if between == "quadratic":
            return sets[2 * j : 2 * j + 3]
        middle = tuple((a + b) / 2 for a, b in zip(sets[j], sets[j + 1], strict=True))
        return sets[j], middle, sets[j + 1]

    y = states(5, 3)
    ours = DynamicBlock(layer, controls, make_solver("rk4", steps=4))(y)
    theirs = classical(lambda parameters, y: by_hand(*parameters)(y), theta, nodes, y)
    close(ours, theirs, within=1e-14)
    gradients = [torch.autograd.grad(end.sin().sum(), controls.values)[0] for end in (ours, theirs)]
    close(gradients[0], gradients[1])


def test_rk4_with_convolutions_is_the_scheme_written_by_hand():
    controls = varying(layer := DoubleSym(Convolution(2)), scale=0.3)
    sets = [(row[:-2].view(2, 2, 3, 3), row[-2:]) for row in controls.values]

    def f(theta, y):
        K, b = theta
        inner = torch.tanh(torch.conv2d(y, K, b, padding=1))
        return -torch.conv_transpose2d(inner, K, padding=1)

    def theta(j):
        (K, b), (K_next, b_next) = sets[j : j + 2]
        return (K, b), ((K + K_next) / 2, (b + b_next) / 2), (K_next, b_next)

    y = states(3, 2, 4, 5)
    close(DynamicBlock(layer, controls, make_solver("rk4", steps=2))(y), classical(f, theta, NODES, y), 1e-14)


def errors(between, counts, *, aligned, method="rk4", nodes=NODES):
    layer = Double(Dense(4))
    controls, y = varying(layer, between, nodes), states(3, 4)
    with torch.no_grad():
        exact = DynamicBlock(layer, controls, make_solver("dop853", steps=64))(y)
        for steps in counts:
            block = dynamic_block(layer, controls, make_solver(method, steps=steps), aligned=aligned)
            yield (block(y) - exact).abs().max().item()


@EVERY
@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun2", 2), ("rk4", 4)])
def test_steps_that_land_on_nodes_have_the_order_of_the_method(between, method, order):
    coarse, fine = errors(between, (32, 64), aligned=True, method=method)
    assert log2(coarse / fine) == pytest.approx(order, abs=0.25)


@pytest.mark.parametrize(("between", "order"), [("constant", 1), ("linear", 2), ("quadratic", 2)])
def test_steps_that_straddle_a_node_lose_the_order(between, order):
    """The node always lies in the middle of a step, as the numbers of steps are odd.

    A third into a step, RK4 would not notice a kink to first order: Simpson's rule is exact for it.
    """
    coarse, fine = errors(between, (27, 243), aligned=False, nodes=(0.0, 0.5, 1.0))
    assert log(coarse / fine, 9) == pytest.approx(order, abs=0.2)


def test_an_adaptive_solve_lands_on_every_node():
    layer = Double(Dense(4))
    controls, y = varying(layer, "constant"), states(3, 4)
    block = DynamicBlock(layer, controls, make_solver("dopri5", rtol=1e-8, atol=1e-8))
    exact = DynamicBlock(layer, controls, make_solver("dop853", steps=64))(y)
    close(block(y), exact, within=1e-7)
    times = list(itertools.accumulate(block.last_steps))
    assert min(abs(t - NODES[1]) for t in times) < 1e-12
    assert times[-1] == pytest.approx(1)


def test_what_a_block_cost_is_the_sum_over_its_intervals():
    block = DynamicBlock(Double(Dense(4)), varying(Double(Dense(4))), make_solver("rk4", steps=6))
    block(states(3, 4))
    assert block.last_stats.nfe == 4 * 6
    assert block.last_steps == pytest.approx((1 / 9,) * 3 + (2 / 9,) * 3)


def test_replayed_steps_are_cut_at_the_nodes():
    layer, y = Double(Dense(4)), states(3, 4)
    controls = varying(layer)
    steps = (1 / 3, 1 / 6, 1 / 6, 1 / 3)
    block = DynamicBlock(layer, controls, make_solver("rk4", controller=replay(steps)))
    whole = dynamic_block(layer, controls, make_solver("rk4", controller=replay(steps)), aligned=False)
    close(block(y), whole(y))
    assert block.last_steps == pytest.approx(steps)


@pytest.mark.parametrize("steps", [(0.5, 0.5), (1 / 3, 1 / 3), (1 / 3, 2 / 3, 0.1), (0.2, 0.2, 0.6)])
def test_replayed_steps_that_miss_a_node_are_refused(steps):
    with pytest.raises(SolverError, match=r"land on each control node between \(0.333333\).*aligned=False"):
        DynamicBlock(
            Double(Dense(4)), varying(Double(Dense(4))), make_solver("rk4", controller=replay(steps))
        )


@pytest.mark.parametrize("steps", [1, 3])
def test_steps_that_would_straddle_a_node_are_refused_unless_asked_for(steps):
    solver = make_solver("rk4", steps=steps)
    with pytest.raises(SolverError, match="straddle nodes.*a multiple of 2, or aligned=False"):
        with_controls(Double(Dense(4)), solver, intervals=2)
    block = with_controls(Double(Dense(4)), solver, intervals=2, aligned=False)
    assert isinstance(block, ODEBlock)
    block(torch.zeros(1, 4))
    assert block.last_stats.accepted == steps


@pytest.mark.parametrize("aligned", [True, False])
def test_samples_with_steps_of_their_own_are_refused(aligned):
    with pytest.raises(SolverError, match="control='batch'"):
        with_controls(Double(Dense(4)), make_solver("dopri5", control="sample"), aligned=aligned)


ROADS = ["checkpoint", "segments", "binomial", "adjoint", "interpolated"]


@pytest.mark.parametrize("gradient", ROADS)
@pytest.mark.parametrize("aligned", [True, False])
def test_every_road_to_the_gradient_finds_the_controls(gradient, aligned):
    layer, y = Double(Dense(3)), states(2, 3)
    controls = varying(layer)

    def found(gradient):
        solver = make_solver("rk4", steps=40, gradient=gradient)
        end = dynamic_block(layer, controls, solver, aligned=aligned)(y)
        return torch.autograd.grad(end.sin().sum(), controls.values)[0]

    # What solves back in time has an error of its own, larger where it straddles a node.
    continuous = 1e-5 if aligned else 1e-3
    close(
        found(gradient), found("backprop"), continuous if gradient in ("adjoint", "interpolated") else 1e-12
    )


@KINDS
@EVERY
def test_gradients_are_those_of_finite_differences(name, between):
    layer = made(name, norm="tv")
    controls = varying(layer, between)
    block = DynamicBlock(layer, controls, make_solver("rk4", steps=2))

    def end(values, y):
        key = "0.f.field.controls.values"
        return torch.func.functional_call(block, {key: values}, (y,), tie_weights=True)

    values = controls.values.detach().clone().requires_grad_()
    assert gradcheck(end, (values, states(2, 4).requires_grad_()), fast_mode=True)


def jacobian_of(layer, shape, theta=None):
    torch.manual_seed(0)
    theta = theta or {k: torch.randn_like(v.double()) for k, v in layer.initial().items()}
    J = jacobian(lambda y: layer(theta, y), states(1, *shape))
    size = states(*shape).numel()
    return J.reshape(size, size)


SPACES = pytest.mark.parametrize(
    ("operator", "shape"), [(Dense(5), (5,)), (Convolution(2), (2, 3, 4))], ids=["dense", "convolution"]
)


@SPACES
@pytest.mark.parametrize("act", ["tanh", "relu"])
def test_the_jacobian_of_a_parabolic_layer_is_symmetric_and_negative_semidefinite(operator, shape, act):
    J = jacobian_of(DoubleSym(operator, act), shape)
    close(J, J.T)
    assert torch.linalg.eigvalsh(J).max() < 1e-12
    assert torch.linalg.eigvalsh(J).min() < -0.1


@SPACES
def test_the_adjoint_of_an_operator_is_its_transposed_matrix(operator, shape):
    K = states(*operator.shape)
    x, y = states(1, *shape), states(1, *shape).exp()
    close((operator(K, x) * y).sum(), (x * operator(operator.adjoint(K), y)).sum())


@SPACES
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_the_eigenvalues_of_an_antisymmetric_layer_lie_on_a_line_to_the_left(operator, shape, gamma):
    """At 0 without a shift σ' = 1, so that the Jacobian is the linear part."""
    layer = Antisymmetric(operator, gamma=gamma)
    theta = {"K1": states(*operator.shape), "shift1": torch.zeros(operator.channels, dtype=torch.float64)}
    J = jacobian(lambda y: layer(theta, y), torch.zeros(1, *shape, dtype=torch.float64))
    eigenvalues = torch.linalg.eigvals(J.reshape(operator_size(shape), -1))
    close(eigenvalues.real, torch.full_like(eigenvalues.real, -gamma), within=1e-12)
    assert eigenvalues.imag.abs().max() > 1


def operator_size(shape):
    return states(*shape).numel()


@SPACES
def test_an_antisymmetric_layer_does_not_grow_where_its_activation_bends(operator, shape):
    eigenvalues = torch.linalg.eigvals(jacobian_of(Antisymmetric(operator, gamma=0.3), shape))
    assert eigenvalues.real.min() > -0.3 - 1e-12
    assert eigenvalues.real.max() < 1e-12


@SPACES
def test_the_jacobian_of_a_hamiltonian_layer_is_a_rotated_symmetric_one(operator, shape):
    channels, *image = shape
    J = jacobian_of(Hamiltonian(operator), (2 * channels, *image))
    half = len(J) // 2
    rotation = torch.zeros_like(J)
    rotation[:half, half:], rotation[half:, :half] = torch.eye(half), -torch.eye(half)
    close(rotation @ J, (rotation @ J).T)
    assert torch.equal(J[:half, :half], torch.zeros(half, half, dtype=J.dtype))
    assert J.abs().max() > 0.1


def energy(theta, y):
    """Σ log cosh of what the activations see: log cosh' = tanh."""
    q, p = y.chunk(2, 1)
    inner = torch.cat(
        (p @ theta["K1"].T + theta["shift1"], q @ theta["K2"].T + theta["shift2"]),
        1,
    )
    return inner.cosh().log().sum(1)


def test_a_hamiltonian_flow_keeps_its_energy_which_euler_loses():
    layer = Hamiltonian(Dense(2))
    torch.manual_seed(3)
    theta = {name: torch.randn_like(tensor.double()) for name, tensor in layer.initial().items()}
    y = states(4, 4)
    drift = {}
    for method in ("euler", "rk4"):
        block = DynamicBlock(layer, Controls((0.0, 25.0, 50.0), theta), make_solver(method, steps=1000))
        with torch.no_grad():
            drift[method] = (
                ((energy(theta, block(y)) - energy(theta, y)) / energy(theta, y)).abs().max().item()
            )
    assert drift["rk4"] < 1e-4
    assert drift["euler"] > 0.1


@KINDS
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("act", ["tanh", "relu"])
def test_a_layer_keeps_the_shape_of_states_and_images(name, norm, act):
    for operator, shape in ((Dense(4), ()), (Convolution(4), (3, 2))):
        layer = made(name, operator, norm=norm, act=act)
        y = torch.randn(2, layer.channels, *shape)
        assert layer(layer.initial(), y).shape == y.shape


def test_the_norm_across_channels_is_one_at_each_place():
    normed = tv_norm(100 * states(2, 3, 4, 4), 1)
    close(normed.square().sum(1), torch.ones(2, 4, 4, dtype=torch.float64), within=1e-6)


@KINDS
@pytest.mark.parametrize("norm", NORMS)
def test_samples_do_not_see_each_other(name, norm):
    layer = made(name, Convolution(4), norm=norm)
    theta, y = layer.initial(), torch.randn(3, layer.channels, 3, 3)
    together = layer(theta, y)
    close(together, torch.cat([layer(theta, one) for one in y.split(1)]), within=1e-5)


@pytest.mark.parametrize("samples", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("norm", NORMS)
def test_a_block_takes_any_batch_in_any_precision(samples, dtype, norm):
    block = with_controls(Double(Convolution(4), norm=norm), make_solver("rk4", steps=4)).to(dtype)
    x = states(samples, 4, 3, 3, dtype=torch.float64).to(dtype).requires_grad_()
    y = block(x)
    [gradient] = torch.autograd.grad(y.sum(), x)
    assert (y.shape, y.dtype, gradient.dtype) == (x.shape, dtype, dtype)
    assert y.isfinite().all()


@KINDS
def test_autocast_leaves_the_state_in_its_own_precision(name):
    layer = made(name, Convolution(4), norm="tv")
    block = with_controls(layer, make_solver("rk4", steps=4))
    x = torch.randn(2, layer.channels, 4, 4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = block(x)
        y.sum().backward()
    assert y.dtype == torch.float32
    close(y, block(x), within=0.05)


def test_blocks_of_one_seed_start_as_one_function_whatever_their_controls():
    ends = []
    for between, intervals in itertools.product(BETWEEN, (1, 2, 4)):
        torch.manual_seed(0)
        block = with_controls(
            Double(Dense(4)), make_solver("rk4", steps=8), between=between, intervals=intervals
        )
        ends.append(block(torch.ones(1, 4)))
    for end in ends:
        close(end, ends[0], within=1e-5)


@EVERY
def test_a_block_with_prolonged_controls_computes_the_same(between):
    layer, y = Double(Dense(4)), states(3, 4)
    controls = varying(layer, between)
    coarse = DynamicBlock(layer, controls, make_solver("rk4", steps=4))
    fine = DynamicBlock(layer, controls.prolonged(), make_solver("rk4", steps=4))
    close(fine(y), coarse(y))


def test_a_dense_net_has_the_parameters_that_it_promises():
    net = dense_net(make_solver("rk4", steps=4), 64, 10)
    assert sum(p.numel() for p in net.parameters()) == 5 * 2 * (64**2 + 64) + 64 * 10 + 10


@pytest.mark.parametrize(("between", "sets"), [("constant", 4), ("linear", 5), ("quadratic", 9)])
def test_a_net_for_images_has_the_parameters_that_it_promises(between, sets):
    net = image_net(make_solver("rk4", steps=4), (8,), 10, places=4, controls={"between": between})
    assert sum(p.numel() for p in net.parameters()) == 10 * 8 + sets * (9 * 64 + 2 * 8) + (8 * 16 + 1) * 10
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


SIZES = {"double": 2, "preact_double": 2, "double_sym": 1, "antisymmetric": 1, "hamiltonian": 2}


@KINDS
@pytest.mark.parametrize("norm", NORMS)
def test_a_set_has_the_size_that_its_layer_promises(name, norm):
    n, per = 6, 0 if norm == "none" else 1
    for operator, kernel in ((Dense(n), n * n), (Convolution(n), 9 * n * n)):
        size = sum(tensor.numel() for tensor in made(name, operator, norm=norm).initial().values())
        assert size == SIZES[name] * (kernel + n + per * n)


@KINDS
def test_the_networks_map_images_to_logits_and_train(name):
    solver, x = make_solver("rk4", steps=4), torch.rand(3, 1, 8, 8)
    for net in (dense_net(solver, 64, 10, layer=name), image_net(solver, (4, 6), 10, layer=name)):
        y = net(x)
        y.square().sum().backward()
        assert y.shape == (3, 10)
        assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_the_harness_sees_each_interval_as_a_block():
    net = image_net(make_solver("rk4", steps=4), (4, 6), 10)
    assert sum(isinstance(module, ODEBlock) for module in net.modules()) == 2 * 4


def test_a_field_at_a_jump_is_that_to_its_right():
    layer, y = Double(Dense(4)), states(3, 4)
    controls = varying(layer, "constant")
    f, node = DynamicField(layer, controls), torch.tensor(1 / 3, dtype=torch.float64)
    inside = DynamicBlock(layer, controls, make_solver("rk4", steps=2)).blocks[1].f
    assert torch.equal(f(node, y), inside(node, y))


@pytest.mark.parametrize("options", [{"act": "sine"}, {"norm": "batch"}])
def test_an_unknown_activation_or_norm_is_refused(options):
    with pytest.raises(SolverError, match="There is no (activation|norm) .*choose one of"):
        Double(Dense(4), **options)


@pytest.mark.parametrize("gamma", [-0.1, float("nan")])
def test_a_negative_damping_is_refused(gamma):
    with pytest.raises(SolverError, match="must be 0 or more"):
        Antisymmetric(Dense(4), gamma=gamma)


def test_a_hamiltonian_layer_needs_an_even_number_of_channels():
    with pytest.raises(SolverError, match="give an even number"):
        dense_net(make_solver("rk4", steps=4), 7, 10, layer="hamiltonian")


# The spectrum of all these Jacobians.


def matrix(kind, n=12):
    A = states(n, n)
    return {
        "general": A,
        "symmetric": A + A.T - 8 * torch.eye(n),
        "antisymmetric": A - A.T - 0.5 * torch.eye(n),
        "one eigenvalue": -torch.eye(n, dtype=A.dtype),
        "no rank": torch.zeros_like(A),
        "rank one": torch.outer(A[0], A[1]),
        "a Jordan block": torch.diag(torch.ones(n - 1, dtype=A.dtype), 1) - torch.eye(n),
    }[kind]


MATRICES = ("general", "symmetric", "antisymmetric", "one eigenvalue", "no rank", "rank one")


@pytest.mark.parametrize("kind", [*MATRICES, "a Jordan block"])
def test_the_abscissas_of_a_matrix_are_exact_in_its_whole_space(kind):
    A, y = matrix(kind), states(3, 12)
    value = spectral_abscissa(lambda t, y: y @ A.T, T, y).value
    # the eigenvalues of a Jordan block of size 12 move by about the twelfth root of a rounding
    close(value, torch.linalg.eigvals(A).real.max().expand(3), 0.2 if kind == "a Jordan block" else 1e-9)
    value = numerical_abscissa(lambda t, y: y @ A.T, T, y).value
    close(value, torch.linalg.eigvalsh((A + A.T) / 2).max().expand(3), 1e-9)


def test_each_sample_has_the_abscissa_of_its_own_jacobian():
    layer = Double(Convolution(3))
    f, y = DynamicField(layer, varying(layer, scale=0.4)), states(4, 3, 4, 4)
    expected = [
        torch.linalg.eigvals(jacobian(lambda y: f(T, y), one).reshape(48, 48)).real.max()
        for one in y.split(1)
    ]
    close(spectral_abscissa(f, T, y, dimension=48).value, torch.stack(expected), 1e-8)


@pytest.mark.parametrize("abscissa", [spectral_abscissa, numerical_abscissa])
def test_a_small_space_finds_the_rightmost_eigenvalue_within_its_residual(abscissa):
    """Normal matrices: 200 eigenvalues on a line, one of them away."""
    A = torch.diag(torch.cat((torch.linspace(-5, 0, 199), torch.tensor([1.0])))).double()
    found = abscissa(lambda t, y: y @ A, T, states(2, 200), dimension=30)
    assert found.residual.max() < 0.05
    assert ((found.value - 1).abs() <= found.residual + 1e-12).all()


def test_the_residual_of_a_space_too_small_tells():
    A = torch.diag(torch.linspace(-5, 0, 300)).double()
    assert spectral_abscissa(lambda t, y: y @ A, T, states(2, 300), dimension=4).residual.min() > 0.1


def test_the_abscissa_tells_a_parabolic_layer_from_one_that_grows():
    parabolic, free = (
        spectral_abscissa(DynamicField(layer, varying(layer)), T, states(3, 2, 4, 4), dimension=32).value
        for layer in (DoubleSym(Convolution(2)), Double(Convolution(2)))
    )
    assert parabolic.max() < 1e-9
    assert free.min() > 0.1


def test_a_jacobian_that_is_not_finite_spoils_its_own_sample_only():
    y = torch.tensor([[1.0, 4.0], [0.0, 1.0]], dtype=torch.float64)
    value = spectral_abscissa(lambda t, y: y.sqrt(), T, y).value
    close(value[0], torch.tensor(0.5, dtype=torch.float64))
    assert value[1].isnan()


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_nothing_has_no_abscissa(shape):
    assert numerical_abscissa(lambda t, y: -y, T, states(*shape)).value.shape == shape[:1]


def test_looking_at_the_spectrum_leaves_no_trace():
    layer, y = Double(Dense(4)), states(2, 4).requires_grad_()
    f = DynamicField(layer, varying(layer))
    before = torch.get_rng_state()
    found = numerical_abscissa(f, T, y)
    assert not found.value.requires_grad
    assert torch.equal(before, torch.get_rng_state())
    assert y.grad is None
