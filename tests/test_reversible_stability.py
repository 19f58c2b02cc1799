"""The limits that `rkbench show` prints of a reversible scheme are those of its steps, and solves are held to them."""

import math
from pathlib import Path

import pytest
import torch

import rkbench
from rkbench import registry, show
from rkbench_solvers.engines import reversible_stability as stability
from rkbench_solvers.engines.reversible import McCallumFosterEngine, ReversibleHeunEngine
from rkbench_solvers.engines.reversible_shears import McCallumFoster, ReversibleHeun

METHODS = registry.default().methods
EPS = stability.EPS["float64"]


def wrapped(method, coupling=0.99):
    return McCallumFoster(METHODS[method], coupling)


def linear(rate):
    """y' = μy for a complex μ, on pairs of real numbers."""
    matrix = torch.tensor([[rate.real, -rate.imag], [rate.imag, rate.real]], dtype=torch.float64)
    return lambda t, y: matrix @ y


def solve(engine, method, z, steps, **options):
    """Solve y' = zy with steps of size 1."""
    y0 = torch.tensor([1.0, 0.0], dtype=torch.float64)
    return rkbench.solve(
        linear(z), y0, (0.0, float(steps)), method=method, steps=steps, engine=engine, **options
    )


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk4", 4), ("dopri5", 5), ("dop853", 8)])
@pytest.mark.parametrize("coupling", [0.9, 0.99, 0.999])
def test_a_mode_may_decay_by_the_coupling_in_a_step(method, order, coupling):
    """R(-x) = λ, and R is exp up to the order."""
    limit = stability.real_limit(wrapped(method, coupling))
    expected = -math.log(coupling)
    assert limit == pytest.approx(expected, rel=expected**order, abs=1e-6)


@pytest.mark.parametrize(("method", "limit"), [("kutta3", 3**0.5), ("rk4", 8**0.5), ("dop853", 5.96)])
def test_oscillations_are_stable_about_as_far_as_those_of_the_tableau(method, limit):
    assert stability.imaginary_limit(wrapped(method)) == pytest.approx(limit, rel=5e-3)


