"""Rooted trees: the order that Runge–Kutta coefficients truly have, in exact rational arithmetic.

A method has order p when, for every rooted tree t with at most p nodes,

    sum_i b_i Φ_i(t) = 1 / γ(t),    Φ_i(t) = prod over the children u of the root: (A Φ(u))_i

(Butcher 1963, doi:10.1017/S1446788700027932; Hairer, Nørsett & Wanner I, theorem II.2.13).
These are the conditions for y' = f(y). For y' = f(t, y) time is one more component whose stage value is
t + c_i h, so a leaf may also be a *time leaf* with factor c_i in place of the row sum (A 1)_i. Where every
row sum equals its c_i both kinds of leaf agree and the plain trees decide; otherwise the two-coloured do.

Everything is computed on integers: with D the common denominator of A and c, D·a and D·c are integers, and
Φ of a tree of n nodes carries the known factor D^(n-1). That is exact and far quicker than fractions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from itertools import combinations_with_replacement, groupby

Row = tuple[Fraction, ...]

HIGHEST = 12
"""No order above this is looked for: 7 813 trees; nothing published for practice goes beyond."""


@dataclass(frozen=True, order=True)
class Tree:
    """A rooted tree; ``time`` marks a time leaf (a derivative with respect to t)."""

    children: tuple[Tree, ...] = ()
    time: bool = False

    def __hash__(self) -> int:
        return _hash(self)

    @cached_property
    def nodes(self) -> int:
        """The number of nodes, which is the order of the condition."""
        return 1 + sum(child.nodes for child in self.children)

    @cached_property
    def density(self) -> int:
        """γ: the product, over all nodes, of the size of the subtree that hangs there."""
        return self.nodes * math.prod(child.density for child in self.children)

    @property
    def symmetry(self) -> int:
        """σ: the number of ways to permute the tree onto itself."""
        groups = [(child, len(list(same))) for child, same in groupby(self.children)]
        return math.prod(child.symmetry**n * math.factorial(n) for child, n in groups)

    def __str__(self) -> str:
        if not self.children:
            return "t" if self.time else "τ"
        return "[" + "".join(map(str, self.children)) + "]"


def _hash(tree: Tree) -> int:
    cached = tree.__dict__.get("_hashed")
    if cached is None:
        cached = hash((tree.children, tree.time))
        object.__setattr__(tree, "_hashed", cached)
    return cached


@cache
def trees(nodes: int, coloured: bool = False) -> tuple[Tree, ...]:
    """All rooted trees of ``nodes`` nodes; with ``coloured``, leaves may be time leaves.

    Plain: 1, 1, 2, 4, 9, 20, 48, 115, 286, 719, …; coloured, from two nodes on: 2, 5, 13, 37, 108, 332, …
    """
    if nodes == 1:
        return (Tree(),)
    return tuple(Tree(children) for children in _forests(nodes - 1, nodes - 1, coloured))


@cache
def _forests(nodes: int, largest: int, coloured: bool) -> tuple[tuple[Tree, ...], ...]:
    """All multisets of trees with ``nodes`` nodes together, none larger than ``largest``."""
    if nodes == 0:
        return ((),)
    found = []
    for size in range(min(nodes, largest), 0, -1):
        kinds = trees(size, coloured)
        if size == 1 and coloured:
            kinds = (*kinds, Tree(time=True))
        for count in range(1, nodes // size + 1):
            for chosen in combinations_with_replacement(kinds, count):
                rests = _forests(nodes - count * size, size - 1, coloured)
                found += [(*chosen, *rest) for rest in rests]
    return tuple(found)


class Weights:
    """Φ(t) of every tree for one (A, c), on integers; shared by b, b̂ and the interpolation weights."""

    def __init__(self, a: Sequence[Row], c: Row, *, coloured: bool) -> None:
        self.coloured = coloured
        self._scale = _common_denominator(*a, c if coloured else ())
        self._a = [[(j, _scaled(x, self._scale)) for j, x in enumerate(row) if x] for row in a]
        self._c = [_scaled(x, self._scale) for x in c] if coloured else []
        self._stages = len(c)
        self._phi: dict[Tree, list[int]] = {}
        self._slope: dict[Tree, list[int]] = {}
        self._b: Row = ()
        self._b_scale, self._b_scaled = 1, list[tuple[int, int]]()

    def phi(self, tree: Tree) -> list[int]:
        """Φ_i(t)·D^(n-1) for each stage i."""
        if tree not in self._phi:
            product = [1] * self._stages
            for child in tree.children:
                product = [p * x if p else 0 for p, x in zip(product, self._factor(child), strict=True)]
            self._phi[tree] = product
        return self._phi[tree]

    def _factor(self, child: Tree) -> list[int]:
        """(A Φ(u))_i, or c_i for a time leaf."""
        if child.time:
            return self._c
        if child not in self._slope:
            phi = self.phi(child)
            self._slope[child] = [sum([x * phi[j] for j, x in row]) for row in self._a]
        return self._slope[child]

    def sum(self, b: Row, tree: Tree) -> tuple[int, int]:
        """Σ_i b_i Φ_i(t) as (numerator, denominator), not reduced: gcds would cost more than all the rest."""
        if b is not self._b:  # tree after tree asks for the same
            scale = _common_denominator(b)
            self._b, self._b_scale = b, scale
            self._b_scaled = [(i, _scaled(x, scale)) for i, x in enumerate(b) if x]
        phi = self.phi(tree)
        total = sum([x * phi[i] for i, x in self._b_scaled])
        return total, self._b_scale * self._scale ** (tree.nodes - 1)

    def residual(self, b: Row, tree: Tree) -> tuple[int, int]:
        """Σ_i b_i Φ_i(t) - 1/γ(t), likewise."""
        total, scale = self.sum(b, tree)
        return total * tree.density - scale, scale * tree.density


def _common_denominator(*rows: Row) -> int:
    return math.lcm(*(x.denominator for row in rows for x in row))


def _scaled(x: Fraction, scale: int) -> int:
    return x.numerator * (scale // x.denominator)


@dataclass(frozen=True)
class OrderProof:
    """The order of one set of weights: every condition up to ``order`` holds, and ``broken`` does not.

    ``exact`` says that all residuals are zero; otherwise the largest is ``residual``, within the tolerance.
    ``broken`` is the worst failing condition of order + 1, off by ``gap``.
    """

    order: int
    exact: bool
    residual: float
    broken: Tree | None
    gap: float

    def __str__(self) -> str:
        how = "exact" if self.exact else f"residual {self.residual:.1e}"
        return f"order {self.order} ({how})"


def prove(weights: Weights, b: Row, tolerance: float) -> OrderProof:
    """Return the order of the weights ``b``: how far all conditions hold, exactly or within ``tolerance``."""
    worst = 0.0
    for nodes in range(1, HIGHEST + 1):
        gaps = list(_gaps(weights, b, trees(nodes, weights.coloured), tolerance))
        gap, tree = max(gaps, key=lambda found: found[0])
        if gap > tolerance:
            return OrderProof(nodes - 1, worst == 0.0, worst, tree, gap)
        worst = max(worst, gap)
    return OrderProof(HIGHEST, worst == 0.0, worst, None, 0.0)


def _gaps(
    weights: Weights, b: Row, conditions: Sequence[Tree], tolerance: float
) -> Iterator[tuple[float, Tree]]:
    """The size of each residual, up to the first few beyond the tolerance: enough to name one."""
    broken = 0
    for tree in conditions:
        numerator, denominator = weights.residual(b, tree)
        gap = abs(numerator) / denominator if numerator else 0.0
        # An exact non-zero residual may underflow to 0.0, which must not read as exact.
        yield max(gap, 5e-324) if numerator else 0.0, tree
        broken += gap > tolerance
        if broken == 3:
            return


def principal_error(weights: Weights, b: Row, order: int) -> float:
    """The 2-norm of the coefficients (Σ b_i Φ_i(t) - 1/γ(t)) / σ(t) over the trees of order + 1."""
    terms = []
    for tree in trees(order + 1, weights.coloured):
        numerator, denominator = weights.residual(b, tree)
        terms.append(numerator / (denominator * tree.symmetry))
    return math.hypot(*terms)
