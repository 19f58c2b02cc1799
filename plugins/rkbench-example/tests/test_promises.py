"""What rkbench promises of every method and controller, kept by the ones in this distribution."""

import pytest

from rkbench import registry
from rkbench.conformance import check_controller, check_method
from rkbench_example.controller import CONTROLLER
from rkbench_example.method import METHOD


@pytest.mark.parametrize("check", check_method(METHOD), ids=lambda check: check.promise)
def test_the_method_keeps_its_promise(check):
    assert check.passed, check.detail


@pytest.mark.parametrize("check", check_controller(CONTROLLER), ids=lambda check: check.promise)
def test_the_controller_keeps_its_promise(check):
    assert check.passed, check.detail


def test_rkbench_finds_this_distribution_by_its_entry_point():
    [plugin] = [plugin for plugin in registry.load().plugins if plugin.distribution == "rkbench-example"]
    assert plugin.problems == []
    assert plugin.brought == ["method example", "controller example_pi33"]
