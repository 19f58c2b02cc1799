"""Train one network by one recipe, and say what each epoch cost and gave."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

import torch
from torch import Tensor, nn

from rkbench.compiling import CompileClock
from rkbench.errors import SolveError
from rkbench.lesson import Batch, Lesson
from rkbench.measure import Counts, Meter, audit, timed
from rkbench.networks.block import ODEBlock
from rkbench.networks.dynamic import refine
from rkbench.objective import Objective
from rkbench.record import CellStatus
from rkbench.saving import Checkpoint
from rkbench.task import Recipe
from rkbench.tightly import solved_by, tight_solver
from rkbench.training_state import capture, restore

WARM_UP_STEPS = 3


class TrainingError(Exception):
    """Training that ended without a result; ``status`` names how, as in `CellStatus`."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass
class StepLog:
    """Counts of every training step."""

    nfe_forward: list[int] = field(default_factory=list)
    nfe_backward: list[int] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)
    rejected: list[int] = field(default_factory=list)

    def add(self, start: Counts, between: Counts, end: Counts) -> None:
        """Take down one step, from the totals before it, between its passes, and after it.

        Raises:
            TrainingError: the engine's claim is not the harness's count.
        """
        counted, claimed = between.calls - start.calls, between.claimed - start.claimed
        self.nfe_forward.append(counted)
        self.nfe_backward.append(end.calls - between.calls)
        self.accepted.append(between.accepted - start.accepted)
        self.rejected.append(between.rejected - start.rejected)
        if counted != claimed:
            raise TrainingError(
                CellStatus.PLUGIN_FAILED,
                f"The engine claims {claimed} evaluations of f where the harness counted {counted}; correct the "
                "engine's Stats.",
            )

    def since(self, step: int) -> StepLog:
        """Return the log of the steps from ``step`` on."""
        return StepLog(
            *(getattr(self, name)[step:] for name in ("nfe_forward", "nfe_backward", "accepted", "rejected"))
        )


