"""Data that change while a run goes on stop it in a sentence, and no record of other data is kept."""

import gzip

import pytest
from faulty import command, finished

from rkbench import checksums, store

pytestmark = pytest.mark.faults

SWITCH = """
import multiprocessing, pathlib
from rkbench import ButcherTableau, checksums, hookimpl

OTHER = pathlib.Path(__file__).parent / "digits8.csv.gz"
if OTHER.exists() and multiprocessing.parent_process():  # as if somebody had replaced the file when cells began
    checksums.DIGITS8 = OTHER

@hookimpl
def rkbench_methods():
    return [ButcherTableau(name="mine", order=1, c="0", a=("",), b="1")]
"""


def test_other_data_than_the_run_began_with_stop_it_and_the_same_data_go_on(tmp_path):
    file, other = tmp_path / "switch.py", tmp_path / "digits8.csv.gz"
    file.write_text(SWITCH)
    lines = gzip.decompress(checksums.DIGITS8.read_bytes()).decode().splitlines()
    other.write_bytes(gzip.compress("\n".join([*lines[1:], lines[0]]).encode()))
    arguments = command(tmp_path / "run", "--plugin", file, "--epochs", 1, tasks=["decay", "digits8_tanh"])
    done = finished(arguments)
    assert done.returncode == 2
    assert "The dataset digits8 has changed since the run began; restore its files" in done.stderr
    kept = (tmp_path / "run" / store.RECORDS).read_bytes()
    assert [record.task for record in store.read(tmp_path / "run").records] == ["decay"]

    other.unlink()
    assert finished(arguments).returncode == 0
    assert (tmp_path / "run" / store.RECORDS).read_bytes().startswith(kept)
    last = store.read(tmp_path / "run").records[-1]
    assert last.data_sha256 == checksums.of("digits8")
