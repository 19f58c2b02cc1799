"""The gradient is followed back through a network: exactly, whatever its layers are, and however small it is."""

import math
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from rkbench import NativeEngine, ODEBlock, SignalTask, registry, suite
from rkbench.errors import UnsupportedError
from rkbench.experiments import signal
from rkbench.experiments.failure import ExperimentFailed
from rkbench.interface import make_solver
from rkbench.networks.stack import plain_stack, residual_stack
from rkbench.networks.tanh import TanhField
from rkbench.plan import blank_record, expand
from rkbench.train import TrainingError

PLUGINS = registry.default()
CELLS = expand(
    suite.select(
        suite.load("quick"), tasks=["digits8_signal_tanh[depth=6]", "digits8_signal_odenet"], methods=["rk4"], seeds=1
    ),
    PLUGINS,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _double():
    """As a cell of the suite has it, for this file alone."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def measured(name="digits8_signal_odenet", seed=0, task: Any = None, **options) -> Any:
    torch.manual_seed(seed)
    record = blank_record(CELLS[-1])
    solver = make_solver(**options) if options else None
    chosen: Any = task or PLUGINS.task(name)
    signal.measure(CELLS[-1], chosen, solver, record, lambda row: None)
    return record


def problem(batch=7, n=5, classes=3):
    torch.manual_seed(0)
    return torch.nn.Linear(n, classes), torch.randn(batch, n), torch.randint(classes, (batch,))


def test_a_stack_is_measured_once_per_seed_and_an_ode_net_with_every_solver():
    assert [(cell.task, cell.experiment, cell.method) for cell in CELLS] == [
        ("digits8_signal_tanh[depth=6]", "signal", ""), ("digits8_signal_odenet", "signal", "rk4"),
    ]  # fmt: skip


@pytest.mark.parametrize("network", [plain_stack(5, 4, "tanh"), residual_stack(5, 4, scaled=True)])
def test_the_norms_are_those_of_differences(network):
    head, x, y = problem()
    network, h = network.double(), 1e-6
    found = signal.followed(list(network), head, x, y)
    state = network[:2](x).detach()
    direction = torch.autograd.functional.jacobian(lambda s: cross_entropy(head(network[2:](s)), y), state)
    unit = direction / direction.norm()
    loss = [float(cross_entropy(head(network[2:](state + sign * h * unit)), y).detach()) for sign in (1, -1)]
    assert found[1].state_gradient == pytest.approx((loss[0] - loss[1]) / (2 * h), rel=1e-6)
    assert [one.layer for one in found] == [1, 2, 3, 4]


def test_a_layer_with_parameters_has_the_norm_of_their_gradient_and_one_without_has_none():
    head, x, y = problem()
    linear = torch.nn.Linear(5, 5)
    found = signal.followed([linear, torch.nn.Tanh()], head, x, y)
    cross_entropy(head(linear(x).tanh()), y).backward()
    grads = [p.grad for p in linear.parameters() if p.grad is not None]
    assert found[0].parameter_gradient == pytest.approx(math.hypot(*(float(g.norm()) for g in grads)))
    assert found[1].parameter_gradient == 0


@pytest.mark.parametrize(
    "options",
    [
        {"method": "euler", "steps": 5},
        {"method": "rk4", "steps": 3},
        {"method": "dopri5", "steps": 2},
        {"method": "dopri5", "rtol": 1e-6, "atol": 1e-6},
    ],
)
def test_what_the_steps_of_a_solve_add_is_the_gradient_of_all_of_it(options):
    head, x, y = problem()
    torch.manual_seed(1)
    block = ODEBlock(TanhField(5), solver=make_solver(**options))
    steps = signal.unrolled(torch.nn.Sequential(block), x)
    assert len(steps) == len(block.last_steps)
    start = x.clone().requires_grad_()
    cross_entropy(head(block(start)), y).backward()
    again = x.clone().requires_grad_()
    cross_entropy(head(torch.nn.Sequential(*steps)(again)), y).backward()
    torch.testing.assert_close(again.grad, start.grad)
    for whole, *each in zip(block.parameters(), *(step.parameters() for step in steps), strict=True):
        torch.testing.assert_close(sum(p.grad for p in each), whole.grad)


def test_euler_is_a_residual_stack_that_shares_its_weights():
    record = measured(method="euler", steps=4)
    torch.manual_seed(0)
    dataset = signal.data.load("digits8")
    chosen = torch.randperm(len(dataset.x_train))[:128]
    head, field = torch.nn.Linear(64, 10), TanhField(64)
    stack: Any = residual_stack(64, 4, scaled=True)
    for layer in stack:
        layer.f.linear.load_state_dict(field.linear.state_dict())
    x = dataset.x_train[chosen].flatten(1).double()
    found = signal.followed(list(stack), head, x, dataset.y_train[chosen])
    for row, one in zip(record.signal, found, strict=True):
        assert row == pytest.approx(one._asdict(), rel=1e-9)


def test_the_record_has_a_row_per_layer_the_ratio_of_its_ends_and_the_bill():
    record = measured(method="rk4", steps=6)
    assert [row["layer"] for row in record.signal] == [1, 2, 3, 4, 5, 6]
    assert record.layers == record.accepted == 6
    assert (
        record.state_gradient_ratio
        == record.signal[0]["state_gradient"] / record.signal[-1]["state_gradient"]
    )
    assert record.nfe_forward == 24
    assert record.parameters == 64 * 64 + 64 + 650


def test_a_stack_has_no_bill():
    record = measured("digits8_signal_tanh[depth=6]")
    assert (record.layers, record.nfe_forward, record.accepted) == (6, None, None)
    assert record.parameters == 6 * (64 * 64 + 64) + 650


def test_networks_of_one_seed_have_the_same_batch_and_classifier():
    plain, residual = (measured(f"digits8_signal_{name}[depth=1]") for name in ("tanh", "resnet"))
    assert plain.signal[0]["state_gradient"] == pytest.approx(residual.signal[0]["state_gradient"], rel=0.3)
    assert plain.signal == measured("digits8_signal_tanh[depth=1]").signal
    assert plain.signal != measured("digits8_signal_tanh[depth=1]", seed=1).signal


def test_the_gradient_vanishes_in_a_plain_stack_and_not_in_an_ode_net():
    assert measured("digits8_signal_sigmoid[depth=16]").state_gradient_ratio < 1e-10
    assert measured("digits8_signal_tanh[depth=16]").state_gradient_ratio < 1e-2
    assert 0.1 < measured("digits8_signal_odenet", method="rk4", steps=16).state_gradient_ratio < 10


@pytest.mark.parametrize("exponent", [-200, 0, 200])
def test_a_norm_neither_underflows_nor_overflows(exponent):
    scale = 10.0**exponent
    assert signal.norm([torch.tensor([3 * scale]), torch.tensor([[0.0, 4 * scale]])]) == pytest.approx(
        5 * scale
    )


def test_a_norm_of_nothing_is_zero():
    assert signal.norm([]) == signal.norm([torch.zeros(3)]) == 0


def test_a_gradient_that_underflows_in_single_precision_is_recorded_as_zero():
    torch.set_default_dtype(torch.float32)
    record = measured("digits8_signal_sigmoid[depth=80]")
    assert (record.signal[0]["state_gradient"], record.state_gradient_ratio) == (0, 0)
    assert record.signal[-1]["state_gradient"] > 0


def test_a_gradient_that_is_not_finite_is_no_result():
    def explode(solver, n):
        layer = torch.nn.Linear(n, n)
        torch.nn.init.constant_(layer.weight, 1e200)
        return torch.nn.Sequential(layer, layer)

    with pytest.raises(ExperimentFailed, match="NaN or infinite; take fewer layers") as caught:
        measured(task=SignalTask("explode", "digits8", explode, solves=False))
    assert caught.value.status == "non_finite"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "rk4", "steps": 4, "gradient": "checkpoint"}, "use gradient='backprop'"),
        ({"method": "dopri5", "rtol": 1e-3, "control": "sample"}, "use control='batch'"),
        ({"method": "rk4", "steps": 4, "engine": "reversible"}, "use engine='rkbench'"),
    ],
)
def test_a_solve_without_layers_to_look_at_is_refused_in_a_sentence(options, sentence):
    with pytest.raises(UnsupportedError, match=sentence):
        measured(**options)


class Liar(NativeEngine):
    """One evaluation more than it claims."""

    name = "liar"

    def solve(self, solver, f, y0, t_span, t_eval=None):
        f(torch.tensor(0.0), y0)
        return super().solve(solver, f, y0, t_span, t_eval)


def test_an_engine_that_miscounts_has_no_result():
    with pytest.raises(TrainingError, match="claims 16 evaluations of f where the harness counted 17"):
        measured(method="rk4", steps=4, engine=Liar())
