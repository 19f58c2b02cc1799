"""CIFAR-10 through torchvision: colour photographs of 32×32, 50 000 + 10 000."""

from __future__ import annotations

import torch
from torch import Tensor

from rkbench import checksums
from rkbench.data.dataset import Split
from rkbench.data.files import published, root
from rkbench.errors import DataError


def cifar10() -> Split:
    """Return CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images").

    Its files are pickles, which could do anything: none is opened before its checksum is that of the published one.
    """
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import download_and_extract_archive

    folder = root() / CIFAR10.base_folder

    def download(missing: list[str]) -> None:
        download_and_extract_archive(CIFAR10.url, str(root()), filename=CIFAR10.filename, md5=CIFAR10.tgz_md5)

    published("CIFAR-10", folder, checksums.CIFAR10, download)
    try:
        return (*_half(train=True), *_half(train=False))
    except RuntimeError as error:  # torchvision looks at checksums of its own
        raise DataError(
            f"CIFAR-10 in {folder} could not be read ({error}); delete the folder to download it again."
        ) from None


def _half(train: bool) -> tuple[Tensor, Tensor]:
    """Return images ``[n, 3, 32, 32]`` in 0 … 1 and labels."""
    from torchvision.datasets import CIFAR10

    half = CIFAR10(str(root()), train=train)
    images = torch.from_numpy(half.data).permute(0, 3, 1, 2).contiguous()
    return images.float().div_(255), torch.tensor(half.targets)
