"""The gradient is an option wherever a solver is described, and its own options are refused where they do nothing."""

import pytest
import torch

import rkbench
from rkbench import listing, registry
from rkbench.solver import GRADIENTS


def decay(t, y):
    return -y


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"gradient": "magic"},
            "choose one of: backprop, checkpoint, segments, binomial, adjoint, interpolated",
        ),
        ({"adjoint_rtol": 1e-3}, "give gradient='adjoint' and no steps"),
        ({"seminorm": False}, "give gradient='adjoint' and no steps"),
        ({"gradient": "adjoint", "method": "rk4", "steps": 3, "adjoint_atol": 1e-3}, "drop them"),
        ({"gradient": "adjoint", "adjoint_rtol": -1.0}, "adjoint_rtol must be a number from 0 on"),
        ({"gradient": "adjoint", "adjoint_rtol": 0.0, "adjoint_atol": 0.0}, "no step can meet"),
        ({"gradient": "segments", "adjoint_rtol": 1e-3}, "give gradient='adjoint' and no steps"),
        ({"gradient": "interpolated", "method": "rk4", "steps": 3, "seminorm": False}, "drop them"),
        ({"checkpoints": 3}, "no meaning for gradient='backprop'; drop it, or give gradient='segments'"),
        ({"gradient": "adjoint", "checkpoints": 3}, "no meaning for gradient='adjoint'"),
        ({"gradient": "binomial", "checkpoints": 0}, "checkpoints must be a whole number from 1 on, not 0"),
        ({"gradient": "binomial", "checkpoints": True}, "a whole number from 1 on, not True"),
        ({"gradient": "segments", "checkpoints": 2.0}, "a whole number from 1 on, not 2.0"),
    ],
)
def test_gradient_options_that_do_not_fit_are_refused_in_one_sentence(options, sentence):
    with pytest.raises(rkbench.SolverError, match=sentence):
        rkbench.solve(decay, torch.ones(2), (0.0, 1.0), **options)


@pytest.mark.parametrize("gradient", GRADIENTS)
def test_every_door_takes_every_gradient(gradient):
    y0 = torch.ones(2, dtype=torch.float64, requires_grad=True)
    options = {"gradient": gradient, "rtol": 1e-8, "atol": 1e-8}
    for y in (
        rkbench.solve(decay, y0, (0.0, 1.0), **options).y[-1],
        rkbench.odeint(decay, y0, [0.0, 1.0], **options)[-1],
        rkbench.ODEBlock(decay, **options)(y0),
    ):
        (found,) = torch.autograd.grad(y.sum(), y0)
        assert found.tolist() == pytest.approx([0.36787944117] * 2, rel=1e-6)


def test_the_listing_shows_every_gradient():
    assert [row["name"] for row in listing.gradients(registry.default())] == list(GRADIENTS)
