"""Where nothing changes nothing is claimed, whatever the law of the noise; and what changes is found."""

import math

import numpy as np
import pytest

from rkbench.history.changes import judge
from rkbench.history.series import Point, Series

SERIES, HISTORIES = 8, 200
LAWS = ("normal", "heavy", "skewed", "drifting")


def noise(generator, law, commits):
    """Return noise of standard deviation 1, about; that with heavy tails is Student's t with 3 degrees of freedom."""
    if law == "heavy":
        return generator.standard_t(3, commits) / math.sqrt(3)
    if law == "skewed":
        return generator.exponential(1, commits) - 1
    found = generator.standard_normal(commits)
    for at in range(1, commits if law == "drifting" else 0):
        found[at] = 0.5 * found[at - 1] + math.sqrt(0.75) * found[at]
    return found


def history(generator, law, commits, ratio=1.0, after=0):
    """Return series that scatter by 1.5 to 6 % each; the last commits of the first one are slower."""
    found = []
    for number in range(SERIES):
        logs = 0.03 * generator.uniform(0.5, 2) * noise(generator, law, commits)
        if number == 0:
            logs[commits - after :] += math.log(ratio)
        points = tuple(Point(str(at), math.exp(log), 0.01, "measured") for at, log in enumerate(logs))
        found.append(Series("ci", "env", f"b{number}", "", "s", "time", points))
    return found


@pytest.mark.parametrize("law", LAWS)
def test_of_200_histories_in_which_nothing_changed_at_most_5_in_100_raise_an_alarm(law):
    generator = np.random.default_rng(20_261_121)
    sizes = [(2, 5, 8, 12, 20)[number % 5] for number in range(HISTORIES)]
    alarms = sum(any(one.changes for one in judge(history(generator, law, size))) for size in sizes)
    assert alarms <= 0.05 * HISTORIES


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("after", [1, 3])
def test_a_slowdown_to_twice_the_time_is_found_nearly_always(law, after):
    generator = np.random.default_rng(1)
    found = [judge(history(generator, law, 10, 2.0, after))[0].regressed for _ in range(30)]
    assert sum(found) >= 26
