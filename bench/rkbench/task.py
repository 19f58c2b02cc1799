"""What is measured: an ODE-net in training, a problem being solved, a solve being differentiated, a gradient on its way."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rkbench.errors import UserError
from rkbench.problem import InitialValueProblem

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rkbench.model import Model


OPTIMIZERS = ("adamw", "sgd")
"""Names of optimizers."""

SCHEDULES = ("onecycle", "steps")
"""Names of what the learning rate does over the training."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: an optimizer under a schedule of learning rates, cross-entropy, shuffled batches.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples per step; the last, smaller batch of an epoch is used too.
        learning_rate: the peak of the cycle, or the rate before the first milestone.
        weight_decay: decoupled for "adamw"; for "sgd" the factor of the weights that is added to their gradient.
        optimizer: "adamw" (Loshchilov & Hutter 2019, arXiv:1711.05101) or "sgd".
        momentum: of "sgd".
        schedule: "onecycle" (Smith & Topin 2018, arXiv:1708.07120), or "steps": constant between milestones.
        milestones: of "steps": where the rate drops, as shares of all training steps, so that a training of fewer epochs
            is the same in small.
        factor: of "steps": what the rate is multiplied by at each milestone.
        crop: pixels by which training images are moved at random, anew in each epoch, over a margin as dark as the
            darkest pixel of the data; the same for every solver of a seed.
        flip: whether every other training image, on average, is mirrored left to right, anew in each epoch.
        refinements: how often the grid of a dynamic block's controls is halved, after equal parts of the epochs: the
            multilevel learning of Haber & Ruthotto (2017, arXiv:1705.03341).

    Raises:
        UserError: a value that is out of range, or that optimizer or schedule would not heed.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 1e-2
    weight_decay: float = 0.0
    optimizer: str = "adamw"
    momentum: float = 0.0
    schedule: str = "onecycle"
    milestones: tuple[float, ...] = ()
    factor: float = 0.1
    crop: int = 0
    flip: bool = False
    refinements: int = 0

    def __post_init__(self) -> None:
        """Refuse what would be ignored, and what torch would take for something else."""
        for wrong, sentence in (
            (self.optimizer not in OPTIMIZERS, f"optimizer must be one of {OPTIMIZERS}"),
            (self.schedule not in SCHEDULES, f"schedule must be one of {SCHEDULES}"),
            (self.momentum and self.optimizer != "sgd", "momentum is of optimizer='sgd': drop it"),
            (self.milestones and self.schedule != "steps", "milestones are of schedule='steps': drop them"),
            (not all(0 < m < 1 for m in self.milestones), "milestones must lie between 0 and 1: give shares"),
            (self.epochs < 1, "epochs must be 1 or more"),
            (self.batch_size < 1, "batch_size must be 1 or more samples"),
            (not 0 < self.learning_rate < math.inf, "learning_rate must be above 0"),
            (not 0 <= self.weight_decay < math.inf, "weight_decay must be 0 or more"),
            (not 0 <= self.momentum < 1, "momentum must be 0 or more, and below 1"),
            (not 0 < self.factor < math.inf, "factor must be above 0"),
            (self.crop < 0, "crop must be 0 or more pixels"),
            (not 0 <= self.refinements < max(1, self.epochs), "refinements must be fewer than epochs"),
        ):
            if wrong:
                raise UserError(f"This recipe cannot be followed: {sentence}.")


class BaseTask:
    """What the plan and the lists ask of a task of any kind.

    Attributes:
        experiment: how it is measured; one of `rkbench.experiments.EXPERIMENTS`.
        name: how users ask for it.
        dataset: a name of `rkbench.data`; empty for a task without data.
        summary: one line on what it is and where it comes from.
        solves: whether it needs a solver.
        built_by: the field that holds the function whose keyword-only parameters are options of the task; empty for a
            task without options.
    """

    solves: bool = True
    experiment: ClassVar[str]
    built_by: ClassVar[str] = ""
    name: str
    dataset: str
    summary: str

    @property
    def epochs(self) -> int | None:
        """Passes over the data, for a task that has any."""
        return None

    @property
    def scored_by(self) -> str:
        """What it is judged by, for a task that is trained: ``test accuracy``, or a score of which less is better."""
        return ""

    def fingerprint(self) -> dict[str, Any]:
        """Return the data that decides the outcome, besides the code that brought the task."""
        return {}


