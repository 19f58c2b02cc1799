"""What memory and time of training grow like is told of solvers by their steps, and of residual networks by their blocks."""

import pytest
from test_report_example import cell, failed, ok, written

from rkbench import report
from rkbench.report import depths, families, tables

NOTHING = dict.fromkeys(("method", "controller", "engine", "gradient", "norm", "control"), "")
STEPS = (2, 4, 8, 16)


def blocks(count, seed=0, **measured):
    planned = cell("", seed, task=f"small_resnet[blocks={count}]") | NOTHING
    return ok(planned | {"steps": None}, **measured)


def steps(count, method="euler", seed=0, task="small_odenet", **measured):
    return ok(cell(method, seed, task=task, steps=count), **measured)


def loaded(tmp_path, *records):
    return report.load(written(tmp_path / "run", list(records)))


def said(tmp_path, *records):
    return [sentence for table in tables.of(loaded(tmp_path, *records)) for sentence in table.findings]


def test_a_depth_is_a_number_of_equal_steps_or_of_blocks(tmp_path):
    adaptive = ok(cell("dopri5", rtol=1e-3))
    found = depths.cells(loaded(tmp_path, steps(4), blocks(12), adaptive).cells)
    rows = found[["family", "ladder", "unit", "depth"]].to_numpy().tolist()
    assert rows == [["small_odenet", "euler", "step", 4.0], ["small_resnet", "", "block", 12.0]]


@pytest.mark.parametrize(
    ("task", "known"),
    [
        ("mnist_resnet[blocks=12]", ("mnist_resnet", 12)),
        ("mnist_resnet[downsampling=res, blocks=1]", ("mnist_resnet[downsampling=res]", 1)),
        ("mnist_resnet", None),
        ("mnist_resnet[downsampling=res]", None),
        ("mnist_resnet[blocks=few]", None),
    ],
)
def test_the_name_of_a_task_tells_its_blocks(task, known):
    assert families.blocks(task) == known


def test_what_a_step_adds_is_told_solvers_of_one_law_together(tmp_path):
    euler = [steps(n, step_memory_mb=3 + 0.5 * n, epoch_seconds=1 + 2.0 * n) for n in STEPS]
    rk4 = [steps(n, "rk4", step_memory_mb=3 + 2.0 * n, epoch_seconds=1 + 8.0 * n) for n in STEPS]
    assert said(tmp_path, *euler, *rk4) == [
        "The memory of a training step grows like N, the number of steps: 0.500 MiB per step for euler and 2.00 MiB per "
        "step for rk4.",
        "The time of an epoch grows like N, the number of steps: 2.00 s per step for euler and 8.00 s per step for rk4.",
    ]


def test_memory_that_stays_is_the_same(tmp_path):
    found = said(tmp_path, *(steps(n, step_memory_mb=3.0) for n in STEPS))
    assert found == [
        "The memory of a training step is the same at every number of steps, to within 5 %: 3.00 MiB for euler."
    ]


def test_a_law_that_the_numbers_leave_open_or_deny_is_told_so(tmp_path):
    near = (steps(n, step_memory_mb=1 + n**0.5) for n in (10, 11, 12, 13))
    wild = (
        steps(n, "rk4", step_memory_mb=float(m)) for n, m in zip((10, 11, 12, 13), (9, 1, 8, 2), strict=True)
    )
    found = said(tmp_path, *near, *wild)
    assert found == [
        "The memory of a training step grows like log N or √N or N, N the number of steps, which the numbers cannot tell, "
        "for euler.",
        "The memory of a training step follows none of the laws 1, log N, √N and N, N the number of steps, for rk4.",
    ]


def test_residual_networks_grow_across_their_tasks(tmp_path):
    records = [blocks(n, step_memory_mb=10 + 1.5 * n) for n in STEPS]
    [across, *others] = tables.of(loaded(tmp_path, *records))
    assert across.findings == (
        "The memory of a training step grows like N, the number of blocks: 1.50 MiB per block for small_resnet.",
    )
    assert [one.findings for one in others] == [()] * len(STEPS)


def test_many_solvers_are_told_by_their_range(tmp_path):
    records = [steps(n, f"m{k}", step_memory_mb=1 + 0.1 * k * n) for n in STEPS for k in range(1, 11)]
    [found] = said(tmp_path, *records)
    assert found.endswith("0.100 to 1.00 MiB per step for 10 solvers.")


def test_three_depths_have_no_law(tmp_path):
    assert said(tmp_path, *(steps(n, step_memory_mb=1.0 * n) for n in STEPS[:3])) == []


def test_cells_that_failed_or_ran_beside_others_give_no_memory_or_no_time(tmp_path):
    lost = failed(cell(task="small_odenet", steps=32))
    beside = [steps(n, step_memory_mb=1.0 * n, epoch_seconds=1.0 * n, timing_valid=False) for n in STEPS]
    rungs = depths.rungs(depths.cells(loaded(tmp_path, *beside, lost).cells))
    assert list(rungs["depth"]) == list(STEPS)
    assert rungs["memory"].notna().all()
    assert rungs["seconds"].isna().all()


def test_the_medians_of_seeds_come_with_their_interval(tmp_path):
    rungs = depths.rungs(
        depths.cells(loaded(tmp_path, *(steps(2, seed=s, epoch_seconds=1.0 + s) for s in range(3))).cells)
    )
    assert rungs[["seconds", "seconds_low", "seconds_high"]].to_numpy().tolist() == [[2.0, 1.0, 3.0]]
