"""The networks that Chen et al. (2018) compare are those of the public program, and differ in their blocks alone."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rkbench import ODEBlock
from rkbench.errors import UserError
from rkbench.interface import make_solver
from rkbench.networks.convolutional import ConvField, odenet
from rkbench.networks.downsampling import HALVINGS, downsample
from rkbench.networks.residual import resnet
from rkbench.networks.residual_block import ResidualBlock

EULER = make_solver("euler", steps=1)
KINDS = pytest.mark.parametrize("kind", HALVINGS)
BLOCKS = pytest.mark.parametrize("blocks", [0, 1, 2])


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def norm(channels):
    return nn.GroupNorm(channels // 2, channels)


class WrittenDown(nn.Module):
    """A residual block as the public program has it, from torch's modules."""

    def __init__(self, channels, stride):
        super().__init__()
        self.norm1, self.norm2 = norm(channels), norm(channels)
        if stride == 2:
            self.shortcut = nn.Conv2d(channels, channels, 1, 2, bias=False)
        self.conv1 = nn.Conv2d(channels, channels, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)

    def forward(self, y):
        active = torch.relu(self.norm1(y))
        inner = self.conv2(torch.relu(self.norm2(self.conv1(active))))
        return inner + (self.shortcut(active) if hasattr(self, "shortcut") else y)


def written_down(channels, classes, blocks, kind, inputs=1):
    def shrink():
        return [norm(channels), nn.ReLU(), nn.Conv2d(channels, channels, 4, 2, 1)]

    first = nn.Conv2d(inputs, channels, 3, 1)
    down = [*shrink(), *shrink()] if kind == "conv" else [WrittenDown(channels, 2) for _ in range(2)]
    body = [WrittenDown(channels, 1) for _ in range(blocks)]
    head = [norm(channels), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten()]
    return nn.Sequential(first, *down, *body, *head, nn.Linear(channels, classes)).double()


def scrambled(network, dtype=torch.float64):
    """A scale that is 1 and a shift that is 0 would hide a wrong one."""
    torch.manual_seed(0)
    for parameter in network.to(dtype).parameters():
        nn.init.normal_(parameter, std=0.3)
    return network


def images(samples=3, channels=1, size=28, dtype=torch.float64):
    seeded = torch.Generator().manual_seed(1)
    return torch.randn(samples, channels, size, size, generator=seeded, dtype=dtype)


def close(found, expected):
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def size(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("kind", "blocks", "parameters"),
    [
        ("conv", 0, 132_874),
        ("conv", 1, 206_858),
        ("conv", 6, 576_778),
        ("res", 0, 157_578),
        ("res", 1, 231_562),
        ("res", 6, 601_482),
    ],
)
def test_a_residual_network_has_the_parameters_of_the_literature(kind, blocks, parameters):
    assert size(resnet(64, 10, blocks, kind)) == parameters


@pytest.mark.parametrize(("kind", "parameters"), [("conv", 208_266), ("res", 232_970)])
def test_an_ode_net_has_the_parameters_of_the_literature(kind, parameters):
    assert size(odenet(EULER, 64, 10, downsampling=kind)) == parameters


@pytest.mark.parametrize(("kind", "state"), [("conv", (64, 6, 6)), ("res", (64, 7, 7))])
def test_an_image_becomes_the_state_of_the_literature(kind, state):
    assert nn.Sequential(*downsample(kind, 64))(images(2, dtype=torch.float32)).shape == (2, *state)


@KINDS
@BLOCKS
def test_a_network_is_the_one_that_is_written_down(kind, blocks):
    ours, theirs = scrambled(resnet(4, 10, blocks, kind)), written_down(4, 10, blocks, kind)
    theirs.load_state_dict(ours.state_dict())
    x, labels = images(), torch.tensor([3, 0, 9])
    found, expected = ours(x), theirs(x)
    close(found, expected)
    cross_entropy(found, labels).backward()
    cross_entropy(expected, labels).backward()
    close([p.grad for p in ours.parameters()], [p.grad for p in theirs.parameters()])


