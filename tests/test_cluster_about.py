"""A run on several machines says what they are: once what they share, side by side what they do not."""

import pytest

from rkbench.cluster import Cluster


class Crew:
    """Machines by name."""

    def __init__(self, **machines):
        self.machines = {name: {"host": name} | about for name, about in machines.items()}


def about(**machines):
    return Cluster(Crew(**machines), 1, shares=False).about()


def test_one_machine_is_described_as_it_is():
    assert about(mill={"cores": 8, "affinity": [0, 1]}) == {"host": "mill", "cores": 8, "affinity": [0, 1]}


def test_machines_that_differ_are_named_with_what_they_share_told_once():
    found = about(mill={"cores": 8, "cpu": "one"}, forge={"cores": 8, "cpu": "other"})
    assert found == {"host": "mill and forge", "cores": 8, "cpu": "one and other"}


@pytest.mark.parametrize(("count", "host"), [(4, "m0 and m1 and m2 and m3"), (1000, "1000 different")])
def test_a_thousand_machines_are_counted(count, host):
    assert about(**{f"m{number}": {} for number in range(count)}) == {"host": host}
