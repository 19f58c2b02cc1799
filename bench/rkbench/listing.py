"""What `rkbench list` shows: plain rows, ready for a table or JSON."""

from __future__ import annotations

from typing import Any

from rkbench import suite as suites
from rkbench.registry import Registry
from rkbench.solver import GRADIENTS
from rkbench.tableau import ButcherTableau
from rkbench.variation import of_builder

Rows = list[dict[str, Any]]


def methods(registry: Registry) -> Rows:
    """Return name, order, stages, kind and source of every method."""
    return [_method(registry, tableau) for tableau in registry.methods.values()]


def _method(registry: Registry, tableau: ButcherTableau) -> dict[str, Any]:
    proof = tableau.proofs["b"]
    return {
        "name": tableau.name,
        "order": tableau.order,
        "embedded": tableau.embedded_order,
        "stages": tableau.stages,
        "fsal": tableau.fsal,
        "proof": "exact" if proof.exact else f"to {proof.residual:.0e}",
        "source": tableau.source.short if tableau.source else "",
        "plugin": registry.owner("method", tableau.name).owner,
    }


def controllers(registry: Registry) -> Rows:
    """Return name, limits and source of every controller."""
    return [
        {
            "name": controller.name,
            "adaptive": controller.adaptive,
            "safety": controller.safety if controller.adaptive else None,
            "source": controller.source.short if controller.source else "",
            "plugin": registry.owner("controller", controller.name).owner,
        }
        for controller in registry.controllers.values()
    ]


def engines(registry: Registry) -> Rows:
    """Return every engine with the version of its library, what keeps it from running here, and known defects."""
    return [
        {
            "name": name,
            "version": _version(registry, name),
            "status": getattr(engine, "unavailable", lambda: None)() or "ready",
            "plugin": registry.owner("engine", name).owner,
            "defects": [f"{defect.where}: {defect.what}" for defect in getattr(engine, "defects", ())],
        }
        for name, engine in registry.engines.items()
    ]


def _version(registry: Registry, name: str) -> str | None:
    """Return the version of an engine: its own word, an adapter's library; or its distribution's."""
    engine: Any = registry.engine(name)
    return engine.version if hasattr(engine, "version") else registry.owner("engine", name).version


def gradients(registry: Registry) -> Rows:
    """Return every road to the gradient."""
    return [{"name": name, "what": what} for name, what in GRADIENTS.items()]


def tasks(registry: Registry) -> Rows:
    """Return every task with its data, its target, and the options of its network or model."""
    return [
        {
            "name": task.name,
            "dataset": task.dataset,
            "experiment": task.experiment,
            "epochs": task.epochs,
            "score": task.scored_by,
            "target": getattr(task, "target", None),
            "options": [f"{name}={value}" for name, value in of_builder(task).items()],
            "what": task.summary,
            "plugin": registry.owner("task", task.name).owner,
        }
        for task in registry.tasks.values()
    ]


def suites_(registry: Registry) -> Rows:
    """Return the built-in suites."""
    loaded = [suites.load(name) for name in suites.names()]
    return [
        {
            "name": suite.name,
            "title": suite.title,
            "tasks": ", ".join(suite.tasks),
            "methods": ", ".join(method for axis in suite.solvers for method in axis.method),
            "seeds": suite.seeds,
        }
        for suite in loaded
    ]


def plugins(registry: Registry) -> Rows:
    """Return every plugin, with what is wrong with the broken ones."""
    return [
        {
            "name": plugin.name,
            "distribution": plugin.owner,
            "status": plugin.status,
            "brought": len(plugin.brought),
            "problems": plugin.problems,
            "notes": plugin.notes,
        }
        for plugin in registry.plugins
    ]


KINDS = {
    "methods": methods,
    "controllers": controllers,
    "engines": engines,
    "gradients": gradients,
    "tasks": tasks,
    "suites": suites_,
    "plugins": plugins,
}
