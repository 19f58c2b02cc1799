"""Cells: paired, shuffled in blocks, and identified by what decides their outcome."""

import dataclasses

import pytest

from rkbench import registry, suite
from rkbench.errors import SuiteError
from rkbench.identity import identity
from rkbench.plan import expand
from rkbench.suite import SolverAxis

QUICK = suite.load("quick")
CELLS = expand(QUICK, registry.default())


def test_every_cell_has_its_own_identity():
    assert len({cell.cell_id for cell in CELLS}) == len(CELLS) == 12


def test_a_plan_is_the_same_every_time():
    assert expand(QUICK, registry.default()) == CELLS


def test_a_block_holds_every_solver_once_before_the_next_seed_begins():
    for block in (CELLS[0:4], CELLS[4:8], CELLS[8:12]):
        assert sorted(cell.method for cell in block if not cell.replica) == ["dopri5", "euler", "rk4"]
        assert len({cell.seed for cell in block}) == 1


def test_a_block_holds_the_baseline_once_more_under_another_label():
    for block in (CELLS[0:4], CELLS[4:8], CELLS[8:12]):
        [second] = [cell for cell in block if cell.replica]
        [first] = [cell for cell in block if cell.method == "euler" and not cell.replica]
        assert first.cell_id != second.cell_id
        assert dataclasses.replace(second, cell_id=first.cell_id, replica=0) == first


def test_one_seed_says_nothing_about_what_the_run_can_tell_so_it_has_no_second_label():
    assert not any(cell.replica for cell in expand(suite.select(QUICK, seeds=1), registry.default()))


def test_the_second_label_is_the_plainest_solver_of_the_baseline():
    axis = SolverAxis(("rk4",), steps=(5,), compile=(True, False))
    cells = expand(dataclasses.replace(QUICK, baseline="rk4", solvers=(axis,), seeds=2), registry.default())
    assert {c.compiled for c in cells if c.replica} == {False}


def test_blocks_are_shuffled_differently():
    many = expand(suite.select(QUICK, seeds=12), registry.default())
    orders = {tuple(cell.method for cell in many[i : i + 4]) for i in range(0, 48, 4)}
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


def block(tasks=("digits8_tanh",), plugins=None, **axis):
    """The cells of one block of solvers, one seed."""
    chosen = dataclasses.replace(
        QUICK, tasks=tasks, seeds=1, baseline=axis["method"][0], solvers=(SolverAxis(**axis),)
    )
    return expand(chosen, plugins or registry.default())


def points(cells, *names):
    return sorted(tuple(getattr(cell, name) for name in names) for cell in cells)


def test_compiling_and_control_multiply():
    cells = block(method=("dopri5",), rtol=(1e-3,), control=("batch", "sample"))
    cells += block(method=("dopri5",), rtol=(1e-3,), compile=(False, True))
    assert points(cells, "control", "compiled") == [
        ("batch", False),
        ("batch", False),
        ("batch", True),
        ("sample", False),
    ]
    assert len({cell.cell_id for cell in cells}) == 3


def test_equal_steps_are_shared_whatever_the_control():
    cells = block(method=("rk4", "dopri5"), steps=(5,), rtol=(1e-3,), control=("sample",))
    assert points(cells, "method", "control") == [("dopri5", "sample"), ("rk4", "batch")]


def test_the_options_of_a_solve_back_in_time_go_to_the_gradients_that_take_one():
    options = {"adjoint_rtol": (1e-5, 1e-7), "adjoint_atol": (1e-6,), "seminorm": (True, False)}
    cells = block(
        method=("dopri5", "rk4"), steps=(5,), rtol=(1e-3,), gradient=("backprop", "adjoint"), **options
    )
    back = [cell for cell in cells if cell.seminorm is not None]
    assert points(back, "adjoint_rtol", "adjoint_atol", "seminorm") == [
        (1e-7, 1e-6, False),
        (1e-7, 1e-6, True),
        (1e-5, 1e-6, False),
        (1e-5, 1e-6, True),
    ]
    assert {(cell.method, cell.gradient) for cell in back} == {("dopri5", "adjoint")}
    assert len(cells) == 4 + 3
    assert len({cell.cell_id for cell in cells}) == len(cells)
    assert {back[0].solver(registry.default()).adjoint_tolerances[1]} == {1e-6}