@dataclass(frozen=True)
class Task(BaseTask):
    """Data, network, recipe, score and target, under one name. The score is classification accuracy.

    Attributes:
        name: how users ask for it.
        dataset: a name of `rkbench.data`.
        network: ``network(solver, example, classes)`` returns a module that maps a batch of inputs to logits
            ``[batch, classes]`` and holds its `ODEBlock` (or several); ``example`` is a batch of the data.
        recipe: how it is trained.
        target: test accuracy, 0 to 1, whose time and cost are reported; fixed here, before any run.
        summary: one line on the network and where it comes from.
        solves: whether the network solves anything. One that does not, a baseline, is given None for a solver and is
            trained once per seed, whatever the solvers of the suite.
        samples: train with the first so many samples of the training set; all unless given.
        kinetic: weight in the loss of the kinetic energy of every ODE block, see `RunningCost`.
        jacobian: weight in the loss of the norm of f's Jacobian along it.
    """

    name: str
    dataset: str
    network: Callable[[Any, Tensor, int], nn.Module]
    recipe: Recipe
    target: float
    summary: str = ""
    solves: bool = True
    samples: int | None = None
    kinetic: float = 0.0
    jacobian: float = 0.0

    experiment: ClassVar[str] = "training"
    built_by: ClassVar[str] = "network"

    def __post_init__(self) -> None:
        """Refuse numbers that no training can follow."""
        _refuse_training(
            self,
            (self.samples is not None and self.samples < 1, "samples must be 1 or more"),
            (not 0 <= self.target <= 1, "target must lie between 0 and 1"),
        )

    @property
    def scored_by(self) -> str:
        """What it is judged by."""
        return "test accuracy"

    @property
    def epochs(self) -> int:
        """Passes over the training set."""
        return self.recipe.epochs

    def fingerprint(self) -> dict[str, Any]:
        """Return recipe, target and what else is set; how the network is built is code, and in the task's name."""
        own = ("target", "samples", "kinetic", "jacobian")
        return {"recipe": asdict(self.recipe)} | {name: getattr(self, name) for name in own}


@dataclass(frozen=True)
class Score:
    """What a model is judged by: the mean of its errors on the samples of a test set. Lower is better.

    Attributes:
        name: as tables head it, such as "RMSE".
        unit: of the score; empty for one without. In "nats", "bits" and "bits/dim", and without ``root``, it may be negative.
        root: whether the square root of the mean is the score, as in a root mean square.
        tight: whether a network is judged by its ODE, solved at a tight tolerance. A likelihood has to be: a coarse solver
            is no change of variables, so under its own a network may have any.
    """

    name: str
    unit: str = ""
    root: bool = False
    tight: bool = False

    def of(self, mean: float) -> float:
        """Return the score, given the mean error of a sample."""
        return math.sqrt(mean) if self.root else mean


@dataclass(frozen=True)
class ModelTask(BaseTask):
    """Any model with its own data, loss and score, trained with the solver that is being measured.

    Attributes:
        name: how users ask for it.
        model: ``model(solver)`` returns a `rkbench.Model`: the network around its `ODEBlock`, data, loss and errors.
            Weights and data are drawn from torch's generator, which the seed of a cell sets. What the function takes by
            keyword only, with defaults, are options of the task.
        recipe: how it is trained; ``batch_size`` is heeded where the data are tensors.
        score: what it is judged by.
        target: a test score whose time and cost are reported; fixed here, before any run.
        summary: one line on the model and where it comes from.
        solves: whether the model solves anything; one that does not, a baseline, is given None for a solver.
        kinetic: weight in the loss of the kinetic energy of every ODE block, see `RunningCost`.
        jacobian: weight in the loss of the norm of f's Jacobian along it.
        subject: what its data are called; tasks of one subject and score stand beside each other in a table.
        reads: ``reads(**options)`` returns the checksum of the files that ``model`` reads, given those of its options that
            it takes by keyword, too; it is part of what a cell is. It may refuse them, before anything is measured.
        dataset: none; the data are the model's own.

    Raises:
        UserError: the recipe moves images, or a weight or the target is no number to train by.
    """

    name: str
    model: Callable[..., Model]
    recipe: Recipe
    score: Score
    target: float
    summary: str = ""
    solves: bool = True
    kinetic: float = 0.0
    jacobian: float = 0.0
    subject: str = ""
    reads: Callable[..., str] | None = None
    dataset: str = ""

    experiment: ClassVar[str] = "training"
    built_by: ClassVar[str] = "model"

    def __post_init__(self) -> None:
        """Refuse what would be ignored, and numbers that no training can follow."""
        _refuse_training(
            self,
            (
                bool(self.recipe.crop or self.recipe.flip),
                "crop and flip are for the images of a Task: drop them",
            ),
            (math.isnan(self.target), "target must be a number"),
        )

    @property
    def scored_by(self) -> str:
        """What it is judged by; less of it is better."""
        return f"test {self.score.name}, {self.score.unit}" if self.score.unit else f"test {self.score.name}"

    @property
    def epochs(self) -> int:
        """Passes over the training set."""
        return self.recipe.epochs

    def fingerprint(self) -> dict[str, Any]:
        """Return recipe, score, target, what else is set, and the files; the model and other data are code."""
        own = ("target", "kinetic", "jacobian")
        set_here = {name: getattr(self, name) for name in own}
        files = {"files": self.data_sha256()} if self.reads else {}
        return {"recipe": asdict(self.recipe), "score": asdict(self.score)} | set_here | files

    def data_sha256(self) -> str:
        """Return the checksum of the files that the model reads; empty where it reads none."""
        if self.reads is None:
            return ""
        given = getattr(self.model, "keywords", {})
        taken = inspect.signature(self.reads).parameters
        return self.reads(**{name: value for name, value in given.items() if name in taken})


