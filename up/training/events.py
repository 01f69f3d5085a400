"""What a training run tells about itself: the loop yields these and prints nothing."""

import dataclasses
from pathlib import Path

from up.evaluation.rows import EvaluationRow


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """One optimiser step was taken.

    Attributes:
        instances: trained on so far.
        total_instances: length of the run.
        step: optimiser steps so far.
        loss_bits: mean loss over the step's batch, bits per character.
        learning_rate: of this step.
        gradient_norm: before clipping.
        instances_per_second: over the last steps, evaluation and checkpoints not counted.
        source_share: part of the training time spent in the source, 0 to 1.
        depth_histogram: rows of the buffer at depth 0, 1, 2, ...
        elapsed_seconds: since this process started training.
        remaining_seconds: estimate for the rest of the run.
    """

    instances: int
    total_instances: int
    step: int
    loss_bits: float
    learning_rate: float
    gradient_norm: float
    instances_per_second: float
    source_share: float
    depth_histogram: tuple[int, ...]
    elapsed_seconds: float
    remaining_seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The model was evaluated zero-shot after so many instances."""

    instances: int
    rows: tuple[EvaluationRow, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saved:
    """A checkpoint was written."""

    instances: int
    path: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """The run ended; `complete` is False if it was stopped before its last instance."""

    instances: int
    elapsed_seconds: float
    complete: bool


Event = Progress | Evaluated | Saved | Finished
