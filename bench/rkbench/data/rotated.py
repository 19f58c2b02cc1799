"""MNIST made harder: digits turned by any angle, alone or before a photograph.

After "mnist-rot" and "mnist-rot-back-image" of Larochelle, Erhan, Courville, Bergstra & Bengio (2007,
doi:10.1145/1273496.1273556). What differs: theirs have 12 000 images to train with and 50 000 to test with, drawn from
all of MNIST, and backgrounds out of 20 images from the web; ours keep MNIST's own split, 60 000 + 10 000, and have one
photograph for both halves. Errors are therefore not to be compared with theirs.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

from rkbench import checksums
from rkbench.data.dataset import Split
from rkbench.data.idx import mnist
from rkbench.data.photograph import patches

CHUNK = 5_000
"""Images that are turned at a time, for the sake of memory."""


def mnist_rotated(samples: int | None = None) -> Split:
    """Return MNIST with each digit turned about its centre by an angle of its own, all equally likely.

    Args:
        samples: of the training set, the first so many; all unless given.
    """
    return _harder(samples, background=False)


def mnist_rotated_background(samples: int | None = None) -> Split:
    """Return the same digits before a photograph: of the two, the brighter pixel is seen.

    Args:
        samples: as of `mnist_rotated`.
    """
    return _harder(samples, background=True)


def _harder(samples: int | None, background: bool) -> Split:
    x_train, y_train, x_test, y_test = mnist()
    x_train, y_train = x_train[:samples], y_train[:samples]
    x_train, x_test = (_made(x, half, background) for half, x in enumerate((x_train, x_test)))
    return x_train, y_train, x_test, y_test


def _made(x: Tensor, half: int, background: bool) -> Tensor:
    """Return a half of a dataset, ``[n, 1, size, size]``; an image is the same however many come after it."""
    # Raw draws, which numpy promises never to change; two to an image, for its angle and its background.
    draws = np.random.PCG64([checksums.ROTATED, half]).random_raw(2 * len(x)).reshape(-1, 2)
    turns = torch.from_numpy((draws[:, 0] >> 11) * (2 * math.pi * 2.0**-53))
    images = torch.cat([turned(*part) for part in zip(x.split(CHUNK), turns.split(CHUNK), strict=True)])
    if background:
        behind = torch.from_numpy(patches(draws[:, 1], x.shape[-1]))
        images = torch.maximum(images, behind[:, None] / 255)
    return images


def turned(x: Tensor, angles: Tensor) -> Tensor:
    """Return images turned anticlockwise about their centres, black where there was none.

    Between pixels, values are interpolated linearly, and then rounded to whole 255ths, as those of MNIST are: whatever
    a processor does to the last bits is not seen.

    Args:
        x: ``[n, 1, size, size]``, in 0 … 1.
        angles: ``[n]``, float64, in radians.
    """
    cosine, sine, zero = angles.cos(), angles.sin(), torch.zeros_like(angles)
    rows = (torch.stack(row, 1) for row in ((cosine, -sine, zero), (sine, cosine, zero)))
    grid = affine_grid(torch.stack(tuple(rows), 1), list(x.shape), align_corners=False)
    return (grid_sample(x.double(), grid, align_corners=False) * 255).round().div(255).to(x.dtype)
