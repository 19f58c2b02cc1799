"""The published files of the datasets, to the bit: what a result was measured on is known before it is."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources

DIGITS8 = resources.files("rkbench") / "assets" / "digits8.csv.gz"

MNIST = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""File -> SHA-256."""

FASHION_MNIST = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
"""File -> SHA-256, which others publish beside the MD5 of the authors."""

CIFAR10 = {
    "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
    "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
    "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
    "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
    "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
    "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
    "batches.meta": "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
}
"""File -> SHA-256, which others publish beside the MD5 that torchvision holds the file to."""

PHOTOGRAPH = "grace_hopper.jpg"
"""Among the sample data of matplotlib."""

PHOTOGRAPH_FILE = "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"
"""SHA-256 of the photograph's file."""

PHOTOGRAPH_PIXELS = "eab88577b69ab054245c69f59ef8f167d3daaededa33ad4eb7af4a9fe5d177f3"
"""SHA-256 of its grey pixels, row by row: what it is read as, which depends on the decoder."""

ROTATED = 1
"""The version of how rotated digits are drawn; whoever changes what comes of it counts on."""


@cache
def of(dataset: str) -> str:
    """Return the checksum of a dataset's files; empty for none, or for one that is not known here."""
    match dataset:
        case "mnist" | "mnist8":
            files = list(MNIST.values())
        case "mnist_rotated":
            files = [*MNIST.values(), f"rotated {ROTATED}"]
        case "mnist_rotated_background":
            files = [*MNIST.values(), PHOTOGRAPH_FILE, PHOTOGRAPH_PIXELS, f"rotated {ROTATED}"]
        case "fashion_mnist":
            files = list(FASHION_MNIST.values())
        case "cifar10":
            files = list(CIFAR10.values())
        case "digits8":
            files = [hashlib.sha256(DIGITS8.read_bytes()).hexdigest()]
        case _:
            return ""
    return hashlib.sha256("".join(files).encode()).hexdigest()
