"""The state of a training, saved between epochs and taken up again: numbers as JSON, tensors as their bytes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from rkbench import checkpoints
from rkbench.plan import Cell, blank_record

EVERY_SECONDS = 60.0
"""At least so much time lies between two checkpoints, so that short trainings write none."""

OWNER = ("cell_id", "rkbench_version", "torch_version", "engine_version", "host")
"""Columns of a record that must be what they were, for its checkpoint to be taken up."""


class State(NamedTuple):
    """What a training goes on from.

    Attributes:
        numbers: anything that JSON holds; floats come back bit for bit.
        tensors: by name; they come back bit for bit and laid out as they were, on the CPU.
    """

    numbers: dict[str, Any]
    tensors: dict[str, Tensor]


class Checkpoint:
    """The last saved state of one measurement of a cell.

    Args:
        file: where it is kept, whatever is there already.
        cell: whose state it is.
        alone: whether no other cell runs beside it.
        tell: is told, in words for the user, what becomes of the checkpoint.

    Attributes:
        alone: the same, of every process whose epochs were taken up too.
    """

    def __init__(self, file: Path, cell: Cell, *, alone: bool, tell: Callable[[str], None]) -> None:
        self.file, self.alone, self.tell = file, alone, tell
        record = blank_record(cell)
        self.owner = {"file": file.name} | {name: getattr(record, name) for name in OWNER}
        self._told = False
        self._since = time.monotonic()

    def load(self) -> State | None:
        """Return the state to go on from; None where there is none, or none to be trusted, which is set aside."""
        self._since = time.monotonic()
        try:
            header, content = checkpoints.read(self.file)
            differing = [name for name, value in self.owner.items() if header["owner"].get(name) != value]
            if differing:
                raise ValueError(f"it is of another {' and '.join(differing)}")
            state = State(header["numbers"], _tensors(header["tensors"], content))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            self._set_aside(error)
            return None
        except (
            KeyError,
            TypeError,
            AttributeError,
            RuntimeError,
        ):  # whole, but nothing that this version wrote
            self._set_aside(ValueError("it holds no state of a training"))
            return None
        self.alone = self.alone and bool(header.get("alone"))
        return state

    def save(self, state: Callable[[], State]) -> None:
        """Save the state, if it is time to; a disk that refuses is told of once, and harms nothing else."""
        if time.monotonic() - self._since < EVERY_SECONDS:
            return
        numbers, tensors = state()
        layouts = {name: _layout(tensor) for name, tensor in tensors.items()}
        header = {"owner": self.owner, "alone": self.alone, "numbers": numbers, "tensors": layouts}
        try:
            checkpoints.write(self.file, header, map(_bytes, tensors.values()))
        except OSError as error:
            if not self._told:
                self.tell(
                    f"no checkpoint could be written ({error.strerror}); free some space or permissions. Training goes "
                    "on, and is begun again from an earlier checkpoint or the start if it is stopped."
                )
            self._told = True
        self._since = time.monotonic()

    def _set_aside(self, reason: Exception) -> None:
        aside = self.file.with_name(self.file.name + checkpoints.ASIDE)
        try:
            self.file.replace(aside)
            kept = f"it is kept as {aside.name}, to be deleted at will"
        except OSError as error:
            kept = f"it could not be moved aside ({error.strerror}) either: delete it"
        self.tell(f"its checkpoint is not trusted ({reason}), so training starts over; {kept}.")


def _layout(tensor: Tensor) -> dict[str, Any]:
    dtype = str(tensor.dtype).removeprefix("torch.")
    return {"dtype": dtype, "shape": list(tensor.shape), "stride": list(tensor.stride())}


def _dense(shape: list[int], stride: list[int]) -> bool:
    """Return whether elements lie side by side, in whatever order of the axes, so that nothing else is in their room."""
    needed = 1
    for step, size in sorted(zip(stride, shape, strict=True)):
        if size > 1 and step != needed and 0 not in shape:
            return False
        needed *= size
    return True


def _bytes(tensor: Tensor) -> memoryview:
    """Return the elements in row-major order."""
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data


def _tensors(layouts: dict[str, Any], content: memoryview) -> dict[str, Tensor]:
    """Return the tensors that lie one after another in ``content``, each with the strides it had.

    An optimizer's state is to be laid out as the weights are: fused kernels go through both in the order of memory.
    """
    found, start = {}, 0
    for name, layout in layouts.items():
        shape, dtype = layout["shape"], getattr(torch, layout["dtype"])
        end = start + math.prod(shape) * dtype.itemsize
        if not _dense(shape, layout["stride"]) or not start <= end <= len(content):
            raise ValueError(f"it holds no state of a training: {name!r:.60} has not the room of its shape")
        flat = torch.frombuffer(bytearray(content[start:end]), dtype=torch.uint8) if end > start else None
        found[name] = torch.empty_strided(shape, layout["stride"], dtype=dtype)
        if flat is not None:
            found[name].copy_(flat.view(dtype).reshape(shape))
        start = end
    return found
