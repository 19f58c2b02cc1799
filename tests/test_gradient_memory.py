"""What each gradient keeps until the backward pass grows with the steps as its name promises."""

import pytest
import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import rkbench

WIDTH, DEPTH = 64, 5
STATE = WIDTH * 8  # bytes of one sample


class LiveBytes(TorchDispatchMode):
    """The bytes of all tensors made inside that are still alive, and the most there have been."""

    def __init__(self):
        super().__init__()
        self.alive = {}
        self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                self.alive[StorageWeakRef(storage)] = storage.nbytes()
        self.peak = max(self.peak, self.now())
        return out

    def now(self):
        self.alive = {ref: size for ref, size in self.alive.items() if not ref.expired()}
        return sum(self.alive.values())


def deep(t, y):
    """A field that keeps several activations for its gradient, each of the size of the state."""
    for _ in range(DEPTH):
        y = torch.tanh(y)
    return y


def peak(gradient, method, steps):
    """Return the peak of a forward and a backward pass, in states."""
    y0 = torch.ones(WIDTH, dtype=torch.float64, requires_grad=True)
    with LiveBytes() as live:
        y = rkbench.solve(
            deep, y0, (0.0, 1.0), t_eval=(1.0,), method=method, steps=steps, gradient=gradient
        ).y
        y.sum().backward()
    return live.peak / STATE


def growth(gradient, method):
    """Return the states that one more step keeps."""
    return (peak(gradient, method, 40) - peak(gradient, method, 10)) / 30


@pytest.mark.parametrize(("method", "stages"), [("euler", 1), ("rk4", 4)])
def test_backprop_keeps_the_activations_of_every_stage(method, stages):
    assert growth("backprop", method) == pytest.approx(DEPTH * stages, rel=0.02)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_checkpoint_keeps_one_state_per_step_however_many_stages(method):
    assert growth("checkpoint", method) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("method", ["euler", "rk4"])
def test_the_adjoint_keeps_nothing_per_step(method):
    assert growth("adjoint", method) == 0


def test_at_many_steps_the_roads_are_far_apart():
    backprop, checkpoint, adjoint = (peak(g, "rk4", 80) for g in ("backprop", "checkpoint", "adjoint"))
    assert backprop > 10 * checkpoint > 20 * adjoint
