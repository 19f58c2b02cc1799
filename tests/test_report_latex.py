"""The tables as LaTeX: they compile whatever a plugin is called, and say what the other tables say."""

import re
import shutil
import subprocess

import pytest
from test_report_example import cell, failed, ok, three_solvers, written

from rkbench import report
from rkbench.report import latex

NASTY = r"\input{/etc/passwd} $x$ 50% & #1 a_b ^~{}[2em]* <tag> |z| `q` \"r\" 'it''s' a--b -- – — ,, θ é ş ł 龙 x² y₂ ſ"
COMMANDS = {
    "begin", "end", "centering", "footnotesize", "setlength", "tabcolsep", "caption", "label", "toprule", "midrule",
    "bottomrule", "par", "medskip", "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater",
    "textbar", "char", "times", "div", "theta", "l", "c", "dots", "dagger", "infty", "le", "surd",
}  # fmt: skip


def table(tmp_path, records, **manifest):
    found = latex.files(report.load(written(tmp_path / "run", records, **manifest)))
    assert len(found) == 1
    return next(iter(found.values()))


def compiles(text):
    """Assert what LaTeX would stop at: braces, environments, columns, commands, and characters with a meaning."""
    assert text.isascii()
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    assert "%" not in re.sub(r"\\.", "", code, flags=re.DOTALL)
    depth = 0
    for token in re.findall(r"\\.|[{}]", code, flags=re.DOTALL):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    assert depth == 0
    open_ = []
    for verb, name in re.findall(r"\\(begin|end)\{(\w+)\}", code):
        open_.append(name) if verb == "begin" else None
        assert verb == "begin" or open_.pop() == name
    assert open_ == []
    assert set(re.findall(r"(?<!\\)(?:\\\\)*\\([a-z]+)", code)) <= COMMANDS
    plain = re.sub(r"\\.", "", code, flags=re.DOTALL)
    assert plain.count("$") % 2 == 0
    outside = re.sub(r"\$[^$]*\$", "", plain)
    assert not re.search(r"[\^_#~]", outside)
    for body in re.findall(
        r"\\begin\{tabular\}\{(l?r*)\}\n\\toprule\n(.*?)\\bottomrule", code, flags=re.DOTALL
    ):
        rows = [row for row in re.sub(r"\\[&\\]\S", "", body[1]).split("\n") if row and row != r"\midrule"]
        for row in rows:
            assert row.count(" & ") == len(body[0]) - 1
            assert row.endswith(r" \\")
            assert not re.match(r"[\[*]", row)


def test_a_table_has_numbers_with_intervals_in_brackets_and_rules_of_booktabs(tmp_path):
    text = latex.files(report.load(three_solvers(tmp_path / "run")))["digits.tex"]
    compiles(text)
    assert "dopri5 @ 1e-3 & 22.0 {[}20.0--24.0{]} & 10.0" in text
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    assert "booktabs" in text


def test_a_comment_tells_where_the_numbers_come_from(tmp_path):
    text = table(tmp_path, [ok(cell())], command="rkbench run\nquick \\evil", commit="abc123")
    comments = [line for line in text.splitlines() if line.startswith("%")]
    assert "% command: rkbench run quick \\evil" in comments
    assert "% commit: abc123" in comments
    assert "% cells: 1 cell planned, 1 run, 0 failed" in comments


def test_whatever_a_plugin_is_called_compiles(tmp_path):
    compiles(table(tmp_path, [ok(cell(NASTY, task=NASTY)), failed(cell(NASTY, 1, task=NASTY))]))


def test_a_name_that_starts_with_a_bracket_or_star_is_no_argument_of_the_row_before(tmp_path):
    text = table(tmp_path, [ok(cell("[2em]")), ok(cell("*"))])
    compiles(text)
    assert "{[}2em{]} $\\times$10 & " in text
    assert "{*} $\\times$10 & " in text


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("a_b & 50%", r"a\_b \& 50\%"),
        ("\\", r"\textbackslash{}"),
        ("a--b–c", "a-{}-b--c"),
        ("θ-Λ", r"$\theta$-$\Lambda$"),
        ("Störmer–Verlet č", r"St\"{o}rmer--Verlet \v{c}"),
        ("e\u0301", r"\'{e}"),
        ("x²₁", "x$^{2}$$_{1}$"),
        ("龙\x07", "{[}U+9F99{]}{[}U+0007{]}"),
        ("two\nlines\u2028three", "two lines three"),
        ("", ""),
    ],
)
def test_a_name_is_printed_as_it_is(name, printed):
    assert latex.escape(name) == printed


def test_every_character_below_two_thousand_is_escaped_to_ascii_that_balances():
    for code in range(0x2100):
        compiles_alone = re.sub(r"\\.", "", latex.escape(f"a{chr(code)}b"))
        assert compiles_alone.isascii()
        assert compiles_alone.count("{") == compiles_alone.count("}")
        assert not re.search(r"[&#%~]", compiles_alone)


def test_a_difference_below_zero_has_a_minus_and_no_hyphen():
    from rkbench.report.table import Cell

    entries = list(
        latex._entries([Cell("rk-4", "", 0), Cell("-0.03", "-0.12 to +0.06", 0), Cell("1e-3", "", 0)])
    )
    assert entries == ["rk-4", "$-$0.03 {[}$-$0.12 to +0.06{]}", "1e-3"]


def test_tasks_whose_names_are_alike_have_files_of_their_own(tmp_path):
    records = [ok(cell(task=task)) for task in ("My task", "my-task", "../my/task", "龙", "x" * 300)]
    _across, *names = latex.files(report.load(written(tmp_path / "run", records)))
    assert sorted(names) == ["my-task-2.tex", "my-task-3.tex", "my-task.tex", "task.tex", "x" * 60 + ".tex"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX is installed")
def test_a_real_latex_compiles_it(tmp_path):
    text = table(tmp_path, [ok(cell(NASTY, task=NASTY)), ok(cell("[2em]", task=NASTY))])
    (tmp_path / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n" + text + "\\end{document}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "main.tex"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:]
