"""Networks with one row each share the panels of a figure; tasks of several solvers keep their own."""

from test_report_across import free
from test_report_example import cell, ok, written

from rkbench import load
from rkbench.report import account, joined
from rkbench.report.figures import draw


def results(folder, *, free_too=True):
    solved = [ok(cell(method, seed, task="small_odenet")) for method in ("rk4", "euler") for seed in range(2)]
    others = [free("small_resnet", seed) for seed in range(2)] if free_too else [
        ok(cell(method, seed, task="small_other")) for method in ("rk4", "euler") for seed in range(2)
    ]  # fmt: skip
    return load(written(folder, [*solved, *others]))


def test_a_network_without_a_solver_stands_beside_the_solvers_of_the_others(tmp_path):
    merged = joined.of(results(tmp_path))
    assert set(merged.cells["task"]) == set(merged.epochs["task"]) == {"2 networks on digits8"}
    names = ["odenet · euler ×10", "odenet · rk4 ×10", "resnet"]
    assert list(dict.fromkeys(merged.cells["solver"])) == names
    assert set(merged.epochs["solver"]) == set(names)


def test_tasks_of_one_solver_are_named_by_themselves(tmp_path):
    records = [ok(cell("rk4", 0, task=f"net[augment={n}]")) for n in (0, 8)]
    merged = joined.of(load(written(tmp_path, records)))
    assert list(merged.cells["solver"]) == ["net[augment=0]", "net[augment=8]"]


def test_tasks_of_several_solvers_stay_apart(tmp_path):
    found = results(tmp_path, free_too=False)
    assert joined.of(found).cells["task"].tolist() == found.cells["task"].tolist()


def test_the_figure_of_times_has_a_row_for_each_of_them_in_one_panel(tmp_path):
    drawings = {one.name: one for one in draw(results(tmp_path))}
    [panel] = drawings["time"].figure.axes
    assert len(panel.get_yticklabels()) == 3


def test_a_network_without_a_solver_is_not_counted_as_one(tmp_path):
    told = account.sentence(results(tmp_path))
    assert told.startswith("2 solvers × 2 seeds trained small_odenet and small_resnet")
    alone = load(written(tmp_path / "alone", [free("small_resnet", seed) for seed in range(2)]))
    assert account.sentence(alone).startswith("2 seeds trained small_resnet")


def test_tasks_with_long_names_are_counted(tmp_path):
    records = [ok(cell("rk4", 0, task=f"net[augment={n}, option_{'x' * 60}=1]")) for n in range(3)]
    assert account.sentence(load(written(tmp_path, records))).startswith("1 solver × 1 seed trained 3 tasks")
