"""A photograph as a background: the places in it where something is to be seen, and patches of it."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path

import numpy as np

from rkbench import checksums
from rkbench.errors import DataError

DEVIATION = 16
"""A patch whose grey levels, 0 to 255, deviate by less from their mean is as good as none."""


def patches(draws: np.ndarray, size: int) -> np.ndarray:
    """Return square patches of the photograph ``[n, size, size]``, uint8, all with some contrast.

    Args:
        draws: ``[n]``, uint64, uniform: each chooses one place, all equally likely.
        size: pixels a side.

    Raises:
        DataError: matplotlib comes without its photograph, or with another, or it is decoded otherwise.
    """
    photograph = grey()
    places = eventful(photograph, size)
    top, left = places[(draws % len(places)).astype(np.intp)].T
    windows = np.lib.stride_tricks.sliding_window_view(photograph, (size, size))
    return windows[top, left]


@cache
def grey() -> np.ndarray:
    """Return the portrait of Grace Hopper that matplotlib has among its samples ``[600, 512]``, uint8.

    It is a work of the United States Navy (James S. Davis, 1984), in the public domain. Grey is the luminance that
    the file holds: colours, which decoders interpolate each in their own way, are not asked for.

    Raises:
        DataError: the file is missing, or another, or is decoded otherwise.
    """
    from matplotlib.cbook import get_sample_data
    from PIL import Image

    file = Path(get_sample_data(checksums.PHOTOGRAPH, asfileobj=False))
    try:
        content = file.read_bytes()
    except OSError as error:
        raise DataError(
            f"{file} could not be read ({error.strerror}); install matplotlib with its sample data, as pip does."
        ) from None
    if hashlib.sha256(content).hexdigest() != checksums.PHOTOGRAPH_FILE:
        raise DataError(f"{file} is not the photograph that is known here; install matplotlib again.")
    with Image.open(io.BytesIO(content)) as image:
        image.draft("L", None)
        pixels = np.array(image)
    if hashlib.sha256(pixels.tobytes()).hexdigest() != checksums.PHOTOGRAPH_PIXELS:
        raise DataError(f"{file} is decoded otherwise than elsewhere; install Pillow from its own wheel.")
    return pixels


def eventful(photograph: np.ndarray, size: int) -> np.ndarray:
    """Return the top left corners ``[n, 2]`` of patches whose pixels have a deviation of `DEVIATION` or more."""
    wide = photograph.astype(np.int64)
    count = size**2
    total, squares = (_window_sums(values, size) for values in (wide, wide**2))
    # Variance times count², in whole numbers: no rounding decides whether a patch is taken.
    return np.argwhere(count * squares - total**2 >= (DEVIATION * count) ** 2)


def _window_sums(values: np.ndarray, size: int) -> np.ndarray:
    """Return the sum over every square window, from sums over all that is above and to the left."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return sums[size:, size:] - sums[:-size, size:] - sums[size:, :-size] + sums[:-size, :-size]
