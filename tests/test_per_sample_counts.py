"""One call of f is one evaluation, however many samples it holds; each is counted by cause, forth and back."""

import pytest
import torch

import rkbench
from rkbench import registry

ADAPTIVE = [name for name, method in registry.default().methods.items() if method.adaptive]
OPTIONS = {"control": "sample", "rtol": 1e-4, "atol": 1e-6}


class Watched:
    """Bursts at times that the second component holds, with the calls, the samples in them and the VJPs counted."""

    def __init__(self):
        self.weight = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
        self.seen, self.times, self.vjps = [], [], 0

    def __call__(self, t, y):
        self.seen.append(y[:, 1].tolist())
        self.times += t.flatten().tolist()
        burst = 50 * torch.exp(-(((t - y[:, 1:]) / 0.04) ** 2))
        k = (torch.tanh(self.weight * y) + burst) * torch.tensor([1.0, 0.0], dtype=torch.float64)
        if k.requires_grad:
            k.register_hook(self._pulled)
        return k

    def _pulled(self, grad):
        self.vjps += 1


def start(centres=(0.3, 0.5, 0.8, 5.0)):
    return torch.tensor([[0.5, centre] for centre in centres], dtype=torch.float64)


@pytest.mark.parametrize("name", ADAPTIVE)
@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize("t_eval", [None, [0.3, 0.9, 1.0]])
def test_nfe_claimed_is_nfe_counted(name, grad, t_eval):
    f = Watched()
    with torch.set_grad_enabled(grad):
        solution = rkbench.solve(f, start(), (0.0, 1.0), method=name, t_eval=t_eval, **OPTIONS)
    stats = solution.stats
    assert sum(solution.samples.rejected) > 0
    assert stats.nfe == len(f.seen)
    assert stats.accepted == max(solution.samples.accepted)
    assert stats.rejected == max(solution.samples.rejected)


@pytest.mark.parametrize("span", [(0.0, 1.0), (1.0, 0.0)])
def test_f_is_never_called_outside_the_interval(span):
    f = Watched()
    rkbench.solve(f, start(), span, **OPTIONS)
    assert 0.0 <= min(f.times) <= max(f.times) <= 1.0
    assert {0.0, 1.0} <= set(f.times)


@pytest.mark.parametrize("grad", [True, False])
def test_f_meets_only_samples_that_still_run(grad):
    """Whatever f is called with, it meets each sample as often as its own steps need, and twice to start."""
    f = Watched()
    with torch.set_grad_enabled(grad):
        solution = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    met = [sum(row.count(centre) for row in f.seen) for centre in start()[:, 1].tolist()]
    alone = [
        2 + 6 * (a + r) for a, r in zip(solution.samples.accepted, solution.samples.rejected, strict=True)
    ]
    again = [n - least for n, least in zip(met, alone, strict=True)]
    assert min(len(row) for row in f.seen) == 1
    if grad:  # accepted steps beside rejected ones are taken again
        assert all(n >= 0 for n in again)
        assert sum(again) > 0
    else:
        assert again == [0] * 4


def test_a_call_counts_as_accepted_when_it_served_one_sample():
    f = Watched()
    with torch.no_grad():
        solution = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS)
    rounds = max(a + r for a, r in zip(solution.samples.accepted, solution.samples.rejected, strict=True))
    assert solution.stats.nfe == 2 + 6 * rounds
    assert solution.stats.nfe_start == 2
    assert solution.stats.nfe_rejected < 6 * max(solution.samples.rejected)


def test_a_step_that_is_taken_again_counts_as_rejected_first():
    f = Watched()
    with torch.no_grad():
        cheap = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS).stats
    dear = rkbench.solve(f, start(), (0.0, 1.0), **OPTIONS).stats
    assert dear.nfe_accepted == cheap.nfe_accepted
    assert dear.nfe_rejected > cheap.nfe_rejected


@pytest.mark.parametrize("name", ["dopri5", "bosh3", "cash_karp", "dop853", "tsit5"])
@pytest.mark.parametrize("gradient", ["backprop", "checkpoint"])
@pytest.mark.parametrize("centres", [(5.0,), (0.3, 0.5, 0.8, 5.0), (5.0, 6.0)])
def test_the_backward_pass_costs_what_was_claimed(name, gradient, centres):
    f = Watched()
    solution = rkbench.solve(f, start(centres), (0.0, 1.0), method=name, gradient=gradient, **OPTIONS)
    before = len(f.seen)
    f.vjps = 0
    solution.y[-1].sum().backward()
    assert len(f.seen) - before == solution.stats.nfe_backward
    assert f.vjps == solution.stats.vjps
    assert (solution.stats.nfe_backward > 0) == (gradient == "checkpoint")