def test_reversible_heun_is_stable_on_oscillations_only():
    assert stability.real_limit(ReversibleHeun()) == 0
    assert stability.imaginary_limit(ReversibleHeun()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("z", [-0.3, 0.2, 0.4j, 1.2j, -0.5 + 0.7j])
@pytest.mark.parametrize(
    ("engine", "method", "scheme"),
    [
        ("reversible", "euler", wrapped("euler")),
        ("reversible", "rk4", wrapped("rk4")),
        ("reversible_heun", "heun2", ReversibleHeun()),
    ],
)
def test_the_growth_is_that_of_the_engines_own_steps(engine, method, scheme, z, monkeypatch):
    """States of a linear recurrence of two terms: y'' = (sum of eigenvalues) y' - (product) y."""
    monkeypatch.setattr("rkbench_solvers.engines.reversible_function.PARTED", math.inf)
    # From equal half kicks on, that is from the second step.
    y = [torch.view_as_complex(y) for y in solve(engine, method, complex(z), 6, t_eval=range(1, 7)).y]
    first, second = stability._eigenvalues(scheme, z)
    for a, b, c in zip(y, y[1:], y[2:], strict=False):
        assert complex(c) == pytest.approx(complex((first + second) * b - first * second * a), rel=1e-10)
    assert stability.growth(scheme, z) == max(abs(first), abs(second))


def test_the_eigenvalues_multiply_to_the_coupling():
    for z in (0.0, -0.5, 2.8j, 1 + 1j):
        first, second = stability._eigenvalues(wrapped("rk4"), z)
        assert first * second == pytest.approx(0.99, rel=1e-12)
        first, second = stability._eigenvalues(ReversibleHeun(), z)
        assert first * second == pytest.approx(-1, rel=1e-12)


# Held to the limits.

UNSTABLE = [
    ("reversible", "rk4", -0.009, -0.02, 2500),
    ("reversible", "rk4", 1.5j, 3.1j, 200),
    ("reversible", "dopri5", -0.009, -0.05, 700),
    ("reversible", "euler", -0.0095, -0.05, 100),
    ("reversible_heun", "heun2", 0.5j, 1.02j, 200),
    ("reversible_heun", "heun2", 0.1, -0.1, 100),
]


@pytest.mark.parametrize(("engine", "method", "inside", "outside", "steps"), UNSTABLE)
def test_steps_inside_the_limit_are_taken_and_outside_it_refused(engine, method, inside, outside, steps):
    assert solve(engine, method, complex(inside), steps).status is rkbench.Status.OK
    with pytest.raises(
        rkbench.SolverError, match=f"have parted, by .*`rkbench show {method}`, or take engine"
    ):
        solve(engine, method, complex(outside), steps)


def test_steps_outside_the_limit_that_do_no_harm_are_taken():
    """A mode of a network: thirty times the limit, ten steps. The tableau's own error is as large."""
    ours, native = (solve(engine, "rk4", -0.3 + 0j, 10).y[-1] for engine in ("reversible", "rkbench"))
    assert stability.growth(wrapped("rk4"), -0.3) > 1.3
    assert (ours - native).norm() < 1e-3


def test_a_field_that_became_unstable_in_training_is_found_before_its_gradient_is_used():
    rate = torch.tensor(-0.01, dtype=torch.float64, requires_grad=True)
    y0 = torch.ones(1, dtype=torch.float64)

    def f(t, y):
        return rate * y

    options = {"method": "rk4", "steps": 500, "engine": "reversible"}
    rkbench.solve(f, y0, (0.0, 500.0), **options).y[-1].sum().backward()
    with torch.no_grad():
        rate.mul_(10)
    y = rkbench.solve(f, y0, (0.0, 500.0), **options).y[-1]
    with pytest.raises(rkbench.SolverError, match="have parted"):
        y.sum().backward()


# Round-off on the way back.


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("steps", [100, 700])
def test_the_way_back_is_off_by_what_was_predicted(dtype, steps, monkeypatch):
    """Seen by handing the found y(t0) out as an error."""
    monkeypatch.setattr("rkbench_solvers.engines.reversible_function.RECONSTRUCTION", 0.0)
    torch.manual_seed(0)
    weight = torch.randn(8, 8, dtype=dtype)
    weight = (weight - weight.T) / 5
    y0 = torch.randn(4, 8, dtype=dtype, requires_grad=True)
    y = rkbench.solve(
        lambda t, y: torch.tanh(y @ weight), y0, (0.0, 1.0), method="euler", steps=steps, engine="reversible"
    ).y
    with pytest.raises(rkbench.SolverError, match=r"missed y\(t0\) by (\S+) of its size") as refusal:
        y.sum().backward()
    off = float(str(refusal.value).split("by ")[1].split(" of")[0])
    predicted = stability.reconstruction_error(wrapped("euler"), steps, torch.finfo(dtype).eps)
    assert predicted / 10 < off < 3 * predicted


def test_the_steps_allowed_are_those_within_the_limit():
    for scheme in (wrapped("rk4"), wrapped("rk4", 0.9), wrapped("euler", 0.999)):
        for eps in stability.EPS.values():
            most = stability.most_steps(scheme, eps)
            assert stability.reconstruction_error(scheme, most, eps) <= stability.RECONSTRUCTION
            assert stability.reconstruction_error(scheme, most + 1, eps) > stability.RECONSTRUCTION


def test_more_steps_than_float64_can_walk_back_are_refused_with_the_solver():
    most = stability.most_steps(wrapped("rk4"), EPS)
    assert 2500 < most < 2900
    rkbench.ODEBlock(torch.nn.Identity(), "rk4", steps=most, engine="reversible")
    with pytest.raises(rkbench.SolverError, match=f"take at most {most} steps, or take engine='rkbench'"):
        rkbench.ODEBlock(torch.nn.Identity(), "rk4", steps=most + 1, engine="reversible")


@pytest.mark.parametrize(("dtype", "steps"), [(torch.float32, 800), (torch.bfloat16, 1)])
def test_more_steps_than_the_dtype_can_walk_back_are_refused_when_a_gradient_is_to_come(dtype, steps):
    y0 = torch.ones(3, dtype=dtype)
    options = {"method": "rk4", "steps": steps, "engine": "reversible"}
    assert rkbench.solve(lambda t, y: 0 * y, y0, (0.0, 1.0), **options).status is rkbench.Status.OK
    name = str(dtype).removeprefix("torch.")
    with pytest.raises(rkbench.SolverError, match=f"round-off of {name} .* take engine='rkbench'"):
        rkbench.solve(lambda t, y: 0 * y, y0.requires_grad_(), (0.0, 1.0), **options)


def test_a_way_back_that_misses_the_start_hands_out_no_gradient():
    """f that is not a function of its arguments: it remembers how often it was called."""
    calls = []

    def f(t, y):
        calls.append(t)
        return y.sin() * (1 + 0.01 * len(calls))

    y0 = torch.ones(3, dtype=torch.float64, requires_grad=True)
    y = rkbench.solve(f, y0, (0.0, 1.0), method="rk4", steps=3, engine="reversible").y
    with pytest.raises(rkbench.SolverError, match=r"missed y\(t0\) by .* of its size"):
        y.sum().backward()


# Told.


def told(method):
    """The facts that engines tell, by engine."""
    engines = registry.default().engines.values()
    lines = show.as_text(METHODS[method], engines).splitlines()
    return [" ".join(line.split()) for line in lines if line not in show.as_text(METHODS[method])]


def test_show_tells_the_limits():
    assert told("heun2") == [
        "reversible order 2; stable to 0.01005 (real), 0.1531 (imaginary)",
        "way back: round-off 1e-06 after 100 steps of float32; at most 773 steps (float64: 2773)",
        "reversible_heun order 2; stable to 0 (real), 1 (imaginary)",
        "way back: round-off 6e-07 after 100 steps of float32; any number",
    ]
    assert [line.split()[0] for line in told("rk4")] == ["reversible", "way"]


def test_an_engine_whose_facts_fail_is_told_and_harms_no_other():
    class Broken(ReversibleHeunEngine):
        name = "broken"

        def facts(self, method):
            raise ZeroDivisionError("of its own")

    text = show.as_text(METHODS["rk4"], [Broken(), McCallumFosterEngine(0.9)])
    assert "broken " in text
    assert "ZeroDivisionError: of its own" in text
    assert "reversible_0.9 " in text


def test_the_readme_shows_what_show_prints():
    readme = (Path(__file__).parents[1] / "plugins" / "README.md").read_text("utf-8")
    mine = rkbench.ButcherTableau("mine", 3, c="0 2/5 4/5", a=("", "2/5", "-1/5 1"), b="1/6 5/12 5/12")
    for line in show.as_text(mine, registry.default().engines.values()).splitlines()[-2:]:
        assert line in readme
