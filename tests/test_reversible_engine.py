"""Reversible engines keep an engine's promises: times, shapes, dtypes, failures, refusals, and a place in a run."""

import copy
import json
import math

import pytest
import torch
from click.testing import CliRunner

import rkbench
from rkbench import cli, registry
from rkbench.conformance import check_engine
from rkbench.conformance.trials import SPAN, Observed, distance, family, family_state, rms, slope
from rkbench_solvers.engines import REVERSIBLE
from rkbench_solvers.engines.reversible import McCallumFosterEngine, ReversibleHeunEngine

REGISTRY = registry.default()

both = pytest.mark.parametrize(
    ("engine", "method"), [("reversible", "rk4"), ("reversible", "dopri5"), ("reversible_heun", "heun2")]
)


def solve(engine, method, f, y0, span, steps=8, **options):
    return rkbench.solve(f, y0, span, method=method, steps=steps, engine=engine, **options)


@pytest.mark.parametrize("engine", REVERSIBLE, ids=lambda engine: engine.name)
def test_every_promise_of_an_engine_is_kept(engine):
    checks = check_engine(engine)
    assert [check for check in checks if not check.passed] == []
    assert "observed order is the order of its steps" in {check.promise for check in checks}


def test_an_order_claimed_in_vain_is_found_out():
    class Vain(ReversibleHeunEngine):
        def order(self, method):
            return 3

    assert [check.promise for check in check_engine(Vain()) if not check.passed] == [
        "observed order is the order of its steps"
    ]


@pytest.mark.parametrize(
    ("engine", "method", "order"),
    [
        ("reversible", "euler", 1),
        ("reversible", "midpoint", 2),
        ("reversible", "heun3", 3),
        ("reversible", "rk38", 4),
        ("reversible", "cash_karp", 5),
        ("reversible_heun", "heun2", 2),
    ],
)
def test_the_order_is_that_of_the_method(engine, method, order):
    errors = [
        rms(solve(engine, method, family, family_state(0.0), SPAN, steps).y[-1] / family_state(SPAN[1]) - 1)
        for steps in (16, 32)
    ]
    assert order - 0.2 < slope(*errors) < order + 0.5


@both
def test_output_times_are_those_asked_for(engine, method):
    times = (0.1, 0.25, 0.25, 0.3, 0.5)
    solution = solve(engine, method, family, family_state(0.0), SPAN, 50, t_eval=times)
    assert solution.t == times
    for t, y in zip(times, solution.y, strict=True):
        assert distance(y, family_state(t)) < 2e-3
    assert torch.equal(solution.y[1], solution.y[2])


@both
def test_an_output_time_that_misses_the_grid_by_round_off_takes_no_step_of_its_own(engine, method):
    times = torch.linspace(0, 0.5, 8).tolist()  # in float32
    solution = solve(engine, method, family, family_state(0.0), SPAN, 7, t_eval=times)
    assert solution.stats.accepted == len(solution.steps) == 7
    assert sum(solution.steps) == pytest.approx(0.5)


@both
@pytest.mark.parametrize("span", [(0.1, 0.1 + 1 / 3), (0.1 + 1 / 3, 0.1)])
def test_f_is_called_within_the_interval_only(engine, method, span):
    f = Observed(family)
    solution = solve(engine, method, f, family_state(span[0]), span)
    assert min(span) <= min(f.times) <= max(f.times) <= max(span)
    assert solution.t_reached == span[1]


@both
def test_down_in_time_is_up_in_mirrored_time(engine, method):
    down = solve(engine, method, family, family_state(SPAN[1]), SPAN[::-1]).y[-1]
    up = solve(engine, method, lambda s, y: -family(-s, y), family_state(SPAN[1]), (-SPAN[1], -SPAN[0])).y[-1]
    assert distance(down, up) < 1e-12


@both
@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (1, 2), (2, 3, 4)])
def test_a_state_of_any_shape_passes(engine, method, shape):
    y0 = torch.ones(shape, dtype=torch.float64).requires_grad_()
    solution = solve(engine, method, lambda t, y: -y, y0, (0.0, 1.0))
    assert solution.y.shape == (2, *shape)
    assert solution.status is rkbench.Status.OK
    solution.y.sum().backward()
    assert y0.grad is not None
    torch.testing.assert_close(y0.grad - 1, torch.full_like(y0, math.exp(-1)), rtol=1e-2, atol=0)


@both
def test_a_state_that_is_not_contiguous_passes(engine, method):
    y0 = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)
    straight = solve(engine, method, lambda t, y: -y, y0, (0.0, 1.0)).y
    turned = solve(engine, method, lambda t, y: -y, y0.T.contiguous().T, (0.0, 1.0)).y
    assert torch.equal(straight, turned)


@both
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_dtype_stays(engine, method, dtype):
    f = Observed(family)
    y = solve(engine, method, f, family_state(0.0).to(dtype), SPAN).y
    assert (y.dtype, f.dtypes) == (dtype, {dtype})


@both
def test_an_empty_interval_is_no_solve(engine, method):
    f = Observed(family)
    solution = solve(engine, method, f, family_state(0.3), (0.3, 0.3))
    assert (solution.status, f.calls) == (rkbench.Status.OK, 0)
    assert torch.equal(solution.y, torch.stack([family_state(0.3)] * 2))


@both
def test_an_interval_of_one_ulp_ends(engine, method):
    solution = solve(engine, method, family, family_state(0.3), (0.3, math.nextafter(0.3, 1)))
    assert solution.t_reached == math.nextafter(0.3, 1)
    assert solution.status is rkbench.Status.OK


