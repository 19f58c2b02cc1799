"""What the repository publishes is what its records say, and the README repeats it to the digit.

``python tests/test_published.py`` prints the README's table from the records.
"""

import json
from pathlib import Path

import pytest

import rkbench
from rkbench.report import figures, markdown, numbers

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "results" / "published"
RUN = PUBLISHED / "mnist8"
RUNS = sorted(file.parent for file in PUBLISHED.glob("*/manifest.json"))

HEADINGS = (
    "method",
    "training time, s",
    "÷ Euler",
    "slides, ÷ Euler",
    "test accuracy, %",
    "slides, %",
    "s to 96.43 % test",
    "NFE per training step",
)


def readme_table():
    """Return the rows of the README: ours beside what the slides print."""
    manifest = json.loads((RUN / "manifest.json").read_text("utf-8"))
    slides = {row["method"]: row for row in manifest["reference"]}
    rows = [_line(HEADINGS), "|---|" + "--:|" * (len(HEADINGS) - 1)]
    for row in rkbench.load(RUN).summary().to_dict("records"):
        theirs = slides[row["method"]]
        rows.append(
            _line(
                (
                    row["solver"],
                    _spelt(row, "train_seconds", numbers.seconds),
                    _spelt(row, "time_ratio", numbers.significant),
                    numbers.significant(theirs["train_seconds"] / slides["euler"]["train_seconds"]),
                    _spelt(row, "test_accuracy", numbers.percent),
                    numbers.percent(theirs["test_accuracy"]),
                    _spelt(row, "seconds_to_target", numbers.seconds),
                    _spelt(row, "nfe_step", numbers.count),
                )
            )
        )
    return "\n".join(rows)


def _line(cells):
    return f"| {' | '.join(cells)} |"


def _spelt(row, name, spell):
    interval = numbers.interval(spell, row[name], row[f"{name}_low"], row[f"{name}_high"])
    return f"{spell(row[name])} [{interval}]" if interval else spell(row[name])


def test_the_readme_repeats_the_published_run():
    assert readme_table() in (ROOT / "README.md").read_text("utf-8")


def test_every_method_reaches_the_slides_accuracy():
    summary = rkbench.load(RUN).summary()
    assert set(summary["method"]) == {"euler", "rk4", "dopri5"}
    assert (summary["test_accuracy"] >= 0.9643).all()
    assert (summary["n_ok"] == 8).all()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_the_published_report_is_what_the_records_give(run, tmp_path):
    """Derived again from manifest and records, the Markdown is the same."""
    for name in ("manifest.json", "records.jsonl"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    results = rkbench.load(tmp_path)
    described = [(one.name, one.title, one.caption) for one in figures.draw(results)]
    assert markdown.render(results, described) == (run / "report" / "report.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["manifest.json", "records.jsonl"])
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_a_published_run_names_no_folder_of_the_machine_it_ran_on(run, name):
    text = (run / name).read_text("utf-8")
    assert not any(f'"/{folder}/' in text for folder in ("home", "root", "tmp", "work", "Users"))


if __name__ == "__main__":
    print(readme_table())
