"""Pictures of a report for the README: the top of its page in headless Chromium, on a desk and on a phone.

``python tests/benchmarks/screenshots.py results/published/mnist8`` writes ``1280.png`` and ``390.png`` into the folder's
``screenshots/``, from the page that ``rkbench report`` wrote; each is smaller than 300 kB, or the script says so.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
import browser  # noqa: E402

SIZES = ((1280, 1400, 1.0), (390, 1400, 2.0))
"""Width and height in CSS pixels, and pixels of the picture in one of them: a telephone's are dense."""

COLORS = 128
LARGEST = 300_000
"""Bytes of one picture."""


def main(run: Path) -> None:
    """Take the pictures of a run's report.

    Raises:
        SystemExit: there is no Chromium or no report, or a picture is too large.
    """
    page, chromium = run / "report" / "index.html", browser.find()
    if chromium is None or not page.exists():
        raise SystemExit(
            f"It takes {page} and one of {', '.join(browser.NAMES)}; write or install what is missing."
        )
    folder = run / "screenshots"
    folder.mkdir(exist_ok=True)
    with browser.Browser(chromium) as window:
        window.prefer("light")
        for width, height, scale in SIZES:
            window.resize(width, height, scale)
            window.open(page)
            picture = smaller(window.screenshot())
            if len(picture) > LARGEST:
                raise SystemExit(
                    f"{width}.png has {len(picture):,} bytes, over {LARGEST:,}; take a shorter part."
                )
            (folder / f"{width}.png").write_bytes(picture)
            print(f"{folder / f'{width}.png'}: {len(picture):,} bytes")


def smaller(png: bytes) -> bytes:
    """Return a picture in few colors, which is what a page has."""
    out = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(
        COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
