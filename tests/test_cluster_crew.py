"""Who may get cells: every worker is looked at, those that come later too, and one that differs gets none."""

import json

import pytest

from rkbench.cluster.crew import Crew, Needs
from rkbench.errors import RunError

FACTS = {"Python": "3.13.1"}
NEEDS = Needs({}, FACTS, [], ["digits8"], "cpu")
SAME = {
    "facts": FACTS,
    "about": {"host": "mill"},
    "kernel": "k",
    "datasets": {"digits8": {"sha256": "d"}},
    "threads": 2,
    "resources": {},
}


class Client:
    """A scheduler with workers that answer at once."""

    cancel = None

    status = "running"

    def __init__(self, **answers):
        self.answers, self.asked, self.dismissed = answers, [], []

    def nthreads(self):
        return dict.fromkeys(self.answers, 1)

    def submit(self, function, run, text, *, key, workers, pure):
        self.asked += workers
        answer = self.answers[workers[0]]
        return type(
            "Future",
            (),
            {"done": lambda _: answer is not None, "status": "finished", "result": self._result(answer)},
        )()

    @staticmethod
    def _result(answer):
        def result(self, timeout):
            if isinstance(answer, Exception):
                raise answer
            return json.dumps(answer)

        return result

    def run(self, function, run, on_error):
        self.dismissed.append(run)


def crew(client, needs=NEEDS):
    told = []
    made = Crew(client, "tcp://head:8786", needs, told.append)
    return made, told


def test_workers_that_are_the_same_are_taken_with_their_slots_and_asked_once():
    client = Client(a=SAME, b=SAME)
    made, told = crew(client)
    made.assemble()
    made.look()
    assert sorted(client.asked) == ["a", "b"]
    assert {name: member.slots for name, member in made.members.items()} == {"a": 2, "b": 2}
    assert made.datasets == SAME["datasets"]
    assert told == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (SAME | {"facts": {"Python": "3.9"}}, "The worker b differs from this machine in Python: 3.9 there, 3.13.1 here"),
        (SAME | {"error": "MNIST is not complete; copy it."}, "The worker b on mill: MNIST is not complete; copy it."),
        (SAME | {"datasets": {"digits8": {"sha256": "e"}}}, "has other data than the first"),
        ({"lost": "the agent ended"}, "The worker b could not be looked at: the agent ended; mend or stop it."),
        (ModuleNotFoundError("No module named 'rkbench'"), "it cannot run rkbench (ModuleNotFoundError: No module"),
    ],
)  # fmt: skip
def test_one_that_is_not_ends_the_run_before_it_begins(answer, sentence):
    made, _ = crew(Client(a=SAME, b=answer))
    with pytest.raises(RunError) as refused:
        made.assemble()
    assert sentence in str(refused.value) or "The worker a has other data" in str(refused.value)


def test_one_that_comes_later_and_differs_gets_no_cell_and_is_told_of_once():
    client = Client(a=SAME)
    made, told = crew(client)
    made.assemble()
    client.answers |= {"b": SAME | {"facts": {}}, "c": SAME}
    made.look()
    made.look()
    assert list(made.members) == ["a", "c"]
    assert len(told) == 1
    assert "The worker b differs" in told[0]


def test_those_who_have_gone_are_named_once_and_looked_at_again_when_they_come_back():
    client = Client(a=SAME, b=SAME)
    made, _ = crew(client)
    made.assemble()
    gone = client.answers.pop("a")
    assert made.look() == {"a"}
    assert made.look() == set()
    client.answers["a"] = gone
    made.look()
    assert client.asked.count("a") == 2
    assert set(made.members) == {"a", "b"}


def test_cells_on_gpus_go_to_workers_that_offer_one_each_and_to_nobody_else():
    needs = NEEDS._replace(device="cuda")
    made, _ = crew(Client(a=SAME | {"resources": {"GPU": 1.0}}), needs)
    made.assemble()
    assert made.members["a"].slots == 1
    made, _ = crew(Client(a=SAME), needs)
    with pytest.raises(RunError, match="offers no GPU; start it with --resources GPU=1"):
        made.assemble()


def test_who_waits_for_workers_is_told_so_now_and_then(monkeypatch):
    made, told = crew(Client())
    made.complain(waiting=True)
    assert told == []
    monkeypatch.setattr("rkbench.cluster.crew.PATIENCE_SECONDS", 0.0)
    made.complain(waiting=True)
    assert told == ["No worker is there to take a cell; start one, or wait for the cluster's."]
    made.complain(waiting=False)
    assert len(told) == 1


def test_who_waits_for_workers_that_are_busy_is_told_how_many(monkeypatch):
    made, told = crew(Client(a=None))
    made.look()
    monkeypatch.setattr("rkbench.cluster.crew.PATIENCE_SECONDS", 0.0)
    made.complain(waiting=True)
    assert told[0].startswith("1 of the workers did not say yet what they have; wait")


def test_a_scheduler_that_is_gone_is_told_of_with_its_address_and_not_asked_again():
    client = Client(a=SAME)
    made, _ = crew(client)
    client.status = "closed"
    with pytest.raises(
        RunError, match="scheduler at tcp://head:8786 has gone; every cell measured so far is kept"
    ):
        made.look()
    made.dismiss()
    assert client.dismissed == []


def test_a_scheduler_that_goes_while_the_run_ends_is_no_error():
    client = Client(a=SAME)
    made, _ = crew(client)

    def gone(*arguments, **options):
        raise OSError("Timed out trying to connect")

    client.run = client.cancel = gone
    made.cancel([])
    made.dismiss()
