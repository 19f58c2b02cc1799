"""A training that goes on in another object of its kind ends as one that was never interrupted, bit for bit."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from rkbench import Recipe, data
from rkbench.classification import Classification
from rkbench.integrate import graphs
from rkbench.integrate.speculative import remember, remembered
from rkbench.interface import make_solver
from rkbench.networks.block import ODEBlock
from rkbench.networks.controlled import dense_net
from rkbench.networks.tanh import TanhField
from rkbench.saving import State
from rkbench.train import Training
from rkbench.training_state import capture, restore

DIGITS = data.load("digits8")
FEW = replace(
    DIGITS,
    x_train=DIGITS.x_train[:150],
    y_train=DIGITS.y_train[:150],
    x_test=DIGITS.x_test[:70],
    y_test=DIGITS.y_test[:70],
)
ADAMW = Recipe(epochs=4, batch_size=64, learning_rate=1e-2, weight_decay=0.1)
SGD = Recipe(
    epochs=4,
    batch_size=64,
    learning_rate=0.05,
    weight_decay=1e-3,
    optimizer="sgd",
    momentum=0.9,
    schedule="steps",
    milestones=(0.3, 0.6),
    crop=1,
)
DOPRI5 = {"method": "dopri5", "rtol": 1e-2}


class Noisy(torch.nn.Module):
    """A field with dropout, which draws random numbers in training."""

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 3, 3, padding=1)
        self.dropout = torch.nn.Dropout(0.2)

    def forward(self, t, y):
        return torch.tanh(self.dropout(self.convolution(y)))


class Seen(torch.nn.Module):
    """Counts the batches of training in a buffer that is no part of a ``state_dict``."""

    def __init__(self):
        super().__init__()
        self.register_buffer("seen", torch.zeros(()), persistent=False)

    def forward(self, x):
        self.seen += self.training
        return x


def noisy(options):
    """Convolutions with weights laid out channels last, buffers of both kinds, and dropout."""
    field = ODEBlock(Noisy(), solver=make_solver(**options))
    network = torch.nn.Sequential(
        Seen(),
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.BatchNorm2d(3),
        field,
        torch.nn.Dropout(0.1),
        torch.nn.Flatten(),
        torch.nn.Linear(108, 10),
    )
    return network.to(memory_format=torch.channels_last)


def plain(options):
    return torch.nn.Sequential(
        torch.nn.Flatten(), ODEBlock(TanhField(64), solver=make_solver(**options)), torch.nn.Linear(64, 10)
    )


def training(network, recipe, options):
    torch.manual_seed(3)
    return Training(network(options), Classification(FEW, recipe), recipe, recipe.epochs, seed=3)


class Between:
    """A checkpoint in memory: what the first training saved after some epochs, for the second to load."""

    def __init__(self, after=None, state=None):
        self.after, self.state, self.saved, self.told = after, state, 0, []
        self.tell = self.told.append

    def load(self):
        return self.state

    def save(self, state):
        self.saved += 1
        if self.saved == self.after:
            numbers, tensors = state()
            own = {name: tensor.clone() for name, tensor in tensors.items()}
            self.state = State(json.loads(json.dumps(numbers)), own)


def weights(one):
    kinds = (one.network.named_parameters(), one.network.named_buffers())
    return {name: tensor for kind in kinds for name, tensor in kind}


def curve(one):
    """All that an epoch gave but its time."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in one.curve]


def interrupted(network, recipe, options, after):
    """Return a training that was never interrupted, and one that took over what it had saved."""
    whole, between = training(network, recipe, options), Between(after)
    whole.run(lambda row: None, between)
    second = training(network, recipe, options)
    torch.manual_seed(99)  # in another process they could be anywhere
    second.run(lambda row: None, Between(state=between.state))
    return whole, second


def controlled(options):
    return dense_net(make_solver(**options), 64, 10, controls={"intervals": 1})


CASES = {
    "AdamW, one cycle": (plain, ADAMW, DOPRI5),
    "AdamW, dropout": (noisy, ADAMW, {"method": "rk4", "steps": 1}),
    "SGD with momentum, milestones, crops": (plain, SGD, DOPRI5),
    "SGD, crops and dropout": (noisy, SGD, {"method": "heun2", "steps": 2}),
    "SGD without momentum": (plain, replace(SGD, momentum=0.0), {"method": "euler", "steps": 2}),
    "AdamW, controls refined twice": (
        controlled,
        replace(ADAMW, refinements=2),
        {"method": "rk4", "steps": 4},
    ),
}


