"""A file of a checkpoint is whole or not believed, and is there only as long as somebody may go on from it."""

import resource

import pytest

from rkbench import checkpoints

HEADER = {"numbers": {"loss": 0.1 + 0.2, "epochs": 3}, "name": "é"}
BLOCKS = [b"some\nbytes", b"", bytes(range(256))]


@pytest.fixture
def file(tmp_path):
    file = checkpoints.place(tmp_path, "cell", 1)
    checkpoints.write(file, HEADER, BLOCKS)
    return file


def test_what_was_written_is_read_bit_for_bit(file):
    header, content = checkpoints.read(file)
    assert header == HEADER
    assert content == b"".join(BLOCKS)


def test_a_newer_checkpoint_replaces_the_one_before_and_leaves_nothing_else(file):
    checkpoints.write(file, {"numbers": {}}, [])
    assert checkpoints.read(file) == ({"numbers": {}}, b"")
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("kept", [0, 5, 30, 60, -40, -1])
def test_a_file_that_was_cut_short_is_not_believed(file, kept):
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"cut short|no checkpoint"):
        checkpoints.read(file)


@pytest.mark.parametrize("place", [0, 25, 120, -33, -1])
def test_a_file_with_one_bit_turned_is_not_believed(file, place):
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged|no checkpoint"):
        checkpoints.read(file)


def test_a_full_disk_leaves_the_checkpoint_before_and_no_torn_one(file):
    """A limit on the size of files refuses the write in its middle, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            checkpoints.write(file, HEADER, [bytes(100_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert checkpoints.read(file)[0] == HEADER
    assert list(file.parent.iterdir()) == [file]


def test_a_checkpoint_is_gone_once_the_record_is_there(file, tmp_path):
    file.with_name(file.name + checkpoints.PARTIAL).write_bytes(b"torn")
    checkpoints.discard(tmp_path, "cell", 2)
    checkpoints.tidy(tmp_path)
    assert file.exists()
    checkpoints.discard(tmp_path, "cell", 1)
    checkpoints.tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_goes_on_from_is_swept_away_and_nothing_else(tmp_path):
    kept = [
        checkpoints.place(tmp_path, "waits", 1),
        checkpoints.place(tmp_path, "damaged", 1).with_suffix(checkpoints.SUFFIX + checkpoints.ASIDE),
        tmp_path / checkpoints.CHECKPOINTS / "notes.txt",
    ]
    stale = [
        checkpoints.place(tmp_path, "done", 1),
        checkpoints.place(tmp_path, "waits", 2),
        checkpoints.place(tmp_path, "waits", 1).with_suffix(checkpoints.SUFFIX + checkpoints.PARTIAL),
    ]
    kept[0].parent.mkdir()
    for each in kept + stale:
        each.touch()
    checkpoints.sweep(tmp_path, {"done"})
    assert set(kept[0].parent.iterdir()) == set(kept)


def test_a_run_without_checkpoints_is_left_as_it_is(tmp_path):
    checkpoints.sweep(tmp_path, {"done"})
    checkpoints.discard(tmp_path, "done", 1)
    checkpoints.tidy(tmp_path)
    assert list(tmp_path.iterdir()) == []
