"""`results/README.md` documents every column, in the words of the code, with its unit."""

from pathlib import Path

import pandas as pd
import pytest
from test_report_example import three_solvers

from rkbench import report
from rkbench.record import COLUMNS, CURVE_COLUMNS, LOOK_COLUMNS, NESTED, SIGNAL_COLUMNS, TRACE_COLUMNS
from rkbench.report import columns

README = (Path(__file__).parents[1] / "results" / "README.md").read_text(encoding="utf-8")
FRAMES = {
    "cells": "A row of `cells`",
    "replicas": "A row of `cells` and of `replicas`",
    "epochs": "A row of `epochs`",
    "looks": "A row of the frame `looks`",
    "signals": "A row of `signals`",
    "traces": "A row of `traces`",
    "summary": "A row of `summary()`",
}
"""Frame of a run -> how its section begins."""


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    results = report.load(three_solvers(tmp_path_factory.mktemp("runs") / "run"))
    return {name: getattr(results, name) for name in FRAMES if name != "summary"} | {
        "summary": results.summary()
    }


def documented(title):
    """Return the rows of a section of the page by column: of the columns named in its first two entries."""
    (section,) = (part for part in README.split("### ") if part.startswith(title))
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    named = {name.strip("`, "): row for row in rows for name in row[0].split(", ")}
    return named | {end.strip("`"): row for row in rows for end in row[1].split(", ") if end.startswith("`")}


def of_frame(name):
    """Return the rows that document a frame's columns."""
    record = {one: row for one, row in documented("A record").items() if one not in NESTED}
    return (record if name in ("cells", "replicas") else {}) | documented(FRAMES[name])


def test_the_tables_of_columns_are_up_to_date():
    start = README.index(columns.BEGIN)
    found = README[start : README.index(columns.END) + len(columns.END)]
    assert found == columns.markdown().rstrip("\n"), (
        "run `python -m rkbench.report.columns` and paste what it prints"
    )


def test_every_column_has_its_row():
    for name, doc in (COLUMNS | CURVE_COLUMNS | LOOK_COLUMNS | SIGNAL_COLUMNS | TRACE_COLUMNS).items():
        assert any(line.startswith(f"| `{name}`") and doc in line for line in README.splitlines()), name


@pytest.mark.parametrize("name", FRAMES)
def test_every_column_of_a_frame_is_documented_and_no_other(frames, name):
    assert set(frames[name]) == set(of_frame(name))


@pytest.mark.parametrize("name", FRAMES)
def test_a_column_of_numbers_has_a_unit_and_no_other_has(frames, name):
    rows = of_frame(name)
    for column, values in frames[name].items():
        numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        assert bool(rows[column][2].strip()) == numeric, column


def test_a_unit_in_a_name_is_the_unit_that_is_documented():
    for name in (*COLUMNS, *CURVE_COLUMNS):
        if "seconds" in name or name.endswith("_mb"):
            assert columns.unit(name) == ("s" if "seconds" in name else "MiB")
