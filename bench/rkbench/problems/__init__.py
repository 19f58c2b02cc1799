"""The catalogue of initial value problems with reference answers, by name; one file per family."""

from rkbench.problem import InitialValueProblem
from rkbench.problems import bodies, closed, detest, oscillators

PROBLEMS: dict[str, InitialValueProblem] = {
    problem.name: problem
    for problem in sorted(
        (*closed.PROBLEMS, *oscillators.PROBLEMS, *detest.PROBLEMS, *bodies.PROBLEMS),
        key=lambda problem: problem.name,
    )
}
"""All of them; importing them does not import torch."""