@dataclass
class Training:
    """A network on its way through a recipe.

    Args:
        network: trained in place.
        lesson: what it learns.
        recipe: how.
        epochs: how long.
        seed: of the order of batches and of the places of crops, the same for every solver.

    Attributes:
        resumed: how many of the epochs were taken over from a checkpoint.
        refinements: how often the controls have been refined so far.
    """

    network: nn.Module
    lesson: Lesson
    recipe: Recipe
    epochs: int
    seed: int

    def __post_init__(self) -> None:
        self.device = self.lesson.device
        self.meter = Meter(self.network)
        self.log = StepLog()
        self.curve: list[dict[str, Any]] = []
        self.vjps: list[int] = []
        self.resumed = self.refinements = 0
        self.compiling = CompileClock()
        self.order = torch.Generator().manual_seed(self.seed)
        steps = self.epochs * self.lesson.steps
        self.optimizer, self.schedule = _optimizer(self.network, self.recipe, steps)

    def run(self, on_epoch: Callable[[dict[str, Any]], None], checkpoint: Checkpoint | None = None) -> None:
        """Train, and report the curve row of each epoch as it ends; with a checkpoint, go on from what it holds.

        Raises:
            TrainingError: the loss became infinite or absurd, or the engine's count of NFE is not the harness's.
            SolveError: a solve failed.
        """
        with self.compiling:
            self.warm_up()
            if checkpoint is not None:
                self._resume(checkpoint)
            for epoch in range(self.resumed + 1, self.epochs + 1):
                self.refine((epoch - 1) * (self.recipe.refinements + 1) // self.epochs)
                row = self.epoch(epoch)
                if checkpoint is not None:
                    checkpoint.save(lambda: capture(self))
                on_epoch(row)

    def refine(self, times: int) -> None:
        """Refine the controls until that was done so often; the new ones begin without momentum.

        Raises:
            UserError: the network has none that can be refined.
        """
        while self.refinements < times:
            refine(self.network)
            self.refinements += 1
        self.meter, weights = Meter(self.network), list(self.network.parameters())
        (group,) = self.optimizer.param_groups
        group["params"], kept = weights, {id(weight) for weight in weights}
        for weight in [weight for weight in self.optimizer.state if id(weight) not in kept]:
            del self.optimizer.state[weight]

    def _resume(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.load()
        if state is not None:
            restore(self, state)
            self.resumed = len(self.curve)
            checkpoint.tell(f"goes on after epoch {self.resumed} of {self.epochs}, from its checkpoint.")

    @property
    def compile_seconds(self) -> float | None:
        """The seconds spent compiling so far, which no epoch's time contains; None when nothing was compiled."""
        return self.compiling.seconds or None

    def warm_up(self) -> None:
        """Take a few steps with a copy, so that allocators, caches and threads are warm and nothing is learnt."""
        twin = copy.deepcopy(self.network)
        common, *rare = self.lesson.sizes()
        batches = [common] * WARM_UP_STEPS + rare
        optimizer, schedule = _optimizer(twin, self.recipe, len(batches) + 1)
        with torch.random.fork_rng():  # dropout in the copy must not move the random numbers of the network
            self._steps(Objective(twin, self.lesson), optimizer, schedule, Meter(twin), batches, StepLog())

    def epoch(self, number: int) -> dict[str, Any]:
        """Train one epoch under the clock; shuffle before it, evaluate and audit after it."""
        batches = self.lesson.epoch(self.order)
        done = len(self.log.nfe_forward)
        self.network.train()
        objective = Objective(self.network, self.lesson)
        compiled = self.compiling.seconds
        seconds, losses = timed(
            lambda: self._steps(objective, self.optimizer, self.schedule, self.meter, batches, self.log),
            self.device,
        )
        seconds -= self.compiling.seconds - compiled
        train_loss = torch.stack(losses).double().mean().item()
        self._refuse(train_loss, "training")
        audited = self._audit(batches[0])
        self.vjps.append(audited.vjps)
        if self.meter.unseen:  # what f did behind the clock's back, only an audit can tell
            self.log.nfe_backward[done:] = [audited.calls] * (len(self.log.nfe_backward) - done)
        test_loss, score, _ = self.evaluate(self.lesson.test())
        self._refuse(test_loss, "test")
        log = self.log.since(done)
        row = {
            "epoch": number,
            "seconds": seconds,
            "train_loss": train_loss,
            "test_loss": test_loss,
            self.lesson.column: self.judged(score),
            "nfe_forward": median(log.nfe_forward),
            "accepted": median(log.accepted),
            "rejected": fmean(log.rejected),
        }
        self.curve.append(row)
        return row

    @staticmethod
    def _steps(
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        meter: Meter,
        batches: list[Batch],
        log: StepLog,
    ) -> list[Tensor]:
        """Take a training step per batch and return the losses, still on the device: this is what is timed."""
        losses = []
        for batch in batches:
            optimizer.zero_grad(set_to_none=True)
            start = meter.read()
            loss, own = objective(batch)
            between = meter.read()
            loss.backward()
            end = meter.read()
            optimizer.step()
            schedule.step()
            losses.append(own)
            log.add(start, between, end)
        return losses

    def _audit(self, batch: Batch) -> Counts:
        """Return what the way back of one training step takes; a copy takes it, so that nothing is learnt.

        Raises:
            TrainingError: the engine's claim for the way forth is not the harness's count.
        """
        with torch.random.fork_rng():
            twin = copy.deepcopy(self.network)
            meter = Meter(twin)
            with audit(meter.fields):
                start = meter.read()
                loss, _ = Objective(twin, self.lesson)(batch)
                between = meter.read()
                loss.backward()
                end = meter.read()
        StepLog().add(start, between, end)
        return Counts(*(after - before for after, before in zip(end, between, strict=True)))

    def _refuse(self, loss: float, which: str) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                CellStatus.NON_FINITE,
                f"The {which} loss became NaN or infinite; lower the learning rate or take smaller steps.",
            )
        if loss > self.lesson.limit:
            raise TrainingError(
                CellStatus.DIVERGED,
                f"The {which} loss grew to {loss:.3g}, {self.lesson.past_limit}; lower the learning rate or take "
                "smaller steps.",
            )

    def judged(self, own: float) -> float:
        """Return the score on the test set: the one under the network's own solver, or of its ODE if the lesson says so.

        Raises:
            TrainingError: the ODE cannot be solved well enough to have one.
        """
        blocks = [module for module in self.network.modules() if isinstance(module, ODEBlock)]
        if not (self.lesson.tight and blocks):
            return own
        score = math.nan
        with suppress(SolveError), solved_by(tight_solver, blocks):
            _, score, _ = self.evaluate(self.lesson.test())
        if not math.isfinite(score):
            raise TrainingError(
                CellStatus.DIVERGED,
                "The network's ODE has no score, since it cannot be solved at a tight tolerance; take smaller steps, or "
                "lower the learning rate.",
            )
        return score

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> tuple[float, float, float]:
        """Return mean loss, score and median NFE per batch."""
        self.network.eval()
        loss, score, samples, nfe = 0.0, 0.0, 0, []
        for batch in batches:
            before = self.meter.read().calls
            judged = self.lesson.judge(self.network, batch)
            nfe.append(self.meter.read().calls - before)
            loss, score, samples = loss + judged.loss, score + judged.score, samples + judged.samples
        return loss / samples, self.lesson.score(score / samples), median(nfe)


def _optimizer(
    network: nn.Module, recipe: Recipe, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return what takes a training step, and what sets its learning rate, for so many steps in all."""
    weights, rate, decay = network.parameters(), recipe.learning_rate, recipe.weight_decay
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "sgd":
        optimizer = torch.optim.SGD(weights, rate, recipe.momentum, weight_decay=decay, fused=True)
    else:
        optimizer = torch.optim.AdamW(weights, rate, weight_decay=decay, fused=True)
    if recipe.schedule == "steps":
        milestones = [round(share * steps) for share in recipe.milestones]
        return optimizer, torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, recipe.factor)
    # A cycle moves Adam's first moment against the rate; the momentum of SGD is as the recipe says.
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, cycle_momentum=recipe.optimizer != "sgd"
    )
    return optimizer, cycle
