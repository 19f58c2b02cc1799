"""A tableau for human eyes: as a book prints it, its facts, and its stability region."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from rkbench.errors import UserError
from rkbench.stability import evaluations_per_step, imaginary_interval, real_interval, stability_polynomial
from rkbench.tableau import ButcherTableau

WIDTH = 100
"""Columns that a printed tableau should fit in."""

DIGITS = (10, 6, 4)
"""Significant digits to try, when exact entries are too wide; the last is taken whatever its width."""

PICTURES = (".pdf", ".png", ".svg")


def as_text(tableau: ButcherTableau, engines: Iterable[Any] = ()) -> str:
    """Return the tableau, rounded if exact entries do not fit, and under it its facts, one per line.

    ``engines`` that make other steps of a tableau than its own add what they tell of it.
    """
    digits = next((d for d in (None, *DIGITS) if _width(_table(tableau, d)) <= WIDTH), DIGITS[-1])
    lines = [tableau.name, "", *_table(tableau, digits), ""]
    if digits is not None:
        lines += [f"(longer entries are rounded to {digits} digits here; the method itself is exact)", ""]
    facts = [*_facts(tableau), *(fact for engine in engines for fact in _told(engine, tableau))]
    pad = max(len(label) for label, _ in facts)
    return "\n".join(lines + [f"{label:<{pad}}  {value}" for label, value in facts])


def _told(engine: Any, tableau: ButcherTableau) -> list[tuple[str, str]]:
    """Return what an engine tells of a method by its ``facts``, if it has any; an error in them is told instead."""
    try:
        return list(getattr(engine, "facts", lambda tableau: ())(tableau))
    except Exception as error:  # whatever a plugin raises is its answer
        return [(engine.name, f"{type(error).__name__}: {error}")]


def _table(tableau: ButcherTableau, digits: int | None) -> list[str]:
    """Return the lines c | a, a rule, and the weights, in aligned columns."""
    weights = {"b": tableau.b, "b̂": tableau.b_embedded, "b̂ low": tableau.b_embedded_low}
    rows = [
        [_entry(c, digits), *(_entry(x, digits) for x in row)]
        for c, row in zip(tableau.c, tableau.a, strict=True)
    ]
    rows += [[name, *(_entry(x, digits) for x in row)] for name, row in weights.items() if row is not None]
    columns = [max(_shown(row[j]) for row in rows if j < len(row)) for j in range(tableau.stages + 1)]
    lines = [_line(row, columns) for row in rows]
    rule = "─" * (columns[0] + 1) + "┼" + "─" * (sum(columns[1:]) + 2 * tableau.stages - 1)
    return [*lines[: tableau.stages], rule, *lines[tableau.stages :]]


def _line(row: Sequence[str], columns: Sequence[int]) -> str:
    cells = [cell + " " * (width - _shown(cell)) for cell, width in zip(row, columns, strict=False)]
    return f"{cells[0]} │ {'  '.join(cells[1:])}".rstrip()


def _shown(cell: str) -> int:
    """Return the columns a cell takes; the combining hat of b̂ takes none."""
    return len(cell) - cell.count("\u0302")


def _entry(x: Any, digits: int | None) -> str:
    exact = _exact(x)
    return exact if digits is None or len(exact) <= digits else f"{float(x):.{digits}g}"


def _exact(x: Fraction) -> str:
    """Return p/q, or the decimal the coefficient was given as when that is much shorter."""
    ratio = str(x)
    twos, rest = _exponent(x.denominator, 2)
    fives, rest = _exponent(rest, 5)
    places = max(twos, fives)
    if rest != 1 or places == 0:
        return ratio
    sign = "-" if x < 0 else ""
    decimal = str(abs(x) * 10**places).rjust(places + 1, "0")
    decimal = f"{sign}{decimal[:-places]}.{decimal[-places:]}"
    return decimal if len(decimal) + 1 < len(ratio) else ratio


def _exponent(number: int, prime: int) -> tuple[int, int]:
    """Return how often ``prime`` divides ``number``, and what is left."""
    count = 0
    while number % prime == 0:
        number //= prime
        count += 1
    return count, number


def _width(lines: Sequence[str]) -> int:
    return max(map(_shown, lines))


def _facts(tableau: ButcherTableau) -> Iterator[tuple[str, str]]:
    evaluations = evaluations_per_step(tableau)
    yield "source", str(tableau.source or "none given")
    proofs = tableau.proofs
    yield "order", _proved(proofs["b"])
    if tableau.adaptive:
        yield "embedded", " and ".join(_proved(proof) for name, proof in proofs.items() if name != "b")
        k = tableau.error_exponent
        yield "error estimate", f"shrinks as h^{k}, so controllers use the exponent 1/{k}"
    else:
        yield "embedded", "none: equal steps only"
    fsal = ", first same as last (FSAL)" if tableau.fsal else ""
    yield (
        "cost",
        f"{_counted(tableau.stages, 'stage')}{fsal}: {_counted(evaluations, 'evaluation')} of f per step",
    )
    for axis, interval in (("real", real_interval(tableau)), ("imaginary", imaginary_interval(tableau))):
        yield f"{axis} stability", f"{interval:.6g}, {interval / evaluations:.4g} per evaluation"
    yield (
        "principal error",
        f"{tableau.principal_error_norm:.4g}, 2-norm over the trees of order {tableau.order + 1}",
    )
    yield "dense output", _dense(tableau)
    yield "row sums", _row_sums(tableau)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _proved(proof: Any) -> str:
    how = "proved exactly" if proof.exact else f"proved with residual {proof.residual:.1e}"
    return f"{proof.order}, {how}"


def _dense(tableau: ButcherTableau) -> str:
    if tableau.interpolation is None:
        return "none: steps are cut to land on output times"
    return f"order {tableau.interpolation_order}"


def _row_sums(tableau: ButcherTableau) -> str:
    if not tableau.coloured:
        return "each row of a sums to its node c"
    rows = ", ".join(f"{i} (off by {defect:+.3g})" for i, defect in tableau.row_sum_defects.items())
    return f"row {rows} does not sum to its node c; the order is proved by two-coloured trees"


def plot(tableau: ButcherTableau, path: str | Path) -> None:
    """Draw the stability region |R(z)| <= 1 into a picture; its suffix chooses png, svg or pdf.

    Raises:
        UserError: another suffix, or a folder that is not there.
    """
    path = Path(path)
    if path.suffix.lower() not in PICTURES:
        raise UserError(f"Cannot draw into {path}: name a file that ends in {', '.join(PICTURES)}.")
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent} to draw into; make it first.")
    _figure(tableau).savefig(path, dpi=160, bbox_inches="tight")


def _figure(tableau: ButcherTableau) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.add_subplot()
    _draw_region(figure, axes, tableau)
    _draw_intervals(figure, axes, tableau)
    axes.set_title(
        f"{tableau.name}: order {tableau.order}, {_counted(tableau.stages, 'stage')}", fontsize=13, pad=12
    )
    axes.set_xlabel("Re z")
    axes.set_ylabel("Im z")
    return figure


def _draw_region(figure: Any, axes: Any, tableau: ButcherTableau) -> None:
    import numpy as np

    coefficients = [float(r) for r in reversed(stability_polynomial(tableau))]
    # The roots of R(z) = exp(iφ) are the boundary, whose extent frames the picture.
    turns = np.exp(2j * np.pi * np.arange(120) / 120)
    boundary = np.concatenate([np.roots([*coefficients[:-1], 1 - turn]) for turn in turns])
    # Islands far out, smaller than a dot, are left outside it.
    boundary = boundary[np.abs(boundary) <= 1.6 * max(real_interval(tableau), imaginary_interval(tableau))]
    pad = 0.08 * max(np.ptp(boundary.real), np.ptp(boundary.imag))
    left, right, top = boundary.real.min() - pad, boundary.real.max() + pad, boundary.imag.max() + pad
    x, y = np.meshgrid(np.linspace(left, right, 500), np.linspace(-top, top, 500))
    modulus = np.abs(np.polyval(coefficients, x + 1j * y))
    filled = axes.contourf(x, y, modulus, levels=np.linspace(0, 1, 11), cmap="Blues_r", alpha=0.9)
    axes.contour(x, y, modulus, levels=[1.0], colors="#08306b", linewidths=1.4)
    figure.colorbar(
        filled, ax=axes, label="|R(z)|: what one step leaves of an error", shrink=0.8, ticks=[0, 0.5, 1]
    )
    for line in (axes.axhline, axes.axvline):
        line(0, color="0.25", linewidth=0.7, zorder=3)
    axes.set_aspect("equal")
    axes.grid(alpha=0.25, linewidth=0.5)


def _draw_intervals(figure: Any, axes: Any, tableau: ButcherTableau) -> None:
    real, imaginary = real_interval(tableau), imaginary_interval(tableau)
    style = {"color": "#d95f02", "linewidth": 3.0, "solid_capstyle": "butt", "zorder": 4}
    axes.plot([-real, 0], [0, 0], label=f"real interval {real:.4g}", **style)
    if imaginary:
        style["color"] = "#1b9e77"
        axes.plot([0, 0], [-imaginary, imaginary], label=f"imaginary interval {imaginary:.4g}", **style)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
