"""What is no cluster is refused in a sentence, before anything ran."""

import signal
import subprocess
import sys

import pytest

from rkbench.cli import main
from rkbench.cluster import connect


def refused(capsys, tmp_path, address):
    with pytest.raises(SystemExit) as ended:
        main(["run", "--dask", address, "--out", str(tmp_path / "run")])
    output = capsys.readouterr()
    assert ended.value.code == 2
    assert "Traceback" not in output.out + output.err
    assert not (tmp_path / "run").exists()
    return output.err


@pytest.mark.parametrize("address", ["local:", "local:0", "local:two", "local:-1"])
def test_workers_here_need_a_number(capsys, tmp_path, address):
    assert "names no number of workers; give --dask local:4, say." in refused(capsys, tmp_path, address)


def test_without_dask_a_sentence_names_the_extra(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert 'install it: pip install "rkbench[dask]".' in refused(capsys, tmp_path, "tcp://127.0.0.1:1")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere", "http://127.0.0.1:1"])
def test_where_no_scheduler_answers_a_sentence_says_how_to_start_one(capsys, tmp_path, address, monkeypatch):
    monkeypatch.setattr("rkbench.cluster.connect.CONNECT_SECONDS", 0.3)
    sentence = refused(capsys, tmp_path, address)
    assert f"No Dask scheduler answers at '{address}'" in sentence
    assert "`dask scheduler`" in sentence


def test_workers_that_are_started_here_leave_ctrl_c_to_the_client():
    before = signal.getsignal(signal.SIGINT)
    with connect._deaf():
        code = "import signal; print(signal.getsignal(signal.SIGINT).name)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "SIG_IGN\n"
    assert signal.getsignal(signal.SIGINT) is before
