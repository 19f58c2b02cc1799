"""The command line: what it prints, how it exits, and that a mistake gets one sentence."""

import json
import os
import subprocess
import sys

import pytest

from rkbench import registry
from rkbench.cli import KINDS, main

MINE = """
from fractions import Fraction as F
from rkbench import ButcherTableau, Citation, hookimpl

RALSTON_2 = ButcherTableau(
    name="mine", order=2, c=(0, F(2, 3)), a=((), (F(2, 3),)), b=(F(1, 4), F(3, 4)),
    source=Citation("Ralston", 1962, doi="10.1090/S0025-5718-1962-0150954-0"),
)

@hookimpl
def rkbench_methods():
    return [RALSTON_2]
"""


@pytest.fixture
def run(capsys):
    """Return a function that runs the command line and gives exit code, output and errors."""

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return caught.value.code, captured.out, captured.err

    return call


@pytest.fixture
def mine(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    return file


@pytest.mark.parametrize(
    "verb", ["list", "show", "check", "plan", "run", "report", "compare", "history", "new-plugin", "doctor"]
)
def test_every_verb_has_help(run, verb):
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert "Usage: rkbench" in out


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_listed_as_a_table_and_as_json(run, kind):
    code, out, _ = run("list", kind, "--json")
    assert code == 0
    rows = json.loads(out)[kind]
    assert rows
    code, out, _ = run("list", kind)
    assert code == 0
    assert all(row["name"] in out for row in rows)


def test_list_shows_all_kinds(run):
    code, out, _ = run("list", "--json")
    assert code == 0
    assert set(json.loads(out)) == set(KINDS)


def test_a_plugin_file_is_listed_beside_the_built_ins(run, mine):
    _, out, _ = run("list", "methods", "--json", "--plugin", mine)
    named = {row["name"]: row for row in json.loads(out)["methods"]}
    assert named["mine"]["order"] == 2
    assert named["mine"]["plugin"] == str(mine)
    assert set(registry.default().methods) < set(named)


def test_a_broken_plugin_is_listed_with_its_reason_and_the_rest_works(run, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(MINE.replace("F(1, 4)", "F(1, 5)"))
    code, out, _ = run("list", "plugins", "--json", "--plugin", broken)
    (plugin,) = (row for row in json.loads(out)["plugins"] if row["distribution"] == str(broken))
    assert code == 0
    assert plugin["status"] == "failed"
    assert "b sums to 0.95 and must sum to 1" in plugin["problems"][0]
    assert run("list", "methods", "--plugin", broken)[0] == 0


def test_running_with_a_broken_plugin_is_refused_in_one_sentence(run, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(MINE.replace("F(1, 4)", "F(1, 5)"))
    code, out, err = run("run", "--plugin", broken, "--method", "mine", "--out", tmp_path / "run")
    assert code == 2
    assert err.startswith("Error:")
    assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_show_prints_the_tableau_and_its_facts(run):
    code, out, _ = run("show", "bosh3")
    assert code == 0
    assert "7/24" in out
    assert "Bogacki" in out


def test_show_plots_the_stability_region(run, tmp_path):
    file = tmp_path / "rk4.png"
    code, out, _ = run("show", "rk4", "--plot", file)
    assert code == 0
    assert file.read_bytes().startswith(b"\x89PNG")


def test_check_proves_a_good_plugin(run, mine):
    code, out, _ = run("check", "--plugin", mine)
    assert code == 0
    assert "mine" in out
    assert "every promise holds" in out


def test_check_refuses_a_broken_plugin_with_exit_code_1(run, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(MINE.replace("c=(0, F(2, 3))", "c=(0, F(1, 3))"))
    code, out, err = run("check", "--plugin", broken)
    assert code == 1
    assert "row a[2] sums to 0.666666666667 where c[2] = 0.333333333333" in " ".join(out.split())


def test_check_covers_the_controllers_and_engines_of_a_file(run, tmp_path):
    file = tmp_path / "both.py"
    file.write_text(
        "from rkbench import NativeEngine, StepController, hookimpl\n"
        "class Twin(NativeEngine):\n    name = 'twin'\n"
        "@hookimpl\ndef rkbench_engines():\n    return [Twin()]\n"
        "@hookimpl\ndef rkbench_controllers():\n"
        "    return [StepController('mine', propose=lambda errors, ratios, k: errors[0] ** (-1 / k))]\n"
    )
    code, out, _ = run("check", "--plugin", file, "--json")
    assert code == 0
    assert set(json.loads(out)["checks"]) == {"controller mine", "engine twin"}


def test_check_takes_names(run):
    code, out, _ = run("check", "euler", "--json")
    assert code == 0
    assert set(json.loads(out)["checks"]) == {"euler"}


def test_check_takes_names_of_controllers_and_engines(run):
    code, out, _ = run("check", "pi", "rkbench", "--json")
    checks = json.loads(out)["checks"]
    assert code == 0
    assert set(checks) == {"controller pi", "engine rkbench"}
    assert all(checks.values())


def test_check_tells_why_an_engine_cannot_run_here(run, tmp_path):
    file = tmp_path / "absent.py"
    file.write_text(
        "from rkbench import NativeEngine, hookimpl\n"
        "class Absent(NativeEngine):\n    name = 'absent'\n"
        "    def unavailable(self):\n        return 'its library is not installed; install it.'\n"
        "@hookimpl\ndef rkbench_engines():\n    return [Absent()]\n"
    )
    code, out, _ = run("check", "absent", "--plugin", file)
    assert code == 1
    assert "runs here: its library is not installed; install it." in out


def test_plan_prints_the_cells_as_json(run):
    code, out, _ = run("plan", "quick", "--json")
    cells = json.loads(out)["cells"]
    assert code == 0
    assert [cell["replica"] for cell in cells].count(0) == 9
    assert {cell["method"] for cell in cells} == {"euler", "rk4", "dopri5"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "quik"], "did you mean quick"),
        (["run", "--method", "rk5"], "did you mean rk4"),
        (["run", "--seeds", "0"], "at least 1"),
        (["run", "--seeds", "three"], "three"),
        (["run", "--baseline", "tsit5"], "not among the solvers"),
        (["run", "--plugin", "nowhere.py"], "There is no such file"),
        (["show", "rk44"], "did you mean rk4"),
        (["check", "nope"], "no method named 'nope'"),
        (["plan", "nope.toml"], "no suite file"),
        (["report", "nowhere"], "is not a run"),
        (["compare", "nowhere", "nowhere"], "is not a run"),
        (["list", "things"], "things"),
        (["fly"], "fly"),
        (["new-plugin", "not a name"], "name"),
    ],
)
def test_a_mistake_gets_a_sentence_and_exit_code_2(run, arguments, sentence):
    code, _, err = run(*arguments)
    assert code == 2
    assert sentence in err


def test_doctor_tells_the_machine_and_what_it_resolves(run):
    code, out, _ = run("doctor", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["machine"]["torch"]
    assert len(told["resolution"]) == 3
    assert all(clock > 0 and cpu > 0 for clock, cpu in told["pulses"])


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_letters_still_shows_the_rest(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "rkbench.cli", "list", "methods"],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert b"dopri5" in done.stdout


def test_names_and_titles_are_not_taken_for_markup(run, tmp_path):
    file = tmp_path / "odd.py"
    file.write_text(MINE.replace('name="mine"', 'name="x[/y]"'))
    code, out, _ = run("check", "--plugin", file)
    assert code == 0
    assert "x[/y]" in out


def test_a_controller_and_an_engine_of_one_name_are_both_checked(run, tmp_path):
    file = tmp_path / "both.py"
    file.write_text(
        "from rkbench import NativeEngine, StepController, hookimpl\n"
        "class Twin(NativeEngine):\n    name = 'mine'\n"
        "@hookimpl\ndef rkbench_engines():\n    return [Twin()]\n"
        "@hookimpl\ndef rkbench_controllers():\n"
        "    return [StepController('mine', propose=lambda errors, ratios, k: 0.5)]\n"
    )
    code, out, _ = run("check", "--plugin", file)
    assert code == 1
    assert "some promises do not hold" in out


def test_tasks_are_listed_with_the_options_of_their_networks(run):
    rows = {row["name"]: row for row in json.loads(run("list", "tasks", "--json")[1])["tasks"]}
    assert "width=None" in rows["mnist8_tanh"]["options"]
    assert "hidden=300" in rows["mnist_mlp"]["options"]
    assert rows["lorenz"]["options"] == []