@both
def test_nan_in_f_is_a_solution_that_says_so_and_its_gradient_is_no_number(engine, method):
    y0 = torch.ones(2, dtype=torch.float64, requires_grad=True)
    solution = solve(engine, method, lambda t, y: torch.where(t > 0.5, y * torch.nan, -y), y0, (0.0, 1.0))
    assert solution.status is rkbench.Status.NON_FINITE
    solution.y[-1].sum().backward()
    assert y0.grad is not None
    assert y0.grad.isnan().all()


@both
def test_a_state_that_overflows_is_a_solution_that_says_so(engine, method):
    y0 = torch.ones(2, requires_grad=True)
    solution = solve(engine, method, lambda t, y: y**3, y0, (0.0, 9.0))
    assert solution.status is rkbench.Status.NON_FINITE


@pytest.mark.parametrize("times", [(0.2, 0.1), (0.0, 0.7), (0.0, math.nan)])
def test_times_that_make_no_sense_are_refused(times):
    with pytest.raises(rkbench.SolverError, match="sort, cut or mend t_eval"):
        solve("reversible", "rk4", family, family_state(0.0), SPAN, t_eval=times)


@pytest.mark.parametrize(
    ("f", "got"),
    [
        (lambda t, y: y[:1], r"\(\(1,\), torch.float64\)"),
        (lambda t, y: y.float(), "float32"),
        (lambda t, y: None, "None"),
    ],
)
def test_f_of_another_shape_or_dtype_is_refused(f, got):
    with pytest.raises(rkbench.SolverError, match=rf"returned .*{got}.*; return dy/dt of the same shape"):
        solve("reversible", "rk4", f, torch.ones(2, dtype=torch.float64), (0.0, 1.0))


def test_a_state_of_whole_numbers_is_refused():
    with pytest.raises(rkbench.SolverError, match="y0 must be a tensor of a real floating dtype"):
        solve("reversible", "rk4", family, torch.ones(2, dtype=torch.int64), (0.0, 1.0))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rtol": 1e-3}, "equal steps only; give steps=10"),
        ({"steps": 5, "gradient": "adjoint"}, "use gradient='backprop'"),
        ({"steps": 5, "compile": True}, "drop compile=True"),
        ({"controller": rkbench.replay([0.5, 0.5])}, "equal steps only"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(options, reason):
    with pytest.raises(rkbench.SolverError, match=f"The engine reversible cannot run dopri5: .*{reason}"):
        rkbench.ODEBlock(torch.nn.Identity(), "dopri5", engine="reversible", **options)


def test_reversible_heun_runs_heuns_method_by_whatever_name():
    heun: rkbench.ButcherTableau = REGISTRY.method("heun2")
    twin = rkbench.ButcherTableau("twin", 2, c=heun.c, a=heun.a, b=heun.b)
    assert solve("reversible_heun", twin, family, family_state(0.0), SPAN).status is rkbench.Status.OK
    with pytest.raises(
        rkbench.SolverError, match="built on heun2; take method='heun2', or engine='reversible' around rk4"
    ):
        solve("reversible_heun", "rk4", family, family_state(0.0), SPAN)


def test_another_coupling_is_another_engine():
    assert McCallumFosterEngine().name == "reversible"
    engine = McCallumFosterEngine(0.999)
    assert engine.name == "reversible_0.999"
    ours, theirs = (
        solve(which, "rk4", family, family_state(0.0), SPAN).y for which in (engine, "reversible")
    )
    assert not torch.equal(ours, theirs)
    with pytest.raises(ValueError, match="between 0 and 1, not 1; take 0.99"):
        McCallumFosterEngine(1)


@both
def test_a_block_trains_and_can_be_copied(engine, method):
    torch.manual_seed(0)
    block = rkbench.ODEBlock(Layer(), method, steps=4, engine=engine)
    x = torch.randn(16, 3)
    losses = []
    optimizer = torch.optim.Adam(block.parameters(), lr=0.05)
    for _ in range(30):
        optimizer.zero_grad()
        loss = (block(x) - x.flip(1)).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2
    assert torch.equal(copy.deepcopy(block)(x), block(x))


class Layer(torch.nn.Module):
    """A small field."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 3)

    def forward(self, t, y):
        return torch.tanh(self.linear(y))


SUITE = """
title = "Reversible steppers"
baseline = "heun2"
tasks = ["digits8_tanh"]
seeds = 1
threads = 1
timeout_seconds = 120

[[solvers]]
method = ["heun2"]
steps = 4
engine = ["rkbench", "reversible", "reversible_heun"]
"""


def test_a_suite_trains_with_them(tmp_path):
    suite, out = tmp_path / "reversible.toml", tmp_path / "run"
    suite.write_text(SUITE, encoding="utf-8")
    done = CliRunner().invoke(cli.cli, ["run", str(suite), "--epochs", "1", "--out", str(out)])
    assert done.exit_code == 0, done.output
    lines = map(json.loads, (out / "records.jsonl").read_text("utf-8").splitlines())
    records = list({line["cell_id"]: line for line in lines}.values())  # a disturbed cell has come again
    bills = {r["engine"]: (r["nfe_forward"], r["nfe_backward"], r["vjps"]) for r in records}
    assert bills == {"rkbench": (8, 0, 8), "reversible": (14, 14, 14), "reversible_heun": (5, 5, 5)}
    assert [r["status"] for r in records] == ["ok"] * 3
    accuracies = [r["test_accuracy"] for r in records]
    assert max(accuracies) - min(accuracies) < 0.05
