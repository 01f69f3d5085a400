"""What a training run tells about itself: the loop yields these and prints nothing.

A step is told as `up.training.step.Step`. `Step` and `Evaluated` are also what the metrics keep, `Timing` what the
timings keep (`up.runs.metrics`).
"""

import dataclasses
import statistics
from collections.abc import Collection
from pathlib import Path

from up.evaluation.rows import EvaluationRow
from up.training.step import Step


@dataclasses.dataclass(frozen=True, kw_only=True)
class Started:
    """A run is about to begin, or to go on.

    Attributes:
        resumed: whether it goes on.
        instances: trained on before.
        total_instances: length of the run.
        rows: the latest evaluation; empty before the first.
        warnings: what the user should know of a run that goes on, such as another version of torch.
    """

    resumed: bool
    instances: int
    total_instances: int
    rows: tuple[EvaluationRow, ...]
    warnings: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """How fast a process is; told after the first step, at most once a second, and at the end.

    Attributes:
        instances: trained on so far.
        instances_per_second: over the last steps, evaluation and checkpoints not counted.
        source_share: part of the training time spent in the source, 0 to 1.
        elapsed_seconds: since the process started training.
        remaining_seconds: estimate for the rest of the run.
    """

    instances: int
    instances_per_second: float
    source_share: float
    elapsed_seconds: float
    remaining_seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The model was evaluated zero-shot after so many instances."""

    instances: int
    rows: tuple[EvaluationRow, ...]

    def mean_tail_bits(self, names: Collection[str] = ()) -> float:
        """Return bits per character over the tails, mean over the data sets: what the best checkpoint has least of.

        Args:
            names: of the data sets that count; none: all.
        """
        return statistics.fmean(row.tail_bits for row in self.rows if not names or row.data in names)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Saved:
    """A checkpoint was written."""

    instances: int
    path: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finished:
    """The run ended.

    Attributes:
        instances: trained on.
        elapsed_seconds: since the process started training.
        complete: False if it was stopped before its end.
        ended_early: whether its evaluations had stopped improving (`training.patience`).
    """

    instances: int
    elapsed_seconds: float
    complete: bool
    ended_early: bool = False


Event = Started | Step | Timing | Evaluated | Saved | Finished
