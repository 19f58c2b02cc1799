"""Cells: paired, shuffled in blocks, and identified by what decides their outcome."""

import dataclasses

from rkbench import registry, suite
from rkbench.plan import expand, identity

QUICK = suite.load("quick")
CELLS = expand(QUICK, registry.default())


def test_every_cell_has_its_own_identity():
    assert len({cell.cell_id for cell in CELLS}) == len(CELLS) == 9


def test_a_plan_is_the_same_every_time():
    assert expand(QUICK, registry.default()) == CELLS


def test_a_block_holds_every_solver_once_before_the_next_seed_begins():
    for block in (CELLS[0:3], CELLS[3:6], CELLS[6:9]):
        assert {cell.method for cell in block} == {"euler", "rk4", "dopri5"}
        assert len({cell.seed for cell in block}) == 1


def test_blocks_are_shuffled_differently():
    many = expand(suite.select(QUICK, seeds=12), registry.default())
    orders = {tuple(cell.method for cell in many[i : i + 3]) for i in range(0, 36, 3)}
    assert len(orders) > 1


def test_changing_a_coefficient_changes_the_identity(tmp_path):
    text = """
from rkbench import ButcherTableau, hookimpl

@hookimpl
def rkbench_methods():
    return [ButcherTableau(name="mine", order=2, c="0 X", a=("", "X"), b="{b}")]
"""
    ids = []
    for node, b in (("2/3", "1/4 3/4"), ("1/2", "0 1")):
        file = tmp_path / "mine.py"
        file.write_text(text.replace("X", node).replace("{b}", b))
        plugins = registry.load([file])
        cell = next(
            c for c in expand(suite.select(QUICK, methods=["mine"], seeds=1), plugins) if c.method == "mine"
        )
        ids.append(cell.cell_id)
    assert ids[0] != ids[1]


def test_the_place_of_a_plugin_file_does_not_change_the_identity():
    cell = CELLS[0]
    moved = dataclasses.replace(cell, plugin="elsewhere.py", suite="other")
    assert identity(moved, {}) == identity(cell, {})


def test_every_setting_that_decides_the_outcome_changes_the_identity():
    ids = {cell.cell_id for cell in CELLS}
    for setting in ({"epochs": 2}, {"threads": 2}, {"dtype": "float64"}, {"rtol": [1e-4], "steps": [11]}):
        other = expand(suite.select(QUICK, **setting), registry.default())
        assert not ids & {cell.cell_id for cell in other}, setting


def test_editing_the_code_of_a_controller_changes_the_identity(tmp_path):
    file = tmp_path / "controllers.py"
    text = (
        "from rkbench import StepController, hookimpl\n"
        "@hookimpl\ndef rkbench_controllers():\n"
        "    return [StepController('mine', propose=lambda errors, ratios, k: errors[0] ** (POWER / k))]\n"
    )
    ids = []
    for power in ("-1", "-0.9"):
        file.write_text(text.replace("POWER", power))
        chosen = suite.select(QUICK, methods=["dopri5"], controllers=["mine"], seeds=1)
        ids += [cell.cell_id for cell in expand(chosen, registry.load([file]))]
    assert len(set(ids)) == 2


def test_a_task_named_twice_is_run_once():
    twice = dataclasses.replace(QUICK, tasks=QUICK.tasks * 2)
    assert expand(twice, registry.default()) == CELLS
