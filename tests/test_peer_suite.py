"""The suite that races libraries asks each of them only for what it has, whether it is installed here or not."""

from rkbench import registry, suite
from rkbench_solvers.engines import ENGINES
from rkbench_solvers.engines.shipped import find

REGISTRY = registry.default()
PEERS = {engine.name: engine for engine in ENGINES}


def test_every_engine_of_the_suite_has_the_methods_asked_of_it():
    asked = [
        (PEERS[engine], REGISTRY.method(method), bool(axis.rtol))
        for axis in suite.load("engines").solvers
        for engine in axis.engine
        for method in axis.method
        if engine not in ("rkbench", "diffrax")  # test_peer_diffrax.py has the methods of the latter
    ]
    assert {engine.name for engine, _, _ in asked} == {
        "torchdiffeq",
        "torchdiffeq_as_shipped",
        "torchode",
        "torchdyn",
    }
    lacking = [
        (engine.name, method.name)
        for engine, method, adaptive in asked
        if find(engine.methods, method, adaptive) is None
    ]
    assert lacking == []


def test_every_point_of_the_suite_is_run_by_rkbench_too():
    axes = suite.load("engines").solvers
    ours = {(m, axis.steps, axis.rtol) for axis in axes for m in axis.method if "rkbench" in axis.engine}
    assert {(m, axis.steps, axis.rtol) for axis in axes for m in axis.method} == ours
