"""Training with a compiled solver: counted by audits, and the compiler's time apart from the epochs'."""

from functools import partial

import pytest
import torch

from rkbench.classification import Classification
from rkbench.compiling import CompileClock
from rkbench.data import Dataset
from rkbench.integrate import graphs
from rkbench.interface import make_solver
from rkbench.networks.tanh import tanh_net
from rkbench.task import Recipe
from rkbench.train import Training, TrainingError

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")


@pytest.fixture(autouse=True)
def no_code_generation(monkeypatch):
    graphs._graph.cache_clear()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))


def training(**options):
    torch.manual_seed(0)
    x, y = torch.randn(20, 4), torch.arange(20) % 2
    data = Dataset("made up", x, y, x[:6], y[:6], "")
    network = tanh_net(make_solver(**options), 4, 2)
    recipe = Recipe(epochs=2, batch_size=8)
    return Training(network, Classification(data, recipe), recipe, 2, seed=0)


def trained(**options):
    one = training(**options)
    one.run(lambda row: None)
    return one


@pytest.mark.parametrize(
    "options",
    [{"method": "rk4", "steps": 2}, {"method": "heun2", "rtol": 1e-2}],
    ids=["equal steps", "adaptive"],
)
def test_a_compiled_training_is_the_eager_one_with_the_same_bill(options):
    eager, compiled = trained(**options), trained(compile=True, **options)
    assert compiled.log == eager.log
    assert compiled.vjps == eager.vjps
    for ours, theirs in zip(compiled.curve, eager.curve, strict=True):
        assert ours["test_loss"] == pytest.approx(theirs["test_loss"], rel=1e-4)
    assert eager.compile_seconds is None
    assert compiled.compile_seconds > 0


def test_compiling_within_an_epoch_is_no_part_of_its_time():
    """Here one is made to compile in its second epoch, for longer than everything else takes."""
    one = training(method="rk4", steps=2, compile=True)
    with one.compiling:
        one.warm_up()
        plain = one.epoch(1)["seconds"]
        graphs._graph.cache_clear()
        before = one.compile_seconds
        again = one.epoch(2)["seconds"]
    assert one.compile_seconds - before > 2 * plain
    assert again < one.compile_seconds - before + plain


def test_a_claim_that_the_audit_does_not_find_is_refused(monkeypatch):
    one = training(method="rk4", steps=2, compile=True)
    honest = graphs.Graphs.evaluations
    monkeypatch.setattr(graphs.Graphs, "evaluations", lambda self, *a, **k: honest(self, *a, **k) - 1)
    with pytest.raises(TrainingError, match="claims 7 evaluations of f where the harness counted 8"):
        one.run(lambda row: None)


def test_the_clock_of_compilers_runs_while_something_is_compiled():
    with CompileClock() as clock:
        f = torch.compile(lambda x: x.sin() + 1)
        f(torch.ones(3, requires_grad=True)).sum().backward()
        first = clock.seconds
        f(torch.ones(3, requires_grad=True)).sum().backward()
    assert 0 < first == clock.seconds
