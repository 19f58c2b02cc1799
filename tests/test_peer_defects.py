"""What is known to be wrong with a library is said where it is listed, and next to the rows it bears on."""

import json
from importlib.metadata import PackageNotFoundError, version

import pytest
from click.testing import CliRunner

from rkbench import registry
from rkbench.cli import cli
from rkbench_solvers.engines import ENGINES
from rkbench_solvers.engines.defect import ROWS, Defect

PEERS = {engine.name: engine for engine in ENGINES}
ALL = [(engine, defect) for engine in ENGINES for defect in engine.defects]


def where(engine, method, **row):
    """What the remarks next to a row are about."""
    told = PEERS[engine].remarks(registry.default().method(method), **row)
    return [remark.partition(":")[0] for remark in told]


@pytest.mark.parametrize(("engine", "defect"), ALL, ids=[f"{e.name}: {d.where}" for e, d in ALL])
def test_a_defect_is_a_plain_sentence_about_known_rows(engine, defect):
    assert defect.where
    assert len(defect.what.split()) > 3
    assert not defect.what.endswith(".")
    assert defect.rows in ROWS
    assert set(defect.gradients) <= set(engine.gradients)
    assert set(defect.methods) <= set(registry.default().methods)


def test_a_remark_stands_next_to_the_rows_it_bears_on():
    assert where("torchdiffeq", "dopri5_shampine", adaptive=True) == ["first step", "failures"]
    assert "t1" in where("torchdiffeq_as_shipped", "dopri8", adaptive=True)
    assert where("torchdiffeq_as_shipped", "rk38", adaptive=False) == ["step_size", "output times"]
    assert where("torchode", "heun2", adaptive=False) == ["output times"]
    assert where("torchode", "euler", adaptive=False) == ["output times", "Euler"]


def test_a_remark_about_a_gradient_stands_next_to_that_gradient():
    assert "adjoint" not in where("torchdiffeq", "rk38", adaptive=False)
    assert "adjoint" in where("torchdiffeq", "rk38", adaptive=False, gradient="adjoint")
    assert "backprop" not in where("diffrax", "euler", adaptive=False, gradient="checkpoint")


def test_what_the_adapter_prevents_stands_next_to_no_row():
    assert not Defect("here", "it cannot happen to you", rows="none").bears_on("euler", True, "backprop")


def test_the_list_of_engines_tells_version_and_defects():
    listed = json.loads(CliRunner().invoke(cli, ["list", "engines", "--json"]).stdout)["engines"]
    rows = {row["name"]: row for row in listed}
    for name, engine in PEERS.items():
        assert rows[name]["defects"] == [f"{d.where}: {d.what}" for d in engine.defects]
        assert rows[name]["version"] == installed(engine.library)
    assert rows["rkbench"]["version"] == version("rkbench")
    assert rows["rkbench"]["defects"] == []


def installed(library):
    try:
        return version(library)
    except PackageNotFoundError:
        return None
