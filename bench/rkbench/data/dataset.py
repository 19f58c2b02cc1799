"""What a dataset is, once it is read."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

Split = tuple[Tensor, Tensor, Tensor, Tensor]
"""Images in 0 … 1 and labels to train with, then those to test with; see `Dataset`."""


@dataclass(frozen=True)
class Dataset:
    """Images and labels, split for good.

    Attributes:
        name: how tasks ask for it.
        x_train: ``[n, channels, height, width]``, float32, shifted and scaled by the mean and standard
            deviation of all training pixels, those of all channels together.
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