def _refuse_training(task: Task | ModelTask, *checks: tuple[bool, str]) -> None:
    """Refuse a task of which a check is true, or whose weights in the loss no training can follow."""
    for wrong, sentence in (
        *checks,
        (not 0 <= task.kinetic < math.inf, "kinetic must be 0 or more"),
        (not 0 <= task.jacobian < math.inf, "jacobian must be 0 or more"),
    ):
        if wrong:
            raise UserError(f"{task.name} cannot be trained so: {sentence}.")


@dataclass(frozen=True)
class SolveTask(BaseTask):
    """An initial value problem to be solved, for its error and its time; nothing is trained.

    Attributes:
        name: how users ask for it.
        problem: the problem, with its reference answer.
        summary: one line on the problem and where it comes from.
        dataset: none.
    """

    name: str
    problem: InitialValueProblem
    summary: str = ""
    dataset: str = ""

    experiment: ClassVar[str] = "solving"

    def fingerprint(self) -> dict[str, Any]:
        """Return where the problem starts and ends."""
        problem = self.problem
        return {"y0": problem.y0, "t_span": problem.t_span, "y1": problem.y1}


@dataclass(frozen=True)
class GradientTask(BaseTask):
    """One solve of a random state, forward and backward, for what its gradient costs and how far it is off.

    The loss is half the mean square of y(t1).

    Attributes:
        name: how users ask for it.
        field: returns f, a module, with weights drawn from torch's generator, which the seed of a cell sets.
        shape: of the state, whose entries are drawn from a standard normal distribution; the batch comes first.
        t_span: (t0, t1).
        reference_tol: tolerance, relative and absolute, of the solve in float64 whose gradient is taken for the true
            one; None where f is not smooth enough to be solved that well.
        summary: one line on f and where it comes from.
        dataset: none.
    """

    name: str
    field: Callable[[], nn.Module]
    shape: tuple[int, ...]
    t_span: tuple[float, float] = (0.0, 1.0)
    reference_tol: float | None = 1e-12
    summary: str = ""
    dataset: str = ""

    experiment: ClassVar[str] = "gradient"

    def fingerprint(self) -> dict[str, Any]:
        """Return what is solved, besides the code of f."""
        return {"shape": self.shape, "t_span": self.t_span, "reference_tol": self.reference_tol}


@dataclass(frozen=True)
class SignalTask(BaseTask):
    """A network as it is initialised, for how much of the gradient of the loss reaches each of its layers.

    The loss is the cross-entropy of a batch of training samples behind a linear classifier; nothing is trained.

    Attributes:
        name: how users ask for it.
        dataset: a name of `rkbench.data`.
        network: ``network(solver, n)`` returns a ``torch.nn.Sequential`` of layers that maps states ``[batch, n]``, at
            first the flat samples, to such; each step of an `ODEBlock` among them is a layer. Weights are drawn from
            torch's generator, which the seed of a cell sets. Networks that differ in an option ``depth`` alone are one
            row of a report.
        solves: whether the network solves anything; one that does not is given None for a solver.
        samples: of the batch.
        summary: one line on the network and where it comes from.
    """

    name: str
    dataset: str
    network: Callable[[Any, int], nn.Sequential]
    solves: bool = True
    samples: int = 128
    summary: str = ""

    experiment: ClassVar[str] = "signal"
    built_by: ClassVar[str] = "network"

    def __post_init__(self) -> None:
        """Refuse an empty batch."""
        if self.samples < 1:
            raise UserError(f"{self.name} cannot be followed so: samples must be 1 or more.")

    def fingerprint(self) -> dict[str, Any]:
        """Return the size of the batch; how the network is built is code, and in the task's name."""
        return {"samples": self.samples}
