"""What is known to be wrong with a library stands in the report beside what it measured."""

import dataclasses

import pytest
from rich.console import Console
from test_report_example import cell, ok, written

from rkbench import NativeEngine, TableauWarning, registry
from rkbench.cell import _introduce
from rkbench.interface import make_solver
from rkbench.report import account, load, terminal, write

REMARK = "t1: it steps past t1 <b>and back</b>"


@pytest.fixture
def run(tmp_path):
    theirs = [cell(seed=seed, engine="torchdiffeq") for seed in (0, 1)]
    known = {"engine_version": "0.2.5", "engine_remarks": REMARK}
    return written(
        tmp_path / "run",
        [ok(cell()), *(ok(one | {"cell_id": str(i)}, **known) for i, one in enumerate(theirs))],
    )


def test_a_remark_names_library_version_and_rows_once(run):
    (sentence,) = account.remarks(load(run))
    assert sentence == f"Known of torchdiffeq 0.2.5, for euler: {REMARK}."


def test_terminal_markdown_and_page_carry_it(run):
    console = Console(record=True, width=200)
    terminal.show(run, console)
    assert REMARK in console.export_text()
    page_file = write(run)
    assert "it steps past t1" in page_file.with_name("report.md").read_text("utf-8")
    page = page_file.read_text("utf-8")
    assert "it steps past t1 &lt;b&gt;" in page


def test_a_run_of_the_native_engine_has_none(tmp_path):
    page = write(written(tmp_path / "run", [ok(cell())])).read_text("utf-8")
    assert "Known defects" not in page


METHODS = registry.default().methods


def told(method, gradient="interpolated", adaptive=False):
    return NativeEngine().remarks(method, adaptive=adaptive, gradient=gradient)


@pytest.mark.parametrize("name", ["cash_karp", "bs5", "dop853", "dopri8", "vern6", "vern9"])
@pytest.mark.parametrize("adaptive", [True, False])
def test_a_gradient_read_off_cubic_polynomials_says_that_it_has_order_4(name, adaptive):
    (remark,) = told(METHODS[name], adaptive=adaptive)
    assert remark == (
        "interpolated: read off cubic polynomials, as the method has no dense output, the gradient has order 4 and not "
        "that of the method"
    )
    assert told(METHODS[name], gradient="adjoint") == told(METHODS[name], gradient="backprop") == ()


@pytest.mark.parametrize("name", ["euler", "bosh3", "rk4", "owren_zennaro4", "dopri5", "tsit5"])
def test_a_gradient_as_good_as_the_method_needs_no_remark(name):
    assert told(METHODS[name]) == ()


def test_a_dense_output_that_is_too_coarse_for_the_gradient_is_told(recwarn):
    rk4 = METHODS["rk4"]
    straight = dataclasses.replace(rk4, name="straight", interpolation=[[weight] for weight in rk4.b])
    assert recwarn.pop(TableauWarning)
    (remark,) = told(straight)
    assert "read off the method's dense output, the gradient has order 2" in remark


def test_a_cell_takes_down_what_its_engine_tells_of_it():
    record = ok(cell())
    _introduce(record, make_solver("dop853", rtol=1e-6, atol=1e-6, gradient="interpolated"))
    assert record.engine_remarks == "; ".join(told(METHODS["dop853"]))
    assert record.engine_version == ""


def test_a_remark_about_the_native_engine_names_no_version(tmp_path):
    folder = written(tmp_path / "run", [ok(cell(), engine_remarks="interpolated: it has order 4")])
    (sentence,) = account.remarks(load(folder))
    assert sentence == "Known of rkbench, for euler: interpolated: it has order 4."
