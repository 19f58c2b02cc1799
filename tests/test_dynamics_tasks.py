"""Every task of learnt dynamics trains as a cell; known states cut no step, and may come at times of their own."""

import pytest
import torch

from rkbench import cell, registry, suite
from rkbench.interface import make_solver
from rkbench.plan import expand
from rkbench.tasks import dynamics, spiral

REGISTRY = registry.default()
NAMES = [task.name for task in dynamics.TASKS]


def built(name, method="rk4", steps=3, **options):
    torch.manual_seed(0)
    return REGISTRY.task(name).model(make_solver(method, steps=steps), trajectories=2, **options)


@pytest.mark.parametrize("name", NAMES)
def test_a_window_starts_at_one_state_and_holds_three_more_at_equal_times(name):
    model = built(name)
    start, later = model.train
    assert later.shape == (len(start), 3, start.shape[1])
    assert len(model.test[0]) == len(start) // 2
    every = torch.cat((start[:, None], later), 1).flatten(0, 1)
    assert torch.allclose(every.std(0), torch.ones(start.shape[1], dtype=every.dtype), rtol=0.2)


@pytest.mark.parametrize(("method", "steps"), [("euler", 12), ("midpoint", 6), ("rk4", 3)])
@pytest.mark.parametrize("irregular", [False, True])
def test_methods_of_equal_evaluations_are_compared_at_equal_evaluations(method, steps, irregular):
    model = built("pendulum", method, steps, irregular=irregular)
    batch = tuple(x[:4].float() for x in model.train)
    model.errors(model.network, batch)
    assert model.network.block.last_stats.nfe == 12


def test_irregular_windows_are_those_of_the_same_trajectories():
    (y0, later), (start, t, state) = (
        built("pendulum", irregular=irregular).train for irregular in (False, True)
    )
    assert torch.equal(y0, start)
    thirds = (t * dynamics.KNOWN / dynamics.PENDULUM.span).flatten()
    for i in range(1, dynamics.KNOWN + 1):
        here = torch.isclose(thirds, torch.tensor(float(i), dtype=t.dtype))
        assert here.any()
        assert torch.equal(later[here, i - 1], state[here, 0])
    assert len(t.unique()) == dynamics.PLACES


def test_data_do_not_depend_on_the_seed_and_weights_do():
    torch.manual_seed(1)
    other, one = (
        REGISTRY.task("lorenz_net").model(make_solver("rk4", steps=3), trajectories=2),
        built("lorenz_net"),
    )
    assert all(map(torch.equal, (*one.train, *one.test), (*other.train, *other.test)))
    assert not torch.equal(one.network.block.f.layers[0].weight, other.network.block.f.layers[0].weight)


TRAINED = [f"{name}[trajectories=2]" for name in NAMES] + ["pendulum[trajectories=2, irregular=true]"]
TRAINED += [f"{task.name}[observations=60]" for task in spiral.TASKS]


@pytest.mark.parametrize("name", TRAINED)
def test_every_task_trains_as_a_cell(name):
    chosen = suite.select(suite.load("quick"), tasks=[name], methods=["rk4"], seeds=1, epochs=1)
    [planned] = expand(chosen, REGISTRY)
    record = cell.run(planned, [], lambda row: None, alone=False)
    assert record.status == "ok", record.message
    assert record.test_score > 0
    assert (record.tight_score_change is None) == ("gru" in name)
    assert record.subject == REGISTRY.task(name).subject