def test_an_adjoint_without_options_is_told_none_of_them():
    [cell] = block(method=("dopri5",), rtol=(1e-3,), gradient=("adjoint",))
    assert (cell.adjoint_rtol, cell.adjoint_atol, cell.seminorm) == (None, None, True)
    assert cell.solver(registry.default()).adjoint_tolerances == (1e-3, 1e-3)


def test_checkpoints_go_to_the_gradients_that_keep_some():
    cells = block(method=("rk4",), steps=(9,), gradient=("checkpoint", "segments"), checkpoints=(2, 3))
    assert {(cell.gradient, cell.checkpoints) for cell in cells} == {
        ("checkpoint", None),
        ("segments", 2),
        ("segments", 3),
    }


@pytest.mark.parametrize(
    "option", [{"adjoint_rtol": (1e-5,)}, {"seminorm": (False,)}, {"checkpoints": (3,)}], ids=str
)
def test_an_option_that_no_gradient_of_the_block_takes_is_refused(option):
    with pytest.raises(SuiteError, match="name one of them or drop it"):
        block(method=("dopri5",), rtol=(1e-3,), **option)


def test_an_initial_value_problem_has_no_epochs_and_no_data():
    [cell] = block(tasks=("lorenz",), method=("dopri5",), rtol=(1e-3,))
    assert (cell.experiment, cell.epochs, cell.dataset) == ("solving", None, "")


def test_an_initial_value_problem_is_not_a_batch_of_samples():
    with pytest.raises(SuiteError, match="one initial value problem"):
        block(tasks=("lorenz",), method=("dopri5",), rtol=(1e-3,), control=("sample",))


ABSENT = """
from rkbench import NativeEngine, hookimpl

class Absent(NativeEngine):
    name = "absent"

    def unavailable(self):
        return {reason!r}

    def unsupported(self, solver):
        return self.unavailable()

@hookimpl
def rkbench_engines():
    return [Absent()]
"""


@pytest.mark.parametrize("reason", ["It is not installed; install it.", None])
def test_an_engine_that_is_not_here_is_planned_with_its_reason(tmp_path, reason):
    file = tmp_path / "absent.py"
    file.write_text(ABSENT.format(reason=reason))
    [cell] = block(plugins=registry.load([file]), method=("rk4",), steps=(3,), engine=("absent",))
    assert cell.unavailable == (reason or "")


def test_whether_an_engine_is_here_does_not_change_the_identity():
    """Nor does the version of its library, so that a cell is found again; test_engine_version.py compares that."""
    absent = dataclasses.replace(CELLS[0], unavailable="It is not installed; install it.")
    here = dataclasses.replace(CELLS[0], engine_version="1.2")
    assert identity(absent, {}) == identity(here, {}) == identity(CELLS[0], {})


def test_only_compiled_solves_that_adapt_their_steps_speculate():
    cells = block(
        method=("rk4", "dopri5"), steps=(4,), rtol=(1e-3,), compile=(False, True), speculative=(False, True)
    )
    assert points(cells, "method", "compiled", "speculative") == [
        ("dopri5", False, False),
        ("dopri5", True, False),
        ("dopri5", True, True),
        ("rk4", False, False),
        ("rk4", True, False),
    ]


def test_speculation_without_compiling_is_refused():
    with pytest.raises(SuiteError, match=r"add compile = \[true\]"):
        block(method=("dopri5",), rtol=(1e-3,), speculative=(True,))
