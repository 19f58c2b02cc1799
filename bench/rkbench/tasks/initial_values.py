"""Every problem of the catalogue as a task: solved for its error and its time."""

from rkbench.problems import PROBLEMS
from rkbench.task import SolveTask

INITIAL_VALUES = [SolveTask(name, problem, problem.summary) for name, problem in PROBLEMS.items()]
