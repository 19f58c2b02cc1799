"""What `rkbench list` shows: plain rows, ready for a table or JSON."""

from __future__ import annotations

from typing import Any

from rkbench import suite as suites
from rkbench.registry import Registry
from rkbench.solver import GRADIENTS
from rkbench.tableau import ButcherTableau

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
    """Return every engine, and what keeps it from running here."""
    return [
        {
            "name": name,
            "status": getattr(engine, "unavailable", lambda: None)() or "ready",
            "plugin": registry.owner("engine", name).owner,
        }
        for name, engine in registry.engines.items()
    ]


def gradients(registry: Registry) -> Rows:
    """Return every road to the gradient."""
    return [{"name": name, "what": what} for name, what in GRADIENTS.items()]


def tasks(registry: Registry) -> Rows:
    """Return every task with its data and target."""
    return [
        {
            "name": task.name,
            "dataset": task.dataset,
            "epochs": task.recipe.epochs,
            "target": task.target,
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
