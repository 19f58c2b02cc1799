"""MNIST, and sets of its format, through torchvision: grey images of 28×28, 60 000 + 10 000."""

from __future__ import annotations

import gzip

import numpy as np
import torch
from torch import Tensor

from rkbench import checksums
from rkbench.data.dataset import Split
from rkbench.data.files import published, root


def mnist() -> Split:
    """Return MNIST (LeCun et al. 1998, doi:10.1109/5.726791)."""
    from torchvision.datasets import MNIST

    # With train=True alone, since either half downloads all four files.
    folder = root() / "MNIST" / "raw"
    files = published(
        "MNIST", folder, checksums.MNIST, lambda missing: MNIST(str(root()), train=True, download=True)
    )
    return _split(list(files.values()))


def fashion_mnist() -> Split:
    """Return Fashion-MNIST (Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747): ten kinds of clothes.

    It is read from its packed files, which are those whose checksums are published.
    """
    from torchvision.datasets import FashionMNIST
    from torchvision.datasets.utils import download_url

    folder = root() / "FashionMNIST" / "raw"
    [mirror] = FashionMNIST.mirrors
    md5 = dict(FashionMNIST.resources)

    def download(missing: list[str]) -> None:
        for name in missing:
            download_url(mirror + name, str(folder), name, md5[name])

    files = published("Fashion-MNIST", folder, checksums.FASHION_MNIST, download)
    return _split([gzip.decompress(content) for content in files.values()])


def mnist8() -> Split:
    """Return MNIST averaged to 8×8 by area."""
    x_train, y_train, x_test, y_test = mnist()
    return area_average(x_train, 8), y_train, area_average(x_test, 8), y_test


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


def _split(files: list[bytes]) -> Split:
    """Return images ``[n, 1, height, width]`` in 0 … 1 and labels, given images and labels to train with, and to test."""
    x_train, y_train, x_test, y_test = (torch.tensor(_array(content)) for content in files)
    x_train, x_test = (images[:, None].float().div_(255) for images in (x_train, x_test))
    return x_train, y_train.long(), x_test, y_test.long()


def _array(content: bytes) -> np.ndarray:
    """Return the bytes of an idx file as an array: its fourth byte counts the axes, whose lengths follow."""
    axes = content[3]
    shape = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
