"""Short work is timed again and again."""

import itertools

import pytest
import torch

from rkbench import measure


@pytest.mark.parametrize(("seconds", "times"), [(1e-6, measure.MOST), (0.01, 30), (10.0, measure.LEAST)])
def test_quick_work_is_repeated_often_and_slow_work_a_few_times(seconds, times, monkeypatch):
    taken = itertools.count()
    monkeypatch.setattr(measure, "timed", lambda work, device: (seconds, next(taken)))
    assert measure.median_seconds(lambda: None, torch.device("cpu")) == seconds
    assert abs(next(taken) - times) <= 1
