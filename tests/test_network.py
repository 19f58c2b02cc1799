"""Nothing opens the network but the download of datasets, whose files are then held to their checksums."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = sorted([*(ROOT / "bench" / "rkbench").rglob("*.py"), *(ROOT / "plugins").rglob("*.py")])

NETWORK = {
    "socket",
    "ssl",
    "urllib",
    "http",
    "ftplib",
    "smtplib",
    "requests",
    "urllib3",
    "aiohttp",
    "httpx",
    "asyncio",
    "distributed",
}
MAY = {
    "files.py": "torchvision downloads a dataset when it is asked for",
    "guardian.py": "processes of one run talk over a socket that no other machine can reach",
}
"""Modules that may know of the network, and why; the cluster of a user's own may too."""

# Every process that Python starts with this on its path reports whoever looks a host up or connects elsewhere.
WATCH = """
import os, sys

def watch(event, arguments):
    local = event == "socket.connect" and not isinstance(arguments[1], tuple)
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request") and not local:
        with open(os.environ["RKBENCH_WATCHED"], "a") as file:
            file.write(f"{event} {arguments!r}\\n")

sys.addaudithook(watch)
"""


def test_only_the_module_of_datasets_knows_of_the_network():
    knowing = set()
    for file in OURS:
        if "cluster" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if NETWORK & {name.partition(".")[0] for name in names}:
                knowing.add(file.name)
    assert knowing == set(MAY)


def watched(tmp_path, short_folder, code):
    """Return what was connected to while a program ran, itself and every process that it started."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    log = tmp_path / "watched"
    log.write_text("")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {
        "PYTHONPATH": path,
        "RKBENCH_WATCHED": str(log),
        "TMPDIR": str(short_folder()),
    }
    done = subprocess.run(
        [sys.executable, *code], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return log.read_text()


def test_the_watch_sees_who_connects(tmp_path, short_folder):
    code = "import multiprocessing, socket\ntry: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass"
    assert "socket.connect" in watched(tmp_path, short_folder, ["-c", code])


@pytest.mark.faults
def test_a_run_and_its_report_connect_to_nothing(tmp_path, short_folder):
    run = [
        "-m",
        "rkbench.cli",
        "run",
        "quick",
        "--seeds",
        "1",
        "--epochs",
        "1",
        "--method",
        "euler",
        "--out",
        "run",
    ]
    assert watched(tmp_path, short_folder, run) == ""
    assert (tmp_path / "run" / "report" / "index.html").exists()
