"""The suite of controls compares methods at equal parameters, on every layer, with steps that land on control nodes."""

import pytest
import torch

from rkbench import registry, suite
from rkbench.networks.dynamic import DynamicBlock
from rkbench.networks.layers import LAYERS
from rkbench.plan import expand
from rkbench.tasks import controls

REGISTRY = registry.default()
SMALL, FULL = (suite.load("controls", scale) for scale in ("small", "full"))


def test_every_layer_has_a_task_at_either_scale():
    assert set(controls.LAYERS) == set(LAYERS)
    for chosen in (SMALL, FULL):
        assert {name.partition("[")[0] for name in chosen.tasks} == {
            f"mnist8_controls_{layer}" for layer in LAYERS
        }


@pytest.mark.parametrize("name", SMALL.tasks)
def test_every_solver_of_the_suite_trains_the_same_parameters_from_node_to_node(name):
    start, sizes = [], set()
    cells = [cell for cell in expand(SMALL, REGISTRY) if (cell.task, cell.seed) == (name, 0)]
    for cell in cells:
        torch.manual_seed(0)
        network = REGISTRY.task(name).network(cell.solver(REGISTRY), torch.zeros(2, 1, 8, 8), 10)
        start.append(torch.cat([p.detach().reshape(-1) for p in network.parameters()]))
        sizes.add(sum(p.numel() for p in network.parameters()))
        [block] = [module for module in network.modules() if isinstance(module, DynamicBlock)]
        assert len(block.blocks) == (1 if "intervals=1" in name else 4)
        assert network(torch.zeros(3, 1, 8, 8)).shape == (3, 10)
    assert len(sizes) == 1
    assert all(torch.equal(start[0], other) for other in start)


def test_rk4_is_held_against_others_with_as_many_evaluations():
    points = {(cell.method, cell.steps) for cell in expand(SMALL, REGISTRY)}
    assert {("rk4", 4), ("euler", 16), ("midpoint", 8)} <= points
