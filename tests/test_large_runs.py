"""Nobody starts ten thousand cells by a slip: a large run is asked for twice, and a plan too large is none."""

import json
import sys

import pytest
from test_report_example import cell, ok, written

from rkbench import registry, runner, size, suite
from rkbench.cli import main
from rkbench.errors import RunError
from rkbench.plan import expand


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch, tmp_path):
    """Nothing is measured here."""

    def refuse(*_, **__):
        raise RunError("It would run; it does not.")

    monkeypatch.setattr(runner, "run", refuse)
    monkeypatch.setattr(size, "MANY", 11)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def answer(monkeypatch, capsys):
    """Return a function that types a line, or has no terminal to type at, and gives exit code and what was said."""

    def call(*arguments, typed=None):
        monkeypatch.setattr(sys.stdin, "isatty", lambda: typed is not None, raising=False)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: typed)
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        captured = capsys.readouterr()
        return caught.value.code, captured.out + captured.err

    return call


def test_a_small_run_asks_nothing(answer):
    assert "It would run" in answer("run", "quick", "--seeds", "1")[1]


def test_a_large_run_without_a_terminal_is_refused_with_what_to_add(answer):
    code, said = answer("run", "quick")
    assert code == 2
    assert said == "Error: Suite quick has more than 11 cells; add --yes to run them all.\n"


def test_a_large_run_goes_on_when_it_is_meant(answer):
    assert "It would run" in answer("run", "quick", "--yes")[1]
    assert "It would run" in answer("run", "quick", typed="y")[1]
    code, said = answer("run", "quick", typed="n")
    assert code == 1
    assert "It would run" not in said


def test_the_question_tells_how_long_it_takes_at_the_pace_of_what_is_measured(tmp_path):
    planned = [cell(seed=seed) for seed in range(100)]
    folder = written(tmp_path / "run", [ok(one, wall_seconds=90.0) for one in planned[:4]], planned)
    cells = [ok(one) for one in planned]  # which have the columns of a planned cell
    assert size.question(cells, folder) == "Run 96 cells, about 2 h 24 min one at a time?"
    assert "Run 100 cells, which may take days?" in size.question(cells, tmp_path)


def test_a_plan_too_large_is_refused_before_it_is_made(answer):
    code, said = answer("plan", "quick", "--seeds", "1000000000")
    assert code == 2
    assert (
        "has 4,000,000,000 cells, and a plan may have 1,000,000; shorten its lists or seeds, or split it."
        in said
    )


def test_a_long_plan_is_shown_in_part_and_told_whole_as_json(answer):
    code, said = answer("plan", "quick", "--seeds", "300")
    assert code == 0
    assert "The first 500 of 1200 cells are shown; --json has all." in said
    assert said.count("\n") < 520
    assert len(json.loads(answer("plan", "quick", "--seeds", "300", "--json")[1])["cells"]) == 1200


def test_a_plan_asks_each_question_once_however_many_cells_it_has(monkeypatch):
    asked = []
    monkeypatch.setattr(registry.source, "digest", lambda path, *_: asked.append(path) or "x")
    cells = expand(suite.select(suite.load("quick"), seeds=200), registry.load())
    assert len(cells) == 800
    assert len(asked) < 10
