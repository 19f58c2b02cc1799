"""Stability regions: which methods share one, and at what scale."""

import math

import numpy as np
import pytest
from test_report_example import cell, ok, written

from rkbench import registry, report
from rkbench.report.figures import stability
from rkbench.stability import real_interval, stability_polynomial

RK4 = [1 / math.factorial(k) for k in range(5)]


def told(polynomial, order=1):
    return {"stability": polynomial, "order": order, "stages": len(polynomial) - 1}


def drawn(folder, **methods):
    run = written(folder / "run", [ok(cell(name)) for name in methods], methods=methods)
    [drawing] = stability.draw(report.load(run))
    return drawing


def test_methods_of_one_polynomial_share_a_panel(tmp_path):
    figure = drawn(
        tmp_path, rk4=told(RK4, 4), euler=told([1, 1]), rk38=told([*RK4[:4], RK4[4] * (1 + 1e-15)], 4)
    ).figure
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["euler\norder 1, 1 stage", "rk38, rk4\norder 4, 4 stages"]


def test_the_region_of_euler_is_a_disc(tmp_path):
    edge = drawn(tmp_path, euler=told([1, 1])).figure.axes[0].collections[1].get_paths()[0].vertices
    assert np.allclose(np.abs(edge[:, 0] + 1 + 1j * edge[:, 1]), 1, atol=0.01)


def test_a_run_of_before_tells_no_region(tmp_path):
    assert not list(stability.draw(report.load(written(tmp_path / "run", [ok(cell("euler"))]))))


def test_a_method_that_the_run_has_no_cell_of_is_not_drawn(tmp_path):
    run = written(tmp_path / "run", [ok(cell("euler"))], methods={"rk4": told(RK4, 4)})
    assert not list(stability.draw(report.load(run)))


def test_all_have_one_scale_but_one_that_reaches_far(tmp_path):
    chebyshev = [1, 1, 4 / 27, 4 / 729]  # T₃(1 + z/9), stable to -18, the farthest of three stages
    found = drawn(
        tmp_path, euler=told([1, 1]), rk4=told(RK4, 4), heun2=told([1, 1, 0.5], 2), long=told(chebyshev)
    )
    frames = {axes.get_title(loc="left").split("\n")[0]: axes.get_xlim() for axes in found.figure.axes}
    assert frames["euler"] == frames["rk4"] == frames["heun2"] != frames["long"]
    assert found.figure.axes[1].get_title(loc="left").endswith("own scale")
    assert "but those that say so" in found.caption


@pytest.mark.parametrize("name", ["euler", "rk4", "dopri5", "ssprk104", "vern9"])
def test_an_outline_ends_where_the_real_interval_does(name):
    method = registry.default().method(name)
    outline = stability._outline(tuple(float(x) for x in stability_polynomial(method)))
    assert -outline[-1].real == pytest.approx(real_interval(method), rel=0.02)
