"""Series are split, standardised and held out so that no test sees what it asks for."""

import math

import pytest
import torch

from rkbench.networks.observed import Observed, packed
from rkbench.tasks.series_data import prepared


def parts(batch):
    return Observed(*batch[:3]), Observed(*batch[3:])


@pytest.fixture
def file(tmp_path):
    """Ten series of 4 to 13 times; the values tell the series and the place in it."""
    lines = [f"s{i},{10 * t + i},{100 * i + t}" for i in range(10) for t in range(4 + i)]
    path = tmp_path / "ten.csv"
    path.write_text("\n".join(["series,time,x", *lines]))
    return path


@pytest.mark.parametrize("ask", ["extrapolation", "interpolation"])
def test_every_fifth_series_is_held_out_and_a_quarter_of_each_asked_for(file, ask):
    data = prepared(str(file), ask, centred=False)
    asked = [parts(half)[1].counts.tolist() for half in (data.train, data.test)]
    assert asked == [[max(1, n // 4) for n in (4, 5, 6, 7, 9, 10, 11, 12)], [2, 3]]
    for given, wanted in map(parts, (data.train, data.test)):
        assert (given.counts + wanted.counts == packed(given, wanted).counts).all()
        assert (packed(given, wanted).t.diff(dim=1) >= 0).all()


def test_extrapolation_asks_for_what_is_last_and_interpolation_for_what_is_inside(file):
    given, asked = parts(prepared(str(file), "extrapolation", centred=False).train)
    assert (asked.t[:, 0] > given.t.amax(1)).all()
    given, asked = parts(prepared(str(file), "interpolation", centred=False).train)
    assert (packed(asked).t < given.t.amax(1, keepdim=True)).all()
    assert (packed(asked).t > 0).all()


def test_values_are_standardised_by_the_training_set_alone(file):
    before = prepared(str(file), "extrapolation", centred=False)
    known = packed(*parts(before.train))
    values = known.x[known.seen]
    assert float(values.mean()) == pytest.approx(0, abs=1e-12)
    assert float(values.square().mean()) == pytest.approx(1)
    assert float(known.t.max()) == 1
    text = file.read_text().replace("s9,9,900", "s9,9,1e6")  # of the test
    file.write_text(text)
    assert torch.equal(prepared(str(file), "extrapolation", centred=False).train[1], before.train[1])


@pytest.mark.parametrize("ask", ["extrapolation", "interpolation"])
def test_a_centred_series_is_so_by_what_is_given(file, ask):
    file.write_text(file.read_text().replace("s8,8,", "s8,8.5,"))
    data = prepared(str(file), ask, centred=True)
    given, _ = parts(data.train)
    means = (given.x * given.seen).sum((1, 2)) / given.seen.sum((1, 2))
    assert float(means.std()) < 1e-12  # all of them the same, whatever the level of the series


def test_what_a_test_asks_for_moves_nothing_that_is_given(file):
    before = prepared(str(file), "extrapolation", centred=True)
    file.write_text(file.read_text().replace("s9,129,912", "s9,129,-5000"))
    after = prepared(str(file), "extrapolation", centred=True)
    assert all(torch.equal(*pair) for pair in zip(before.test[:3], after.test[:3], strict=True))
    assert not torch.equal(before.test[4], after.test[4])


def test_mauna_loa_is_at_hand():
    data = prepared("", "extrapolation", centred=True)
    assert [len(half[0]) for half in (data.train, data.test)] == [52, 12]
    assert sum(int(part.counts.sum()) for half in (data.train, data.test) for part in parts(half)) == 2225
    assert data.n == 1
    assert not any(math.isnan(float(x.double().sum())) for x in data.train)
