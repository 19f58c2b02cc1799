"""What the documents say is what the code does: hooks, verbs, columns, refusals, commands, paths."""

import inspect
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest

import rkbench
from rkbench import cli, hookspecs, record, registry, show, suite
from rkbench.interface import make_solver
from rkbench.plan import expand

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "plugins/README.md",
        "results/README.md",
        "plugins/MODELS.md",
        "plugins/SUITES.md",
        ".github/CONTRIBUTING.md",
        ".github/CLUSTER.md",
    )
]
README, PLUGINS, RESULTS, MODELS, *_ = (document.read_text("utf-8") for document in DOCUMENTS)

MADE = ("results/runs", "results/asv")
"""Folders that appear with the first run."""

HOOKS = [name for name in vars(hookspecs) if name.startswith("rkbench_")]
EXAMPLES = re.findall(r"```python\n(.*?)```", PLUGINS, re.DOTALL)
REFUSALS = re.findall(r"^\| `(.+?)` → `(.+?)`, .* \| (.+) \|$", PLUGINS, re.MULTILINE)
COMMANDS = sorted(
    {
        command.strip()
        for document in DOCUMENTS
        for block in re.findall(r"```(?:\w*)\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
        for command in line.partition("  #")[0].split("&&")
        if command.strip().startswith("rkbench ")
    }
)


def _load(code: str, folder: Path) -> registry.Plugin:
    """Return what became of a single-file plugin."""
    file = folder / "mine.py"
    file.write_text(code, encoding="utf-8")
    [plugin] = [plugin for plugin in registry.load([file]).plugins if plugin.path]
    return plugin


@pytest.mark.parametrize("hook", HOOKS)
def test_the_docstring_of_a_hook_is_a_working_plugin(hook, tmp_path):
    _, _, code = (inspect.getdoc(getattr(hookspecs, hook)) or "").partition("\n\n")
    plugin = _load(code, tmp_path)
    assert plugin.problems == []
    assert len(plugin.brought) == 1


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_shown_with_a_working_example(hook, tmp_path):
    examples = [example for example in EXAMPLES if f"def {hook}(" in example]
    assert examples
    for code in examples:
        plugin = _load(code, tmp_path)
        assert plugin.problems == []
        assert plugin.notes == []
        assert plugin.brought


def test_the_model_that_is_shown_is_a_task_within_forty_lines(tmp_path):
    code, times = re.findall(r"```python\n(.*?)```", MODELS, re.DOTALL)
    plugin = _load(code, tmp_path)
    assert (plugin.problems, plugin.brought) == ([], ["task swings"])
    assert code.count("\n") <= 40
    task = registry.load([tmp_path / "mine.py"]).task("swings[width=8]")
    built = task.model(make_solver("rk4", steps=2))
    assert built.errors(built.network, built.test).shape == (100,)
    exec(times, {})  # the page's own block, run as pasted


def test_a_problem_is_shown_with_its_true_answer(tmp_path):
    [code] = [example for example in EXAMPLES if "InitialValueProblem(" in example]
    file = tmp_path / "fall.py"
    file.write_text(code, encoding="utf-8")
    problem = registry.load([file]).task("fall").problem
    solution = rkbench.solve(
        problem.f, problem.initial(), problem.t_span, method="dop853", rtol=1e-13, atol=1e-13
    )
    assert problem.error(solution.y[-1]) < 1e-12


ASKED = {
    name
    for file in (ROOT / "bench").rglob("*.py")
    for name in re.findall(
        r'(?:get|has)attr\([\w.]*engine[^",]*(?:\([^)]*\))?, "(\w+)"', file.read_text("utf-8")
    )
}


def test_what_an_engine_may_have_is_listed_with_its_promise_and_for_authors():
    assert {"version", "unavailable", "remarks", "differentiates_times", "order"} <= ASKED
    for name in ASKED:
        assert f"``{name}" in (rkbench.Engine.__doc__ or ""), name
        assert f"| `{name}" in PLUGINS, name


def test_the_first_file_is_shown_as_printed(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(EXAMPLES[0], encoding="utf-8")
    assert show.as_text(registry.load([file]).method("mine")).strip() in PLUGINS


def test_a_dozen_refusals_are_quoted():
    assert len(REFUSALS) >= 12


@pytest.mark.parametrize(("old", "new", "answer"), REFUSALS)
def test_a_refusal_reads_as_quoted(old, new, answer, tmp_path):
    assert old in EXAMPLES[0]
    plugin = _load(EXAMPLES[0].replace(old, new, 1), tmp_path)
    assert [problem.replace(plugin.path, "mine.py") for problem in plugin.problems] == [answer]


@pytest.mark.parametrize("verb", sorted(cli.cli.commands))
def test_a_verb_of_the_command_line_is_documented(verb):
    assert re.search(rf"rkbench {verb}\b", README + PLUGINS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_in_the_documents_is_one_that_rkbench_understands(command):
    verb, *arguments = shlex.split(command)[1:]
    parsed = cli.cli.commands[verb].make_context(verb, arguments)
    assert parsed.args == []


def test_the_two_commands_are_on_the_front_page():
    assert "pip install -e . && rkbench run\n" in README
    assert 'pip install -e ".[test]" && pytest -n 2 --dist worksteal\n' in README


@pytest.mark.parametrize("column", [*record.COLUMNS, *record.CURVE_COLUMNS])
def test_a_column_of_the_records_is_documented(column):
    assert f"| `{column}` |" in RESULTS


@pytest.mark.parametrize("name", rkbench.__all__)
def test_a_public_name_has_a_docstring(name):
    assert inspect.getdoc(getattr(rkbench, name))


@pytest.mark.parametrize("error", [name for name in rkbench.__all__ if name.endswith("Error")])
def test_an_error_is_listed_for_authors(error):
    assert f"`{error}`" in PLUGINS


def test_the_suite_that_the_page_shows_expands_and_the_page_names_every_key_of_a_block():
    page = (ROOT / "plugins" / "SUITES.md").read_text("utf-8")
    shown = suite.parse("mine", re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0])
    assert len(expand(shown, registry.default())) == 8 * (6 + 1) + 8 * (8 + 1)
    assert shown.question[0].high == ("rk4",)
    table = page.partition("| key of a block")[2]
    assert [key for key in suite.AXES if f"`{key}`" not in table] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_path_a_document_names_exists(document):
    text = document.read_text("utf-8")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", text) if "://" not in link]
    named = re.findall(r"`((?:bench|plugins|results|tests|\.ci|\.github)/[\w./-]+)`", text)
    missing = [link for link in links if not (document.parent / link).exists()]
    missing += [path for path in named if not path.startswith(MADE) and not (ROOT / path).exists()]
    assert missing == []


def test_every_path_the_configuration_names_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tool, asv = project["tool"], json.loads((ROOT / "asv.conf.json").read_text("utf-8"))
    named = [
        project["project"]["readme"],
        *project["project"]["license-files"],
        *tool["hatch"]["build"]["targets"]["wheel"]["packages"],
        *tool["pytest"]["ini_options"]["testpaths"],
        *tool["ruff"]["src"],
        *tool["pyright"]["include"],
        asv["benchmark_dir"],
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []
