"""Datasets, whole or not at all: digits that come with rkbench, images through torchvision, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rkbench import checksums
from rkbench.data.cifar import cifar10
from rkbench.data.dataset import Dataset, Split
from rkbench.data.digits import digits8
from rkbench.data.idx import fashion_mnist, mnist, mnist8
from rkbench.data.rotated import mnist_rotated, mnist_rotated_background
from rkbench.errors import unknown

READ: dict[str, Callable[[], Split]] = {
    "cifar10": cifar10,
    "digits8": digits8,
    "fashion_mnist": fashion_mnist,
    "mnist": mnist,
    "mnist8": mnist8,
}
"""Name -> how it is read, which verifies the files."""

MADE: dict[str, Callable[[int | None], Split]] = {
    "mnist_rotated": mnist_rotated,
    "mnist_rotated_background": mnist_rotated_background,
}
"""Name -> how so many training images, or all, are computed from another one."""


def load(name: str, samples: int | None = None) -> Dataset:
    """Return a dataset by name.

    Args:
        name: of the dataset.
        samples: the training images that are needed. Of a dataset that is computed no more are made, and the mean and
            deviation are theirs; one that is read from files comes whole.

    Raises:
        UnknownNameError: there is no such dataset.
        DataError: a file is missing and cannot be downloaded, or is broken or partial.
    """
    if name in MADE:
        x_train, y_train, x_test, y_test = MADE[name](samples)
    elif name in READ:
        x_train, y_train, x_test, y_test = READ[name]()
    else:
        raise unknown("dataset", name, sorted([*READ, *MADE]))
    # In numpy: torch's sums depend on the number of threads, and inputs must not.
    mean, deviation = (float(of(x_train.numpy(), dtype=np.float64)) for of in (np.mean, np.std))
    for x in (x_train, x_test):
        x.sub_(mean).div_(deviation)
    return Dataset(name, x_train, y_train, x_test, y_test, checksums.of(name))
