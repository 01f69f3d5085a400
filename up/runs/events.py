"""What a training run tells about itself: the loop yields these and prints nothing."""

import dataclasses
from pathlib import Path

from up.evaluation.rows import EvaluationRow
from up.runs.metrics import ProgressRecord, TimingRecord


@dataclasses.dataclass(frozen=True, kw_only=True)
class Progress:
    """One optimiser step was taken.

    Attributes:
        record: what was learnt, as the metrics keep it.
        timing: how fast, as the timings keep it.
        total_instances: length of the run.
        remaining_seconds: estimate for the rest of the run.
    """

    record: ProgressRecord
    timing: TimingRecord
    total_instances: int
    remaining_seconds: float

    @property
    def instances(self) -> int:
        """Trained on so far."""
        return self.record.instances


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
