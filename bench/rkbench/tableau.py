"""Butcher tableaux: exact, cited, immutable, and proved before anyone may use them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rkbench.coefficients import Coefficients, Reader, refuse_costly
from rkbench.errors import TableauError
from rkbench.order import OrderProof, Row, Weights, principal_error, prove, trees


class TableauWarning(UserWarning):
    """A claim that undersells the tableau: it is corrected, and said."""


@dataclass(frozen=True)
class Citation:
    """Where a method comes from."""

    authors: str
    year: int
    title: str = ""
    doi: str = ""

    @property
    def short(self) -> str:
        """Authors and year."""
        return f"{self.authors} {self.year}"

    def __str__(self) -> str:
        parts = [f"{self.authors} ({self.year})", self.title, f"doi:{self.doi}" if self.doi else ""]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class ButcherTableau:
    """An explicit Runge–Kutta method, as a book prints it.

    With s stages, step h and stage slopes k_i = f(t + c_i h, y + h Σ_j a_ij k_j), the step is
    y + h Σ_i b_i k_i (Hairer, Nørsett & Wanner I, section II.1).

    Attributes:
        name: how users ask for it, such as ``"bosh3"``.
        order: the claimed order. A claim above the truth is refused; below it, the truth is used and a
            `TableauWarning` says so.
        c: the s nodes, the leading 0 included.
        a: the s rows of the staircase; row i holds i entries, so the first is empty.
        b: the s weights of the solution that is carried forward.
        source: where the coefficients were published.
        b_embedded: the s weights of a second *solution* (not of the error) of another order.
        embedded_order: its claimed order; found when not given.
        b_embedded_low: a third solution, of lower order still, for the stretched error estimate
            |e|² / sqrt(|e|² + 0.01 |e_low|²) of Hairer & Wanner's DOP853.
        embedded_low_order: its claimed order; found when not given.
        interpolation: dense output; row i holds the coefficients of θ, θ², … in b_i(θ), for 0 ≤ θ ≤ 1.

    Everything else (stages, FSAL, error weights, orders proved, stability) is derived.

    Raises:
        TableauError: in one sentence, which row, weight or claim is wrong and by how much.
    """

    name: str
    order: int
    c: Row
    a: tuple[Row, ...]
    b: Row
    source: Citation | None = None
    b_embedded: Row | None = None
    embedded_order: int | None = None
    b_embedded_low: Row | None = None
    embedded_low_order: int | None = None
    interpolation: tuple[Row, ...] | None = None

    _proofs: dict[str, OrderProof] = field(init=False, repr=False, compare=False, default_factory=dict)

    if TYPE_CHECKING:  # what may be given is wider than what is kept

        def __init__(
            self,
            name: str,
            order: int,
            c: Coefficients,
            a: Sequence[Coefficients],
            b: Coefficients,
            source: Citation | None = None,
            b_embedded: Coefficients | None = None,
            embedded_order: int | None = None,
            b_embedded_low: Coefficients | None = None,
            embedded_low_order: int | None = None,
            interpolation: Sequence[Coefficients] | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.isprintable() or not self.name or " " in self.name:
            raise TableauError(
                f"A method needs a name without blanks, not {self.name!r:.60}; such as 'bosh3'."
            )
        for claim in ("order", "embedded_order", "embedded_low_order"):
            self._check_claim(claim)
        self._read_coefficients()
        self._prove()

    def _check_claim(self, claim: str) -> None:
        value = getattr(self, claim)
        if value is None and claim != "order":
            return
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise TableauError(
                f"{self.name}: {claim} must be a whole number from 1 on, not {value!r:.60}; claim the order of the source."
            )

    def _read_coefficients(self) -> None:
        read = Reader(self.name)
        c = read.row("c", self.c)
        exact: dict[str, Any] = {
            "c": c,
            "a": read.staircase("a", self.a, len(c)),
            "b": read.weights("b", self.b, len(c)),
        }
        for name in ("b_embedded", "b_embedded_low"):
            if getattr(self, name) is not None:
                exact[name] = read.weights(name, getattr(self, name), len(c))
        if self.interpolation is not None:
            exact["interpolation"] = read.polynomials("interpolation", self.interpolation, len(c))
        for name, value in exact.items():
            object.__setattr__(self, name, value)
        weights = [exact[name] for name in ("c", "b", "b_embedded", "b_embedded_low") if name in exact]
        refuse_costly(self.name, (*weights, *exact["a"], *exact.get("interpolation", ())))
        for i, node in enumerate(c, 1):
            if not -self.tolerance <= node <= 1 + self.tolerance:
                raise TableauError(
                    f"{self.name}: node c[{i}] = {float(node):g} lies outside [0, 1], where f would be "
                    "evaluated outside the interval of integration; check c against the source."
                )

    # Proving: orders by rooted trees, then the claims.

    def _prove(self) -> None:
        self._prove_claim("b", "order")
        if self.b_embedded is not None:
            self._refuse_error_weights("b_embedded")
            self._prove_claim("b_embedded", "embedded_order")
        elif self.embedded_order is not None:
            raise TableauError(
                f"{self.name}: embedded_order is claimed without b_embedded; give both or neither."
            )
        if self.b_embedded_low is not None:
            if self.b_embedded is None:
                raise TableauError(
                    f"{self.name}: b_embedded_low only refines b_embedded; give b_embedded too."
                )
            self._refuse_error_weights("b_embedded_low")
            self._prove_claim("b_embedded_low", "embedded_low_order")
        if self.interpolation is not None:
            self._prove_interpolation(self.interpolation)

    def _refuse_error_weights(self, name: str) -> None:
        weights: Row = getattr(self, name)
        if max(abs(x - y) for x, y in zip(weights, self.b, strict=True)) <= self.tolerance:
            raise TableauError(
                f"{self.name}: {name} equals b, so every error estimate would be 0; give the second solution "
                "of the pair or leave it out."
            )
        if abs(sum(weights)) <= self.tolerance:
            raise TableauError(
                f"{self.name}: {name} sums to 0, so these are error weights b - b̂ rather than a solution b̂; "
                "give b̂ itself."
            )

    def _prove_claim(self, weights: str, claim: str) -> None:
        claimed: int | None = getattr(self, claim)
        proof = prove(self._trees, getattr(self, weights), self.tolerance)
        self._proofs[weights] = proof
        if proof.order == 0:
            total = float(sum(getattr(self, weights)))
            raise TableauError(
                f"{self.name}: {weights} sums to {total:.12g} and must sum to 1 (off by {proof.gap:.2g}); "
                "check its weights against the source."
            )
        if claimed is not None and proof.broken is None and claimed > proof.order:
            raise TableauError(
                f"{self.name}: {claim} {claimed} is claimed, but orders above {proof.order} are not proved here; "
                f"claim {claim}={proof.order}."
            )
        if claimed is not None and proof.order < claimed:
            raise TableauError(self._refuted(weights, claim, claimed, proof))
        if claimed is not None and proof.order > claimed:
            warnings.warn(
                f"{self.name}: {claim} is claimed to be {claimed}, but {weights} has order {proof.order}, which is used.",
                TableauWarning,
                stacklevel=5,
            )
        object.__setattr__(self, claim, proof.order)

    def _refuted(self, weights: str, claim: str, claimed: int, proof: OrderProof) -> str:
        sentence = (
            f"{self.name}: {claim} {claimed} is claimed, but {weights} has order {proof.order}: the condition "
            f"of order {proof.order + 1} for the tree {proof.broken} is off by {proof.gap:.2g}"
        )
        if self.row_sum_defects:
            i, defect = max(self.row_sum_defects.items(), key=lambda found: abs(found[1]))
            total, node = float(sum(self.a[i - 1])), float(self.c[i - 1])
            sentence += (
                f", and row a[{i}] sums to {total:.12g} where c[{i}] = {node:.12g} (off by {defect:+.2g})"
            )
        return sentence + f"; check the coefficients against the source, or claim {claim}={proof.order}."

    def _prove_interpolation(self, polynomials: tuple[Row, ...]) -> None:
        defects = [abs(sum(row) - b) for row, b in zip(polynomials, self.b, strict=True)]
        worst = max(range(self.stages), key=defects.__getitem__)
        if defects[worst] > self.tolerance:
            raise TableauError(
                f"{self.name}: interpolation row {worst + 1} sums to b[{worst + 1}] off by "
                f"{float(defects[worst]):.2g}, so the dense output would not end on the step; check the row."
            )
        if self.interpolation_order < 1:
            raise TableauError(
                f"{self.name}: the interpolation weights are not consistent (Σ b_i(θ) must be θ); check their columns."
            )
        if self.interpolation_order < self.order - 1:
            warnings.warn(
                f"{self.name}: the dense output has order {self.interpolation_order} only, so output times are less "
                f"accurate than steps of order {self.order}.",
                TableauWarning,
                stacklevel=5,
            )

    # Derived, never asked for.

    @cached_property
    def tolerance(self) -> float:
        """How far a condition may be off when coefficients are rounded: 1e-12·max(1, max|coefficient|²).

        At most 1e-9: below 1/12!, the least that any condition up to order 12 asks for.
        """
        largest = max(
            (abs(x) for row in (*self.a, self.b, self.b_embedded or ()) for x in row), default=Fraction(1)
        )
        return min(1e-12 * max(1.0, float(largest) ** 2), 1e-9)

    @cached_property
    def _trees(self) -> Weights:
        return Weights(self.a, self.c, coloured=self.coloured)

    @cached_property
    def row_sum_defects(self) -> dict[int, float]:
        """Σ_j a_ij - c_i by stage (counted from 1), where it exceeds the tolerance."""
        defects = {
            i: sum(row, Fraction()) - c for i, (row, c) in enumerate(zip(self.a, self.c, strict=True), 1)
        }
        return {i: float(defect) for i, defect in defects.items() if abs(defect) > self.tolerance}

    @property
    def coloured(self) -> bool:
        """Whether the two-coloured trees decide the order, because a row does not sum to its node."""
        return bool(self.row_sum_defects)

    @property
    def stages(self) -> int:
        """The number of stages s."""
        return len(self.c)

    @property
    def adaptive(self) -> bool:
        """Whether an embedded solution estimates the error."""
        return self.b_embedded is not None

    @cached_property
    def fsal(self) -> bool:
        """First same as last: the last stage is f at the end of the step, which opens the next one."""
        return self.stages > 1 and self.c[0] == 0 and self.c[-1] == 1 and (*self.a[-1], Fraction()) == self.b

    @cached_property
    def error_weights(self) -> Row | None:
        """The weights b - b̂, differenced exactly: the error estimate is h Σ_i (b_i - b̂_i) k_i."""
        return _difference(self.b, self.b_embedded)

    @cached_property
    def error_weights_low(self) -> Row | None:
        """The weights b - b̂_low, likewise."""
        return _difference(self.b, self.b_embedded_low)

    @property
    def error_exponent(self) -> int | None:
        """The power k of h at which the error estimate shrinks; controllers use the exponent 1/k.

        min(p, p̂) + 1 for a pair; 2(p̂ + 1) - (p̂_low + 1) for the stretched estimate, 8 for DOP853.
        """
        if self.embedded_order is None:
            return None
        k = min(self.order, self.embedded_order) + 1
        return k if self.embedded_low_order is None else 2 * k - (self.embedded_low_order + 1)

    @property
    def proofs(self) -> dict[str, OrderProof]:
        """The proof of each set of weights: ``b``, ``b_embedded``, ``b_embedded_low``."""
        return dict(self._proofs)

    @cached_property
    def interpolation_order(self) -> int:
        """The order q of the dense output: Σ_i b_i(θ) Φ_i(t) = θ^|t| / γ(t) for all trees up to q nodes."""
        columns = list(zip(*(self.interpolation or ()), strict=True))
        order = 0
        while order < self.order and all(
            self._column_holds(column, power, order + 1) for power, column in enumerate(columns, 1)
        ):
            order += 1
        return order

    def _column_holds(self, column: Row, power: int, nodes: int) -> bool:
        """Whether the coefficient of θ^power in Σ b_i(θ) Φ_i(t) is 1/γ(t) for power = |t| and else 0."""
        for tree in trees(nodes, self.coloured):
            total, scale = self._trees.sum(column, tree)
            wanted = 1 / tree.density if power == nodes else 0.0
            if abs(total / scale - wanted) > self.tolerance:
                return False
        return True

    @cached_property
    def principal_error_norm(self) -> float:
        """The 2-norm of the leading error coefficients, over the trees of order + 1."""
        return principal_error(self._trees, self.b, self.order)

    @cached_property
    def digest(self) -> str:
        """A hash of the coefficients alone: two methods with equal digests are the same method."""
        parts = (self.c, self.a, self.b, self.b_embedded, self.b_embedded_low, self.interpolation)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    def __hash__(self) -> int:
        # Solves look their scheme up by the method; hashing every fraction each time would cost more than a stage.
        return hash((self.name, self.digest))

    def __deepcopy__(self, memo: dict[int, Any]) -> ButcherTableau:
        return self  # immutable, and its proofs are costly to copy along with every network


def _difference(b: Row, other: Row | None) -> Row | None:
    return None if other is None else tuple(x - y for x, y in zip(b, other, strict=True))
