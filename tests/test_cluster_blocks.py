"""Which cell goes to which machine: a block stays together, so that its times are pairs; nothing waits for the dead."""

from rkbench import registry, suite
from rkbench.cluster.blocks import Blocks, Try, homes
from rkbench.plan import expand

CELLS = expand(suite.select(suite.load("quick"), seeds=3), registry.default())
SEED = {cell.cell_id: cell.seed for cell in CELLS}


def drawn(blocks, *hosts):
    """Let machines draw in turn until nobody gets a cell, and return who got which."""
    got = {host: [] for host in hosts}
    while True:
        before = sum(map(len, got.values()))
        for host in hosts:
            what = blocks.next(host)
            if what is not None:
                got[host].append(what.cell)
        if sum(map(len, got.values())) == before:
            return got


def test_one_machine_gets_all_cells_in_the_order_of_the_plan():
    assert drawn(Blocks(CELLS, whole=True), "a") == {"a": CELLS}


def test_the_cells_of_a_block_go_to_one_machine_and_every_cell_goes_once():
    got = drawn(Blocks(CELLS, whole=True), "a", "b")
    seeds = {host: {cell.seed for cell in cells} for host, cells in got.items()}
    assert seeds["a"]
    assert seeds["b"]
    assert seeds["a"] | seeds["b"] == {0, 1, 2}
    assert seeds["a"] & seeds["b"] == set()
    assert sorted(got["a"] + got["b"], key=CELLS.index) == CELLS


def test_cells_whose_times_do_not_count_go_to_whoever_is_free():
    got = drawn(Blocks(CELLS, whole=False), "a", "b")
    assert got == {"a": CELLS[::2], "b": CELLS[1::2]}


def test_a_cell_that_comes_again_goes_to_the_machine_of_its_block():
    blocks = Blocks(CELLS, whole=True)
    [first, *_] = drawn(blocks, "a", "b")["b"]
    blocks.put_back(Try(first, 2))
    assert blocks
    assert blocks.next("a") is None
    assert blocks.next("b") == Try(first, 2)
    assert not blocks


def test_the_blocks_of_a_machine_that_is_gone_go_to_others():
    blocks = Blocks(CELLS, whole=True)
    first = blocks.next("a")
    assert first is not None
    blocks.put_back(first)
    assert drawn(Blocks([], whole=True), "b") == {"b": []}
    assert blocks.hosts == {"a"}
    blocks.release("a")
    assert blocks.hosts == set()
    assert sorted(drawn(blocks, "b")["b"], key=CELLS.index) == CELLS


def test_a_block_that_was_begun_goes_on_where_it_was():
    hosts = {cell.cell_id: "b" for cell in CELLS if cell.seed == 0}
    [done, *todo] = CELLS
    blocks = Blocks(todo, whole=True, homes=homes(CELLS, {done.cell_id: hosts[done.cell_id]}))
    got = drawn(blocks, "a", "b")
    assert {cell.seed for cell in got["a"]} & {0} == set()
    assert [cell for cell in got["b"] if cell.seed == 0] == [cell for cell in todo if cell.seed == 0]
