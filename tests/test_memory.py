"""The gauge of tensor memory reads what is known beforehand: results, views, graphs, and what is gone again."""

import time

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from rkbench.memory import LiveBytes, peak_tensor_mb

CPU = torch.device("cpu")
MIB = torch.ones(2**18)
"""One MiB, alive before anything is measured."""


def depth(n):
    """Run a chain of ``n`` tanh, forward and backward: each keeps its result."""
    x = MIB.clone().requires_grad_()
    y = x
    for _ in range(n):
        y = torch.tanh(y)
    y.sum().backward()


@pytest.mark.parametrize(
    ("work", "peak"),
    [
        (lambda: None, 0),
        (lambda: MIB + 1, 1),
        (lambda: MIB.view(2, -1).t()[0], 0),
        (lambda: MIB.mul_(1), 0),
        (lambda: torch.add(MIB, 1, out=MIB.clone()), 1),
        (lambda: (MIB + 1) + (MIB + 2), 3),
        (lambda: [MIB + 1, MIB + 2], 2),
        (lambda: MIB.half(), 0.5),
    ],
)
def test_a_piece_of_work_holds_what_it_makes(work, peak):
    assert peak_tensor_mb(work, CPU) == peak


def test_what_is_gone_no_longer_counts():
    def one_after_the_other():
        for _ in range(10):
            MIB.add(1)

    assert peak_tensor_mb(one_after_the_other, CPU) == 1


def test_what_autograd_keeps_counts_until_the_backward_pass_has_used_it():
    assert peak_tensor_mb(lambda: depth(20), CPU) - peak_tensor_mb(lambda: depth(10), CPU) == 10
    assert peak_tensor_mb(lambda: [depth(10) for _ in range(3)], CPU) == peak_tensor_mb(
        lambda: depth(10), CPU
    )


def test_what_is_made_in_the_backward_pass_counts_too():
    def work():
        x = MIB.clone().requires_grad_()
        checkpoint(
            lambda x: torch.tanh(torch.tanh(torch.tanh(torch.tanh(x)))), x, use_reentrant=False
        ).sum().backward()

    assert peak_tensor_mb(work, CPU) >= 1 + 4


def test_nothing_is_left_in_the_end():
    with LiveBytes() as live:
        depth(5)
    assert live.now == 0


def test_a_long_graph_is_watched_in_linear_time():
    start = time.perf_counter()
    peak_tensor_mb(lambda: depth(300), CPU)
    assert time.perf_counter() - start < 20


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_allocator_tells():
    device = torch.device("cuda")
    before = torch.ones(2**20, device=device)
    assert peak_tensor_mb(lambda: before + 1, device) == pytest.approx(4, abs=0.1)
