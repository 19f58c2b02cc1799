"""Series at irregular times, from a file of the user's or carbon dioxide at Mauna Loa: a latent ODE and recurrent networks.

A task asks for the last quarter of the observations of each series, ``ask=extrapolation``, or for a random quarter
between the first and the last, ``ask=interpolation``. The score is the root of the mean over series of the mean square
error of a series, in standard deviations of the training set. In training, what is asked for is known.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rkbench.task import ModelTask, Recipe, Score
from rkbench.tasks.series_file import sha256

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.model import Model
    from rkbench.solver import Solver
    from rkbench.tasks.series_data import Prepared

NOISE = 0.1
"""Where the learnt deviation of an observation from the latent ODE's curve starts, in standard deviations."""


def _errors(network, batch: tuple[Tensor, ...]) -> Tensor:
    """Return the mean square error of each series over what was asked for and observed."""
    from rkbench.networks.observed import Observed, mean_square, packed

    given, asked = Observed(*batch[:3]), packed(Observed(*batch[3:]))
    return mean_square(network.foretell(given, asked.t) - asked.x, asked.seen)


def _loss(network, batch: tuple[Tensor, ...]) -> Tensor:
    from rkbench.networks.observed import Observed, packed

    given, asked = Observed(*batch[:3]), Observed(*batch[3:])
    return network.loss(given, packed(given, asked))


def _model(network: nn.Module, data: Prepared) -> Model:
    from rkbench.model import Model

    return Model(network, data.train, data.test, _loss, _errors)


def latent_ode(
    solver: Solver | None,
    *,
    file: str = "",
    ask: str = "extrapolation",
    centred: bool = True,
    latent: int = 4,
    hidden: int = 20,
    encoder: int = 25,
) -> Model:
    """Return a latent ODE of the series in a file; it learns how far observations lie from its curve."""
    from rkbench.networks.latent import LatentODE
    from rkbench.tasks.series_data import prepared

    data = prepared(file, ask, centred=centred)
    return _model(LatentODE(data.n, latent, hidden, encoder, solver, noise=NOISE, learn_noise=True), data)


def recurrent(
    unit: str,
    solver: None,
    *,
    file: str = "",
    ask: str = "extrapolation",
    centred: bool = True,
    hidden: int = 0,
) -> Model:
    """Return a recurrent network of as many parameters as the latent ODE has, unless ``hidden`` says how wide it is."""
    from rkbench.networks.recurrent import matched
    from rkbench.tasks.series_data import prepared

    data = prepared(file, ask, centred=centred)
    return _model(matched(ask, unit, data.n, hidden, pace=data.pace), data)


SCORE = Score("RMSE", unit="standard deviations", root=True)
RECIPE = Recipe(epochs=100, batch_size=16, learning_rate=2e-2)

TASKS = [
    ModelTask(
        "series_latent_ode", latent_ode, RECIPE, SCORE, target=0.5, subject="series", reads=sha256,
        summary="series of a file, or of carbon dioxide at Mauna Loa, foretold by a latent ODE (Chen et al. 2018)",
    ),
    ModelTask(
        "series_rnn", partial(recurrent, "rnn"), RECIPE, SCORE, target=0.5, subject="series", reads=sha256,
        solves=False, summary="the same by a GRU that is told the time between observations",
    ),
    ModelTask(
        "series_gru_d", partial(recurrent, "gru_d"), RECIPE, SCORE, target=0.5, subject="series", reads=sha256,
        solves=False, summary="the same by a GRU that forgets between observations (GRU-D, Che et al. 2018)",
    ),
]  # fmt: skip
"""Asked for as, say, ``series_rnn[file=patients.csv, ask=interpolation]``."""
