"""The bridge to JAX: tensors as arrays without a copy, and a compiled function inside torch's autograd.

JAX computes on every core that the process may use, whatever ``torch.set_num_threads`` says; so its times compare
with others' where torch has as many threads as the process has cores (``taskset``), or one, and JAX is held to one
by ``XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"``, set before jax is imported.
With more, let torch's idle threads sleep (``OMP_WAIT_POLICY=PASSIVE``): they spin on the cores that JAX wants, and
a step of 5 ms was seen to take 100 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from inspect import unwrap
from typing import Any
from weakref import WeakSet

import jax  # pyright: ignore[reportMissingImports]
import torch
from torch import Tensor

from rkbench import SolverError, Twin, UnsupportedError

ROUND_OFF = 1e3
"""How far f and its twin may be apart, in units of the dtype's precision and of f's largest value, or 1."""

NO_TWIN = (
    "f has no twin in JAX; give it a method twin() that returns an rkbench.Twin, or choose another engine."
)

_compared: WeakSet[Any] = WeakSet()


def twin_of(f: Any, t0: float, t1: float, y0: Tensor) -> Twin:
    """Return the twin of ``f``, compared with f the first time it is asked for.

    The comparison evaluates the torch function and the twin once each, beside the solve: they are no part of its
    NFE.

    Raises:
        UnsupportedError: f has none, or the state is not float32 or float64 on a CPU.
        SolverError: the twin's values are not those of f.
    """
    twin: Twin | None = getattr(f, "twin", lambda: None)()
    if twin is None:
        raise UnsupportedError(NO_TWIN)
    _refuse_state(y0)
    if twin.f not in _compared:
        _compare(twin, t0, t1, y0)
        _compared.add(twin.f)
    return twin


def _refuse_state(y0: Tensor) -> None:
    if y0.dtype not in (torch.float32, torch.float64):
        raise UnsupportedError(f"JAX solves in float32 or float64 here, not in {y0.dtype}; convert y0 and f.")
    if y0.device.type != "cpu":
        raise UnsupportedError(
            f"The bridge to JAX is for the CPU, and y0 is on {y0.device}; move it, or choose another engine."
        )


@torch.no_grad()
def _compare(twin: Twin, t0: float, t1: float, y0: Tensor) -> None:
    """Refuse a twin that is not f at a time inside the interval and a state with no symmetry."""
    t = torch.tensor(0.7 * t0 + 0.3 * t1, dtype=y0.dtype)
    y = y0.detach() + torch.linspace(-0.5, 0.4, y0.numel(), dtype=y0.dtype).reshape(y0.shape)
    ours = twin.f(t, y)
    with precision(y0.dtype):
        function = compiled(unwrap(twin.function))  # without what the harness may have wrapped around it
        theirs = to_torch(function(*to_jax((t, y, *twin.tensors))))
    if theirs.shape != ours.shape or theirs.dtype != ours.dtype:
        off = f"gives {tuple(theirs.shape)}, {theirs.dtype} for {tuple(ours.shape)}, {ours.dtype}"
    else:
        size = max(1.0, float(ours.abs().nan_to_num(0.0).max())) if ours.numel() else 1.0
        near = ROUND_OFF * torch.finfo(ours.dtype).eps * size
        if torch.allclose(ours, theirs, rtol=0.0, atol=near, equal_nan=True):
            return
        off = f"is off by up to {float((ours - theirs).abs().max()):.2g}"
    raise SolverError(f"The twin of f in JAX {off}; correct its twin(), or choose another engine.")


def precision(dtype: torch.dtype) -> AbstractContextManager[Any]:
    """Return the context in which JAX keeps arrays of ``dtype`` as they are."""
    return jax.enable_x64(True) if dtype == torch.float64 else nullcontext()


def to_jax(tensors: Sequence[Tensor]) -> tuple[Any, ...]:
    """Return the tensors as arrays that share their memory."""
    return tuple(jax.dlpack.from_dlpack(tensor.detach().contiguous()) for tensor in tensors)


def to_torch(array: Any) -> Tensor:
    """Return an array as a tensor of its own: torch may write into it, which JAX does not expect of its arrays."""
    return torch.from_dlpack(jax.block_until_ready(array)).clone()


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``jax.jit(function)``, the same for the same function."""
    return jax.jit(function)


class Call:
    """One call of a function of JAX with tensors, differentiable in torch.

    Args:
        function: ``function(*arrays)`` returns (array, report); compiled once for each such function and shapes.

    Attributes:
        report: what came with the array; arrays of numpy.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.report: Any = None

    def __call__(self, *tensors: Tensor) -> Tensor:
        """Return the array of ``function(*tensors)`` as a tensor."""
        wanted = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)
        if wanted:
            return _Differentiable.apply(self, *tensors)  # pyright: ignore[reportReturnType]
        with precision(tensors[0].dtype):
            array, report = compiled(self.function)(*to_jax(tensors))
        self._take(report)
        return to_torch(array)

    def _take(self, report: Any) -> None:
        self.report = jax.device_get(report)


class _Differentiable(torch.autograd.Function):
    """The value, and what JAX keeps for its vector-Jacobian product."""

    @staticmethod
    def forward(ctx: Any, call: Call, *tensors: Tensor) -> Tensor:
        wanted = tuple(ctx.needs_input_grad[1:])
        ctx.save_for_backward(
            *tensors
        )  # JAX shares their memory: torch looks that nobody has written into it
        ctx.wanted, ctx.dtype = wanted, tensors[0].dtype
        with precision(ctx.dtype):
            array, ctx.pull, report = _forth(call.function, wanted)(*to_jax(tensors))
        call._take(report)
        return to_torch(array)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():  # create_graph=True
            raise SolverError("A gradient by JAX cannot be differentiated again; choose another engine.")
        ctx.saved_tensors  # noqa: B018 - raises when one was written into
        with precision(ctx.dtype):
            found = iter(_back(ctx.pull, *to_jax(grads)))
        return None, *(to_torch(next(found)) if wanted else None for wanted in ctx.wanted)


@cache
def _forth(function: Callable[..., Any], wanted: tuple[bool, ...]) -> Callable[..., Any]:
    """Return the compiled function that gives (array, product to come, report), towards the arrays ``wanted``."""

    def forth(*arrays: Any) -> Any:
        def towards(*chosen: Any) -> Any:
            given = iter(chosen)
            return function(*(next(given) if w else a for w, a in zip(wanted, arrays, strict=True)))

        chosen = (a for w, a in zip(wanted, arrays, strict=True) if w)
        return jax.vjp(towards, *chosen, has_aux=True)

    return jax.jit(forth)


@jax.jit
def _back(pull: Callable[..., Any], grad: Any) -> Any:
    return pull(grad)
