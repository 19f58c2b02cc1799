"""What this distribution brings to rkbench: one method and one step-size controller."""

from rkbench import hookimpl
from rkbench_example.controller import CONTROLLER
from rkbench_example.method import METHOD


@hookimpl
def rkbench_methods():
    """Return the methods: any number of tableaux."""
    return [METHOD]


@hookimpl
def rkbench_controllers():
    """Return the step-size controllers; delete this hook if you bring none."""
    return [CONTROLLER]
