"""What holds for every test: where MNIST is looked for, one thread, and a garbage collector with little to look at.

Tests marked ``mnist`` run where the files are; CI demands them by RKBENCH_REQUIRE_MNIST=1.
"""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before torch is imported. As in a cell; on a busy machine torch's threads wait for each other far longer than they
# compute, and a test's time is no longer its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs MNIST where it is not, unless it is demanded: then a missing file fails."""
    demanded = os.environ.get("RKBENCH_REQUIRE_MNIST")
    if item.get_closest_marker("mnist") and not demanded and not _mnist_is_here():
        pytest.skip("MNIST is not here; set RKBENCH_DATA to a folder that holds MNIST/raw")


def _mnist_is_here() -> bool:
    root = os.environ.get("RKBENCH_DATA")
    return root is not None and (Path(root) / "MNIST" / "raw").is_dir()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Run benchmarks once, as tests, unless they are asked for: ``pytest tests/benchmarks --benchmark-only``."""
    if not config.getoption("benchmark_only", default=False):
        config.option.benchmark_disable = True


@pytest.fixture(scope="module", autouse=True)
def _nothing_old_to_collect() -> None:
    """Hide what is there from the collector: each gauge of memory would have it look through all that was imported."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders to be used as TMPDIR: their paths leave room for the name of a socket, which has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="rk-", ignore_cleanup_errors=True) as folder:
        yield lambda: Path(tempfile.mkdtemp(dir=folder, prefix=""))


def pytest_unconfigure() -> None:
    """Let the collector see everything again, to take it down."""
    gc.unfreeze()
