"""What strangers wrote is shown as it is by every output: no script runs, no terminal obeys, no formula is reckoned."""

import csv
import io
import re

import browser
import pytest
from rich.console import Console
from test_report_example import cell, failed, ok, written

from rkbench import report, store
from rkbench.cli import main
from rkbench.plan import Cell
from rkbench.printable import printable
from rkbench.progress import Screen
from rkbench.record import CellStatus, Record
from rkbench.report import comparison

HTML = "</script><script>window.ran=1</script><img src=x onerror=window.ran=1>{{7*7}}<b>"
TEX = r"\input{/etc/passwd}^^M\write18{ls}$\frac{%"
MARKUP = "[red]a[/red][/]|`b`|[x](javascript:window.ran=1)"
FORMULA = "=cmd|'/c calc'!A0"
STEERING = "\x1b]0;owned\x07\x1b[31m\r\n\x9b2J\u202egnp.exe\u2066\x00"
ALL = "".join((FORMULA, HTML, TEX, MARKUP, STEERING))

SGR = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\")
"""What rich itself writes for colors."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in which every text that a plugin, a file or another machine supplies is hostile."""
    planned = [
        cell(method, seed, task=ALL, dataset=ALL, **given)
        | {"cell_id": f"{FORMULA}{method}{seed}", "plugin": ALL, "plugin_version": ALL}
        for method, given in ((ALL, {}), (MARKUP, {"rtol": 1e-3}), (TEX, {}), (FORMULA, {}))
        for seed in range(2)
    ]
    more = {"host": ALL, "engine_version": ALL, "engine_remarks": ALL, "commit": ALL}
    records = [ok(one, **more) for one in planned[:-1]] + [failed(planned[-1], message=ALL)]
    return written(
        tmp_path_factory.mktemp("runs") / "run",
        records,
        suite={"name": ALL, "title": ALL, "baseline": ALL},
        machine={"cpu": ALL, "host": ALL},
        command=ALL,
        commit=ALL,
        started_at=ALL,
        sessions=[ALL],
        versions={ALL: ALL},
        data={ALL: {"sha256": ALL}},
        reference=[{"source": ALL, "label": ALL, "method": ALL, "test_accuracy": 0.9}],
        methods={printable(ALL): {"order": 1, "stages": 1, "stability": [1.0, 1.0]}},
    )


@pytest.fixture(scope="module")
def written_report(run):
    return report.write(run).parent


@pytest.mark.skipif(browser.find() is None, reason="no Chromium here")
def test_no_script_of_a_stranger_runs_in_the_page(written_report):
    with browser.Browser(browser.find()) as page:
        page.open(written_report / "index.html")
        assert page.evaluate("document.title").startswith(FORMULA)
        assert page.evaluate("window.ran") is None
        assert page.evaluate("document.querySelectorAll('script').length") == 1
        assert page.evaluate("document.querySelectorAll('img, iframe, object, embed').length") == 0
        assert page.evaluate("document.querySelectorAll('[onerror], a[href^=javascript]').length") == 0
        assert "{{7*7}}" in page.evaluate("document.body.innerText")


def test_the_figures_have_no_elements_of_a_stranger(written_report):
    pictures = sorted((written_report / "figures").glob("*.svg"))
    assert len(pictures) > 3
    for file in pictures:
        assert not re.search(r"<(script|img|b)[ >]", file.read_text())


def test_markdown_has_no_element_link_or_column_of_a_stranger(written_report):
    text = (written_report / "report.md").read_text()
    assert not re.search(r"(?<!\\)<(script|img|b)", text)
    assert not re.search(r"(?<!\\)\]\(javascript", text)
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) > 3
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1, block
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)


def test_latex_reads_no_file_and_runs_no_command(written_report):
    files = sorted((written_report / "tables").glob("*.tex"))
    assert files
    for file in files:
        code = "\n".join(line for line in file.read_text("ascii").splitlines() if not line.startswith("%"))
        assert not re.search(r"\\(input|write|frac|immediate|openin)\b", code)
        assert "^^" not in code


def test_a_spreadsheet_takes_nothing_for_a_formula(written_report):
    for file in sorted(written_report.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            for row in csv.reader(lines):
                assert not [text for text in row if text[:1] in "=+@" and text], file
                assert not [
                    text for text in row if text.startswith("-") and not re.fullmatch(r"-[\d.e+-]+", text)
                ]


def obeyed(text):
    """Return what is left in a text, without rich's colors, that a terminal would obey."""
    return re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", SGR.sub("", text))


@pytest.fixture
def terminal():
    return Console(
        file=io.StringIO(), force_terminal=True, width=160, legacy_windows=False, color_system="truecolor"
    )


def test_a_terminal_obeys_nothing_in_a_report(run, terminal):
    report.show(run, terminal)
    shown = terminal.file.getvalue()
    assert obeyed(shown) == []
    assert "[red]a[/red][/]" in SGR.sub("", shown).replace("\n", "")


def test_a_terminal_obeys_nothing_in_a_comparison(run, terminal):
    comparison.show_compare(run, run, console=terminal)
    assert obeyed(terminal.file.getvalue()) == []


PLUGIN = """
from rkbench import ButcherTableau, StepController, hookimpl

@hookimpl
def rkbench_methods():
    return [ButcherTableau(name={name!r}, order=1, c=(0,), a=((),), b=(1,))]

@hookimpl
def rkbench_controllers():
    return [StepController({steering!r}, propose=lambda errors, ratios, k: 0.5)]
"""


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"], ["plan"], ["show"], ["run"]])
def test_a_terminal_obeys_no_name_of_a_plugin(tmp_path, capsys, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    name = (MARKUP + TEX + FORMULA).replace(" ", "")
    (tmp_path / "odd.py").write_text(PLUGIN.format(name=name, steering=STEERING))
    names = {
        "plan": ["quick", "--method", name],
        "show": [name],
        "run": ["quick", "--method", name],
    }
    with pytest.raises(SystemExit) as caught:
        main([*arguments, *names.get(arguments[0], []), "--plugin", "odd.py"])
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert obeyed(said) == []
    # A controller that no terminal can name is refused, and with it a run that loads the file.
    assert caught.value.code == (0 if arguments[0] == "list" else 2)
    assert "has a name that no terminal can show; rename it" in " ".join(said.split())


def test_a_terminal_obeys_nothing_while_a_plan_runs(run, terminal):
    screen = Screen(terminal)
    named = store.read_manifest(run)["plan"][0]
    one = Cell(
        **{name: named.get(name, "") for name in Cell.__dataclass_fields__} | {"rtol": None, "epochs": 2}
    )
    screen.progress.disable = True
    screen.all = screen.progress.add_task("", news=str)
    screen.planned([one], 0)
    screen.started(one)
    screen.note(ALL)
    screen.ended(one, Record(cell_id="a", status=CellStatus.CRASHED, message=ALL), False)
    shown = terminal.file.getvalue()
    assert "[red]a[/red][/]" in SGR.sub("", shown).replace("\n", "")
    assert obeyed(shown) == []


@pytest.mark.parametrize("text", ["plain", "two words", "Runge–Kutta ×10 ≤ µ", ""])
def test_what_can_be_printed_is_left_as_it_is(text):
    assert printable(text) == text


def test_what_steers_is_replaced():
    assert printable("a\tb\r\nc\x1b[31m\u202ed\ud800") == "a b  c\ufffd[31m\ufffdd\ufffd"
