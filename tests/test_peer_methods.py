"""The methods of other libraries are matched by coefficients: theirs, where they can be read, are compared with ours."""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
import torch

import rkbench
from rkbench import registry
from rkbench.conformance.trials import SPAN, distance, family, family_state
from rkbench_solvers.engines import ENGINES
from rkbench_solvers.engines.shipped import find, nearest

REGISTRY = registry.default()
PEERS = {engine.name: engine for engine in ENGINES}


def each(engine, **kinds):
    """One test per method that an engine claims to have, of the kinds asked for."""
    chosen = [
        s for s in PEERS[engine].methods if all(getattr(s, kind) == want for kind, want in kinds.items())
    ]
    return pytest.mark.parametrize("shipped", chosen, ids=lambda shipped: f"{engine}: {shipped.theirs}")


def row(values, length):
    return [float(x) for x in values] + [0.0] * (length - len(values))


def close(theirs, ours):
    np.testing.assert_allclose(
        np.asarray(theirs, dtype=float), np.asarray(ours, dtype=float), rtol=0, atol=2e-14
    )


def our_numbers(tableau):
    """c, a as a square, b and b - b̂ of ours, in floats."""
    s = tableau.stages
    return (
        row(tableau.c, s),
        [row(x, s) for x in tableau.a],
        row(tableau.b, s),
        row(tableau.error_weights, s),
    )


@each("torchdiffeq", adaptive=True)
def test_the_pairs_of_torchdiffeq_have_our_coefficients(shipped):
    solvers = pytest.importorskip("torchdiffeq._impl.odeint").SOLVERS
    theirs = solvers[shipped.theirs].tableau
    c, a, b, error = our_numbers(shipped.tableau)
    s = len(c)
    alpha, beta = theirs.alpha.tolist(), [x.tolist() for x in theirs.beta]
    close([0, *alpha][:s], c)
    close([row(x, s) for x in [[], *beta][:s]], a)
    close(theirs.c_sol.tolist()[:s], b)
    close(theirs.c_error.tolist()[:s], error)
    # The engine takes the last stage as the first of the next step; a pair that is not FSAL needs a stage for it.
    close(beta[-1], theirs.c_sol.tolist()[:-1])
    assert (alpha[-1], theirs.c_sol[-1]) == (1, 0)
    assert len(alpha) + 1 == s + (not shipped.tableau.fsal)


@each("torchdyn", adaptive=True)
def test_the_pairs_of_torchdyn_have_our_coefficients(shipped):
    solvers = pytest.importorskip("torchdyn.numerics.solvers.ode")
    c, a, b, error = solvers.str_to_solver(shipped.theirs, torch.float64).tableau
    ours = our_numbers(shipped.tableau)
    s = shipped.tableau.stages
    for theirs, mine in zip(
        ([0, *c.tolist()], [row(x, s) for x in [[], *map(list, a)]], b, error), ours, strict=True
    ):
        close(theirs, mine)


@each("torchode", adaptive=True)
def test_the_pairs_of_torchode_have_our_coefficients(shipped):
    theirs = getattr(pytest.importorskip("torchode"), shipped.theirs).TABLEAU
    for mine, name in zip(our_numbers(shipped.tableau), ("c", "a", "b", "b_err"), strict=True):
        close(getattr(theirs, name), mine)


@each("diffrax")
def test_the_methods_of_diffrax_have_our_coefficients(shipped):
    theirs = getattr(getattr(pytest.importorskip("diffrax"), shipped.theirs), "tableau", None)
    if theirs is None:
        pytest.skip("it is written without a tableau; its steps are compared in test_peer_diffrax.py")
    ours = shipped.tableau
    s = ours.stages
    close([0, *theirs.c][:s], ours.c)
    close([row(x, s) for x in [[], *theirs.a_lower][:s]], [row(x, s) for x in ours.a])
    close(theirs.b_sol[:s], ours.b)
    if shipped.adaptive:
        error = row(ours.error_weights, s)
        sign = np.sign(theirs.b_error[0] * error[0])  # no norm looks at it
        close(sign * theirs.b_error[:s], error)
        assert not np.any(theirs.b_error[s:])
    assert not np.any(theirs.b_sol[s:])


