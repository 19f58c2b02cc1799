"""`rkbench history`: its page, its JSON and its exit code, from results of asv in a repository or outside one."""

import csv
import json
import subprocess

import browser
import pytest
from asv_results import NAN, benchmark, row, sha, write, write_benchmarks

from rkbench.cli import main

GRID = [["'rk4 x10'", "'<b>dopri5</b> 1e-3'"]]
CHROMIUM = browser.find()


@pytest.fixture
def run(capsys):
    """Return a function that runs `rkbench history` and gives exit code, output and errors."""

    def call(*arguments):
        with pytest.raises(SystemExit) as caught:
            main(["history", *map(str, arguments)])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return caught.value.code, captured.out, captured.err

    return call


@pytest.fixture
def folder(tmp_path):
    """Return results in which the evaluations of one solver rise at the third commit, and those of the other fail once."""
    folder = tmp_path / "results" / "asv"
    write_benchmarks(folder, benchmark("nfe", "evaluations of f"), benchmark("time", "seconds", "time"))
    for commit, values in enumerate([[40, NAN], [40, None], [44, 14], [44, 14]]):
        write(folder, commit, {"nfe": row(values, GRID), "time": row([1e-3], spread=0.01)})
    return folder


def test_a_regression_is_told_and_exits_with_1(run, folder):
    code, out, _ = run(folder)
    assert code == 1
    assert "nfe (rk4 x10): 1.10× the evaluations of f, from 40 to 44." in out
    assert f"{sha(2)[:8]}" in out
    assert "1 series stands worse" in out
    assert (folder / "report" / "index.html").is_file()


def test_nothing_worse_exits_with_0(run, folder):
    write(folder, 4, {"nfe": row([40, 14], GRID)})
    code, out, _ = run(folder)
    assert code == 0
    assert "since repaired" in out
    assert run(folder, "--since", sha(2))[0] == 0


def test_a_machine_that_became_slow_in_everything_is_suspected(run, tmp_path):
    names = [f"time_{number}" for number in range(6)]
    write_benchmarks(tmp_path, *(benchmark(name, "seconds", "time") for name in names))
    for commit, seconds in enumerate([1.0, 1.01, 0.99, 1.0, 1.0, 3.0]):
        write(tmp_path, commit, {name: row([seconds], spread=0.01) for name in names})
    code, out, _ = run(tmp_path)
    assert code == 1
    assert "6 of 6 times became worse together: was it the machine?" in out


def test_json_has_the_same_verdicts(run, folder):
    code, out, _ = run(folder, "--json")
    told = json.loads(out)
    assert code == 1
    assert told["regressed"]
    [found] = told["findings"]
    assert (found["parameters"], found["change"], found["commit"]) == ("rk4 x10", "worse", sha(2))
    assert (found["ratio"], found["low"]) == (pytest.approx(1.1), None)
    states = {one["parameters"]: [point["state"] for point in one["points"]] for one in told["series"]}
    assert states["<b>dopri5</b> 1e-3"] == ["not applicable", "failed", "measured", "measured"]


def test_no_results_are_one_sentence_and_exit_code_2(run, tmp_path):
    code, out, err = run(tmp_path)
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert "asv run" in err


def test_what_cannot_be_written_is_one_sentence(run, folder, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run(folder, "--out", tmp_path / "file")
    assert code == 2
    assert "--out" in err


def test_the_page_loads_nothing_and_escapes_what_files_say(run, folder, tmp_path):
    run(folder, "--out", tmp_path / "page")
    text = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert "&lt;b&gt;dopri5&lt;/b&gt;" in text
    assert "<b>dopri5" not in text
    assert "default-src 'none'" in text
    assert "src=" not in text.replace("img-src", "")
    assert not (folder / "report").exists()


def test_values_are_written_as_a_table_with_those_that_failed(run, folder):
    run(folder)
    with (folder / "report" / "values.csv").open(newline="", encoding="utf-8") as file:
        rows = [one for one in csv.DictReader(file) if one["benchmark"] == "nfe"]
    assert [(one["parameters"][:3], one["state"], one["value"], one["level"]) for one in rows] == [
        *(("rk4", "measured", value, value) for value in ("40.0", "40.0", "44.0", "44.0")),
        ("<b>", "not applicable", "", ""),
        ("<b>", "failed", "", ""),
        *(("<b>", "measured", "14.0", "14.0"),) * 2,
    ]


def test_a_second_time_gives_the_same_page(run, folder):
    run(folder)
    first = (folder / "report" / "index.html").read_bytes()
    run(folder)
    assert (folder / "report" / "index.html").read_bytes() == first


def test_a_repository_decides_the_order_and_names_the_commits(run, tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgSign=false"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    folder = tmp_path / "results" / "asv"
    write_benchmarks(folder, benchmark("nfe", "evaluations of f"))
    for number, subject in enumerate(("Begin", "Not measured", "Nor this", "Waste <evaluations>\x1b[2J")):
        git("commit", "--allow-empty", "-q", "-m", subject)
        if number in (0, 3):
            file = write(folder, number, {"nfe": row([10 + number])}, date=9 - number)  # dates that lie
            file.write_text(file.read_text().replace(sha(number), git("rev-parse", "HEAD")))
    code, out, _ = run(folder)
    assert code == 1
    assert "Waste <evaluations>\ufffd[2J, or one of the 2 commits between" in out
    assert run(folder, "--since", "HEAD~1")[0] == 0


@pytest.mark.skipif(CHROMIUM is None, reason=f"no {', '.join(browser.NAMES)} on the PATH")
def test_the_page_fits_a_desk_and_a_telephone_without_a_request_or_an_error(run, folder):
    run(folder)
    with browser.Browser(CHROMIUM) as one:
        for width in (1280, 390):
            one.resize(width)
            one.open(folder / "report" / "index.html")
            assert one.evaluate("document.documentElement.scrollWidth") <= width
            told = [event["method"] for event in one.events]
            assert not {"Runtime.exceptionThrown", "Log.entryAdded"} & set(told)
            assert told.count("Network.requestWillBeSent") == 1
        one.click("#filter")
        one.type("rk4")
        assert one.evaluate("document.querySelector('.filter output').value") == "1 of 3 rows"
