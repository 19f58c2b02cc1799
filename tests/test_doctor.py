"""Before a run, the doctor says which differences this machine can resolve, and what disturbs it."""

import itertools

import pytest

from rkbench import doctor, machine
from rkbench.sentinel import Pulse


def felt(noise):
    """Return pulses that differ by a share from neighbour to neighbour, in no order."""
    signs = itertools.cycle((1, -1, -1, 1, 1, 1, -1, -1))
    return [Pulse(0.1 * (1 + noise * next(signs)), 0.1 * (1 - noise)) for _ in range(2 * doctor.PAIRS)]


def test_a_steady_machine_resolves_a_hundredth_and_a_shaky_one_does_not():
    steady, shaky = doctor.resolution(felt(0.002)), doctor.resolution(felt(0.2))
    assert "1 % can be told apart here with" in steady[0]
    assert "1 % cannot be told apart here" in shaky[0]
    assert len(steady) == len(shaky) == len(doctor.EFFECTS)


def test_a_larger_difference_takes_no_more_seeds():
    seeds = [int(sentence.split("with ")[1].split()[0]) for sentence in doctor.resolution(felt(0.004))]
    assert seeds == sorted(seeds, reverse=True)


def test_programs_that_take_the_cpu_are_told():
    told = doctor.disturbances([Pulse(0.2, 0.1)] * 24)
    assert any("took 50 % of the CPU" in sentence for sentence in told)


def test_a_quiet_machine_is_told_nothing_about_its_pulses(monkeypatch):
    monkeypatch.setattr(doctor, "_by_the_system", lambda: iter(()))
    assert doctor.disturbances([Pulse(0.1, 0.1)] * 24) == []


@pytest.mark.parametrize(
    ("pulses", "times"), [([0.1] * 23 + [0.2], "1 of 24"), ([0.1] * 20 + [0.2] * 4, "4 of 24")]
)
def test_moments_that_were_not_like_the_others_are_counted(pulses, times):
    told = doctor.disturbances([Pulse(seconds, seconds) for seconds in pulses])
    assert any(times in sentence and "measured again" in sentence for sentence in told)


def test_a_clock_rate_that_varies_is_told(monkeypatch):
    monkeypatch.setattr(machine, "governor", lambda: "powersave")
    assert any(
        "set it to performance" in sentence for sentence in doctor.disturbances([Pulse(0.1, 0.1)] * 24)
    )
