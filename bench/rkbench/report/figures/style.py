"""What every figure shares: paper, ink, axes, and how a figure becomes a file; nothing else imports matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any

import matplotlib as mpl
from fontTools.subset import Options
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rkbench.report import appearance
from rkbench.report.figures import minorticks

INK, GRID, PAPER = "#24292f", "#d8dee4", "#ffffff"
THEME = {INK: "currentColor", GRID: "var(--line)", PAPER: "none"}
"""What the page makes of the colors that every figure shares."""

_RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titley": 1.0,  # where it belongs; else matplotlib measures all ticks to see whether it is in their way
    "axes.formatter.limits": (-5, 12),  # no power of ten stands above an axis, where the title is
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.dpi": 160,
    "svg.fonttype": "path",
    "svg.hashsalt": "rkbench",
    "pdf.fonttype": 42,  # outlines that journals accept; matplotlib's own are Type 3
}

_MARGIN = 0.1
"""Around a figure, in inches."""

_UNDATED = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Kind of file -> what keeps the day on which it was drawn out of it."""


@dataclass(frozen=True)
class Drawing:
    """A figure and what to say about it.

    Attributes:
        name: stem of its files.
        title: what it shows.
        caption: how to read it.
        figure: the figure, a panel per task.
    """

    name: str
    title: str
    caption: str
    figure: Figure

    def encode(self, kind: str) -> bytes:
        """Return the figure as ``png``, ``svg`` or ``pdf``, the same bytes for the same run."""
        buffer = BytesIO()
        with styled(), _outlines_alone():
            self.figure.savefig(buffer, format=kind, bbox_inches=self._paper, metadata=_UNDATED.get(kind))
        return buffer.getvalue()

    @cached_property
    def _paper(self) -> Any:
        """What of the figure is drawn on, in inches; laid out once, which takes longer than to draw it."""
        minorticks.flatten(self.figure)
        engine = self.figure.get_layout_engine()
        if engine is not None:
            engine.execute(self.figure)  # which is what a drawing begins with
        self.figure.set_layout_engine(None)  # "none" leaves one behind for which all is drawn twice
        return self.figure.get_tightbbox().padded(_MARGIN)


@contextmanager
def styled() -> Iterator[None]:
    """Draw as every figure is drawn."""
    with mpl.rc_context(_RC), warnings.catch_warnings():
        # A plugin may name its method in letters that the font lacks; a box in the legend harms nobody.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@contextmanager
def _outlines_alone() -> Iterator[None]:
    """Embed in PDFs what fonts draw, without their rules of layout: text is placed glyph by glyph, and no reader asks for them.

    To cut these rules down took fontTools longer than all else of a PDF; matplotlib has no option to leave them out.
    """
    usual = Options._drop_tables_default
    Options._drop_tables_default = [*usual, "GDEF", "GPOS", "GSUB"]
    try:
        yield
    finally:
        Options._drop_tables_default = usual


def linestyle(look: appearance.Look) -> Any:
    """Return the dashes of a look as matplotlib takes them."""
    return (0, look.dashes) if look.dashes else "-"


def plain_log(axis: Any, subdivision: tuple[int, ...] = (1, 2, 5)) -> None:
    """Label a logarithmic axis in plain numbers, at 1, 2 and 5 of every decade unless told otherwise."""
    axis.set_major_locator(LogLocator(subs=subdivision))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())