@pytest.mark.parametrize("shipped", PEERS["scipy"].methods[:2], ids=lambda shipped: shipped.theirs)
def test_the_pairs_of_scipy_have_our_coefficients(shipped):
    import scipy.integrate

    theirs = getattr(scipy.integrate, shipped.theirs)
    c, a, b, error = our_numbers(shipped.tableau)
    s = theirs.n_stages
    close(theirs.C, c[:s])
    close(theirs.A, [x[: theirs.A.shape[1]] for x in a[:s]])
    close(theirs.B, b[:s])
    close(np.abs(theirs.E), np.abs(error))


def test_dop853_of_scipy_has_our_coefficients():
    import scipy.integrate

    theirs, ours = scipy.integrate.DOP853, REGISTRY.method("dop853")
    c, a, b, error = our_numbers(ours)
    s = theirs.n_stages
    close(theirs.C, c[:s])
    close(theirs.A, [x[: theirs.A.shape[1]] for x in a[:s]])
    close(theirs.B, b[:s])
    close(np.abs(theirs.E5[: len(error)]), np.abs(error))
    close(np.abs(theirs.E3[: ours.stages]), np.abs(row(ours.error_weights_low, ours.stages)))


@pytest.mark.parametrize(
    ("engine", "shipped"),
    [(engine, shipped) for engine in ENGINES for shipped in engine.methods if shipped.equal_steps],
    ids=lambda thing: getattr(thing, "name", getattr(thing, "theirs", "")),
)
def test_equal_steps_end_where_ours_do(engine, shipped):
    if engine.unavailable() or engine.name == "diffrax":
        pytest.skip(engine.unavailable() or "an f with a twin is asked for: test_peer_diffrax.py")
    ends = [
        rkbench.solve(family, family_state(SPAN[0]), SPAN, method=shipped.tableau, steps=7, engine=which).y[
            -1
        ]
        for which in (engine, "rkbench")
    ]
    assert distance(*ends) < 1e-12


def test_a_pair_that_differs_in_its_error_estimate_is_another_method_unless_nobody_looks_at_it():
    methods = PEERS["torchode"].methods
    original = REGISTRY.method("dopri5")
    assert find(methods, original, adaptive=True) is None
    assert find(methods, original, adaptive=False) is not None


def test_a_method_is_known_by_its_numbers_and_not_by_its_name():
    methods = PEERS["torchdiffeq"].methods
    renamed = dataclasses.replace(REGISTRY.method("rk38"), name="mine")
    found = find(methods, renamed, adaptive=False)
    assert found is not None
    assert found.theirs == "rk4"
    impostor = dataclasses.replace(REGISTRY.method("rk4"), name="rk38")
    assert find(methods, impostor, adaptive=False) is None


def test_a_method_with_one_other_coefficient_is_not_matched():
    midpoint = REGISTRY.method("midpoint")
    other = dataclasses.replace(midpoint, order=1, b=(Fraction(1, 3), Fraction(2, 3)))
    assert find(PEERS["torchdiffeq"].methods, midpoint, adaptive=False) is not None
    assert find(PEERS["torchdiffeq"].methods, other, adaptive=False) is None


@pytest.mark.parametrize(
    ("method", "adaptive", "said"),
    [
        ("rk4", False, "its rk4 is our rk38"),
        ("dopri5", True, "its dopri5 is our dopri5_shampine"),
        ("dopri5", False, "its dopri5 takes no equal steps"),
        ("heun2", True, "its heun2 takes only equal steps"),
        ("tsit5", True, "it has only bosh3, dopri5_shampine, dopri8"),
    ],
)
def test_what_a_library_has_instead_is_said(method, adaptive, said):
    assert nearest(PEERS["torchdiffeq"].methods, REGISTRY.method(method), adaptive) == said
