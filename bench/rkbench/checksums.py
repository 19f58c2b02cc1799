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


@cache
def of(dataset: str) -> str:
    """Return the checksum of a dataset's files; empty for none, or for one that is not known here."""
    match dataset:
        case "mnist" | "mnist8":
            files = list(MNIST.values())
        case "digits8":
            files = [hashlib.sha256(DIGITS8.read_bytes()).hexdigest()]
        case _:
            return ""
    return hashlib.sha256("".join(files).encode()).hexdigest()
