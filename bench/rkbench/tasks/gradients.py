"""One solve to be differentiated: what each road to its gradient costs, and how far it is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rkbench.task import GradientTask

if TYPE_CHECKING:
    from torch import nn


def _tanh() -> nn.Module:
    from rkbench.networks.tanh import TanhField

    return TanhField(64)


def _convolutional() -> nn.Module:
    from rkbench.networks.convolutional import ConvField

    return ConvField(64)


TANH_GRADIENT = GradientTask(
    name="tanh_gradient",
    field=_tanh,
    shape=(128, 64),
    t_span=(0.0, 4.0),
    summary="gradient of one solve of y' = tanh(W y + b), 64 dimensions, 128 samples, t from 0 to 4",
)

ODENET_GRADIENT = GradientTask(
    name="odenet_gradient",
    field=_convolutional,
    shape=(128, 64, 6, 6),
    reference_tol=None,  # ReLU has kinks, and a tight solve would step from one to the next
    summary="gradient of one solve of the convolutional f of the MNIST ODE-net, 64×6×6, 128 samples, t from 0 to 1",
)
