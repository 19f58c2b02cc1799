"""Dynamic blocks: y' = f(θ(t), y) with layers made for stable flows, solved from control node to control node.

Onken & Ruthotto (2020, arXiv:2005.13420) and their poster "Applying higher-order Runge–Kutta methods to neural
networks"; the layers are those of Haber & Ruthotto (2017, arXiv:1705.03341) and Ruthotto & Haber (2020,
arXiv:1804.04272). K is a matrix or a convolution, N a normalisation with a shift, σ an activation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, group_norm, linear

from rkbench.controller import replay
from rkbench.errors import SolverError
from rkbench.networks.block import ODEBlock
from rkbench.networks.controls import Controls
from rkbench.solution import Stats
from rkbench.solver import Solver

Theta = Mapping[str, Tensor]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}


@dataclass(frozen=True)
class Dense:
    """A square matrix K on states ``[batch, channels]``."""

    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of K."""
        return (self.channels, self.channels)

    @property
    def groups(self) -> int:
        """How many groups are normalised: all channels together."""
        return 1

    def __call__(self, K: Tensor, y: Tensor) -> Tensor:
        """Return K y."""
        return linear(y, K)

    def adjoint(self, K: Tensor) -> Tensor:
        """Return Kᵀ."""
        return K.mT


@dataclass(frozen=True)
class Convolution:
    """A convolution K with zeros around, on states ``[batch, channels, height, width]``; ``size`` is odd."""

    channels: int
    size: int = 3

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of K."""
        return (self.channels, self.channels, self.size, self.size)

    @property
    def groups(self) -> int:
        """How many groups are normalised: of two channels, where their number is even."""
        return self.channels // 2 if self.channels % 2 == 0 else 1

    def __call__(self, K: Tensor, y: Tensor) -> Tensor:
        """Return K y."""
        return conv2d(y, K, padding=self.size // 2)

    def adjoint(self, K: Tensor) -> Tensor:
        """Return the kernel of Kᵀ, itself a convolution with zeros around."""
        return K.transpose(0, 1).flip(2, 3)


def tv_norm(x: Tensor, groups: int) -> Tensor:
    """Return x over its norm across channels at each place (Onken & Ruthotto 2020)."""
    return x / torch.sqrt(x.square().sum(1, keepdim=True) + 1e-4)


NORMS: dict[str, Callable[[Tensor, int], Tensor] | None] = {
    "none": None,
    "tv": tv_norm,
    "group": lambda x, groups: group_norm(x, groups),
}
"""Before scale and shift, which are part of θ; ``none`` has a shift alone."""


@dataclass(frozen=True)
class Layer:
    """f(θ, y), whose parameters θ come from outside.

    Attributes:
        operator: what each K is, `Dense` or `Convolution`.
        act: σ, one of `ACTIVATIONS`.
        norm: in N, one of `NORMS`.

    Raises:
        SolverError: a name that is in neither.
    """

    operator: Dense | Convolution
    act: str = "tanh"
    norm: str = "none"

    operators: ClassVar[int]
    """How many K there are, each with its N."""

    def __post_init__(self) -> None:
        for what, name, known in (("activation", self.act, ACTIVATIONS), ("norm", self.norm, NORMS)):
            if name not in known:
                raise SolverError(f"There is no {what} {name!r}; choose one of: {', '.join(known)}.")

    @property
    def channels(self) -> int:
        """Of the state."""
        return self.operator.channels

    def initial(self) -> dict[str, Tensor]:
        """Return a random θ: K uniform as that of torch's own layers, scales 1, shifts 0."""
        shape = self.operator.shape
        bound, theta = 1 / math.sqrt(math.prod(shape[1:])), {}
        for i in range(1, self.operators + 1):
            theta[f"K{i}"] = torch.empty(shape).uniform_(-bound, bound)
            if self.norm != "none":
                theta[f"scale{i}"] = torch.ones(shape[0])
            theta[f"shift{i}"] = torch.zeros(shape[0])
        return theta

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        raise NotImplementedError

    def _act(self, x: Tensor) -> Tensor:
        return ACTIVATIONS[self.act](x)

    def _normed(self, theta: Theta, i: int, x: Tensor) -> Tensor:
        """Return N_i x."""
        norm, axes = NORMS[self.norm], (-1, *(1,) * (x.ndim - 2))
        shift = theta[f"shift{i}"].view(axes)
        if norm is None:
            return x + shift
        return torch.addcmul(shift, norm(x, self.operator.groups), theta[f"scale{i}"].view(axes))

    def _inner(self, theta: Theta, i: int, y: Tensor) -> Tensor:
        """Return N_i K_i y."""
        return self._normed(theta, i, self.operator(theta[f"K{i}"], y))

    def _symmetric(self, theta: Theta, i: int, y: Tensor) -> Tensor:
        """Return K_iᵀ σ(N_i K_i y), a gradient in y where N is a shift alone."""
        return self.operator(self.operator.adjoint(theta[f"K{i}"]), self._act(self._inner(theta, i, y)))


class Double(Layer):
    """σ N2 K2 σ N1 K1 y; 2 (n² + n) parameters a set if dense, 2 (9 n² + n) if not, 2 n more with a norm."""

    operators = 2

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return self._act(self._inner(theta, 2, self._act(self._inner(theta, 1, y))))


