"""Cells on a cluster come back once each, whoever is lost: the loop with a scheduler that tests play."""

import json
from collections import Counter

import pytest

from rkbench import registry, suite
from rkbench.cluster import spread
from rkbench.cluster.crew import Member, Needs
from rkbench.plan import blank_record, expand
from rkbench.record import CellStatus

CELLS = expand(suite.select(suite.load("quick"), seeds=2), registry.default())


class Future:
    """An answer that is there at once."""

    def __init__(self, text):
        self.text = text

    def add_done_callback(self, call):
        call(self)

    def result(self, timeout):
        if isinstance(self.text, Exception):
            raise self.text
        return self.text


class Silent(Future):
    """An answer that never comes."""

    def add_done_callback(self, call):
        pass


class Crew:
    """Workers, and what each does with a cell: a function of its number and the cell to a future."""

    needs = Needs({}, {}, [], [], "cpu")
    run = "run"
    status = "running"

    def __init__(self, work, members):
        self.work, self.client = work, self
        self.members = {member.address: member for member in members}
        self.sent, self.most, self.gone = Counter(), Counter(), set()
        self.cancelled = []

    def submit(self, function, run, text, *, key, workers, resources, pure):
        request = json.loads(text)
        [address] = workers
        self.sent[request["cell"]["cell_id"]] += 1
        for member in self.members.values():
            self.most[member.address] = max(
                self.most[member.address], member.running + (member.address == address)
            )
        return self.work(self, address, request)

    def look(self):
        gone, self.gone = self.gone, set()
        for address in gone:
            self.members.pop(address, None)
        return gone

    def complain(self, waiting):
        pass

    def cancel(self, futures):
        self.cancelled += futures


class Watcher:
    """Keeps what it is told."""

    def __init__(self):
        self.begun, self.told = [], []

    def started(self, cell):
        self.begun.append(cell)

    def note(self, sentence):
        self.told.append(sentence)


def member(name, host="mill", kernel="k", slots=1):
    return Member(f"tcp://{name}", host, kernel, slots)


def measured(crew, address, request, **values):
    record = blank_record(next(cell for cell in CELLS if cell.cell_id == request["cell"]["cell_id"]))
    values = {"status": "ok", "host": crew.members[address].host, "attempt": request["attempt"]} | values
    for name, value in values.items():
        setattr(record, name, value)
    return Future(json.dumps({"record": record.to_json(), "notes": []}))


def walked(crew, jobs=1, watcher=None):
    terms = spread.Terms(60.0, None, jobs, None)
    return list(spread.Spread(crew, CELLS, terms, watcher or Watcher(), {}))


def test_every_cell_comes_back_once_and_the_watcher_is_told_when_it_begins():
    watcher = Watcher()
    ended = walked(Crew(measured, [member("a")]), watcher=watcher)
    assert [cell for cell, _, _ in ended] == CELLS == watcher.begun
    assert not any(again for _, _, again in ended)


def test_the_times_of_a_block_are_all_of_one_machine():
    crew = Crew(measured, [member("a", "mill", "k"), member("b", "forge", "l")])
    hosts = {(cell.seed, record.host) for cell, record, _ in walked(crew)}
    assert len(hosts) == 2
    assert {host for _, host in hosts} == {"mill", "forge"}


def test_no_two_cells_whose_times_count_are_out_on_one_machine():
    at_a_time = []

    def work(crew, address, request):
        at_a_time.append(sum(one.running for one in crew.members.values()))
        return measured(crew, address, request)

    walked(Crew(work, [member("a"), member("b", "a container of the same machine")]))
    assert set(at_a_time) == {0}


def test_cells_whose_times_do_not_count_fill_the_slots_and_no_more_are_out():
    crew = Crew(measured, [member("a", slots=2), member("b", "forge", "l", slots=8)])
    assert len(walked(crew, jobs=3)) == len(CELLS)
    assert crew.most == {"tcp://a": 2, "tcp://b": 3}


def test_a_cell_whose_machine_was_disturbed_comes_again_within_bounds():
    def work(crew, address, request):
        return measured(crew, address, request, train_seconds=1.0, disturbance=1.0)

    ended = walked(Crew(work, [member("a")]))
    assert sum(again for _, _, again in ended) == len(CELLS) // 4
    assert max(record.attempt for _, record, _ in ended) == 2


def test_a_cell_that_its_worker_loses_is_measured_elsewhere_and_told_of():
    lost = CELLS[1].cell_id

    def work(crew, address, request):
        if request["cell"]["cell_id"] == lost and address == "tcp://a":
            crew.gone = {address}
            return Silent("")
        return measured(crew, address, request)

    watcher = Watcher()
    ended = walked(Crew(work, [member("a"), member("b")]), watcher=watcher)
    assert Counter(cell.cell_id for cell, _, _ in ended) == Counter(cell.cell_id for cell in CELLS)
    assert all(record.status == "ok" for _, record, _ in ended)
    assert Counter(watcher.begun) == Counter(CELLS)
    [sentence] = watcher.told
    assert "tcp://a was lost" in sentence


@pytest.mark.parametrize(
    "answer",
    [OSError("the connection is gone"), json.dumps({"lost": "the agent ended"})],
    ids=["worker", "agent"],
)
def test_a_cell_that_no_worker_survives_is_tried_so_often_and_has_crashed_then(answer):
    poison = CELLS[2].cell_id

    def work(crew, address, request):
        poisoned = request["cell"]["cell_id"] == poison
        return Future(answer) if poisoned else measured(crew, address, request)

    crew = Crew(work, [member("a"), member("b")])
    ended = walked(crew, jobs=2)
    status = {cell.cell_id: record.status for cell, record, _ in ended}
    assert len(ended) == len(CELLS)
    assert crew.sent[poison] == spread.RETRIES + 1
    assert status.pop(poison) == CellStatus.CRASHED
    assert set(status.values()) == {"ok"}
    [message] = [record.message for cell, record, _ in ended if cell.cell_id == poison]
    assert message.count("tcp://") == 3
    assert message.endswith("give --retry-failed once they are mended.")


def test_whoever_stops_listening_leaves_nothing_on_the_workers():
    futures = []

    def work(crew, address, request):
        futures.append(Silent("") if futures else measured(crew, address, request))
        return futures[-1]

    crew = Crew(work, [member("a", slots=3)])
    walk = iter(spread.Spread(crew, CELLS, spread.Terms(60.0, None, 3, None), Watcher(), {}))
    next(walk)
    walk.close()
    assert crew.cancelled == futures[1:]


def test_what_every_cell_of_a_machine_meets_is_told_once():
    def work(crew, address, request):
        answer = json.loads(measured(crew, address, request).text)
        return Future(json.dumps(answer | {"notes": ["Another run is at work."]}))

    watcher = Watcher()
    walked(Crew(work, [member("a")]), watcher=watcher)
    assert watcher.told == ["mill: Another run is at work."]
