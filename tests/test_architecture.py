"""No import climbs: a module knows only what lies below it, and a plugin only the public vocabulary."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import rkbench

FLOORS = (
    "errors printable source checksums",
    "order coefficients tableau stability controller problem problems solution solver task variation twin",
    "integrate validity record plainfiles journal manifest reserve store checkpoints machine strictly questions suite",
    "hookspecs traits surroundings registry interface networks data model tasks identity plan",
    "conformance checking show listing",
    "tightly lesson measure memory augmentation classification modelling compiling objective saving training_state train"
    " experiments cell turns sentinel mailbox log guardian appetite worker inventory lanes cluster runner forecast size"
    " progress report history doctor new_plugin",
    "console options cli",
)
"""From the ground up. On one floor, too, a module imports only those to its left."""

HEIGHT = {unit: height for height, unit in enumerate(" ".join(FLOORS).split())}

LEDGER = (
    "validity",
    "record",
    "journal",
    "manifest",
    "store",
    "checkpoints",
    "machine",
    "strictly",
    "questions",
    "suite",
    "report",
    "history",
)
"""Bookkeeping: it knows names and numbers, never how they are computed."""

MATHEMATICS = (
    "order",
    "coefficients",
    "tableau",
    "stability",
    "controller",
    "problem",
    "problems",
    "solution",
    "solver",
    "integrate",
)

HEAVY = ("torch", "pandas", "scipy", "sympy", "matplotlib", "seaborn")

BENCH = Path(__file__).parents[1] / "bench"
PLUGINS = Path(__file__).parents[1] / "plugins"


class _Imports(ast.NodeVisitor):
    """Every (module, name) a file imports at run time, inside functions too; name is None for `import x`."""

    def __init__(self, module: str, is_package: bool) -> None:
        self.package = module if is_package else module.rpartition(".")[0]
        self.found: list[tuple[str, str | None]] = []

    def visit_If(self, node: ast.If) -> None:
        body = [] if "TYPE_CHECKING" in ast.unparse(node.test) else node.body
        for statement in [*body, *node.orelse]:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        self.found += [(alias.name, None) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = resolve_name("." * node.level + (node.module or ""), self.package)
        self.found += [(module, alias.name) for alias in node.names]


def _modules(package: Path) -> dict[str, Path]:
    """Return dotted name -> file, the package's own name for its ``__init__.py``."""
    names = {
        file: ".".join(file.relative_to(package.parent).with_suffix("").parts)
        for file in package.rglob("*.py")
    }
    return {name.removesuffix(".__init__"): file for file, name in names.items()}


def _imports(module: str, file: Path) -> list[tuple[str, str | None]]:
    visitor = _Imports(module, file.name == "__init__.py")
    visitor.visit(ast.parse(file.read_text("utf-8")))
    return visitor.found


MODULES = _modules(BENCH / "rkbench")
SOLVERS = _modules(PLUGINS / "rkbench_solvers")


def _target(module: str, name: str | None) -> str:
    """Return the module that importing ``name`` from ``module`` reaches, through the lazy front door too."""
    if f"{module}.{name}" in MODULES:
        return f"{module}.{name}"
    return f"rkbench.{rkbench._HOME[name]}" if module == "rkbench" and name in rkbench._HOME else module


EDGES = {
    module: {_target(*found) for found in _imports(module, file) if found[0].split(".")[0] == "rkbench"}
    - {module}
    for module, file in MODULES.items()
}
"""Module of rkbench -> the modules of rkbench it imports. Importing the front door itself is free."""


def _unit(module: str) -> str:
    """Return the entry of the table that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def test_the_table_names_every_module_and_nothing_else():
    assert {_unit(module) for module in MODULES} - {""} == set(HEIGHT)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_only_what_lies_below_it(module):
    if _unit(module):
        height = HEIGHT[_unit(module)]
        climbing = {
            target
            for target in EDGES[module]
            if _unit(target) and _unit(target) != _unit(module) and HEIGHT[_unit(target)] > height
        }
        assert climbing == set()


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter({module: targets - {"rkbench"} for module, targets in EDGES.items()}).prepare()


def test_the_front_door_imports_nothing_until_it_is_asked():
    assert EDGES["rkbench"] == set()


def test_the_judge_never_imports_the_competitors():
    guilty = [
        m for m, file in MODULES.items() if any("rkbench_solvers" in found[0] for found in _imports(m, file))
    ]
    assert guilty == []


@pytest.mark.parametrize("module", sorted(SOLVERS))
def test_a_built_in_solver_imports_only_the_public_vocabulary(module):
    ours = [found for found in _imports(module, SOLVERS[module]) if found[0].split(".")[0] == "rkbench"]
    assert [found for found in ours if found[0] != "rkbench" or found[1] not in rkbench.__all__] == []


@pytest.mark.parametrize("module", sorted(module for module in MODULES if _unit(module) in LEDGER))
def test_the_ledger_knows_neither_torch_nor_the_mathematics(module):
    foreign = {found[0].split(".")[0] for found in _imports(module, MODULES[module])} & {
        "torch",
        "torchvision",
    }
    assert foreign | ({_unit(target) for target in EDGES[module]} & set(MATHEMATICS)) == set()


@pytest.mark.parametrize(
    "statement",
    [
        "import rkbench",
        "import rkbench.registry",
        "import rkbench.cli",
        "from rkbench import registry; registry.load()",
    ],
)
def test_a_quick_answer_does_not_wait_for_a_heavy_import(statement):
    report = f"import sys; {statement}; print(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
