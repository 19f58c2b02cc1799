"""What this machine can tell apart, what disturbs it, and what to do about it: before a run, not after."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil

from rkbench import machine, turns
from rkbench.lanes import pulse
from rkbench.report.statistics import MOST_SEEDS, pairs_needed
from rkbench.sentinel import LIMIT, Pulse

PAIRS = 12
"""Pairs of pulses that are felt: a few seconds."""

EFFECTS = (0.01, 0.05, 0.20)
"""Differences in time that a user may want to find."""


def pulses() -> list[Pulse]:
    """Return pulses of this machine, each of a process of its own, tied to a CPU as a cell is."""
    with turns.alone(lambda sentence: None):
        return [pulse() for _ in range(2 * PAIRS)]


def resolution(felt: Sequence[Pulse]) -> list[str]:
    """Return what differences in time this machine resolves, one sentence each.

    Neighbouring pulses are the same work twice: what they differ in is noise, as between two cells of one seed.
    """
    noise = [np.array([math.log(b.clock / a.clock) for a, b in pairwise(felt)][::2])]
    found = []
    for effect in EFFECTS:
        seeds = pairs_needed(noise, effect)
        said = f"Times that differ by {100 * effect:g} %"
        if seeds is None or seeds > MOST_SEEDS:
            found.append(f"{said} cannot be told apart here, not even with {MOST_SEEDS} seeds.")
        else:
            found.append(f"{said} can be told apart here with {seeds} seeds.")
    return found


def disturbances(felt: Sequence[Pulse]) -> list[str]:
    """Return what disturbs timings here, each with what to do."""
    return [*_by_the_pulses(felt), *_by_the_system()]


def _by_the_pulses(felt: Sequence[Pulse]) -> Iterator[str]:
    shared = float(np.median([one.clock / one.cpu for one in felt])) - 1
    if shared > 0.02:
        yield (
            f"Other programs took {100 * shared / (1 + shared):.0f} % of the CPU from a cell; stop them: "
            f"{', '.join(_busiest()) or 'a look at `top` shows them'}."
        )
    usual = float(np.median([one.clock for one in felt]))
    odd = sum(abs(one.clock / usual - 1) > LIMIT for one in felt)
    if odd:
        yield (
            f"The same work took {100 * LIMIT:.0f} % more or less than usual {odd} of {len(felt)} times; cells beside such "
            "moments are measured again, so expect a longer run, or choose a quieter hour."
        )


def _by_the_system() -> Iterator[str]:
    if (load := os.getloadavg()[0]) > 0.5 + 1e-9:
        yield f"The load is {load:.1f}: other programs run and will disturb timings; stop them."
    if (governor := machine.governor()) not in ("", "performance"):
        yield f"The CPU governor is {governor}: the clock rate varies; set it to performance."
    if (
        _read("/sys/devices/system/cpu/intel_pstate/no_turbo") == "0"
        or _read("/sys/devices/system/cpu/cpufreq/boost") == "1"
    ):
        yield "The CPU boosts its clock rate when it is cool; switch boosting off for times that repeat."
    if getattr(psutil.cpu_times(), "steal", 0.0) > 0.01 * sum(psutil.cpu_times()):
        yield "The host takes time from this virtual machine; ask for cores of your own."
    if "hypervisor" in _read("/proc/cpuinfo"):
        yield "This is a virtual machine, whose neighbours share its caches; repeat what matters on hardware of your own."
    battery = getattr(psutil, "sensors_battery", lambda: None)()
    if battery is not None and not battery.power_plugged:
        yield "The machine runs on its battery, which lowers the clock rate; plug it in."


def _busiest() -> list[str]:
    """Return the names of the busiest programs but ours."""
    found = []
    for process in psutil.process_iter(["name"]):
        try:
            if process.pid != os.getpid() and process.cpu_percent(0.0) >= 0:
                found.append(process)
        except psutil.Error:
            continue
    psutil.cpu_percent(0.2)
    shares = []
    for process in found:
        try:
            shares.append((process.cpu_percent(0.0), process.info["name"] or "?"))
        except psutil.Error:
            continue
    return [f"{name} ({share:.0f} %)" for share, name in sorted(shares, reverse=True)[:3] if share > 5]


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
