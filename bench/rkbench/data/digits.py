"""The UCI digits, which come with rkbench."""

from __future__ import annotations

import gzip

import numpy as np
import torch

from rkbench import checksums
from rkbench.data.dataset import Split


def digits8() -> Split:
    """Return the UCI digits, 8×8: every fifth sample for testing, 1438 + 359."""
    packed = checksums.DIGITS8.read_bytes()
    table = torch.from_numpy(
        np.loadtxt(gzip.decompress(packed).decode().splitlines(), delimiter=",", dtype=np.int64)
    )
    x = table[:, 1:].reshape(-1, 1, 8, 8).float() / 16
    y = table[:, 0]
    test = torch.arange(len(y)) % 5 == 4
    return x[~test], y[~test], x[test], y[test]
