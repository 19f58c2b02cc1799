"""The networks of Chen et al. (2018) on images harder than MNIST: clothes, photographs, and digits that are turned.

Targets of what could not be downloaded where this was written, Fashion-MNIST and CIFAR-10, are from the literature of
small residual networks, not from runs.
"""

from __future__ import annotations

from dataclasses import replace

from rkbench.task import Recipe
from rkbench.tasks.convolutional import CHEN, Size, tasks

DYNAMIC_BLOCKS = Recipe(
    epochs=120,
    batch_size=125,
    learning_rate=0.1,
    weight_decay=4e-4,
    optimizer="sgd",
    momentum=0.9,
    schedule="steps",
    milestones=(60 / 120, 80 / 120, 100 / 120),
    crop=4,
    flip=True,
)
"""That of DynamicBlocks (github.com/EmoryMLIP/DynamicBlocks) for CIFAR-10, where 10 000 of the images are kept aside."""

SIZES = {
    "mnist_rotated_small": Size(
        "5000 digits turned by any angle, state 16×6×6, six epochs",
        "mnist_rotated",
        {"channels": 16},
        Recipe(6, 32, 1e-2),
        0.55,
        5000,
    ),
    "mnist_rotated_background_small": Size(
        "5000 turned digits before a photograph, state 16×6×6, six epochs",
        "mnist_rotated_background",
        {"channels": 16},
        Recipe(6, 32, 1e-2),
        0.45,
        5000,
    ),
    "fashion_mnist_small": Size(
        "10 000 images of Fashion-MNIST, state 16×6×6, three epochs",
        "fashion_mnist",
        {"channels": 16},
        Recipe(3, 64, 3e-2),
        0.8,
        10_000,
    ),
    "fashion_mnist": Size(
        "Fashion-MNIST, state 64×6×6, moved and mirrored at random",
        "fashion_mnist",
        {"channels": 64},
        replace(CHEN, epochs=40, flip=True),
        0.92,
    ),
    "cifar10_small": Size(
        "10 000 images of CIFAR-10, state 16×7×7, three epochs",
        "cifar10",
        {"channels": 16},
        Recipe(3, 64, 3e-2),
        0.4,
        10_000,
    ),
    "cifar10": Size(
        "CIFAR-10, state 64×7×7, moved and mirrored at random",
        "cifar10",
        {"channels": 64},
        DYNAMIC_BLOCKS,
        0.8,
    ),
}

TASKS = tasks(SIZES)
