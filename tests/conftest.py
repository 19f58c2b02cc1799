"""Tests marked ``mnist`` run where the files are; CI demands them by RKBENCH_REQUIRE_MNIST=1."""

import os
from pathlib import Path

import pytest


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
