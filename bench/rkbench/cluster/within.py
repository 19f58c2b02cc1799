"""What runs inside the process of a Dask worker: tasks that hand a request to an agent and wait for its answer.

Texts go in and come out; the worker's process imports no torch, and nothing that is measured is pickled.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from collections import defaultdict

LOOK_SECONDS = 0.25
"""How often a task looks whether anybody still waits for it."""

NANNY = "distributed.nanny.pre-spawn-environ"

ENDING_SECONDS = 5.0
"""What an agent gets to end its cell and clear up."""

_idle: dict[str, list[subprocess.Popen[bytes]]] = defaultdict(list)
_all: dict[str, set[subprocess.Popen[bytes]]] = defaultdict(set)
_lock = threading.Lock()


def answer(run: str, request: str) -> str:
    """Return what an agent of a run answers, as JSON: a task of Dask.

    Where its agent ended, or nobody waits for it any more, the answer is ``lost`` and the reason.
    """
    agent = _taken(run)
    line = _asked(agent, request)
    if line is not None and line.endswith(b"\n"):
        with _lock:
            _idle[run].append(agent)
        return line.decode()
    _close(run, agent)
    reason = "nobody waits for it" if line is None else f"exit code {agent.returncode}"
    return json.dumps({"lost": f"the agent beside the worker ended ({reason})"})


def inspect(run: str, request: str) -> str:
    """Return the answer of an agent with what this worker offers: its threads, and the resources it was started with."""
    from distributed import get_worker

    state = get_worker().state
    offer = {"threads": state.nthreads, "resources": dict(state.total_resources)}
    return json.dumps(json.loads(answer(run, request)) | offer)


def dismiss(run: str) -> int:
    """End the agents of a run, with the cells that still run, and return how many there were."""
    with _lock:
        agents = list(_all.get(run, ()))
    for agent in agents:
        _close(run, agent)
    return len(agents)


def _taken(run: str) -> subprocess.Popen[bytes]:
    """Return an agent that nobody talks to: one that waits, or a new one."""
    with _lock:
        while _idle[run]:
            agent = _idle[run].pop()
            if agent.poll() is None:
                return agent
            _all[run].discard(agent)
        agent = subprocess.Popen(
            [sys.executable, "-P", "-m", "rkbench.cluster.agent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        _all[run].add(agent)
        return agent


def _environment() -> dict[str, str]:
    """Return the worker's environment without what Dask's nanny puts there, which would change times."""
    from dask import config

    added = {name: str(value) for name, value in config.get(NANNY, {}).items()}
    return {name: value for name, value in os.environ.items() if added.get(name) != value}


def _asked(agent: subprocess.Popen[bytes], request: str) -> bytes | None:
    """Return the agent's answer, torn or empty when it ended; None when nobody waits for it any more."""
    assert agent.stdin is not None
    assert agent.stdout is not None
    try:
        agent.stdin.write(request.encode() + b"\n")
        agent.stdin.flush()
        while not select.select([agent.stdout], [], [], LOOK_SECONDS)[0]:
            if _abandoned():
                return None
        return agent.stdout.readline()
    except (OSError, ValueError):  # it ended, or was dismissed
        return b""


def _abandoned() -> bool:
    """Return whether the client gave up the task of this thread, or the worker is about to end."""
    from distributed import Status, get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is None or task.state == "cancelled" or worker.status != Status.running


def _close(run: str, agent: subprocess.Popen[bytes]) -> None:
    """Let an agent end, and end it when it does not; its cell dies with it."""
    with _lock:
        _all[run].discard(agent)
        if agent in _idle[run]:
            _idle[run].remove(agent)
    with contextlib.suppress(OSError):
        if agent.stdin is not None:
            agent.stdin.close()
    try:
        agent.wait(ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()
