"""The promises of a method, a controller and an engine, each checked by running it.

A tableau cannot exist without the orders it claims; here it is set to work and measured. `rkbench check` prints
the checks, and the test suite asks every registered method, controller and engine for every promise.
"""

from rkbench.conformance.check import Check, Promise
from rkbench.conformance.controllers import CONTROLLER_PROMISES, check_controller
from rkbench.conformance.engines import ENGINE_PROMISES, check_engine
from rkbench.conformance.methods import METHOD_PROMISES, check_method

__all__ = [
    "CONTROLLER_PROMISES",
    "ENGINE_PROMISES",
    "METHOD_PROMISES",
    "Check",
    "Promise",
    "check_controller",
    "check_engine",
    "check_method",
]
