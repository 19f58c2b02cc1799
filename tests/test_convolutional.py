"""The convolutional ODE-net is that of the literature, whichever way its time channel is computed and its states lie."""

import pytest
import torch
from torch import nn

from rkbench import ODEBlock, data
from rkbench.classification import Classification
from rkbench.integrate.field import Field
from rkbench.interface import make_solver
from rkbench.networks.convolutional import ConvField, TimeConv, odenet
from rkbench.tasks.convolutional import TASKS as BUILT_IN
from rkbench.train import Training

TASKS = {task.name: task for task in BUILT_IN}
RK4 = {"method": "rk4", "steps": 2}
DOPRI5 = {"method": "dopri5", "rtol": 1e-3, "atol": 1e-3}
FORMATS = (torch.contiguous_format, torch.channels_last)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def field(channels=4, dtype=torch.float64):
    torch.manual_seed(0)
    f = ConvField(channels).to(dtype)
    for parameter in f.parameters():  # a scale that is 1 and a shift that is 0 would hide a wrong one
        nn.init.normal_(parameter, std=0.3)
    return f


def images(samples=3, channels=4, height=6, width=5, dtype=torch.float64):
    seeded = torch.Generator().manual_seed(1)
    return torch.randn(samples, channels, height, width, generator=seeded, dtype=dtype)


def concatenated(conv, t, y):
    """The time channel as it is written down: t everywhere, before the channels of y."""
    return conv(torch.cat((t.expand(len(y), 1, *y.shape[2:]), y), 1))


def written_down(f, t, y):
    for norm, layer in ((f.norm1, f.conv1), (f.norm2, f.conv2)):
        y = concatenated(layer.conv, t, torch.relu(norm(y)))
    return f.norm3(y)


def close(found, expected, within=1e-12):
    torch.testing.assert_close(found, expected, rtol=within, atol=within)


@pytest.mark.parametrize("t", [torch.tensor(0.7), torch.tensor([0.0, 0.3, -2.0]).reshape(3, 1, 1, 1)])
def test_a_time_channel_need_not_be_concatenated(t):
    layer, y = TimeConv(4).double(), images().requires_grad_()
    t, weights = t.double().requires_grad_(), torch.randn_like(y)
    ours, theirs = layer(t, y), concatenated(layer.conv, t, y)
    close(ours, theirs)
    wanted = (t, y, *layer.parameters())
    close(
        torch.autograd.grad((ours * weights).sum(), wanted),
        torch.autograd.grad((theirs * weights).sum(), wanted),
    )


def test_its_weights_are_those_of_the_concatenated_convolution():
    torch.manual_seed(3)
    ours = TimeConv(5)
    torch.manual_seed(3)
    theirs = nn.Conv2d(6, 5, 3, padding=1)
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(ours.conv.state_dict()[name], tensor)
    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]


def test_f_is_the_one_that_is_written_down():
    f, y, t = field(), images().requires_grad_(), torch.tensor(0.4, dtype=torch.float64)
    ours, theirs = f(t, y), written_down(f, t, y)
    close(ours, theirs)
    wanted = (y, *f.parameters())
    close(
        torch.autograd.grad(ours.square().sum(), wanted), torch.autograd.grad(theirs.square().sum(), wanted)
    )


def test_f_leaves_its_state_alone():
    y = images()
    before = y.clone()
    field()(torch.tensor(1.0, dtype=y.dtype), y)
    assert torch.equal(y, before)


@pytest.mark.parametrize("samples", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_a_block_takes_any_batch_in_any_precision(samples, dtype):
    x = images(samples, dtype=dtype).requires_grad_()
    y = ODEBlock(field(dtype=dtype), **RK4)(x)
    [gradient] = torch.autograd.grad(y.sum(), x)
    assert (y.shape, y.dtype, gradient.dtype) == (x.shape, dtype, dtype)


@pytest.mark.parametrize("solver", [RK4, DOPRI5], ids=["rk4", "dopri5"])
@pytest.mark.parametrize("layout", FORMATS, ids=["contiguous", "channels_last"])
def test_the_memory_format_of_the_state_survives_the_block(solver, layout, monkeypatch):
    seen, call = [], Field.__call__

    def watched(self, t, y):
        seen.append(y)
        return call(self, t, y)

    monkeypatch.setattr(Field, "__call__", watched)
    x = images(dtype=torch.float32).contiguous(memory_format=layout).requires_grad_()
    block = ODEBlock(field(dtype=torch.float32).to(memory_format=layout), **solver)
    y = block(x)
    [gradient] = torch.autograd.grad(y.square().sum(), x)
    assert len(seen) == block.last_stats.nfe
    assert all(state.is_contiguous(memory_format=layout) for state in (*seen, y, gradient))


def test_the_memory_format_changes_no_result():
    x = images()
    plain, last = (
        ODEBlock(field().to(memory_format=layout), **RK4)(x.contiguous(memory_format=layout))
        for layout in FORMATS
    )
    close(last, plain)


def test_a_road_that_recomputes_finds_the_same_gradient():
    """f writes over what its normalisations return, so what is stored and what is recomputed must not be that."""
    gradients = []
    for gradient in ("backprop", "checkpoint"):
        block, x = ODEBlock(field(), **RK4, gradient=gradient), images().requires_grad_()
        block(x).square().sum().backward()
        gradients.append([x.grad, *(p.grad for p in block.parameters())])
    assert all(torch.equal(ours, again) for ours, again in zip(*gradients, strict=True))


def test_a_sample_with_steps_of_its_own_does_not_feel_its_batch_mates():
    block, x = ODEBlock(field(), **DOPRI5, control="sample"), images()
    close(block(x), torch.cat([block(one) for one in x.split(1)]))


def test_the_network_has_the_parameters_of_the_literature():
    network = odenet(make_solver(**RK4), 64, 10)
    assert sum(p.numel() for p in network.parameters()) == 208_266


@pytest.mark.parametrize(
    ("name", "size", "state"), [("mnist_odenet", 28, (64, 6, 6)), ("digits8_odenet", 8, (16, 3, 3))]
)
def test_a_task_shrinks_its_images_to_a_small_state(name, size, state):
    x = torch.randn(2, 1, size, size)
    network = TASKS[name].network(make_solver(**RK4), x, 10)
    [block] = [module for module in network.modules() if isinstance(module, ODEBlock)]
    shapes = []
    block.register_forward_hook(lambda block, inputs, output: shapes.append(output.shape[1:]))
    assert network(x).shape == (2, 10)
    assert shapes == [state]


def test_the_digits_are_learnt_to_their_target():
    torch.manual_seed(0)
    task = TASKS["digits8_odenet"]
    digits, recipe = data.load(task.dataset), task.recipe
    network = task.network(make_solver("euler", steps=2), digits.x_train[:2], digits.classes)
    training = Training(network, Classification(digits, recipe), recipe, recipe.epochs, seed=0)
    training.run(lambda row: None)
    assert training.curve[-1]["test_accuracy"] >= task.target


def test_jax_computes_the_same_f():
    jax = pytest.importorskip("jax")
    f, y, t = field(dtype=torch.float32), images(dtype=torch.float32), torch.tensor(0.7)
    twin = f.twin()
    theirs = jax.jit(twin.function)(t.numpy(), y.numpy(), *(x.detach().numpy() for x in twin.tensors))
    close(torch.tensor(jax.device_get(theirs)), f(t, y).detach(), within=1e-5)
