"""Coefficients as people write them, read exactly; every wrong shape or number is named by its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm
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
"""Digits of a number, above and below its fraction bar, and the largest exponent of a decimal string, up or down."""

TOO_LONG = f"has more than {LONGEST} digits"

COMMON = 5000
"""Digits of the common denominator of a tableau, which every proof computes with; published methods need 400."""


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
            raise TableauError(f"{self.method}: {where} must be a row of numbers, not {values!r:.60}.")
        return tuple(self.number(f"{where}[{i}]", x) for i, x in enumerate(values, 1))

    def number(self, where: str, value: Any) -> Fraction:
        """Return a finite number, exactly as given."""
        try:
            number = exact(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            what = "is not a finite number" if isinstance(value, float) else "is not a number"
            what = TOO_LONG if str(error) == TOO_LONG else what
            raise TableauError(
                f"{self.method}: {where} = {_shown(value)} {what}; give a Fraction, an int, a float or a string "
                'such as "35/384" or "0.161".'
            ) from None
        if abs(number) > LARGEST:
            raise TableauError(
                f"{self.method}: {where} = {_shown(value)} is beyond {LARGEST:.0e}, where round-off would drown the "
                "method; is a decimal point missing?"
            )
        return number

    def matrix(self, name: str, rows: Any) -> list[Row]:
        """Return rows of numbers, of any lengths."""
        if isinstance(rows, str) or not isinstance(rows, Iterable):
            raise TableauError(f"{self.method}: {name} must be a sequence of rows, not {rows!r:.60}.")
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
    """Return a number as exactly what it is; refuses truth values, and digits that would fill the memory.

    Raises:
        ValueError: it is no number, or has more than `LONGEST` digits above or below its fraction bar.
        TypeError: it is of another type.
        ArithmeticError: it is a fraction over 0, or not finite.
    """
    if isinstance(value, bool):
        raise TypeError(value)
    if isinstance(value, str):
        if len(value) > 3 * LONGEST:
            raise ValueError(TOO_LONG)
        if "/" not in value:
            value = Decimal(value)
            if value and abs(value.adjusted()) > LONGEST:
                raise ValueError(TOO_LONG)
    number = Fraction(value)
    if max(abs(number.numerator), number.denominator) > 10**LONGEST:
        raise ValueError(TOO_LONG)
    return number


def refuse_costly(method: str, rows: Iterable[Row]) -> None:
    """Refuse rows whose common denominator has more than `COMMON` digits.

    Raises:
        TableauError: it has.
    """
    if lcm(*(x.denominator for row in rows for x in row)) > 10**COMMON:
        raise TableauError(
            f"{method}: the coefficients have a common denominator of more than {COMMON} digits, with which nothing is "
            "proved in reasonable time; round them to 50 digits, say."
        )


def _shown(value: Any) -> str:
    """Return a value in at most 60 letters; Python writes no whole number of thousands of digits."""
    try:
        return f"{value!r:.60}"
    except ValueError:
        return "a number of thousands of digits"
