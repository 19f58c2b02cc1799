"""A dataset is read whole, or refused in one sentence."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest
import torch

from rkbench import data
from rkbench.data.idx import area_average
from rkbench.errors import DataError, UnknownNameError


def test_digits8_is_scikit_learns_dataset():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    x_train, y_train, x_test, y_test = data.digits8()
    theirs = sklearn_datasets.load_digits()
    assert (len(y_train), len(y_test)) == (1438, 359)
    assert sorted([*y_train.tolist(), *y_test.tolist()]) == sorted(theirs.target.tolist())
    assert torch.equal((x_test[:, 0] * 16).double(), torch.from_numpy(theirs.images[4::5]))


def test_the_split_of_digits8_never_changes():
    assert data.load("digits8").sha256 == data.load("digits8").sha256
    labels = data.digits8()[3].numpy().tobytes()
    assert hashlib.sha256(labels).hexdigest()[:16] == "5b60d960d691c63f"


def test_inputs_are_standardised_by_the_training_set():
    digits = data.load("digits8")
    assert digits.x_train.mean().item() == pytest.approx(0, abs=1e-5)
    assert digits.x_train.std().item() == pytest.approx(1, abs=1e-5)
    assert digits.x_test.mean().item() != pytest.approx(0, abs=1e-6)


def test_area_averages_share_pixels_by_their_overlap():
    """3.5 old pixels a side: a gradient image keeps its mean, and the first new pixel is (0+1+2+3/2)/3.5."""
    ramp = torch.arange(28.0).expand(1, 28, 28)
    small = area_average(ramp, 8)
    assert small.shape == (1, 8, 8)
    assert small.mean().item() == pytest.approx(13.5, rel=1e-6)
    assert small[0, 0, 0].item() == pytest.approx((0 + 1 + 2 + 3 / 2) / 3.5, rel=1e-6)


def test_an_area_average_of_whole_pixels_is_a_mean():
    image = torch.rand(2, 8, 8)
    expected = torch.nn.functional.avg_pool2d(image, 2)
    assert torch.allclose(area_average(image, 4), expected, atol=1e-6)


def test_an_unknown_dataset_is_named():
    with pytest.raises(UnknownNameError, match="mnist8"):
        data.load("mnist9")


def test_missing_files_are_refused_with_the_way_to_mend(tmp_path, monkeypatch):
    monkeypatch.setenv("RKBENCH_DATA", str(tmp_path))
    monkeypatch.setattr("torchvision.datasets.MNIST.mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError, match="train-images-idx3-ubyte is missing.*RKBENCH_DATA"):
        data.load("mnist")


@pytest.fixture
def copied_mnist(tmp_path, monkeypatch):
    """A copy of the real files that a test may break."""
    shutil.copytree(
        Path(os.environ["RKBENCH_DATA"]) / "MNIST", tmp_path / "MNIST", copy_function=shutil.copyfile
    )
    raw = tmp_path / "MNIST" / "raw"
    raw.chmod(0o755)
    monkeypatch.setenv("RKBENCH_DATA", str(tmp_path))
    return raw


@pytest.mark.mnist
@pytest.mark.parametrize("damage", ["truncated", "empty", "one bit", "header", "text"])
def test_a_damaged_file_is_refused_and_named(copied_mnist, damage):
    file = copied_mnist / "t10k-images-idx3-ubyte"
    content = bytearray(file.read_bytes())
    match damage:
        case "truncated":
            content = content[: len(content) // 2]
        case "empty":
            content = bytearray()
        case "one bit":
            content[5000] ^= 1
        case "header":
            content[3] = 9
        case "text":
            content = bytearray(b"<html>Not found</html>")
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte is not the published file.*delete it"):
        data.load("mnist")


@pytest.mark.mnist
def test_mnist_is_whole():
    mnist = data.load("mnist")
    assert mnist.x_train.shape == (60_000, 1, 28, 28)
    assert mnist.x_test.shape == (10_000, 1, 28, 28)
    assert mnist.y_test.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.mnist
def test_mnist8_is_mnist_averaged_by_area():
    small, large = data.mnist8(), data.mnist()
    assert small[0].shape == (60_000, 1, 8, 8)
    assert torch.allclose(small[2].mean((1, 2, 3)), large[2].mean((1, 2, 3)), atol=1e-5)


@pytest.mark.parametrize("name", ["digits8", pytest.param("mnist8", marks=pytest.mark.mnist)])
def test_inputs_do_not_depend_on_the_number_of_threads(name):
    before = torch.get_num_threads()
    loaded = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        loaded.append(data.load(name))
    torch.set_num_threads(before)
    assert loaded[0].sha256 == loaded[1].sha256
    assert torch.equal(loaded[0].x_train, loaded[1].x_train)
    assert torch.equal(loaded[0].x_test, loaded[1].x_test)
