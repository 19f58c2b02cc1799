"""The flows that networks learnt have a table of their own, on demand, where they were looked into."""

from test_report_example import cell, ok, written

from rkbench import load
from rkbench.report import flow_table


def table(folder, **measured):
    records = [ok(cell("rk4", seed), **{k: v + seed for k, v in measured.items()}) for seed in range(3)]
    return flow_table.tables(load(written(folder, records)))


def test_medians_stand_beside_their_intervals(tmp_path):
    [found] = table(tmp_path, spectral_abscissa=0.5, numerical_abscissa=2.0, condition=10.0)
    [row] = found.cells()
    assert [(one.text, one.interval) for one in row[1:]] == [
        ("1.50", "0.500–2.50"), ("3.00", "2.00–4.00"), ("11.0", "10.0–12.0"),
    ]  # fmt: skip
    assert found.folded


def test_a_column_without_numbers_is_left_out(tmp_path):
    [found] = table(tmp_path, spectral_abscissa=0.5, numerical_abscissa=2.0)
    assert "condition" not in [column.heading for column in found.columns]


def test_nothing_is_shown_of_networks_that_nobody_looked_into(tmp_path):
    assert table(tmp_path) == []
