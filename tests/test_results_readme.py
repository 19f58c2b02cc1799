"""`results/README.md` documents every column, in the words of the code."""

from pathlib import Path

from rkbench.record import COLUMNS, CURVE_COLUMNS
from rkbench.report import columns

README = (Path(__file__).parents[1] / "results" / "README.md").read_text(encoding="utf-8")


def test_the_tables_of_columns_are_up_to_date():
    start = README.index(columns.BEGIN)
    found = README[start : README.index(columns.END) + len(columns.END)]
    assert found == columns.markdown().rstrip("\n"), (
        "run `python -m rkbench.report.columns` and paste what it prints"
    )


def test_every_column_has_its_row():
    for name, doc in (COLUMNS | CURVE_COLUMNS).items():
        assert any(line.startswith(f"| `{name}`") and doc in line for line in README.splitlines()), name
