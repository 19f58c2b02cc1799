"""Rooted trees: counted as the tables say, and conditions that decide as the theory says."""

import math
from fractions import Fraction as F

import pytest

import rkbench_solvers
from rkbench.errors import TableauError
from rkbench.order import Tree, Weights, principal_error, prove, trees
from rkbench.tableau import ButcherTableau

METHODS = {method.name: method for method in rkbench_solvers.METHODS}
ROOT = Tree()


def chain(nodes):
    """The tall tree."""
    return ROOT if nodes == 1 else Tree((chain(nodes - 1),))


def bush(nodes):
    """The tree of one root and leaves."""
    return Tree((ROOT,) * (nodes - 1))


@pytest.mark.parametrize(("nodes", "count"), list(enumerate([1, 1, 2, 4, 9, 20, 48, 115, 286, 719], 1)))
def test_the_number_of_rooted_trees_is_the_known_one(nodes, count):
    assert len(trees(nodes)) == len(set(trees(nodes))) == count
    assert {tree.nodes for tree in trees(nodes)} == {nodes}


@pytest.mark.parametrize(("nodes", "count"), list(enumerate([2, 5, 13, 37, 108, 332], 2)))
def test_the_number_of_two_coloured_trees_is_the_known_one(nodes, count):
    assert len(trees(nodes, True)) == len(set(trees(nodes, True))) == count


@pytest.mark.parametrize("nodes", range(1, 9))
def test_labelled_trees_are_counted_by_density_and_symmetry(nodes):
    """Σ n!/(γσ) over the trees of n nodes is (n-1)!, the number of monotone labellings."""
    total = sum(F(math.factorial(nodes), tree.density * tree.symmetry) for tree in trees(nodes))
    assert total == math.factorial(nodes - 1)


def test_tall_and_bushy_trees_have_the_densities_of_the_book():
    assert [chain(n).density for n in range(1, 6)] == [1, 2, 6, 24, 120]
    assert [bush(n).density for n in range(1, 6)] == [1, 2, 3, 4, 5]
    assert [bush(n).symmetry for n in range(1, 6)] == [1, 1, 2, 6, 24]


def test_a_tree_prints_as_nested_brackets():
    assert [str(tree) for tree in trees(3)] == ["[[τ]]", "[ττ]"]
    assert str(Tree((ROOT, Tree(time=True)))) == "[τt]"


def kutta_weights(coloured=False):
    method = METHODS["rk4"]
    return Weights(method.a, method.c, coloured=coloured), method.b


@pytest.mark.parametrize("coloured", [False, True])
def test_the_sum_of_a_condition_is_exact(coloured):
    weights, b = kutta_weights(coloured)
    total, scale = weights.sum(b, chain(4))
    assert F(total, scale) == F(1, 24)
    total, scale = weights.residual(b, chain(5))
    assert F(total, scale) == F(-1, 120)


def test_the_proof_names_the_worst_condition_that_fails():
    weights, b = kutta_weights()
    proof = prove(weights, b, 0.0)
    assert (proof.order, proof.exact, proof.residual) == (4, True, 0.0)
    assert proof.broken in trees(5)
    numerator, denominator = weights.residual(b, proof.broken)
    assert proof.gap == abs(numerator / denominator) > 0


def test_the_principal_error_of_euler_is_its_one_coefficient():
    euler = METHODS["euler"]
    assert principal_error(Weights(euler.a, euler.c, coloured=False), euler.b, 1) == 0.5


@pytest.mark.parametrize("name", ["rk4", "dopri5", "vern6"])
def test_where_rows_sum_to_their_nodes_both_kinds_of_tree_give_one_order(name):
    method = METHODS[name]
    orders = [
        prove(Weights(method.a, method.c, coloured=x), method.b, method.tolerance).order
        for x in (False, True)
    ]
    assert orders == [method.order, method.order]


def off_rows(order):
    """Two stages, the first not at t: the nodes 1/3 and 2/3 with the row sums 0 and 1.

    Every condition up to order 2 holds: Σb = 1, Σ bc = 1/2 and Σ b(A1) = 1/2.
    """
    return ButcherTableau(name="off", order=order, c=("1/3", "2/3"), a=((), (1,)), b=("1/2", "1/2"))


def test_a_method_whose_rows_do_not_sum_to_its_nodes_may_still_have_its_order():
    method = off_rows(2)
    assert method.coloured
    assert method.row_sum_defects == {1: pytest.approx(-1 / 3), 2: pytest.approx(1 / 3)}
    assert method.order == 2
    assert method.proofs["b"].exact
    assert not method.fsal


def test_and_no_more_than_its_order():
    with pytest.raises(TableauError, match="order 3 is claimed, but b has order 2"):
        off_rows(3)


def test_a_node_that_plain_trees_do_not_see_costs_the_order():
    rk4 = METHODS["rk4"]
    wrong = (F(0), F(1, 2), F(1, 2), F(9, 10))
    assert prove(Weights(rk4.a, wrong, coloured=False), rk4.b, rk4.tolerance).order == 4
    assert prove(Weights(rk4.a, wrong, coloured=True), rk4.b, rk4.tolerance).order == 1


def test_no_known_method_passes_the_bound_on_stages():
    """Butcher's barriers: order 5 needs 6 stages, 6 needs 7, 7 needs 9 and 8 needs 11."""
    least = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 7, 7: 9, 8: 11, 9: 12}
    assert all(method.stages >= least[method.order] for method in METHODS.values())
