"""The built-in tasks, one file per family; torch is imported when a network is built."""

from rkbench.hookspecs import hookimpl
from rkbench.tasks import (
    controls,
    convolutional,
    densities,
    dynamics,
    images,
    series,
    signals,
    spiral,
    spirals,
)
from rkbench.tasks.gradients import ODENET_GRADIENT, TANH_GRADIENT
from rkbench.tasks.initial_values import INITIAL_VALUES
from rkbench.tasks.tanh import DIGITS8_TANH, MNIST8_TANH


@hookimpl
def rkbench_tasks():
    """Return the built-in tasks."""
    return [
        DIGITS8_TANH,
        MNIST8_TANH,
        *convolutional.TASKS,
        *images.TASKS,
        *controls.TASKS,
        *dynamics.TASKS,
        *spiral.TASKS,
        *spirals.TASKS,
        *series.TASKS,
        *densities.TASKS,
        TANH_GRADIENT,
        ODENET_GRADIENT,
        *signals.TASKS,
        *INITIAL_VALUES,
    ]
