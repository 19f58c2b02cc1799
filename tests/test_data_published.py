"""Sets that are fetched through torchvision come whole, from the published files, or are refused in one sentence."""

import gzip
import hashlib
import pickle

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from rkbench import checksums, data
from rkbench.errors import DataError

CLOTHES = {"train": 50, "t10k": 20}


def idx(values):
    """The bytes of an idx file of unsigned bytes."""
    return bytes((0, 0, 8, values.ndim)) + np.array(values.shape, ">u4").tobytes() + values.tobytes()


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty torchvision root, without a network; what is published is what a test puts there."""
    monkeypatch.setenv("RKBENCH_DATA", str(tmp_path))
    monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/cifar.tar.gz")
    checksums.of.cache_clear()
    yield tmp_path
    checksums.of.cache_clear()


@pytest.fixture
def clothes(folder, monkeypatch):
    """Packed idx files with random images."""
    raw = folder / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for half, count in CLOTHES.items():
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        (raw / f"{half}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
        (raw / f"{half}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels)))
    monkeypatch.setattr(
        checksums, "FASHION_MNIST", {name: sha256(raw / name) for name in checksums.FASHION_MNIST}
    )
    return raw


def batch(seed, count=10):
    pixels = np.random.default_rng(seed).integers(0, 256, (count, 3072), np.uint8)
    return {"data": pixels, "labels": [(seed + i) % 10 for i in range(count)]}


@pytest.fixture
def photographs(folder, monkeypatch):
    """Pickled batches of random images, with the checksums that torchvision looks at, too."""
    raw = folder / "cifar-10-batches-py"
    raw.mkdir()
    contents = {name: batch(seed) for seed, name in enumerate(checksums.CIFAR10)}
    contents["batches.meta"] = {"label_names": list("abcdefghij")}
    for name, content in contents.items():
        (raw / name).write_bytes(pickle.dumps(content))
    hold(raw, monkeypatch)
    return raw


def hold(raw, monkeypatch):
    """Take what is in the folder for what is published."""
    monkeypatch.setattr(checksums, "CIFAR10", {name: sha256(raw / name) for name in checksums.CIFAR10})
    hold_md5(raw, monkeypatch)


def hold_md5(raw, monkeypatch):
    """Let torchvision take what is in the folder for what is published."""
    md5 = {name: hashlib.md5((raw / name).read_bytes()).hexdigest() for name in checksums.CIFAR10}
    for one in ("train_list", "test_list"):
        monkeypatch.setattr(CIFAR10, one, [[name, md5[name]] for name, _ in getattr(CIFAR10, one)])
    monkeypatch.setattr(CIFAR10, "meta", CIFAR10.meta | {"md5": md5["batches.meta"]})


def test_clothes_are_read_from_packed_files(clothes):
    x_train, y_train, x_test, y_test = data.fashion_mnist()
    assert (x_train.shape, x_test.shape) == ((50, 1, 28, 28), (20, 1, 28, 28))
    assert (x_train.dtype, y_train.dtype) == (torch.float32, torch.int64)
    first = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    assert torch.equal((x_train[:, 0] * 255).round().byte(), torch.from_numpy(first))
    assert y_test.tolist() == [i % 10 for i in range(20)]


def test_photographs_keep_their_colours_and_their_order(photographs):
    x_train, y_train, x_test, y_test = data.cifar10()
    assert (x_train.shape, x_test.shape) == ((50, 3, 32, 32), (10, 3, 32, 32))
    assert x_train.is_contiguous()
    planes = torch.from_numpy(batch(1)["data"]).reshape(10, 3, 32, 32)
    assert torch.equal((x_train[10:20] * 255).round().byte(), planes)
    assert y_train[10:20].tolist() == batch(1)["labels"]
    assert y_test.tolist() == batch(5)["labels"]


def test_colours_are_standardised_together(photographs):
    found = data.load("cifar10")
    assert found.x_train.mean().item() == pytest.approx(0, abs=1e-5)
    assert found.x_train.std().item() == pytest.approx(1, abs=1e-4)
    assert found.classes == 10
    assert found.sha256 == checksums.of("cifar10")


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_nothing_at_hand_and_no_network_is_said_with_the_way_to_mend(folder, name):
    with pytest.raises(DataError, match=r"is missing\) and could not be downloaded \(.*RKBENCH_DATA"):
        data.load(name)


def test_a_set_that_lacks_a_file_is_no_set(clothes, photographs):
    (clothes / "t10k-labels-idx1-ubyte.gz").unlink()
    (photographs / "test_batch").unlink()
    with pytest.raises(DataError, match=r"FashionMNIST.raw \(t10k-labels-idx1-ubyte.gz is missing"):
        data.load("fashion_mnist")
    with pytest.raises(DataError, match=r"cifar-10-batches-py \(test_batch is missing"):
        data.load("cifar10")


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: b"", lambda content: b"<html>"]
)
def test_a_damaged_file_is_refused_and_named(clothes, photographs, damage):
    for name, file in (("fashion_mnist", "train-images-idx3-ubyte.gz"), ("cifar10", "data_batch_3")):
        damaged = (clothes if name == "fashion_mnist" else photographs) / file
        damaged.write_bytes(damage(damaged.read_bytes()))
        with pytest.raises(DataError, match=f"{file} is not the published file.*delete it"):
            data.load(name)


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (self.path.__class__.touch, (self.path,))


@pytest.mark.parametrize("name", ["data_batch_1", "test_batch", "batches.meta"])
def test_no_pickle_is_opened_before_its_sha256_is_that_of_the_published_one(
    photographs, monkeypatch, tmp_path, name
):
    """Even one whose MD5 satisfies torchvision, which somebody could forge."""
    (photographs / name).write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    hold_md5(photographs, monkeypatch)
    with pytest.raises(DataError, match=f"{name} is not the published file"):
        data.load("cifar10")
    assert not (tmp_path / "exploded").exists()


def test_a_file_that_torchvision_refuses_is_refused(photographs, monkeypatch):
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", "0" * 32]])
    with pytest.raises(DataError, match="CIFAR-10 in .* could not be read .*delete the folder"):
        data.load("cifar10")


def test_only_what_is_missing_is_downloaded(clothes, monkeypatch):
    kept = {file.name: file.read_bytes() for file in clothes.iterdir()}
    asked = []

    def fetch(url, folder, name, md5):
        asked.append((url, md5))
        (clothes / name).write_bytes(kept[name])

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
    (clothes / "train-labels-idx1-ubyte.gz").unlink()
    assert len(data.load("fashion_mnist").y_train) == 50
    assert asked == [("http://127.0.0.1:9/train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe")]


def test_the_files_are_those_of_torchvision():
    assert list(checksums.FASHION_MNIST) == [name for name, _ in FashionMNIST.resources]
    batches = [name for name, _ in (*CIFAR10.train_list, *CIFAR10.test_list)]
    assert list(checksums.CIFAR10) == [*batches, CIFAR10.meta["filename"]]
    assert len(FashionMNIST.mirrors) == 1
