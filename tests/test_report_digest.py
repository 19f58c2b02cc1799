"""What scripts read: one JSON object on the output, whatever is told beside it."""

import json

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import cli, runner


@pytest.fixture
def run(capsys):
    """Return a function that runs the command line and gives exit code, output and errors."""

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    return call


def strict(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(name))


def test_a_report_as_json_has_counts_statuses_failures_and_verdicts(run, tmp_path):
    records = [*(ok(cell(seed=s)) for s in range(3)), ok(cell("rk4")), failed(cell("rk4", 1))]
    folder = written(tmp_path / "run", records, [*(vars(one) for one in records), cell("rk4", 2)])
    code, out, _ = run("report", folder, "--json")
    told = strict(out)
    assert code == 1
    assert told["cells"] == {"planned": 6, "run": 5, "failed": 1, "skipped": 0, "not_run": 1}
    assert told["statuses"] == {"ok": 4, "diverged": 1}
    assert told["failures"][0]["message"] == "It diverged; take more steps."
    assert told["verdicts"][0]["solver"] == "rk4 ×10"
    assert "1 of 3 cells diverged" in told["verdicts"][0]["sentence"]
    assert told["page"] == str(folder / "report" / "index.html")
    assert (folder / "report" / "index.html").exists()


def test_a_run_as_json_leaves_the_output_to_the_object(run, tmp_path, monkeypatch):
    def measured(job, folder, screen, *, jobs, cluster):
        screen.planned(job.cells, 0)
        screen.note("Something to know.")
        three_solvers(folder)

    monkeypatch.setattr(runner, "run", measured)
    code, out, err = run("run", "--out", tmp_path / "run", "--json")
    assert code == 0
    assert strict(out)["statuses"] == {"ok": 9}
    assert "note: Something to know." in err


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_an_interrupted_run_says_what_is_kept_and_exits_with_1(run, tmp_path, monkeypatch, as_json):
    def interrupted(job, folder, screen, *, jobs, cluster):
        screen.planned(job.cells[2:], 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "run", interrupted)
    code, out, err = run("run", "--out", tmp_path / "run", *as_json)
    assert code == 1
    assert "Stopped. 2 of " in err
    assert "cells are measured and kept; the same command resumes." in err
    assert not as_json or out == ""


def test_a_run_interrupted_while_it_loads_says_so(run, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "run", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    code, _, err = run("run", "--out", tmp_path / "run")
    assert (code, err) == (1, "Stopped before the first cell; the same command resumes.\n")
