"""What a plugin changes for everybody while it is loaded is put back, and told."""

import os
import sys

import numpy.random
import pytest
import torch

from rkbench import registry, surroundings
from rkbench.traits import OF_PYTHON, OF_TORCH, UNKNOWN

METHOD = """
from rkbench import ButcherTableau, hookimpl
@hookimpl
def rkbench_methods():
    return [ButcherTableau(name="mine", order=1, c="0", a=("",), b="1")]
"""
DEEDS = {
    "the working folder": "import os\nos.chdir('/')",
    "environment variables": "import os\nos.environ['OMP_NUM_THREADS'] = '7'\nos.environ.pop('PATH')",
    "signal handlers": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "the locale": "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
    "the garbage collector": "import gc\ngc.disable()",
    "tracing": "import sys\nsys.setprofile(lambda *_: None)",
    "the CPUs of the process": "import os\nos.sched_setaffinity(0, {max(os.sched_getaffinity(0))})",
    "Python's random numbers": "import random\nrandom.seed(3)",
    "numpy's random numbers": "import numpy\nnumpy.random.seed(3)",
    "torch's default device": "import torch\ntorch.set_default_device('cpu')",
    "torch's default dtype": "import torch\ntorch.set_default_dtype(torch.float64)",
    "torch's threads": "import torch\ntorch.set_num_threads(torch.get_num_threads() + 1)",
    "torch's gradient mode": "import torch\ntorch.set_grad_enabled(False)",
    "torch's random numbers": "import torch\ntorch.manual_seed(12345)",
    "torch's deterministic algorithms": "import torch\ntorch.use_deterministic_algorithms(True)",
    "torch's precision of matrix products": "import torch\ntorch.set_float32_matmul_precision('medium')",
    "torch's treatment of tiny numbers": "import torch\ntorch.set_flush_denormal(True)",
    "torch's anomaly mode": "import torch\ntorch.autograd.set_detect_anomaly(True)",
    "torch's autocast": "import torch\ntorch.set_autocast_enabled('cpu', True)",
    "torch.backends.mkldnn.enabled": "import torch\ntorch.backends.mkldnn.enabled = False",
    "torch.backends.cudnn.benchmark": "import torch\ntorch.backends.cudnn.benchmark = True",
    "torch.backends.cudnn.deterministic": "import torch\ntorch.backends.cudnn.deterministic = True",
    "standard output": "import os\nos.close(1)",
    "standard error": "import os\nos.dup2(os.open('/dev/null', os.O_WRONLY), 2)",
}
"""What is told -> what a plugin does."""

TRAITS = {trait.name: trait for trait in (*OF_PYTHON, *OF_TORCH)}


def loaded(folder, text):
    file = folder / "deed.py"
    file.write_text(text)
    return next(plugin for plugin in registry.load([file]).plugins if plugin.path)


def test_every_trait_is_tried():
    assert set(TRAITS) <= DEEDS.keys()


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
@pytest.mark.parametrize("name", DEEDS)
def test_what_a_plugin_changes_is_put_back_and_told(tmp_path, name):
    before = {other: trait.now() for other, trait in TRAITS.items()}
    if name == "the CPUs of the process" and len(before[name]) == 1:
        pytest.skip("there is one CPU")
    if name == "the locale" and before[name] == "C":
        pytest.skip("the locale is that of the plugin already")
    plugin = loaded(tmp_path, DEEDS[name] + METHOD)
    after = {other: trait.now() for other, trait in TRAITS.items()}
    assert after == before
    assert plugin.status == "ok", plugin.problems
    note = next(note for note in plugin.notes if "while it was loaded" in note)
    assert note.startswith(f"{plugin.path} changed ")
    assert name in note
    os.fstat(1)


def test_a_plugin_that_changes_nothing_is_told_of_nothing(tmp_path):
    assert loaded(tmp_path, METHOD).notes == []


def test_it_is_put_back_when_the_plugin_fails_as_well(tmp_path):
    folder = os.getcwd()
    plugin = loaded(tmp_path, "import os\nos.chdir('/')\nraise RuntimeError('no')\n")
    assert plugin.status == "failed"
    assert os.getcwd() == folder


def test_folders_that_a_plugin_searches_come_last(tmp_path):
    before = list(sys.path)
    try:
        loaded(
            tmp_path,
            f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\nsys.path.remove(sys.path[1])" + METHOD,
        )
        assert sys.path == [*before, str(tmp_path)]
    finally:
        sys.path[:] = before


def test_a_copy_that_a_plugin_forks_off_does_not_go_on(tmp_path):
    deed = "import os\nPID = os.fork()\n" + METHOD + "\nimport sys\nsys.modules['forked_by_a_plugin'] = PID"
    plugin = loaded(tmp_path, deed)
    assert plugin.status == "ok"
    _, status = os.waitpid(sys.modules.pop("forked_by_a_plugin"), 0)
    assert os.waitstatus_to_exitcode(status) == 1


def test_what_cannot_be_read_is_left_alone(monkeypatch):
    def missing():
        raise FileNotFoundError

    trait = TRAITS["the working folder"]._replace(read=missing)
    assert trait.now() is UNKNOWN


def test_a_plugin_that_takes_long_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(surroundings, "PATIENCE", 0.05)
    loaded(tmp_path, "import time\ntime.sleep(0.3)" + METHOD)
    assert "deed.py has taken 0.05 s so far; stop with Ctrl-C" in capsys.readouterr().err


def test_numpy_is_among_the_traits():
    assert TRAITS["numpy's random numbers"].now()[0] == numpy.random.get_state()[0]
    assert TRAITS["torch's default dtype"].now() == str(torch.get_default_dtype())
