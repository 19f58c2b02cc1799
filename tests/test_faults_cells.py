"""Whatever happens inside a cell, it has one record with its reason, nothing outlives it, and the next cell runs."""

import os
import time

import pytest
from faulty import by_task, command, finished, marked, plugin

pytestmark = pytest.mark.faults

ACTIONS = """
def holds_the_lock():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.PyDLL(None).sleep(600)

def loops():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass

def swallows():
    kept = []
    while len(kept) < 100:
        kept.append(bytearray(b"x") * 2**25)
        time.sleep(0.01)
    time.sleep(600)

def swallows_in_a_child():
    if os.fork() == 0:
        swallows()
    time.sleep(600)

def shares():
    for _ in range(12):
        if os.fork() == 0:
            time.sleep(600)
    time.sleep(2.5)

def leaves_a_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
        os._exit(0)

def forks_a_twin():
    os.fork()

def pipes():
    for entry in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{entry}").startswith("pipe:") and int(entry) > 2:
                yield int(entry)
        except OSError:
            continue

def writes_to_all(content):
    for handle in list(pipes()):
        try:
            os.set_blocking(handle, False)
            os.write(handle, content)
        except OSError:
            continue
    time.sleep(600)

def closes_its_pipe():
    for handle in list(pipes()):
        os.close(handle)
    time.sleep(600)

def shouts():
    for _ in range(60):
        os.write(1, b"x" * 2**20)
    os._exit(3)

ACTIONS = {
    "holds_the_lock": holds_the_lock,
    "loops": loops,
    "swallows": swallows,
    "swallows_in_a_child": swallows_in_a_child,
    "shares": shares,
    "leaves_a_daemon": leaves_a_daemon,
    "forks_a_twin": forks_a_twin,
    "rubbish": lambda: writes_to_all(b"\\x80\\x04 rubbish\\n"),
    "half_a_line": lambda: writes_to_all(b'{"record": "'),
    "no_epoch": lambda: writes_to_all(b'{"epoch": {"epoch": "one"}}\\n'),
    "another_record": lambda: writes_to_all(b'{"record": "{\\\\"cell_id\\\\": \\\\"x\\\\", \\\\"status\\\\": \\\\"ok\\\\"}"}\\n'),
    "closes_its_pipe": closes_its_pipe,
    "shouts": shouts,
    "innocent": lambda: None,
}
"""
ENDS = {
    "holds_the_lock": ("timeout", "longer than 25 s; give it longer with --timeout"),
    "loops": ("timeout", "longer than 25 s"),
    "swallows": ("out_of_memory", "more than 1500 MiB of memory; give it more with --memory-limit"),
    "swallows_in_a_child": ("out_of_memory", "more than 1500 MiB of memory"),
    "shares": ("ok", ""),
    "leaves_a_daemon": ("ok", ""),
    "forks_a_twin": ("ok", ""),
    "rubbish": ("crashed", "sent what is no message (b'\\x80\\x04 rubbish')"),
    "half_a_line": ("timeout", "longer than 25 s"),
    "no_epoch": ("crashed", "sent what is no message"),
    "another_record": ("crashed", "the record of another cell"),
    "closes_its_pipe": ("crashed", "closed its pipe to the runner and went on"),
    "shouts": ("crashed", "exit code 3; its last output: xxx"),
    "innocent": ("ok", ""),
}
MARKER = f"RKBENCH_TEST_FAULTS={os.getpid()}"


@pytest.fixture(scope="module")
def story(tmp_path_factory, short_folder):
    """A run of one cell for each way to fail, three at a time, and its folder for temporary files."""
    folder = tmp_path_factory.mktemp("faults")
    temporary = short_folder()
    options = [
        "--plugin",
        plugin(folder, ACTIONS),
        "--timeout",
        25,
        "--memory-limit",
        1500,
        "--epochs",
        1,
        "--jobs",
        3,
    ]
    done = finished(
        command(folder / "run", *options, tasks=ENDS),
        env=os.environ | dict([MARKER.split("=")]) | {"TMPDIR": str(temporary)},
    )
    return folder, done, temporary


@pytest.mark.parametrize("task", ENDS)
def test_a_cell_that_fails_says_how(story, task):
    folder, *_ = story
    record = by_task(folder / "run")[task]
    status, message = ENDS[task]
    assert (record.status, message in record.message) == (status, True), record.message


def test_every_cell_has_one_record(story):
    folder, done, _ = story
    assert done.returncode == 1
    assert len((folder / "run" / "records.jsonl").read_bytes().splitlines()) == len(ENDS)


def test_no_process_outlives_the_run(story):
    time.sleep(0.5)
    assert marked(MARKER) == []


def test_what_was_left_running_is_told(story):
    _, done, _ = story
    assert "left running, and ended; let the plugin end what it starts" in " ".join(done.stdout.split())


def test_nothing_piles_up_in_the_folder_for_temporary_files(story):
    *_, temporary = story
    left = {path.name for path in temporary.iterdir()}
    assert left <= {"rkbench-turns.lock", f"torchinductor_{os.environ.get('USER', 'root')}"}
