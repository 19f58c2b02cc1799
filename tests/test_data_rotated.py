"""Digits that are turned, alone or before a photograph, are the same on every machine and however many are asked for."""

import hashlib
import math

import numpy as np
import pytest
import torch

from rkbench import checksums, data
from rkbench.data import photograph, rotated
from rkbench.data.idx import mnist
from rkbench.errors import DataError

SETS = ("mnist_rotated", "mnist_rotated_background")
FIRST = {
    "mnist_rotated": "1f5f98cc1c4a538c",
    "mnist_rotated_background": "e580cc7c72480fa9",
}
"""Of the bytes of the first hundred images to train with, as version 1 draws them."""


@pytest.fixture(scope="module")
def digits():
    return tuple(part[:300].clone() for part in mnist())


@pytest.fixture
def few_digits(digits, monkeypatch):
    """The first of MNIST, for the whole of it."""
    monkeypatch.setattr(rotated, "mnist", lambda: digits)


def few(x, angle):
    return rotated.turned(x, torch.full((len(x),), angle, dtype=torch.float64))


def images(count=3, size=28):
    whole = torch.randint(256, (count, 1, size, size), generator=torch.Generator().manual_seed(0))
    return whole.float().div(255)


@pytest.mark.parametrize("quarters", [0, 1, 2, 3, 4])
def test_a_quarter_turn_moves_pixels_and_changes_none(quarters):
    x = images()
    assert torch.equal(few(x, quarters * math.pi / 2), torch.rot90(x, quarters, (2, 3)))


def test_the_middle_stays_where_it_is_and_corners_become_black():
    x = torch.ones(1, 1, 28, 28)
    turned = few(x, math.pi / 4)[0, 0]
    assert turned[13:15, 13:15].tolist() == [[1, 1], [1, 1]]
    assert [turned[i, j].item() for i in (0, -1) for j in (0, -1)] == [0] * 4


def test_each_image_has_an_angle_of_its_own():
    x = images(1).expand(2, -1, -1, -1)
    turned = rotated.turned(x, torch.tensor([0.0, math.pi], dtype=torch.float64))
    assert torch.equal(turned[0], x[0])
    assert torch.equal(turned[1], x[1].flip(1, 2))


def test_pixels_are_whole_255ths():
    levels = few(images(), 0.3) * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_windows_are_summed():
    values = np.random.default_rng(0).integers(0, 9, (7, 6))
    windows = np.lib.stride_tricks.sliding_window_view(values, (3, 3))
    assert np.array_equal(photograph._window_sums(values, 3), windows.sum((2, 3)))


def test_flat_patches_are_left_out():
    picture = np.zeros((20, 20), np.uint8)
    picture[:, 10:] = 200
    places = photograph.eventful(picture, 4)
    assert sorted(set(places[:, 1].tolist())) == [7, 8, 9]
    assert len(places) == 17 * 3


def test_patches_are_pieces_of_the_photograph_with_contrast():
    grey = photograph.grey()
    assert (grey.shape, grey.dtype) == ((600, 512), np.uint8)
    found = photograph.patches(np.arange(0, 2**40, 2**33 + 1, dtype=np.uint64), 28)
    assert found.shape == (128, 28, 28)
    assert found.std((1, 2)).min() >= photograph.DEVIATION
    windows = np.lib.stride_tricks.sliding_window_view(grey, (28, 28))
    first = photograph.eventful(grey, 28)[0]
    assert np.array_equal(photograph.patches(np.zeros(1, np.uint64), 28)[0], windows[tuple(first)])


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PHOTOGRAPH", "none.jpg", r"none.jpg could not be read .*install matplotlib with its sample data"),
        ("PHOTOGRAPH", "logo2.png", "logo2.png is not the photograph that is known here; install matplotlib"),
        ("PHOTOGRAPH_PIXELS", "0", "is decoded otherwise than elsewhere; install Pillow"),
    ],
)
def test_another_photograph_is_refused(monkeypatch, name, value, sentence):
    monkeypatch.setattr(checksums, name, value)
    with pytest.raises(DataError, match=sentence):
        photograph.grey.__wrapped__()


@pytest.mark.mnist
@pytest.mark.parametrize("name", SETS)
def test_the_first_images_never_change(few_digits, name):
    x = data.MADE[name](100)[0]
    assert x.shape == (100, 1, 28, 28)
    levels = (x * 255).round().byte().numpy()
    assert hashlib.sha256(levels.tobytes()).hexdigest()[:16] == FIRST[name]


@pytest.mark.mnist
def test_an_image_is_the_same_however_many_are_made_and_on_however_many_threads(few_digits, monkeypatch):
    x_train, y_train, x_test, _ = data.MADE["mnist_rotated_background"](100)
    monkeypatch.setattr(rotated, "CHUNK", 64)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    more = data.MADE["mnist_rotated_background"](None)
    torch.set_num_threads(before)
    assert (len(x_train), len(more[0])) == (100, 300)
    assert torch.equal(x_train, more[0][:100])
    assert torch.equal(y_train, more[1][:100])
    assert torch.equal(x_test, more[2])
    assert not torch.equal(x_test[:100], x_train)


@pytest.mark.mnist
def test_a_digit_stands_before_its_background(few_digits):
    digits, before = (data.MADE[name](50) for name in SETS)
    assert (before[0] >= digits[0]).all()
    assert (before[0] > digits[0]).flatten(1).any(1).all()
    assert torch.equal(before[1], digits[1])


@pytest.mark.mnist
def test_a_computed_set_is_standardised_by_what_is_made_of_it(few_digits):
    found = data.load("mnist_rotated", 40)
    assert found.x_train.shape == (40, 1, 28, 28)
    assert found.x_train.mean().item() == pytest.approx(0, abs=1e-5)
    assert found.x_train.std().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("constant", "concerned"),
    [
        ("MNIST", {"mnist", "mnist8", *SETS}),
        ("ROTATED", set(SETS)),
        ("PHOTOGRAPH_FILE", {"mnist_rotated_background"}),
        ("PHOTOGRAPH_PIXELS", {"mnist_rotated_background"}),
        ("FASHION_MNIST", {"fashion_mnist"}),
        ("CIFAR10", {"cifar10"}),
    ],
)
def test_a_checksum_covers_all_that_a_set_is_made_of_and_nothing_else(monkeypatch, constant, concerned):
    names = [*data.READ, *data.MADE]
    before = {name: checksums.of.__wrapped__(name) for name in names}
    assert len(set(before.values())) == len(names) - 1  # mnist8 is computed from mnist by the version's code
    monkeypatch.setattr(
        checksums, constant, {"other": "0"} if isinstance(getattr(checksums, constant), dict) else "0"
    )
    assert {name for name in names if checksums.of.__wrapped__(name) != before[name]} == concerned
