"""State that everybody in a process shares and that any plugin could change: what it is, how it is read and put back."""

from __future__ import annotations

import gc
import locale
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

UNKNOWN = object()
"""Of what cannot be read here, and so is not put back."""


class Trait(NamedTuple):
    """A piece of shared state.

    Attributes:
        name: in words for the user.
        read: returns it; values are compared with ==.
        write: puts it back.
        module: that holds it, which need not have been imported; empty for Python itself.
        initial: what it is when that module is imported.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], Any]
    module: str = ""
    initial: Any = UNKNOWN

    def now(self) -> Any:
        """Return it as it is, or will be; `UNKNOWN` where it cannot be read."""
        if self.module and self.module not in sys.modules:
            return self.initial
        try:
            return self.read()
        except Exception:  # a working folder that was removed, an option that this version of torch lacks
            return UNKNOWN


def _set_environment(value: dict[str, str]) -> None:
    for name in os.environ.keys() - value.keys():
        del os.environ[name]
    os.environ.update(value)


def _handlers() -> dict[int, Any]:
    return {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}


def _set_handlers(value: dict[int, Any]) -> None:
    for number, handler in value.items():
        signal.signal(number, handler)


def _set_collector(value: tuple[bool, Any]) -> None:
    (gc.enable if value[0] else gc.disable)()
    gc.set_threshold(*value[1])


def _set_tracing(value: tuple[Any, Any]) -> None:
    sys.settrace(value[0])
    sys.setprofile(value[1])


def _numbers() -> tuple[Any, ...]:
    name, keys, *rest = sys.modules["numpy"].random.get_state()
    return name, keys.tobytes(), *rest


def _set_numbers(value: tuple[Any, ...]) -> None:
    numpy = sys.modules["numpy"]
    numpy.random.set_state((value[0], numpy.frombuffer(value[1], numpy.uint32), *value[2:]))


OF_PYTHON = (
    Trait("the working folder", os.getcwd, os.chdir),
    Trait("environment variables", lambda: dict(os.environ), _set_environment),
    Trait("signal handlers", _handlers, _set_handlers),
    Trait(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda value: locale.setlocale(locale.LC_ALL, value),
    ),
    Trait("the garbage collector", lambda: (gc.isenabled(), gc.get_threshold()), _set_collector),
    Trait("tracing", lambda: (sys.gettrace(), sys.getprofile()), _set_tracing),
    Trait(
        "the CPUs of the process",
        lambda: os.sched_getaffinity(0),
        lambda value: os.sched_setaffinity(0, value),
    ),
    Trait("Python's random numbers", random.getstate, random.setstate),
    Trait("numpy's random numbers", _numbers, _set_numbers, "numpy.random"),
)


def _of_torch(name: str, read: Callable[[Any], Any], write: Callable[[Any, Any], Any], initial: Any) -> Trait:
    return Trait(
        name,
        lambda: read(sys.modules["torch"]),
        lambda value: write(sys.modules["torch"], value),
        "torch",
        initial,
    )


def _of_backend(backend: str, option: str, initial: Any) -> Trait:
    return _of_torch(
        f"torch.backends.{backend}.{option}",
        lambda torch: getattr(getattr(torch.backends, backend), option),
        lambda torch, value: setattr(getattr(torch.backends, backend), option, value),
        initial,
    )


def _device(torch: Any) -> Any:
    """Return the mode that puts new tensors on a device; the CPU, named, is one too, and costs every call some time."""
    return torch._GLOBAL_DEVICE_CONTEXT.__dict__.get("device_context")


def _set_device(torch: Any, mode: Any) -> None:
    torch.set_default_device(mode and mode.device)


def _set_torch_numbers(torch: Any, value: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(value), dtype=torch.uint8))


def _flushes(torch: Any) -> bool:
    """Return whether numbers too small for full precision become zero, which torch does not tell."""
    return float(torch.tensor(1e-310, dtype=torch.float64, device="cpu") * 1.0) == 0.0


def _deterministic(torch: Any) -> tuple[bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )


def _set_deterministic(torch: Any, value: tuple[bool, bool]) -> None:
    torch.use_deterministic_algorithms(value[0], warn_only=value[1])


OF_TORCH = (
    # First, so that what the others compute is computed where and as it used to be.
    _of_torch("torch's default device", _device, _set_device, None),
    _of_torch(
        "torch's default dtype",
        lambda torch: str(torch.get_default_dtype()),
        lambda torch, value: torch.set_default_dtype(getattr(torch, value.removeprefix("torch."))),
        "torch.float32",
    ),
    _of_torch(
        "torch's threads",
        lambda torch: torch.get_num_threads(),
        lambda torch, value: torch.set_num_threads(value),
        UNKNOWN,
    ),
    _of_torch(
        "torch's gradient mode",
        lambda torch: torch.is_grad_enabled(),
        lambda torch, value: torch.set_grad_enabled(value),
        True,
    ),
    _of_torch(
        "torch's random numbers",
        lambda torch: bytes(torch.get_rng_state().numpy()),
        _set_torch_numbers,
        UNKNOWN,
    ),
    _of_torch("torch's deterministic algorithms", _deterministic, _set_deterministic, (False, False)),
    _of_torch(
        "torch's precision of matrix products",
        lambda torch: torch.get_float32_matmul_precision(),
        lambda torch, value: torch.set_float32_matmul_precision(value),
        "highest",
    ),
    _of_torch(
        "torch's treatment of tiny numbers",
        _flushes,
        lambda torch, value: torch.set_flush_denormal(value),
        False,
    ),
    _of_torch(
        "torch's anomaly mode",
        lambda torch: torch.is_anomaly_enabled(),
        lambda torch, value: torch.autograd.set_detect_anomaly(value),
        False,
    ),
    _of_torch(
        "torch's autocast",
        lambda torch: torch.is_autocast_enabled("cpu"),
        lambda torch, value: torch.set_autocast_enabled("cpu", value),
        False,
    ),
    _of_backend("mkldnn", "enabled", True),
    _of_backend("cudnn", "benchmark", False),
    _of_backend("cudnn", "deterministic", False),
)
