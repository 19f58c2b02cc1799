"""Performance profiles of the methods that a suite's questions compare, each at its best setting."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rkbench.report import appearance
from rkbench.report.answers import methods
from rkbench.report.answers.costs import ODE, SECONDS, TRAINING
from rkbench.report.figures import profiles
from rkbench.report.figures.profiles import Panel
from rkbench.report.figures.style import Drawing, styled
from rkbench.report.results import Results

_PANELS = {
    TRAINING: ("evaluations to the target", "evaluations of f ÷ the fewest"),
    ODE: ("… as an ODE", "evaluations of f ÷ the fewest"),
    SECONDS: ("time to the target", "time ÷ that of the fastest"),
}
_TITLE = "Performance profiles at equal accuracy"
_READ = (
    "Share of the problems, each a seed of a task that the suite asks about, on which a method reaches the target within a "
    "factor of what the best one takes (Dolan & Moré 2002): at the left how often it takes the least, at the right how often "
    "it reaches the target at all. Each method at its setting that is best on the other seeds; methods that run on every "
    "task. As an ODE: the trained network, solved tightly, has to hold the target."
)


def draw(results: Results) -> Iterator[Drawing]:
    """Yield the profiles, where the suite asks questions about enough problems."""
    found = [
        Panel(heading, "a seed of a task", methods.costs(results, cost).replace(np.inf, np.nan), axis)
        for cost, (heading, axis) in _PANELS.items()
    ]
    telling = [one for one in found if profiles.tells(one.costs)]
    if telling:
        names = list(dict.fromkeys(str(name) for one in telling for name in one.costs))
        with styled():
            drawn = profiles.figure(telling, appearance.of(names), _TITLE)
            yield Drawing("profiles_answers", _TITLE, _READ + profiles.problems(telling), drawn)