class PreactDouble(Layer):
    """N2 K2 σ N1 K1 σ y; as many parameters as `Double`."""

    operators = 2

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return self._inner(theta, 2, self._act(self._inner(theta, 1, self._act(y))))


class DoubleSym(Layer):
    """-Kᵀ σ N K y, a parabolic layer; n² + n parameters a set if dense, 9 n² + n if not, n more with a norm.

    Where N is a shift alone and σ does not fall, the Jacobian -Kᵀ diag(σ') K is symmetric and negative semidefinite:
    distances do not grow, and an explicit method is stable for h ‖K‖² max σ' within its real interval.
    """

    operators = 1

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        return -self._symmetric(theta, 1, y)


@dataclass(frozen=True)
class Antisymmetric(Layer):
    """σ N (K - Kᵀ - γ I) y; as many parameters as `DoubleSym`.

    The eigenvalues of K - Kᵀ - γ I have the real part -γ. Those of the Jacobian, where N is a shift alone and σ does
    not fall, lie between -γ max σ' and 0: diag(σ')^½ (K - Kᵀ - γ I) diag(σ')^½ has the same.
    """

    gamma: float = 0.0
    operators: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.gamma) and self.gamma >= 0):
            raise SolverError(f"gamma damps the flow and must be 0 or more, not {self.gamma!r}; try 0.1.")

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        K = theta["K1"]
        linear_part = self.operator(K - self.operator.adjoint(K), y) - self.gamma * y
        return self._act(self._normed(theta, 1, linear_part))


class Hamiltonian(Layer):
    """q' = K1ᵀ σ N1 K1 p, p' = -K2ᵀ σ N2 K2 q for y = (q, p), halves of the channels (Ruthotto & Haber 2020).

    With n the channels of K, half those of the state: 2 (n² + n) parameters a set if dense, 2 (9 n² + n) if not, 2 n
    more with a norm. Where N is a shift alone and θ does not depend on t, the flow keeps the energy
    Σ S(K1 p + b1) + Σ S(K2 q + b2), S' = σ, and the trace of the Jacobian is 0.
    """

    operators = 2

    @property
    def channels(self) -> int:
        """Of the state."""
        return 2 * self.operator.channels

    def __call__(self, theta: Theta, y: Tensor) -> Tensor:
        """Return f(θ, y), shaped like y."""
        q, p = y.chunk(2, 1)
        return torch.cat((self._symmetric(theta, 1, p), -self._symmetric(theta, 2, q)), 1)


LAYERS: dict[str, type[Layer]] = {
    "double": Double,
    "preact_double": PreactDouble,
    "double_sym": DoubleSym,
    "antisymmetric": Antisymmetric,
    "hamiltonian": Hamiltonian,
}


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


def dense_net(
    solver: Solver, n: int, classes: int, *, layer: str = "double", controls: Mapping[str, Any] | None = None
) -> nn.Sequential:
    """Return flatten -> dynamic block in n dimensions -> linear, for inputs of n numbers.

    sets · size + n · classes + classes parameters, where `Layer` tells the size of a set.

    Args:
        solver: of the block.
        n: of the inputs.
        classes: of the outputs.
        layer: one of `LAYERS`.
        controls: options of `with_controls`.
    """
    operator = Dense(_halved(n) if layer == "hamiltonian" else n)
    block = with_controls(LAYERS[layer](operator), solver, **(controls or {}))
    return nn.Sequential(nn.Flatten(), block, nn.Linear(n, classes))


def image_net(
    solver: Solver,
    widths: Sequence[int],
    classes: int,
    *,
    layer: str = "double_sym",
    act: str = "relu",
    norm: str = "tv",
    controls: Mapping[str, Any] | None = None,
) -> nn.Sequential:
    """Return a convolution up, dynamic blocks, each average-pooled to half the size for the next, linear on averages.

    Maps ``[batch, 1, height, width]`` to logits ``[batch, classes]``. The blocks are those of the authors' CIFAR-10
    network, whose widths are 16, 32, 64 and 64; a 1×1 convolution leads from width to width.

    Args:
        solver: of every block.
        widths: channels of the blocks.
        classes: of the images.
        layer: one of `LAYERS`.
        act: one of `ACTIVATIONS`.
        norm: one of `NORMS`.
        controls: options of `with_controls`.
    """
    parts: list[nn.Module] = [
        nn.Conv2d(1, widths[0], 3, padding=1),
        nn.Tanh() if act == "tanh" else nn.ReLU(),
    ]
    for before, width in zip((None, *widths), widths, strict=False):
        if before is not None:
            parts += [nn.AvgPool2d(2), nn.Conv2d(before, width, 1)]
        operator = Convolution(_halved(width) if layer == "hamiltonian" else width)
        parts.append(with_controls(LAYERS[layer](operator, act, norm), solver, **(controls or {})))
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))


def with_controls(
    layer: Layer,
    solver: Solver,
    *,
    intervals: int = 4,
    t1: float = 1.0,
    between: str = "linear",
    aligned: bool = True,
) -> nn.Module:
    """Return a dynamic block over [0, t1] whose control nodes are equidistant, with random parameters."""
    nodes = [t1 * i / intervals for i in range(intervals + 1)]
    return dynamic_block(layer, Controls(nodes, layer.initial(), between), solver, aligned=aligned)


def _halved(channels: int) -> int:
    if channels % 2:
        raise SolverError(
            f"A Hamiltonian layer splits the channels in halves, and {channels} is odd; give an even number."
        )
    return channels // 2
