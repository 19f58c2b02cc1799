"""A file of series is read whole, or refused in one sentence that says where it is wrong."""

import gzip
import hashlib
import math

import pytest

from rkbench import suite
from rkbench.errors import DataError, UserError
from rkbench.plan import expand
from rkbench.registry import default
from rkbench.tasks import series_file
from rkbench.tasks.series_data import prepared
from rkbench.tasks.series_file import read

HEAD = "series,time,pulse,pressure\n"


def rows(label, times=4, start=0):
    return "".join(f"{label},{start + i},{60 + i * start},{'' if i % 2 else 120 + i}\n" for i in range(times))


GOOD = HEAD + "".join(rows(f"patient {i}", 4 + i, i) for i in range(6))


@pytest.fixture
def written(tmp_path):
    def write(content, name="patients.csv"):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(file)

    return write


def test_each_series_keeps_its_times_and_gaps(written):
    found = read(written(GOOD))
    assert found.columns == ("pulse", "pressure")
    assert [len(rows) for rows in found.series.values()] == [4, 5, 6, 7, 8, 9]
    (time, values), *_ = found.series["patient 2"]
    assert (time, values) == (2, (60, 120))
    assert math.isnan(found.series["patient 2"][1][1][1])
    assert found.sha256 == hashlib.sha256(GOOD.encode()).hexdigest()


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + GOOD,
        GOOD.replace("\n", "\r\n"),
        GOOD.replace("patient 1", '"patient 1"'),
        GOOD.replace("\n", "\n\n"),
        GOOD + "patient 0,99,,\n",
        HEAD
        + "\n".join(sorted(GOOD.removeprefix(HEAD).splitlines(), key=lambda line: int(line.split(",")[1]))),
        gzip.compress(GOOD.encode()),
    ],
    ids=["mark", "windows", "quotes", "empty lines", "nothing seen", "interleaved", "packed"],
)
def test_harmless_differences_are_none(written, content):
    found = read(written(content, "x.csv.gz" if isinstance(content, bytes) else "x.csv"))
    expected = read(written(GOOD))
    assert repr({name: found.series[name] for name in expected.series}) == repr(expected.series)


def test_dates_are_days(written):
    lines = "".join(
        f"s{i},2020-0{month}-01{' 12:00' * (month == 3)},{month}\n"
        for i in range(5)
        for month in (1, 2, 3, 4)
    )
    times = [time for time, _ in read(written("series,time,x\n" + lines)).series["s0"]]
    assert [time - times[0] for time in times] == [0, 31, 60.5, 91]


BROKEN = {
    "line 1: the columns must be series, time": ["", "time,series,x\n", "series,time\n", "series,time,x,x\n", "series;time;x\n"],
    "line 2: there must be 4 cells": [HEAD + "a,0,1\n", HEAD + "a,0,1,2,3\n", HEAD + ",0,1,2\n"],
    "line 3: pulse is 'high', which is no number": [HEAD + "a,0,1,2\na,1,high,2\n"],
    "line 2: time is 'noon', which is no number": [HEAD + "a,noon,1,2\n"],
    "line 3: time is '3', which is no date": [HEAD + "a,2020-01-01,1,2\na,3,1,2\n"],
    "line 3: pressure is 'nan'; leave a cell empty": [HEAD + "a,0,1,2\na,1,1,nan\n"],
    "line 2: pulse is '-inf'": [HEAD + "a,0,-inf,2\n"],
    "line 2: time is '1e999'": [HEAD + "a,1e999,1,2\n"],
    "line 3: the time '0' is not after": [HEAD + "a,0,1,2\na,0,3,4\n", HEAD + "a,1,1,2\na,0,3,4\n"],
    "line 2: this is no UTF-8": [HEAD.encode() + b"a,0,\xff,1\n"],
    "line 1: this is no UTF-8": [GOOD.encode("utf-16")],
    "line 2: .*mend the quotes": [HEAD + 'a,0,"1"x,2\n'],
    "holds 4 series, and 5 are needed": [HEAD + "".join(map(rows, "abcd"))],
    "series 'e' was observed at 3 times, fewer than 4": [HEAD + "".join(map(rows, "abcd")) + rows("e", 3)],
}  # fmt: skip


@pytest.mark.parametrize(("sentence", "content"), [(s, c) for s, many in BROKEN.items() for c in many])
def test_a_broken_file_is_refused_by_line(written, sentence, content):
    with pytest.raises(DataError, match=sentence) as caught:
        read(written(content))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("patients.csv")


def test_what_is_no_file_is_refused(tmp_path, written):
    for file in (str(tmp_path / "none.csv"), str(tmp_path), written("no gzip", "x.gz")):
        with pytest.raises(DataError, match="cannot be read: .*; give another file"):
            read(file)


def test_a_file_too_large_is_refused_before_it_is_taken_in(written, monkeypatch):
    monkeypatch.setattr(series_file, "LARGEST", 2**20)
    with pytest.raises(DataError, match="more than 1 MiB"):
        read(written(gzip.compress(b"0" * 2**21), "bomb.csv.gz"))


@pytest.mark.parametrize("value", ["7", ""])
def test_a_column_that_says_nothing_is_refused(written, value):
    file = written(
        "series,time,x,y\n" + "".join(f"s{i},{t},{t}{i},{value}\n" for i in range(5) for t in range(4))
    )
    with pytest.raises(DataError, match="'y' does not change"):
        prepared(file, "extrapolation", centred=False)


def test_there_is_nothing_else_to_ask_for(written):
    with pytest.raises(UserError, match="extrapolation or interpolation"):
        prepared(written(GOOD), "both", centred=True)


def cells(file):
    chosen = suite.select(suite.load("quick"), tasks=[f"series_rnn[file={file}]"], methods=["rk4"], seeds=1)
    return [cell.cell_id for cell in expand(chosen, default())]


def test_a_file_of_another_content_is_another_cell(written):
    before = cells(written(GOOD))
    assert cells(written(GOOD)) == before
    assert cells(written(GOOD.replace("120", "121"))) != before


def test_a_broken_file_is_told_before_anything_is_measured(written):
    with pytest.raises(DataError, match="line 2"):
        cells(written(HEAD + "a,0,1\n"))
