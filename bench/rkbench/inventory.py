"""What a run needs where its cells are measured, looked at before the first: the data, whole, and the device."""

from __future__ import annotations

from typing import Any

from rkbench.errors import DataError, RunError
from rkbench.worker import Worker, describe_data, preload


def preload_for(names: list[str]) -> None:
    """Let the server of cells import what these datasets are read with; to be called before the first `Worker`."""
    preload(*(["torchvision.datasets"] if any(name not in ("", "digits8") for name in names) else []))


def datasets(names: list[str], device: str) -> dict[str, Any]:
    """Return sizes and checksums, read by a process that also proves that the data is whole and the device there.

    Raises:
        DataError: a dataset is missing or broken, or the device cannot be used.
        RunError: the process ended before it could tell.
    """
    worker = Worker(describe_data, names=names, device=device)
    try:
        answer = worker.message(timeout=600)
    except EOFError:
        raise RunError(f"The data could not be looked at ({worker.ending()}); run it again.") from None
    finally:
        worker.close()
    if answer is None:
        raise DataError(
            f"Loading {', '.join(names)} took more than ten minutes; look at the disk or the network."
        )
    if "error" in answer:
        raise DataError(answer["error"])
    return answer