@pytest.mark.parametrize("after", [1, 3, 4])
@pytest.mark.parametrize("case", CASES)
def test_a_training_goes_on_bit_for_bit(case, after):
    whole, second = interrupted(*CASES[case], after)
    assert second.resumed == after
    assert curve(second) == curve(whole)
    assert second.log == whole.log
    assert second.vjps == whole.vjps
    ours, theirs = weights(second), weights(whole)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert second.optimizer.param_groups[0]["lr"] == whole.optimizer.param_groups[0]["lr"]


def test_the_epochs_taken_over_keep_the_seconds_they_took():
    whole, second = interrupted(*CASES["AdamW, one cycle"], 2)
    assert [row["seconds"] for row in second.curve[:2]] == [row["seconds"] for row in whole.curve[:2]]
    assert second.curve[2]["seconds"] != whole.curve[2]["seconds"]


def test_only_the_epochs_left_are_reported_and_the_user_is_told_where_training_goes_on():
    first, rows = Between(after=2), []
    training(plain, ADAMW, DOPRI5).run(lambda row: None, first)
    second = Between(state=first.state)
    training(plain, ADAMW, DOPRI5).run(rows.append, second)
    assert [row["epoch"] for row in rows] == [3, 4]
    assert second.told == ["goes on after epoch 2 of 4, from its checkpoint."]


def test_an_epoch_is_saved_before_it_is_reported():
    order = []

    class Noted(Between):
        def save(self, state):
            order.append("saved")

    training(plain, replace(ADAMW, epochs=2), DOPRI5).run(lambda row: order.append(row["epoch"]), Noted())
    assert order == ["saved", 1, "saved", 2]


def test_the_state_of_an_optimizer_is_laid_out_as_its_weights():
    """Fused kernels go through both in the order of memory."""
    _, second = interrupted(*CASES["AdamW, dropout"], 4)
    (weight,) = [p for p in second.network.parameters() if p.dim() == 4 and p.shape[1] == 3]
    assert not weight.is_contiguous()
    assert second.optimizer.state[weight]["exp_avg"].stride() == weight.stride()


def test_the_seconds_of_compilers_add_up():
    one = training(plain, ADAMW, DOPRI5)
    one.compiling.seconds = 2.0
    other = training(plain, ADAMW, DOPRI5)
    other.compiling.seconds = 1.0
    restore(other, capture(one))
    assert other.compile_seconds == 3.0


SPECULATIVE = {"method": "bosh3", "rtol": 0.1, "atol": 0.1, "compile": True, "speculative": True}


def test_the_steps_that_speculative_solves_remember_are_put_back():
    one, other = (training(plain, ADAMW, SPECULATIVE) for _ in range(2))
    block = one.network[1]
    what = (block.solver, 0.0, 1.0, torch.Size((64, 64)), torch.float32, torch.device("cpu"))
    remember(block.f, {what: (0.0, 0.1 + 0.2, 1.0)})
    numbers, tensors = capture(one)
    restore(other, State(json.loads(json.dumps(numbers)), tensors))
    assert remembered(other.network[1].f) == {what: (0.0, 0.1 + 0.2, 1.0)}


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_a_speculative_training_goes_on_with_the_same_steps_bit_for_bit(monkeypatch):
    graphs._graph.cache_clear()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    x, y = FEW.x_train[:128], FEW.y_train[:128]
    monkeypatch.setitem(globals(), "FEW", replace(FEW, x_train=x, y_train=y, x_test=x[:64], y_test=y[:64]))
    kept = Between(after=1)
    whole = training(plain, replace(ADAMW, epochs=2), SPECULATIVE)
    whole.run(lambda row: None, kept)
    assert any(kept.state.numbers["steps"])
    second = training(plain, replace(ADAMW, epochs=2), SPECULATIVE)
    second.run(lambda row: None, Between(state=kept.state))
    assert (curve(second), second.log) == (curve(whole), whole.log)
