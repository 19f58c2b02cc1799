"""A saved state comes back bit for bit, for the same cell on the same machine, and is trusted for nothing else."""

import errno

import pytest
import torch

from rkbench import checkpoints, registry, saving, suite
from rkbench.plan import expand
from rkbench.saving import Checkpoint, State

CELL = expand(suite.select(suite.load("quick"), methods=["euler"], seeds=1), registry.default())[0]


class Told(list):
    """A cell's checkpoint, and what it told."""

    def checkpoint(self, folder, **options):
        options = {"alone": True} | options
        return Checkpoint(checkpoints.place(folder, CELL.cell_id, 1), CELL, tell=self.append, **options)


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(saving, "EVERY_SECONDS", 0.0)
    return Told()


def state(number=1.0):
    return State({"number": number}, {"tensor": torch.arange(3.0)})


def saved(told, folder, what=None, **options):
    told.checkpoint(folder, **options).save(lambda: what or state())
    return checkpoints.place(folder, CELL.cell_id, 1)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([0.1, -0.0, torch.nan, torch.inf]),
        torch.randn(2, 3, 4, 4, dtype=torch.float64).contiguous(memory_format=torch.channels_last),
        torch.randn(5, 3).bfloat16().T,
        torch.tensor(7.0),
        torch.tensor(12345678901),
        torch.tensor([True, False]),
        torch.empty(0, 3),
        torch.get_rng_state(),
    ],
    ids=["special", "channels last", "transposed", "scalar", "whole", "truth", "empty", "random"],
)
def test_a_tensor_comes_back_bit_for_bit_as_it_was_laid_out(told, tmp_path, tensor):
    saved(told, tmp_path, State({}, {"before": torch.ones(1, dtype=torch.uint8), "it": tensor}))
    back = told.checkpoint(tmp_path).load().tensors["it"]
    assert (back.dtype, back.shape, back.stride()) == (tensor.dtype, tensor.shape, tensor.stride())
    assert torch.equal(*(x.contiguous().reshape(-1).view(torch.uint8) for x in (back, tensor)))


def test_numbers_come_back_bit_for_bit(told, tmp_path):
    numbers = {"x": 0.1 + 0.2, "tiny": 5e-324, "n": 3, "none": None, "rows": [{"loss": 1e-3}]}
    saved(told, tmp_path, State(numbers, {}))
    assert told.checkpoint(tmp_path).load().numbers == numbers


def test_where_none_was_saved_there_is_none_and_nothing_is_told(told, tmp_path):
    assert told.checkpoint(tmp_path).load() is None
    assert told == []


def test_short_trainings_write_none(tmp_path):
    told = Told()
    assert not saved(told, tmp_path).parent.exists()
    assert saving.EVERY_SECONDS >= 60


def test_the_clock_of_checkpoints_starts_again_with_each(told, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(saving.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(saving, "EVERY_SECONDS", 10.0)
    checkpoint, written = told.checkpoint(tmp_path), []
    for now[0] in (9.0, 10.0, 19.0, 21.0, 30.0, 31.0):
        checkpoint.save(lambda: State({"at": written.append(now[0])}, {}))
    assert written == [10.0, 21.0, 31.0]


@pytest.mark.parametrize("damage", [b"", b"not one", None])
def test_a_damaged_checkpoint_is_set_aside_and_told(told, tmp_path, damage):
    file = saved(told, tmp_path)
    content = file.read_bytes()[:-1] if damage is None else damage
    file.write_bytes(content)
    assert told.checkpoint(tmp_path).load() is None
    (sentence,) = told
    assert "training starts over" in sentence
    assert f"kept as {file.name}.aside" in sentence
    assert file.with_name(file.name + ".aside").read_bytes() == content
    assert not file.exists()


@pytest.mark.parametrize("column", saving.OWNER)
def test_a_checkpoint_of_another_cell_version_or_machine_is_set_aside(told, tmp_path, monkeypatch, column):
    file = saved(told, tmp_path)
    blank = saving.blank_record

    def other(cell):
        record = blank(cell)
        setattr(record, column, "another")
        return record

    monkeypatch.setattr(saving, "blank_record", other)
    assert told.checkpoint(tmp_path).load() is None
    assert f"it is of another {column})" in told[0]
    assert not file.exists()


def test_a_checkpoint_under_the_name_of_another_measurement_is_set_aside(told, tmp_path):
    file = saved(told, tmp_path)
    second = checkpoints.place(tmp_path, CELL.cell_id, 2)
    file.rename(second)
    assert Checkpoint(second, CELL, alone=True, tell=told.append).load() is None
    assert "it is of another file)" in told[0]


def test_a_disk_that_refuses_is_told_of_once_and_training_goes_on(told, tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    checkpoint = told.checkpoint(tmp_path)
    checkpoint.save(state)
    write = checkpoints.write
    monkeypatch.setattr(checkpoints, "write", full)
    for _ in range(3):
        checkpoint.save(lambda: state(2.0))
    assert len(told) == 1
    assert "No space left on device" in told[0]
    assert told.checkpoint(tmp_path).load().numbers == {"number": 1.0}
    monkeypatch.setattr(checkpoints, "write", write)
    checkpoint.save(lambda: state(3.0))
    assert told.checkpoint(tmp_path).load().numbers == {"number": 3.0}


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True)])
def test_times_count_only_if_every_process_of_the_cell_ran_alone(told, tmp_path, first, second):
    saved(told, tmp_path, alone=first)
    last = told.checkpoint(tmp_path, alone=second)
    last.load()
    assert last.alone == (first and second)
    last.save(state)
    third = told.checkpoint(tmp_path)
    third.load()
    assert third.alone == (first and second)
