"""A network that solves nothing stands beside those that do: trained once per seed, whatever the solvers."""

import json

import pytest
from click.testing import CliRunner

from rkbench import load
from rkbench.cli import cli

PLUGIN = """
import torch
from rkbench import Recipe, Task, hookimpl

def network(solver, example, classes):
    assert solver is None
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, classes))

@hookimpl
def rkbench_tasks():
    return [Task("linear", "digits8", network, Recipe(epochs=1), target=0.5, solves=False)]
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    file = tmp_path_factory.mktemp("plugin") / "linear.py"
    file.write_text(PLUGIN)
    return file


def told(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_it_has_one_cell_per_seed_and_no_second_label(plugin):
    command = ["plan", "--plugin", plugin, "--task", "linear", "--seeds", 3, "--json"]
    cells = json.loads(told(*command))["cells"]
    assert [(cell["seed"], cell["method"], cell["engine"], cell["replica"]) for cell in cells] == [
        (seed, "", "", 0) for seed in range(3)
    ]
    assert len({cell["cell_id"] for cell in cells}) == 3


def test_its_identity_does_not_depend_on_the_solvers_of_the_suite(plugin):
    def identity(*method):
        shown = told("plan", "--plugin", plugin, "--task", "linear", "--seeds", 1, "--json", *method)
        return json.loads(shown)["cells"][0]["cell_id"]

    assert identity() == identity("--method", "rk4")


def test_it_runs_and_is_reported_beside_an_ode_net(plugin, tmp_path):
    tasks = ["--task", "linear", "--task", "digits8_tanh"]
    told(
        "run",
        "--plugin",
        plugin,
        *tasks,
        "--method",
        "euler",
        "--seeds",
        1,
        "--epochs",
        1,
        "--out",
        tmp_path / "run",
    )
    cells = load(tmp_path / "run").cells.set_index("task")
    assert list(cells["status"]) == ["ok", "ok"]
    assert cells.loc["linear", "solver"] == "no solver"
    assert (cells.loc["linear", "parameters"], cells.loc["linear", "nfe_forward"]) == (650, 0)
    assert cells.loc["digits8_tanh", "solver"] == "euler ×10"
    assert ">no solver<" in (tmp_path / "run" / "report" / "index.html").read_text("utf-8")
