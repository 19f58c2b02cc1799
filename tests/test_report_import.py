"""The terminal's table does not pay for figures, and the report needs no torch."""

import subprocess
import sys

import pytest


def imported(*statements: str) -> set[str]:
    code = "; ".join([*statements, "import sys; print(*(name for name in sys.modules if '.' not in name))"])
    return set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )


@pytest.mark.parametrize("module", ["rkbench.report", "rkbench.report.page"])
def test_figures_are_imported_only_when_they_are_drawn(module):
    assert imported(f"import {module}").isdisjoint({"matplotlib", "seaborn", "torch"})


def test_drawing_needs_no_torch():
    assert "torch" not in imported("import rkbench.report.figures")
