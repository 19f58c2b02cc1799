"""Controls: parameters θ(t) of a layer that vary in time, given on a grid of their own.

In the optimal control view of a deep network, y' = f(θ(t), y), θ is the control, and its grid is not that of the
states (Haber & Ruthotto 2017, arXiv:1705.03341; Onken & Ruthotto 2020, arXiv:2005.13420). Inside an interval between
two nodes θ is a polynomial; at a node it has a kink or a jump, where a Runge–Kutta step must end to keep its order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rkbench.errors import SolverError

Matrix = tuple[tuple[float, ...], ...]


class Element(NamedTuple):
    """A Lagrange element on [0, 1], with equidistant points.

    Attributes:
        degree: of the polynomial; neighbours share a point from degree 1 on.
        basis: s -> the value of each basis polynomial, ``[degree + 1]``.
        mass: integrals of the products of basis polynomials.
        stiffness: integrals of the products of their derivatives.
        meaning: one line on what lies at the nodes and between them.
    """

    degree: int
    basis: Callable[[Tensor], tuple[Tensor, ...]]
    mass: Matrix
    stiffness: Matrix
    meaning: str


BETWEEN = {
    "constant": Element(
        0,
        lambda s: (torch.ones_like(s),),
        ((1.0,),),
        ((0.0,),),
        "one set of parameters per interval; θ jumps at the nodes",
    ),
    "linear": Element(
        1,
        lambda s: (1 - s, s),
        ((1 / 3, 1 / 6), (1 / 6, 1 / 3)),
        ((1.0, -1.0), (-1.0, 1.0)),
        "one set per node, interpolated linearly (Onken & Ruthotto)",
    ),
    "quadratic": Element(
        2,
        lambda s: ((1 - s) * (1 - 2 * s), 4 * s * (1 - s), s * (2 * s - 1)),
        ((4 / 30, 2 / 30, -1 / 30), (2 / 30, 16 / 30, 2 / 30), (-1 / 30, 2 / 30, 4 / 30)),
        ((7 / 3, -8 / 3, 1 / 3), (-8 / 3, 16 / 3, -8 / 3), (1 / 3, -8 / 3, 7 / 3)),
        "independent sets at nodes and midpoints (2n - 1 for n nodes), and the parabola through them in between",
    ),
}
"""How θ lies between its nodes. One step of RK4 per interval takes the sets of ``quadratic`` as they are."""


class Controls(nn.Module):
    """θ(t), a piecewise polynomial in t with values in several tensors.

    Starts constant in time. So networks of one seed start as the same function, whatever their grids.

    Args:
        nodes: at least two times, increasing.
        initial: name -> value at the start; a parameter of the layer, of any shape.
        between: one of `BETWEEN`.

    Attributes:
        values: the parameter, ``[sets, size]``: each row holds all tensors of one set, flattened, in their order.
        nodes: the times, as numbers.
        shapes: name -> shape.

    Raises:
        SolverError: nodes that do not increase, or a name that is not in `BETWEEN`.
    """

    clock: Tensor
    offsets: Tensor

    def __init__(
        self, nodes: Sequence[float], initial: Mapping[str, Tensor], between: str = "linear"
    ) -> None:
        super().__init__()
        if between not in BETWEEN:
            raise SolverError(f"Controls cannot be {between!r}; choose one of: {', '.join(BETWEEN)}.")
        self.nodes, self.between = _checked(nodes), between
        self.shapes = {name: tensor.shape for name, tensor in initial.items()}
        start = torch.cat([tensor.detach().reshape(-1) for tensor in initial.values()])
        degree = self._element.degree
        self.values = nn.Parameter(start.repeat(self.intervals * max(degree, 1) + min(degree, 1), 1))
        self.register_buffer("offsets", torch.arange(degree + 1, device=start.device), persistent=False)
        self.register_buffer("clock", start.new_tensor(self.nodes), persistent=False)

    @property
    def intervals(self) -> int:
        """The number of intervals between nodes."""
        return len(self.nodes) - 1

    def at(self, t: Tensor, interval: Tensor | None = None) -> dict[str, Tensor]:
        """Return θ(t) by names; at a jump the value to its right, and beyond the ends the value there.

        Args:
            t: a time without axes.
            interval: ``[1]``, the number of the interval whose polynomial is taken; found by t unless given. At the
                end of an interval this is the value to the left, which is what a step that ends there needs.

        Raises:
            SolverError: each sample has a time of its own, and so would need parameters of its own.
        """
        if t.ndim:
            raise SolverError(
                "θ(t) is one set of parameters for the whole batch, but each sample came with its own time; "
                "use control='batch'."
            )
        if interval is None:
            interval = torch.bucketize(t.detach(), self.clock[1:-1].to(t.dtype), right=True).view(1)
        start, end = self.clock.index_select(0, interval), self.clock.index_select(0, interval + 1)
        s = ((t - start) / (end - start)).clamp(0, 1).to(self.values.dtype)
        weights = torch.stack(self._element.basis(s))
        # Products and a sum: autocast would round those of a matrix product.
        return self._named((weights * self._sets(interval)).sum(0))

    def energy(self, size: float = 0.0, slope: float = 0.0) -> Tensor:
        """Return ½ ∫ (size |θ|² + slope |θ'|²) dt, exactly.

        Where θ jumps, θ' is a difference quotient: jumps over the distances of the intervals' centres (as Haber &
        Ruthotto 2017 smooth the parameters of neighbouring layers).
        """
        norms = self.values.new_tensor(_norms(self.nodes, self.between, size, slope))
        return 0.5 * (self.values * (norms @ self.values)).sum()

    @torch.no_grad()
    def prolonged(self) -> Controls:
        """Return controls with twice as many intervals that are the same function of t (multilevel training)."""
        degree = self._element.degree
        middles = (a + (b - a) / 2 for a, b in itertools.pairwise(self.nodes))
        nodes = sorted((*self.nodes, *middles))
        finer = self._on(nodes, self._named(self.values[0]))
        places = self.values.new_tensor([i / (2 * degree or 1) for i in range(2 * degree)] or [0.0, 0.0])
        basis = torch.stack(self._element.basis(places), -1)
        coarse = torch.stack([self._sets(self.offsets.new_tensor([j])) for j in range(self.intervals)])
        rows = (basis @ coarse).flatten(0, 1)
        finer.values.copy_(torch.cat((rows, self.values[-1:])) if degree else rows)
        return finer.requires_grad_(self.values.requires_grad)

    def extra_repr(self) -> str:
        """Return what ``print`` adds to the name."""
        sets, size = self.values.shape
        return f"{sets} sets of {size}, {self.between} in {self.intervals} intervals"

    def _on(self, nodes: Sequence[float], initial: Mapping[str, Tensor]) -> Controls:
        """Return controls of the same kind on other nodes."""
        return Controls(nodes, initial, self.between)

    @property
    def _element(self) -> Element:
        return BETWEEN[self.between]

    def _sets(self, interval: Tensor) -> Tensor:
        """Return ``[degree + 1, size]``, the sets that an interval is made of."""
        return self.values.index_select(0, interval * max(self._element.degree, 1) + self.offsets)

    def _named(self, flat: Tensor) -> dict[str, Tensor]:
        parts = flat.split([shape.numel() for shape in self.shapes.values()])
        return {
            name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        """Follow the parameters to another dtype from the nodes as they are, not from their rounded values."""
        super()._apply(fn, recurse)
        self.clock = torch.tensor(self.nodes, dtype=self.values.dtype, device=self.values.device)
        return self


class PenalisedControls(Controls):
    """Controls that cost something: ½ ∫ (size |θ|² + slope |θ'|²) dt is added to the training loss.

    Args:
        nodes: as for `Controls`.
        initial: as for `Controls`.
        between: as for `Controls`.
        size: weight of the square of θ.
        slope: weight of the square of its derivative, which makes it smooth in time.
    """

    def __init__(
        self,
        nodes: Sequence[float],
        initial: Mapping[str, Tensor],
        between: str = "linear",
        *,
        size: float,
        slope: float,
    ) -> None:
        super().__init__(nodes, initial, between)
        self.size, self.slope = size, slope

    def penalty(self) -> Tensor:
        """Return what is added to the loss of a training step."""
        return self.energy(self.size, self.slope)

    def _on(self, nodes: Sequence[float], initial: Mapping[str, Tensor]) -> Controls:
        return PenalisedControls(nodes, initial, self.between, size=self.size, slope=self.slope)


def _checked(nodes: Sequence[float]) -> tuple[float, ...]:
    times = tuple(map(float, nodes))
    finite = all(map(math.isfinite, times))
    if len(times) < 2 or not finite or any(a >= b for a, b in itertools.pairwise(times)):
        raise SolverError(
            f"Control nodes must be two or more finite times that increase, not {times}; sort them."
        )
    return times


def _norms(nodes: Sequence[float], between: str, size: float, slope: float) -> list[list[float]]:
    """Return the matrix of the quadratic form ∫ (size |θ|² + slope |θ'|²) dt in the sets."""
    element, widths = BETWEEN[between], [b - a for a, b in itertools.pairwise(nodes)]
    stride, points = max(element.degree, 1), range(element.degree + 1)
    sets = len(widths) * stride + min(element.degree, 1)
    form = [[0.0] * sets for _ in range(sets)]
    for j, h in enumerate(widths):
        for i, k in itertools.product(points, points):
            local = size * h * element.mass[i][k] + slope / h * element.stiffness[i][k]
            form[j * stride + i][j * stride + k] += local
    if element.degree == 0:
        for j, (left, right) in enumerate(itertools.pairwise(widths)):
            for i, k in itertools.product(range(2), range(2)):
                form[j + i][j + k] += slope * 2 / (left + right) * (1 if i == k else -1)
    return form
