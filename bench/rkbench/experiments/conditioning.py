"""How stable a trained flow is, and how well conditioned: what its Jacobians say at a few samples.

Where the rightmost eigenvalue of ∂f/∂y is positive, neighbours part; where it is far to the left, explicit methods need
small steps; and the condition of ∂y(t1)/∂y(t0) tells how much of the input survives (Haber & Ruthotto 2017,
arXiv:1705.03341).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rkbench.errors import SolveError
from rkbench.networks.block import ODEBlock
from rkbench.networks.spectrum import numerical_abscissa, spectral_abscissa

SAMPLES = 8
"""The first of the test set."""

LARGEST = 128
"""Numbers in a state beyond which a Jacobian is not written down."""


class Conditioning(NamedTuple):
    """Medians over samples.

    Attributes:
        spectral_abscissa: the largest real part of an eigenvalue of ∂f/∂y at the ends of every ODE block, the largest of
            these; per unit of time.
        numerical_abscissa: the same of its symmetric part: no distance grows faster there.
        condition: of the derivative of the last ODE block's result by the first one's input, through all of them, in the
            2-norm; None for states of more than `LARGEST` numbers, or blocks that other layers stand between.
    """

    spectral_abscissa: float
    numerical_abscissa: float
    condition: float | None


def conditioning(network: nn.Module, x: Tensor) -> Conditioning | None:
    """Return what the first samples of ``x`` say of the network's flow; None for one without an ODE block.

    None, too, for one whose solver fails, and for f that autograd cannot see into.
    """
    blocks = [module for module in network.modules() if isinstance(module, ODEBlock)]
    if not blocks:
        return None
    network.eval()
    try:
        ends = _ends(network, blocks, x[:SAMPLES])
    except SolveError:
        return None
    abscissas = [
        torch.stack(
            [of(block.f, block_time, y).value for block, pair in ends for block_time, y in pair]
        ).amax(0)
        for of in (spectral_abscissa, numerical_abscissa)
    ]
    spectral, numerical = (float(values.median()) for values in abscissas)
    return Conditioning(spectral, numerical, _condition(ends))


Ends = list[tuple[ODEBlock, list[tuple[Tensor, Tensor]]]]
"""Each block with (t0, y(t0)) and (t1, y(t1))."""


@torch.no_grad()
def _ends(network: nn.Module, blocks: list[ODEBlock], x: Tensor) -> Ends:
    """Return the states between which every block leads, as the network comes by."""
    seen: Ends = []

    def note(block: ODEBlock, inputs: tuple[Tensor], output: Tensor) -> None:
        times = [torch.as_tensor(t, dtype=output.dtype, device=output.device) for t in block.t_span]
        seen.append((block, list(zip(times, (inputs[0], output), strict=True))))

    hooks = [block.register_forward_hook(note) for block in blocks]  # type: ignore[arg-type]
    try:
        network(x)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _condition(ends: Ends) -> float | None:
    """Return the median condition of the product of all blocks' Jacobians, where they follow each other."""
    states = [y for _, pair in ends for _, y in pair]
    joined = all(
        torch.equal(before, after) for before, after in zip(states[1:-1:2], states[2::2], strict=True)
    )
    if not joined or states[0][0].numel() > LARGEST:
        return None
    product = None
    for block, ((_, y), _) in ends:
        jacobian = _jacobian(block, y)
        product = jacobian if product is None else jacobian @ product
    assert product is not None
    values = torch.linalg.svdvals(product)
    return float((values[:, 0] / values[:, -1]).median())


def _jacobian(block: ODEBlock, y: Tensor) -> Tensor:
    """Return ∂y(t1)/∂y(t0), ``[samples, n, n]`` in float64: every sample n times in one batch, a row from each."""
    n = y[0].numel()
    copies = y.repeat_interleave(n, 0).requires_grad_()
    with torch.enable_grad():
        out = block(copies).flatten(1)
        rows = torch.eye(n, dtype=y.dtype, device=y.device).repeat(len(y), 1)
        (found,) = torch.autograd.grad(out, copies, rows)
    return found.reshape(len(y), n, n).double()