@KINDS
def test_a_network_for_colour_is_the_one_that_is_written_down(kind):
    ours = scrambled(resnet(4, 10, 1, kind, inputs=3))
    theirs = written_down(4, 10, 1, kind, inputs=3)
    theirs.load_state_dict(ours.state_dict())
    x = images(channels=3, size=32)
    close(ours(x), theirs(x))


@KINDS
def test_colour_takes_weights_in_the_first_convolution_alone(kind):
    more = 64 * 2 * 9
    assert size(resnet(64, 10, 1, kind, inputs=3)) == size(resnet(64, 10, 1, kind)) + more
    colour = odenet(EULER, 64, 10, downsampling=kind, inputs=3)
    assert size(colour) == size(odenet(EULER, 64, 10, downsampling=kind)) + more


@KINDS
@BLOCKS
def test_a_network_starts_as_the_one_that_is_written_down(kind, blocks):
    torch.manual_seed(5)
    ours = resnet(4, 10, blocks, kind)
    torch.manual_seed(5)
    theirs = written_down(4, 10, blocks, kind)
    assert all(
        torch.equal(a.double(), b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)
    )


@KINDS
def test_a_loss_reaches_every_parameter(kind):
    for network in (resnet(4, 10, 2, kind), odenet(EULER, 4, 10, downsampling=kind)):
        cross_entropy(scrambled(network)(images()), torch.tensor([3, 0, 9])).backward()
        gradients = {name: p.grad for name, p in network.named_parameters()}
        assert [name for name, grad in gradients.items() if grad is None or not grad.any()] == []


@KINDS
@pytest.mark.parametrize("samples", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_batch_in_any_precision(kind, samples, dtype):
    x = images(samples, size=8, dtype=dtype).requires_grad_()
    logits = resnet(4, 10, 1, kind, halvings=1).to(dtype)(x)
    logits.sum().backward()
    assert (logits.shape, logits.dtype) == ((samples, 10), dtype)
    assert x.grad is not None


@KINDS
def test_a_sample_does_not_feel_its_batch_mates(kind):
    network, x = scrambled(resnet(4, 10, 1, kind)), images()
    close(network(x), torch.cat([network(one) for one in x.split(1)]))


@KINDS
def test_the_memory_format_changes_no_result(kind):
    network, x = scrambled(resnet(4, 10, 1, kind)), images()
    plain = network(x)
    last = network.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    close(last, plain)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_block_leaves_its_input_alone(stride):
    y = images(channels=4, size=6)
    before = y.clone()
    scrambled(ResidualBlock(4, stride))(y)
    assert torch.equal(y, before)


def test_networks_of_one_seed_start_with_the_same_downsampling():
    def weights(build):
        torch.manual_seed(2)
        return list(build().parameters())[:10]

    for kind in HALVINGS:
        ours = weights(lambda kind=kind: odenet(EULER, 4, 10, downsampling=kind))
        for blocks in (1, 6):
            theirs = weights(lambda kind=kind, blocks=blocks: resnet(4, 10, blocks, kind))
            assert all(map(torch.equal, ours, theirs))


def test_one_step_of_euler_is_a_residual_block_whose_increment_is_normalised():
    """At t = 0 the time channel adds nothing; biases, which the block has not, are set to zero."""
    block, f, y = scrambled(ResidualBlock(4)), scrambled(ConvField(4)), images(channels=4, size=6)
    with torch.no_grad():
        for ours, theirs in ((block.conv1, f.conv1.conv), (block.conv2, f.conv2.conv)):
            theirs.weight[:, 1:] = ours.weight
        f.conv1.conv.bias, f.conv2.conv.bias = (nn.Parameter(torch.zeros(4, dtype=y.dtype)) for _ in range(2))
    f.norm1.load_state_dict(block.norm1.state_dict())
    f.norm2.load_state_dict(block.norm2.state_dict())
    close(ODEBlock(f, solver=EULER)(y), y + f.norm3(block(y) - y))


def test_an_unknown_downsampling_is_refused():
    with pytest.raises(UserError, match="no downsampling named 'pool'; choose one of: conv, res"):
        resnet(4, 10, downsampling="pool")
