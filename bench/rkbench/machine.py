"""Where a run takes place: machine, versions and commit, as far as the system tells; no torch in it."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

PACKAGES = ("rkbench", "torch", "torchvision", "numpy", "scipy", "pandas", "pluggy")
PEERS = ("torchdiffeq", "torchode", "torchdyn", "diffrax", "jax")


def describe() -> dict[str, Any]:
    """Return what a reader needs to judge a time: CPU, cores, memory, system, Python, governor, load."""
    import psutil

    return {
        "host": host(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "affinity": affinity(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "governor": governor(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def governor() -> str:
    """Return the name of the rule that sets the clock rate; empty where the system does not tell."""
    return next(iter(_lines("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")), "")


def host() -> str:
    """Return the machine's name."""
    return platform.node()


def kernel() -> str:
    """Return what all containers of one machine share, whatever their names: the boot of its kernel."""
    return next(iter(_lines("/proc/sys/kernel/random/boot_id")), host())


def affinity() -> list[int]:
    """Return the CPUs that this process may use."""
    return (
        sorted(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else list(range(os.cpu_count() or 1))
    )


def cpus_for(threads: int) -> list[int]:
    """Return the CPUs to tie a cell with so many threads to: whole cores first, the last of the machine.

    Interrupts and the harness itself tend to the first. Empty where there are not as many CPUs, or no such ties.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    free = affinity()[::-1]
    cores = {tuple(_siblings(cpu)): cpu for cpu in reversed(free)}
    first = sorted(cores.values(), reverse=True)
    ordered = first + [cpu for cpu in free if cpu not in first]
    return sorted(ordered[:threads]) if threads <= len(ordered) else []


def _siblings(cpu: int) -> list[str]:
    """Return the names of the CPUs that share a core with one, itself included."""
    return _lines(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") or [str(cpu)]


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide results."""
    return {name: package_version(name) for name in (*PACKAGES, *PEERS)}


@functools.cache
def package_version(name: str) -> str:
    """Return the version of an installed distribution, or an empty string."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


@functools.cache
def commit() -> str:
    """Return the commit rkbench is run from, with ``+dirty`` for a changed tree; empty for an installed wheel."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    head = _git(root, "rev-parse", "HEAD")
    return head + "+dirty" if head and _git(root, "status", "--porcelain", "--", "bench", "plugins") else head


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _cpu_model() -> str:
    for line in _lines("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
