"""However a run is stopped from outside, cells in hand run again, finished ones are kept, and no process stays."""

import contextlib
import fcntl
import os
import pty
import signal
import subprocess
import termios
import time
from functools import partial

import psutil
import pytest
from faulty import by_task, command, finished, marked, plugin

pytestmark = pytest.mark.faults

ACTIONS = """
def waiting(name):
    def action():
        while not (HERE / f"{name}.goes_on").exists():
            (HERE / f"{name}.waits").touch()
            time.sleep(0.01)
    return action

ACTIONS = {name: waiting(name) for name in ("twice", "everybody", "terminal", "reader")} | {"last": lambda: None}
"""
MARKER = f"RKBENCH_TEST_SIGNALS={os.getpid()}"


def twice(process):
    """Ctrl-C, as a terminal sends it, pressed again by somebody impatient."""
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)


def everybody(process):
    """What a batch system sends to every process of a job whose time is up."""
    for one in [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]:
        one.send_signal(signal.SIGTERM)


def terminal(process):
    """The window is closed."""
    os.close(process.terminal)


def reader(process):
    """Whoever reads the output goes away, as head does; the next line finds nobody."""
    process.stdout.close()
    (process.folder / "reader.goes_on").touch()


STOPS = {stop.__name__: stop for stop in (twice, everybody, terminal, reader)}


def started(arguments, folder, how):
    """Start a run in a session of its own, at a terminal where that is to be closed."""
    ours, theirs = pty.openpty() if how == "terminal" else (None, subprocess.PIPE)

    def prepare():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if ours is not None:
            fcntl.ioctl(1, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        arguments,
        env=os.environ | dict([MARKER.split("=")]),
        stdout=theirs,
        stderr=theirs,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )
    process.folder, process.terminal = folder, ours
    if ours is not None:
        os.close(theirs)
        os.set_blocking(ours, False)
    return process


def seen(process, file):
    """Return whether a file is there, and read the terminal meanwhile: one that nobody reads keeps writers waiting."""
    if process.terminal is not None:
        with contextlib.suppress(BlockingIOError):
            while os.read(process.terminal, 65536):
                pass
    return file.exists()


def until(reached, seconds):
    deadline = time.monotonic() + seconds
    while not reached() and time.monotonic() < deadline:
        time.sleep(0.02)
    return reached()


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Exit code and errors of each stop; the last run goes to its end."""
    folder = tmp_path_factory.mktemp("signals")
    tasks = [*STOPS, "last"]
    arguments = command(folder / "run", "--plugin", plugin(folder, ACTIONS), "--epochs", 1, tasks=tasks)
    ends = {}
    for how, stop in STOPS.items():
        process = started(arguments, folder, how)
        try:
            assert until(partial(seen, process, folder / f"{how}.waits"), 120)
            stop(process)
            errors = process.stderr.read() if process.stderr else ""
            code = process.wait(30)
        finally:
            process.kill()
            process.wait()
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()
        ends[how] = (code, errors, until(lambda: not marked(MARKER), 10), set(by_task(folder / "run")))
        (folder / f"{how}.goes_on").touch()
    return folder, ends, finished(arguments)


@pytest.mark.parametrize("how", STOPS)
def test_a_stopped_run_ends_at_once_and_leaves_no_process(story, how):
    code, errors, alone, _ = story[1][how]
    assert code == 1
    assert alone
    assert "Traceback" not in errors


@pytest.mark.parametrize("how", ["twice", "everybody"])
def test_a_stop_says_what_is_kept_and_how_to_go_on(story, how):
    assert "the same command resumes" in story[1][how][1]


@pytest.mark.parametrize("how", ["twice", "everybody", "terminal"])
def test_the_cell_in_hand_is_no_failure(story, how):
    assert how not in story[1][how][3]


def test_the_cell_whose_line_nobody_read_is_kept(story):
    assert "reader" in story[1]["reader"][3]


def test_every_cell_is_there_once_in_the_end(story):
    folder, _, end = story
    assert end.returncode == 0, end.stderr
    assert {task: record.status for task, record in by_task(folder / "run").items()} == dict.fromkeys(
        [*STOPS, "last"], "ok"
    )
