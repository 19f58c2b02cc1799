"""Datasets, whole or not at all: digits8 (embedded), and MNIST at 8×8 or full size through torchvision."""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rkbench import checksums
from rkbench.errors import DataError, unknown

VARIABLE = "RKBENCH_DATA"
"""The environment variable that names the folder of the files, a torchvision root."""


@dataclass(frozen=True)
class Dataset:
    """Images and labels, split for good.

    Attributes:
        name: how tasks ask for it.
        x_train: ``[n, channels, height, width]``, float32, shifted and scaled by the mean and standard
            deviation of all training pixels.
        y_train: ``[n]``, int64.
        x_test: like ``x_train``, by the same mean and deviation.
        y_test: like ``y_train``.
        sha256: a checksum of the files it was read from; what is computed from them is the version's.
    """

    name: str
    x_train: Tensor
    y_train: Tensor
    x_test: Tensor
    y_test: Tensor
    sha256: str

    @property
    def classes(self) -> int:
        """The number of classes."""
        return int(self.y_train.max()) + 1


def load(name: str) -> Dataset:
    """Return a dataset by name.

    Raises:
        UnknownNameError: there is no such dataset.
        DataError: a file is missing and cannot be downloaded, or is broken or partial.
    """
    if name not in LOADERS:
        raise unknown("dataset", name, sorted(LOADERS))
    x_train, y_train, x_test, y_test = LOADERS[name]()
    # In numpy: torch's sums depend on the number of threads, and inputs must not.
    mean, deviation = (float(of(x_train.numpy(), dtype=np.float64)) for of in (np.mean, np.std))
    x_train, x_test = (x_train - mean) / deviation, (x_test - mean) / deviation
    return Dataset(name, x_train, y_train, x_test, y_test, checksums.of(name))


Split = tuple[Tensor, Tensor, Tensor, Tensor]


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


def mnist() -> Split:
    """Return MNIST (LeCun et al. 1998), 28×28: 60 000 + 10 000."""
    root = Path(os.environ.get(VARIABLE) or Path.home() / ".cache" / "rkbench")
    train, test = _torchvision(root, train=True), _torchvision(root, train=False)
    _check_files(root / "MNIST" / "raw")
    return (*train, *test)


def mnist8() -> Split:
    """Return MNIST averaged to 8×8 by area."""
    x_train, y_train, x_test, y_test = mnist()
    return area_average(x_train, 8), y_train, area_average(x_test, 8), y_test


LOADERS: dict[str, Callable[[], Split]] = {"digits8": digits8, "mnist": mnist, "mnist8": mnist8}
"""Name -> how it is read, which verifies the files."""


def area_average(x: Tensor, size: int) -> Tensor:
    """Return ``[..., size, size]``: each new pixel is the mean over its area, shares of old pixels included.

    28 does not divide by 8, so a new pixel covers 3.5 old ones a side; pooling with whole pixels would let
    neighbours overlap.
    """
    edges = torch.arange(size + 1, dtype=torch.float64) * x.shape[-1] / size
    pixel = torch.arange(x.shape[-1], dtype=torch.float64)
    overlap = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    share = overlap.clamp(min=0) * size / x.shape[-1]
    both = torch.kron(share, share)  # one large product; 60 000 small ones take ten times as long
    # In float64, so that the order of summation, which depends on threads, is rounded away.
    parts = [(part.double() @ both.T).to(x.dtype) for part in x.flatten(-2).split(10_000)]
    return torch.cat(parts).unflatten(-1, (size, size))


def _torchvision(root: Path, train: bool) -> tuple[Tensor, Tensor]:
    """Return one half of MNIST as float images ``[n, 1, 28, 28]`` in 0 … 1 and labels."""
    from torchvision.datasets import MNIST

    raw = root / "MNIST" / "raw"
    present = [name for name in checksums.MNIST if (raw / name).is_file()]
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        half = MNIST(str(root), train=train, download=len(present) < len(checksums.MNIST))
    except Exception as error:  # torchvision raises whatever reading or the network raised
        if len(present) < len(checksums.MNIST):
            missing = next(name for name in checksums.MNIST if name not in present)
            raise DataError(
                f"MNIST is not complete in {raw} ({missing} is missing) and could not be downloaded "
                f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); set {VARIABLE} to a folder "
                "that holds MNIST/raw with the four files, or run once where there is a network."
            ) from None
        _check_files(raw)
        raise DataError(
            f"MNIST in {raw} could not be read ({error}); delete the folder to download it again."
        ) from None
    finally:
        socket.setdefaulttimeout(before)
    return half.data[:, None].float().div_(255), half.targets


def _check_files(raw: Path) -> None:
    """Refuse files that are not the published ones, to the bit."""
    for name, expected in checksums.MNIST.items():
        content = (raw / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != expected:
            raise DataError(
                f"{raw / name} is not the published file ({len(content)} bytes, wrong checksum): it is broken or "
                "partial; delete it to download it again, or copy it from a good source."
            )
