"""Dynamic blocks: y' = f(θ(t), y), solved from control node to control node.

Onken & Ruthotto (2020, arXiv:2005.13420) and their poster "Applying higher-order Runge–Kutta methods to neural networks".
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.controller import replay
from rkbench.errors import SolverError, UnsupportedError
from rkbench.networks.block import ODEBlock
from rkbench.networks.controls import Controls
from rkbench.networks.layers import Layer
from rkbench.solution import Stats
from rkbench.solver import Solver


class DynamicField(nn.Module):
    """f(t, y) = layer(θ(t), y)."""

    def __init__(self, layer: Layer, controls: Controls) -> None:
        super().__init__()
        self.layer, self.controls = layer, controls

    def forward(self, t: Tensor, y: Tensor, interval: Tensor | None = None) -> Tensor:
        """Return dy/dt, shaped like ``y``; ``interval`` as for `Controls.at`."""
        # Autocast leaves what a convolution returns in less precision than the state has.
        return self.layer(self.controls.at(t, interval), y).to(y.dtype)


class Stretch(nn.Module):
    """f between two nodes, where it is smooth: at both ends, θ is that of inside.

    Which interval it is is a tensor, so that one compiled graph serves them all.
    """

    interval: Tensor

    def __init__(self, field: DynamicField, interval: int) -> None:
        super().__init__()
        self.field = field
        where = torch.tensor([interval], device=field.controls.values.device)
        self.register_buffer("interval", where, persistent=False)

    def forward(self, t: Tensor, y: Tensor) -> Tensor:
        """Return dy/dt, shaped like ``y``."""
        return self.field(t, y, self.interval)


class DynamicBlock(nn.Sequential):
    """x -> y(t_n), where y' = layer(θ(t), y) and y(t_0) = x, solved from node to node by one `ODEBlock` each.

    θ has kinks or jumps at the nodes. A step across one has a local error of O(h²) or O(h), whatever the order of the
    method; a step from node to node, which takes θ at its end from the left, keeps it. An adaptive solve lands on each
    node, and chooses its first step and spends ``max_steps`` anew from there; the last slope of a method that reuses
    it is not carried across.

    Args:
        layer: f(θ, y).
        controls: θ(t); its nodes are where the block begins, lands and ends.
        solver: over all intervals. ``steps`` are shared out equally among them, so that steps are equal inside an
            interval; a replay's steps, a grid of the states, are cut at the nodes.

    Raises:
        SolverError: steps that do not land on the nodes, or ``control="sample"``.
    """

    def __init__(self, layer: Layer, controls: Controls, solver: Solver) -> None:
        _refuse_samples(solver)
        field, spans = DynamicField(layer, controls), itertools.pairwise(controls.nodes)
        blocks = (
            ODEBlock(Stretch(field, j), solver=own, t_span=span)
            for j, (own, span) in enumerate(zip(shared_out(solver, controls.nodes), spans, strict=True))
        )
        super().__init__(*blocks)
        self._parts = (layer, controls, solver)  # a tuple, whose modules are not solved one after another

    def refined(self) -> DynamicBlock:
        """Return a block that computes the same with controls on a grid twice as fine, to be trained on.

        Raises:
            SolverError: the steps do not land on the new nodes.
            UnsupportedError: f was wrapped, for a running cost or mixed precision, which the new one would not be.
        """
        layer, controls, solver = self._parts
        if any(not isinstance(inner, Stretch) for inner in map(_bare, self.blocks)):
            raise UnsupportedError(
                "Controls that are refined in training go with neither a running cost nor bf16_mixed; drop either."
            )
        return DynamicBlock(layer, controls.prolonged(), solver)

    @property
    def last_stats(self) -> Stats:
        """What the last call cost, over all intervals."""
        rows = [block.last_stats for block in self.blocks]
        return Stats(**{field.name: sum(getattr(row, field.name) for row in rows) for field in fields(Stats)})

    @property
    def last_steps(self) -> tuple[float, ...]:
        """The accepted steps of the last call, over all intervals."""
        return tuple(step for block in self.blocks for step in block.last_steps)

    @property
    def blocks(self) -> list[ODEBlock]:
        """The solves, one for each interval."""
        return [block for block in self if isinstance(block, ODEBlock)]


def dynamic_block(layer: Layer, controls: Controls, solver: Solver, *, aligned: bool = True) -> nn.Module:
    """Return a `DynamicBlock`, or without ``aligned`` one `ODEBlock` over all nodes, whose steps may straddle them.

    Raises:
        SolverError: as for `DynamicBlock`.
    """
    if aligned:
        return DynamicBlock(layer, controls, solver)
    _refuse_samples(solver)
    return ODEBlock(
        DynamicField(layer, controls), solver=solver, t_span=(controls.nodes[0], controls.nodes[-1])
    )


def refine(network: nn.Module) -> None:
    """Put every dynamic block's controls on a grid twice as fine, in place (multilevel learning, Haber & Ruthotto 2017).

    The network computes what it did, but for the steps, which become smaller where there were fewer than one for each
    new interval.

    Raises:
        UserError: it has no dynamic block, or one that cannot be refined.
    """
    found = [
        (parent, name, child)
        for parent in network.modules()
        for name, child in parent.named_children()
        if isinstance(child, DynamicBlock)
    ]
    if not found:
        raise SolverError(
            "There is nothing to refine: this network has no controls on a grid of their own; drop refinements."
        )
    for parent, name, child in found:
        parent.register_module(name, child.refined())


def _bare(block: ODEBlock) -> Any:
    """Return f of a block, without the harness's counter."""
    f: Any = block.f
    return f.f if hasattr(f, "calls") else f


def shared_out(solver: Solver, nodes: Sequence[float]) -> list[Solver]:
    """Return the solver of each interval between nodes.

    Raises:
        SolverError: its steps do not land on the nodes.
    """
    intervals, prescribed = len(nodes) - 1, solver.controller.prescribed
    if prescribed is not None:
        return [replace(solver, controller=replay(part)) for part in _cut(prescribed, nodes)]
    if solver.steps is None:
        return [solver] * intervals
    if solver.steps % intervals:
        raise SolverError(
            f"steps={solver.steps} cannot be shared out among {intervals} control intervals, so that steps would "
            f"straddle nodes, where θ(t) is not smooth; give a multiple of {intervals}, or aligned=False."
        )
    return [replace(solver, steps=solver.steps // intervals)] * intervals


def _cut(steps: Sequence[float], nodes: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the steps in parts that lead from node to node."""
    times, near = list(itertools.accumulate(steps, initial=nodes[0])), 1e-9 * (nodes[-1] - nodes[0])
    landed = [next((i for i, t in enumerate(times) if abs(t - node) <= near), None) for node in nodes]
    cuts = [i for i in landed if i is not None]
    if len(cuts) < len(nodes) or cuts[-1] != len(steps) or cuts != sorted(set(cuts)):
        raise SolverError(
            f"The replayed steps must lead from {nodes[0]:g} to {nodes[-1]:g} and land on each control node between "
            f"({', '.join(f'{node:g}' for node in nodes[1:-1])}); add steps that do, or give aligned=False."
        )
    return [tuple(steps[a:b]) for a, b in itertools.pairwise(cuts)]


def _refuse_samples(solver: Solver) -> None:
    if solver.control == "sample":
        raise SolverError(
            "control='sample' gives each sample its own time, and θ(t) is one for the batch; use control='batch'."
        )
