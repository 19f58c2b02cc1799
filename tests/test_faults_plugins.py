"""A plugin that misbehaves while it is loaded changes no result of the cells that others run beside it."""

import dataclasses

import pytest

from rkbench import journal, registry, suite
from rkbench.plan import expand
from rkbench.worker import start_cell

pytestmark = pytest.mark.faults

VANDAL = """
import gc, os, random, signal, sys
import numpy
import torch
from rkbench import ButcherTableau, hookimpl

os.chdir("/")
os.environ.update(OMP_NUM_THREADS="2", RKBENCH_DATA="/nowhere", TMPDIR="/nowhere")
gc.disable()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
random.seed(1)
numpy.random.seed(1)
torch.manual_seed(1)
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
torch.set_num_threads(2)
torch.set_grad_enabled(False)
torch.set_flush_denormal(True)
torch.use_deterministic_algorithms(True)
torch.set_float32_matmul_precision("medium")
torch.autograd.set_detect_anomaly(True)
torch.backends.mkldnn.enabled = False
sys.path.reverse()
print("x" * 10**7)
os.write(2, b"y" * 10**6)
sys.stdout = sys.stderr = None
os.close(1)
if os.fork() == 0:
    sys.exit(0)

@hookimpl
def rkbench_methods():
    torch.set_default_dtype(torch.bfloat16)
    raise SystemExit("no methods today")
"""
SAME = (
    "status",
    "train_loss",
    "test_loss",
    "train_accuracy",
    "test_accuracy",
    "nfe_forward",
    "parameters",
    "threads",
)


def measured(cell, files, folder):
    """Return the record of a cell that loads these plugins, measured in a process of its own."""
    worker = start_cell(cell, files, folder / "checkpoint", alone=True)
    try:
        while True:
            message = worker.message(100)
            if message and "record" in message:
                return journal.read(message["record"].encode())
    finally:
        worker.close()


def test_beside_a_vandal_a_cell_gives_the_same_to_the_last_bit(tmp_path):
    file = tmp_path / "vandal.py"
    file.write_text(VANDAL)
    chosen = suite.select(suite.load("quick"), methods=["euler"], tasks=["digits8_tanh"], seeds=1, epochs=1)
    (cell,) = expand(chosen, registry.default())
    without, beside = (measured(cell, files, tmp_path) for files in ([], [str(file)]))
    assert without.status == "ok", without.message
    assert {name: getattr(beside, name) for name in SAME} == {name: getattr(without, name) for name in SAME}
    losses = [[row["train_loss"] for row in record.curve] for record in (without, beside)]
    assert losses[0] == losses[1]


def test_what_the_vandal_does_is_told_and_its_failure_too(tmp_path):
    file = tmp_path / "vandal.py"
    file.write_text(VANDAL.replace('os.write(2, b"y" * 10**6)', ""))
    plugin = next(plugin for plugin in registry.load([file]).plugins if plugin.path)
    assert plugin.problems == ["SystemExit: no methods today (vandal.py, line 35)."]
    (note,) = (note for note in plugin.notes if "while it was loaded" in note)
    for what in (
        "the working folder",
        "environment variables",
        "default dtype",
        "default device",
        "standard output",
    ):
        assert what in note


RAISING = """
import dataclasses
import torch
from rkbench import NativeEngine, hookimpl

class Broken(NativeEngine):
    name = "broken"
    def solve(self, *arguments, **options):
        {deed}

@hookimpl
def rkbench_engines():
    return [Broken()]
"""


@pytest.mark.parametrize(
    ("deed", "status", "message"),
    [
        (r"raise RuntimeError('no\nsolve')", "crashed", "RuntimeError: no solve"),
        ("raise MemoryError()", "out_of_memory", "MemoryError"),
        ("raise SystemExit(4)", "crashed", "exit code 4"),
        ("raise KeyboardInterrupt()", "crashed", "KeyboardInterrupt"),
        ("raise BaseException('odd')", "crashed", "BaseException: odd"),
        ("return None", "crashed", "NoneType"),
        ("return 'solved'", "crashed", "str"),
        (
            "found = super().solve(*arguments, **options); found.y[:] = float('nan'); return found",
            "non_finite",
            "",
        ),
        (
            "found = super().solve(*arguments, **options); return dataclasses.replace(found, y=found.y[..., :0])",
            "crashed",
            "RuntimeError",
        ),
    ],
)
def test_whatever_an_engine_raises_or_returns_is_the_record_of_its_cell(tmp_path, deed, status, message):
    from rkbench.lanes import Terms, beside

    file = tmp_path / "raising.py"
    file.write_text(RAISING.format(deed=deed))
    chosen = suite.select(
        suite.load("quick"), methods=["euler"], tasks=["decay"], seeds=1, engines=["broken"], epochs=1
    )
    (cell,) = expand(chosen, registry.load([file]))
    record = beside(dataclasses.replace(cell), 1, Terms(tmp_path, [str(file)], 60.0), Silent())
    assert (record.status, message in record.message) == (status, True), record.message


class Silent:
    """A watcher who says nothing."""

    def started(self, cell):
        pass

    epoch = note = planned = ended = started
