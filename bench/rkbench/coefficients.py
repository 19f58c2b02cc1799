"""Coefficients as people write them, read exactly; every wrong shape or number is named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from rkbench.errors import TableauError
from rkbench.order import Row

Number = Fraction | int | float | str
"""A coefficient: exact (`Fraction`, `int`, "35/384", "0.161") or a float, taken as exactly the float it is."""

Coefficients = Sequence[Number] | str
"""A row of coefficients; a string is split at blanks, so a printed row can be pasted: "3/40 9/40"."""

LARGEST = 10**6
"""No coefficient may be larger; those of published methods stay below a thousand."""

LONGEST = 1000
"""The largest exponent, up or down, of a decimal string."""


class Reader:
    """Reads the parts of one tableau; ``method`` is its name, for messages.

    Every method raises `TableauError` for what it cannot read.
    """

    def __init__(self, method: str) -> None:
        self.method = method

    def row(self, where: str, values: Any) -> Row:
        """Return a row of numbers, of any length."""
        if isinstance(values, str):
            values = values.split()
        if not isinstance(values, Iterable):
            raise TableauError(f"{self.method}: {where} must be a row of numbers, not {values!r}.")
        return tuple(self.number(f"{where}[{i}]", x) for i, x in enumerate(values, 1))

    def number(self, where: str, value: Any) -> Fraction:
        """Return a finite number, exactly as given."""
        try:
            number = exact(value)
        except (ValueError, TypeError, ArithmeticError):
            what = "is not a finite number" if isinstance(value, float) else "is not a number"
            raise TableauError(
                f"{self.method}: {where} = {value!r:.60} {what}; give a Fraction, an int, a float or a string "
                'such as "35/384" or "0.161".'
            ) from None
        if abs(number) > LARGEST:
            raise TableauError(
                f"{self.method}: {where} = {value!r:.60} is beyond {LARGEST:.0e}, where round-off would drown the "
                "method; is a decimal point missing?"
            )
        return number

    def matrix(self, name: str, rows: Any) -> list[Row]:
        """Return rows of numbers, of any lengths."""
        if isinstance(rows, str) or not isinstance(rows, Iterable):
            raise TableauError(f"{self.method}: {name} must be a sequence of rows, not {rows!r}.")
        return [self.row(f"{name}[{i}]", row) for i, row in enumerate(rows, 1)]

    def staircase(self, name: str, values: Any, stages: int) -> tuple[Row, ...]:
        """Return the rows below the diagonal; zeros on and above it may be written out."""
        rows = self.matrix(name, values)
        if len(rows) != stages:
            missing = " (is the empty first row missing?)" if len(rows) == stages - 1 else ""
            raise TableauError(
                f"{self.method}: {name} has {len(rows)} rows but c has {stages} nodes{missing}; "
                "give one row per stage."
            )
        for i, row in enumerate(rows, 1):
            self._refuse_implicit(name, i, row)
            if len(row) < i - 1:
                raise TableauError(
                    f"{self.method}: row {name}[{i}] has {len(row)} entries and needs {i - 1}; write its zeros out."
                )
        return tuple(row[:i] for i, row in enumerate(rows))

    def _refuse_implicit(self, name: str, i: int, row: Row) -> None:
        """Refuse a non-zero entry on or above the diagonal; by `!=`, since a small one is no less wrong."""
        for j, x in enumerate(row[i - 1 :], i):
            if x != 0:
                side = "on the diagonal" if i == j else "above the diagonal"
                raise TableauError(
                    f"{self.method}: {name}[{i}][{j}] = {float(x):g} lies {side}, which makes the method implicit; "
                    "rkbench runs explicit methods, so check whether a row is shifted or transposed."
                )

    def weights(self, name: str, values: Any, stages: int) -> Row:
        """Return a row of one number per stage."""
        row = self.row(name, values)
        if len(row) != stages:
            raise TableauError(
                f"{self.method}: {name} has {len(row)} weights for {stages} stages; "
                "give one per stage, zeros included."
            )
        return row

    def polynomials(self, name: str, values: Any, stages: int) -> tuple[Row, ...]:
        """Return a row of polynomial coefficients per stage, all of one degree."""
        rows = self.matrix(name, values)
        if len(rows) != stages or len({len(row) for row in rows}) != 1 or not rows[0]:
            raise TableauError(
                f"{self.method}: {name} needs {stages} rows (one per stage) of equal length, the "
                "coefficients of θ, θ², …"
            )
        return tuple(rows)


def exact(value: Any) -> Fraction:
    """Return a number as exactly what it is; refuses truth values, and exponents that would fill the memory."""
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str) and "/" not in value:
        value = Decimal(value)
        if value and abs(value.adjusted()) > LONGEST:
            raise ValueError(value)
    return Fraction(value)
