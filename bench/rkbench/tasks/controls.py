"""Dynamic blocks with time-varying controls (Onken & Ruthotto 2020): one task per layer, dense and for 8×8 digits.

The parameters have four intervals of their own whatever the solver, linear between nodes, so solvers are compared at
equal parameters: four steps and more.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rkbench.task import Recipe, Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.solver import Solver

LAYERS = ("double", "preact_double", "double_sym", "antisymmetric", "hamiltonian")
"""Of `rkbench.networks.layers`, whose import takes torch's."""

DATA = {
    "digits8": (Recipe(epochs=8, batch_size=64), 0.95),
    "mnist8": (Recipe(epochs=5, batch_size=128), 0.96),
}
"""Dataset -> recipe and target."""


def network(
    solver: Solver,
    example: Tensor,
    classes: int,
    *,
    layer: str = "double",
    intervals: int = 4,
    between: str = "linear",
    size: float = 0.0,
    slope: float = 0.0,
) -> nn.Module:
    """Return the network for flat inputs ``[batch, n]``."""
    from rkbench.networks.controlled import dense_net

    controls = {"intervals": intervals, "between": between, "size": size, "slope": slope}
    return dense_net(solver, example.flatten(1).shape[1], classes, layer=layer, controls=controls)


TASKS = [
    Task(
        name=f"{dataset}_controls_{layer}",
        dataset=dataset,
        network=partial(network, layer=layer),
        recipe=recipe,
        target=target,
        summary=f"{dataset}, {layer} layer in 64 dimensions, θ(t) linear in 4 intervals (Onken & Ruthotto 2020)",
    )
    for dataset, (recipe, target) in DATA.items()
    for layer in LAYERS
]
