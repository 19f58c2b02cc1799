"""A report says under which conditions its cells were measured: when, on a quiet machine or not, alone or beside others."""

from test_report_example import cell, failed, ok, written

from rkbench.report import account, conditions, load

DAYS = ("2026-11-20T23:59:00+00:00", "2026-11-21T08:00:00+00:00")


def run(folder, records, **manifest):
    plan = [{key: getattr(one, key) for key in ("cell_id", "replica", *cell())} for one in records]
    return load(written(folder, records, plan, **manifest))


def two_starts(folder):
    """Return a run whose first seed was measured before its last start."""
    records = [ok(cell(seed=seed), measured_at=day) for seed, day in enumerate(DAYS)]
    return run(
        folder,
        records,
        started_at="2026-11-20T23:00:00Z",
        sessions=["2026-11-20T23:00:00Z", "2026-11-21T07:00:00Z"],
    )


def test_a_result_of_an_earlier_start_counts_as_reused_and_keeps_its_day(tmp_path):
    results = two_starts(tmp_path / "run")
    assert conditions.reused(results).tolist() == [True, False]
    assert account.counts(results) == {"planned": 2, "run": 2, "failed": 0, "reused": 1}
    assert account.denominators(results) == "2 cells planned, 2 run, 0 failed, 1 reused"
    assert conditions.sentences(results) == [
        "1 cell was reused from before the last start, measured on 2026-11-20."
    ]
    assert conditions.days(results) == "2026-11-20 to 2026-11-21"


def test_a_run_started_once_reuses_nothing(tmp_path):
    records = [ok(cell(), measured_at=DAYS[1]), ok(cell("rk4"))]  # a record of old has no date
    results = run(tmp_path / "run", records, started_at="2026-11-21T07:00:00Z")
    assert conditions.reused(results).tolist() == [False, False]
    assert conditions.days(results) == "2026-11-21"


def test_a_run_without_any_date_has_the_day_of_its_start(tmp_path):
    assert conditions.days(run(tmp_path / "run", [ok(cell())])) == "2026-03-01"


def test_disturbed_cells_are_counted_with_those_of_the_second_label(tmp_path):
    records = [
        ok(cell(seed=0), disturbance=0.05),
        ok(cell(seed=1), disturbance=0.02, attempt=3),
        ok(cell("rk4"), disturbance=0.30, attempt=2),
        ok(cell() | {"cell_id": "twin"}, replica=1, disturbance=0.01, attempt=2),
    ]
    results = run(tmp_path / "run", records)
    assert conditions.sentences(results) == [
        "Of 4 cells measured alone, 3 were measured again since the machine was disturbed by more than 10 %, and 1 was kept "
        "though it was disturbed."
    ]
    assert account.denominators(results).endswith("; and 1 cell of the baseline's second label (A/A)")


def test_a_quiet_run_says_so(tmp_path):
    results = run(tmp_path / "run", [ok(cell(), disturbance=0.05), failed(cell(seed=1), disturbance=0.1)])
    assert conditions.sentences(results) == [
        "Of 2 cells measured alone, none had the machine disturbed by more than 10 % beside it."
    ]


def test_cells_beside_others_are_counted(tmp_path):
    results = run(tmp_path / "run", [ok(cell(), timing_valid=False), ok(cell(seed=1), timing_valid=False)])
    assert conditions.sentences(results) == ["2 cells ran beside others; no time of theirs is compared."]


def test_cells_that_went_on_from_a_checkpoint_are_counted(tmp_path):
    results = run(tmp_path / "run", [ok(cell(), resumed_epochs=3), ok(cell(seed=1))])
    assert conditions.sentences(results) == [
        "1 cell was stopped in training and went on from a checkpoint; whether the machine was disturbed is known of the "
        "last process only."
    ]


def test_a_cell_that_has_not_run_is_neither_reused_nor_disturbed(tmp_path):
    results = load(written(tmp_path / "run", [], [cell()], sessions=["2026-11-21T07:00:00Z"]))
    assert account.counts(results) == {"planned": 1, "run": 0, "failed": 0, "reused": 0, "not run yet": 1}
    assert conditions.sentences(results) == []


VERSIONS = {"rkbench": "0.1.0", "torch": "2.15.0", "jax": ""}


def again(folder, **manifest):
    planned = [cell() | {"plugin": "mine", "plugin_version": "3.1"}, cell("rk4") | {"plugin": "a/file.py"}]
    records = [ok(cell()), ok(cell("rk4"))]
    return account.reproduction(load(written(folder, records, planned, versions=VERSIONS, **manifest)))


def test_a_run_from_a_checkout_is_repeated_from_its_commit(tmp_path):
    assert again(tmp_path / "run", commit="abc123", command="rkbench run digits --seeds 3") == [
        "git checkout abc123",
        "pip install . mine==3.1 torch==2.15.0",
        "rkbench run digits --seeds 3",
    ]


def test_a_run_from_a_wheel_is_repeated_from_its_version(tmp_path):
    assert again(tmp_path / "run", command=["rkbench", "run", "--plugin", "my file.py"]) == [
        "pip install rkbench==0.1.0 mine==3.1 torch==2.15.0",
        "rkbench run --plugin 'my file.py'",
    ]


def test_a_changed_tree_is_told(tmp_path):
    lines = again(tmp_path / "run", commit="abc123+dirty", command="rkbench run")
    assert lines[:2] == ["git checkout abc123", "# with changes to the tree that the commit does not hold"]


def test_a_run_without_a_command_is_not_said_to_be_repeatable(tmp_path):
    assert again(tmp_path / "run") == []
