"""Every evaluation of f is counted, by cause, and the count is the truth."""

import pytest
import torch

import rkbench
from rkbench import registry

METHODS = registry.default().methods
CASES = [(name, {"steps": 7}) for name in METHODS]
CASES += [(name, {"rtol": 1e-5, "atol": 1e-7}) for name, method in METHODS.items() if method.adaptive]


class Counter:
    """f, counted apart from the engine, with the times it saw."""

    def __init__(self):
        self.times = []

    def __call__(self, t, y):
        self.times.append(t.item())
        return -y + 50 * torch.exp(-(((t - 0.5) / 0.04) ** 2))


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize("t_eval", [None, [0.3, 0.9, 1.0]])
def test_nfe_claimed_is_nfe_counted(name, options, t_eval):
    f = Counter()
    stats = rkbench.solve(
        f, torch.ones(3, dtype=torch.float64), (0.0, 1.0), method=name, t_eval=t_eval, **options
    ).stats
    assert stats.nfe == len(f.times)
    assert stats.nfe == stats.nfe_start + stats.nfe_accepted + stats.nfe_rejected + stats.nfe_output


@pytest.mark.parametrize(("name", "options"), CASES)
def test_f_is_never_called_outside_the_interval(name, options):
    for span in ((0.0, 1.0), (1.0, 0.0)):
        f = Counter()
        rkbench.solve(f, torch.ones(3, dtype=torch.float64), span, method=name, **options)
        assert 0.0 <= min(f.times) <= max(f.times) <= 1.0


@pytest.mark.parametrize(
    ("name", "per_step"),
    [("euler", 1), ("rk4", 4), ("bosh3", 3), ("dopri5", 6), ("dopri8", 13), ("vern7", 9), ("bs5", 7)],
)
def test_equal_steps_evaluate_only_the_stages_they_need(name, per_step):
    solution = rkbench.solve(Counter(), torch.ones(1), (0.0, 1.0), method=name, steps=5)
    assert solution.stats.nfe == 5 * per_step


def test_an_fsal_method_saves_one_evaluation_per_attempt():
    stats = rkbench.solve(
        Counter(), torch.ones(3, dtype=torch.float64), (0.0, 2.0), rtol=1e-6, atol=1e-8
    ).stats
    assert stats.rejected > 0
    assert stats.nfe == 2 + 6 * (stats.accepted + stats.rejected)
    assert stats.nfe_rejected == 6 * stats.rejected


def test_a_pair_without_fsal_saves_the_first_stage_of_a_retry():
    stats = rkbench.solve(
        Counter(), torch.ones(3, dtype=torch.float64), (0.0, 2.0), method="cash_karp", rtol=1e-6, atol=1e-8
    ).stats
    assert stats.rejected > 0
    assert stats.nfe == 2 + 5 * (stats.accepted + stats.rejected) + stats.accepted - 1


@pytest.mark.parametrize(
    ("name", "options"),
    [("rk4", {"steps": 5}), ("dopri5", {}), ("cash_karp", {}), ("ralston3", {"steps": 2})],
)
def test_vjps_claimed_are_vjps_taken(name, options):
    taken = []
    weight = torch.tensor(2.0, requires_grad=True)

    def f(t, y):
        k = torch.tanh(weight * y)
        if k.requires_grad:  # the starting step takes no part in the gradient
            k.register_hook(taken.append)
        return k

    solution = rkbench.solve(f, torch.linspace(0, 1, 5), (0.0, 1.0), method=name, **options)
    solution.y[-1].sum().backward()
    assert solution.stats.vjps == len(taken)


def test_a_solve_without_gradient_claims_no_vjps():
    assert rkbench.solve(Counter(), torch.ones(1), (0.0, 1.0), method="rk4", steps=3).stats.vjps == 0
