"""A user's own model: network, data, loss and errors become a task that is trained, judged and reported like any other."""

import math
from contextlib import nullcontext

import pytest
import torch
from torch import nn

from rkbench import Model, ModelTask, ODEBlock, Recipe, Score, UserError, runner, store, suite
from rkbench.interface import make_solver
from rkbench.lanes import Watcher
from rkbench.modelling import Modelling, moved
from rkbench.plan import expand
from rkbench.registry import load
from rkbench.train import Training

TURN = torch.tensor([[0.54, -0.84], [0.84, 0.54]])
RMSE = Score("RMSE", root=True)


def errors(network, batch):
    return (network(batch[0]) - batch[1]).square().sum(1)


def loss(network, batch):
    return errors(network, batch).mean()


def turning(solver, *, width=16):
    """y(1) is y(0) turned by one radian."""
    field = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2))
    network = ODEBlock(Field(field), solver=solver)
    y0 = torch.rand(120, 2) * 2 - 1
    return Model(network, (y0[:100], y0[:100] @ TURN), (y0[100:], y0[100:] @ TURN), loss, errors)


class Field(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = layers

    def forward(self, t, y):
        return self.layers(y)


def lesson(model, **recipe):
    return Modelling(model, Recipe(epochs=2, **recipe), RMSE, "cpu")


def trained(model, seed=0):
    torch.manual_seed(seed)
    learnt = lesson(model, batch_size=30)
    training = Training(model.network, learnt, Recipe(epochs=2, batch_size=30), 2, seed)
    training.run(lambda row: None)
    return training


def test_a_model_of_tensors_learns_and_is_judged_by_its_score():
    torch.manual_seed(0)
    training = trained(turning(make_solver("rk4", steps=2)))
    first, last = (row["test_score"] for row in training.curve)
    assert last < first < 2
    assert set(training.log.nfe_forward) == {8}
    assert "test_accuracy" not in training.curve[0]


def test_the_score_is_that_of_all_samples_however_they_are_batched():
    torch.manual_seed(0)
    model = turning(make_solver("rk4", steps=2))
    apart = [lesson(model, batch_size=size) for size in (7, 20)]
    scores = [Training(model.network, one, Recipe(epochs=1), 1, 0).evaluate(one.test())[1] for one in apart]
    with torch.no_grad():
        whole = math.sqrt(errors(model.network, model.test).mean())
    assert scores == pytest.approx([whole, whole], rel=1e-6)


def test_a_loader_gives_every_solver_the_same_batches():
    data = torch.utils.data.TensorDataset(torch.arange(50.0)[:, None])
    loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    orders = []
    for draws in (0, 3):
        torch.manual_seed(1)
        torch.rand(draws)  # what a solver draws is its own affair
        one = Modelling(Model(nn.Identity(), loader, loader, loss, errors), Recipe(epochs=2), RMSE, "cpu")
        generator = torch.Generator().manual_seed(4)
        orders.append([torch.cat([x for (x,) in one.epoch(generator)]) for _ in range(2)])
    assert torch.equal(orders[0][0], orders[1][0])
    assert torch.equal(orders[0][1], orders[1][1])
    assert not torch.equal(orders[0][0], orders[0][1])
    assert one.steps == 7


def test_batches_of_any_shape_are_moved():
    batch = {"x": torch.ones(2, dtype=torch.float64), "more": [torch.arange(3), ("name", torch.ones(1))]}
    ready = moved(batch, torch.device("cpu"))
    assert ready["x"].dtype is torch.float32
    assert ready["more"][0].dtype is torch.int64
    assert ready["more"][1][0] == "name"


@pytest.mark.parametrize(
    ("train", "sentence"),
    [
        ((torch.ones(3), torch.ones(4)), "as many samples each"),
        ((torch.ones(0, 2),), "one at least"),
        (iter([1]), "gone through again"),
        ([], "gone through again"),
    ],
)
def test_data_that_are_none_are_refused(train, sentence):
    with pytest.raises(UserError, match=sentence):
        lesson(Model(nn.Identity(), train, (torch.ones(2),), loss, errors))


@pytest.mark.parametrize(
    ("score", "refused"), [(Score("RMSE", root=True), True), (Score("NLL", "nats"), False)]
)
def test_negative_errors_are_refused_unless_they_are_logarithms(score, refused):
    model = Model(
        nn.Identity(), (torch.ones(2),), (torch.ones(2),), None, lambda network, batch: -torch.ones(2)
    )
    taught = Modelling(model, Recipe(epochs=1), score, "cpu")
    with pytest.raises(UserError, match="no negative ones") if refused else nullcontext():
        assert taught.judge(model.network, (torch.ones(2),)).score == -2


def test_errors_that_are_not_one_for_each_sample_are_refused():
    model = Model(
        nn.Identity(), (torch.ones(2),), (torch.ones(2),), loss, lambda network, batch: torch.ones(())
    )
    with pytest.raises(UserError, match="one number for each sample"):
        lesson(model).judge(model.network, (torch.ones(2),))


PLUGIN = """
from rkbench import ModelTask, Recipe, Score, hookimpl
from test_model_task import turning

@hookimpl
def rkbench_tasks():
    recipe = Recipe(epochs=2, batch_size=50)
    return [ModelTask("turning", turning, recipe, Score("RMSE", root=True), target=0.9)]
"""


class Silent(Watcher):
    def planned(self, todo, done): ...
    def started(self, cell): ...
    def epoch(self, cell, row): ...
    def ended(self, cell, record, again): ...
    def note(self, sentence): ...


def test_a_run_records_the_score_beside_that_of_a_tight_solve(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(__import__("pathlib").Path(__file__).parent))
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN)
    tasks = ["turning", "turning[width=4]"]
    chosen = suite.select(suite.load("quick"), tasks=tasks, methods=["rk4"], seeds=1)
    job = runner.Job(chosen, expand(chosen, load([str(file)])), [str(file)])
    runner.run(job, tmp_path / "run", Silent(), jobs=2)
    records = {record.task: record for record in store.read(tmp_path / "run").records}
    assert {record.status for record in records.values()} == {"ok"}, records
    wide, narrow = (records[task] for task in tasks)
    assert (wide.score, wide.test_accuracy) == ("RMSE", None)
    assert 0 < wide.test_score < 2
    assert abs(wide.tight_score_change) < 1e-3
    assert wide.parameters > narrow.parameters
    assert [row["by_method"] for row in wide.looks] == ["rk4", "rk4", "rk4", "rk4", "dopri5"]


def test_a_task_with_a_score_has_options():
    task = ModelTask("turning", turning, Recipe(epochs=2), RMSE, target=0.9)
    from rkbench.variation import varied

    other = varied(task, "turning[width=4, epochs=3]", {"width": 4, "epochs": 3, "target": 0.5})
    assert (other.recipe.epochs, other.target) == (3, 0.5)
    assert other.model(make_solver("euler", steps=1)).network.f.layers[0].out_features == 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"recipe": Recipe(epochs=1, crop=2)}, "crop and flip are for the images of a Task"),
        ({"recipe": Recipe(epochs=1, flip=True)}, "crop and flip are for the images of a Task"),
        ({"kinetic": -1.0}, "kinetic must be 0 or more"),
        ({"jacobian": math.nan}, "jacobian must be 0 or more"),
        ({"target": math.nan}, "target must be a number"),
    ],
)
def test_what_a_model_would_ignore_or_could_not_follow_is_refused(given, sentence):
    good = {
        "name": "m",
        "model": lambda solver: None,
        "recipe": Recipe(epochs=1),
        "score": RMSE,
        "target": 1.0,
    }
    ModelTask(**good)
    with pytest.raises(UserError, match=sentence):
        ModelTask(**good | given)
