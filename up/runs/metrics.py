"""What a run writes down while it trains: what was learnt, and apart from it, how fast.

    metrics.jsonl    one JSON object for every optimiser step (kind `progress`) and for every evaluation (`evaluation`);
                     a function of the configuration alone, the same bytes however often the run was stopped
    timings.jsonl    at most one JSON object a second, kind `timing`: this machine, these processes

A process that is killed may leave half a line at the end of either. Readers leave that line out; a run that is resumed
cuts the metrics back to the length that its checkpoint knows.
"""

import contextlib
import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path

from up.config import from_dict
from up.errors import InputError, RunError
from up.evaluation.rows import EvaluationRow
from up.runs.files import write_text

METRICS_NAME = "metrics.jsonl"
TIMINGS_NAME = "timings.jsonl"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProgressRecord:
    """One optimiser step.

    Attributes:
        instances: trained on after the step.
        step: optimiser steps so far.
        batch: instances of this step.
        loss_bits: mean loss over the step's batch, bits per character; None if it was not finite.
        learning_rate: of this step, at the base width.
        gradient_norm: before clipping; None if it was not finite.
        enabled_blocks: blocks of the model that took part.
        skipped_steps: steps so far whose loss or gradient was not finite, and which changed no weight.
        depth_histogram: rows of the buffer at depth 0, 1, 2, ...
    """

    instances: int
    step: int
    batch: int
    loss_bits: float | None
    learning_rate: float
    gradient_norm: float | None
    enabled_blocks: int
    skipped_steps: int
    depth_histogram: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationRecord:
    """One zero-shot evaluation, after so many instances."""

    instances: int
    rows: tuple[EvaluationRow, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimingRecord:
    """How fast a process was.

    Attributes:
        instances: trained on so far.
        instances_per_second: over the last steps, evaluation and checkpoints not counted.
        source_share: part of the training time spent in the source, 0 to 1.
        elapsed_seconds: since the process started training.
    """

    instances: int
    instances_per_second: float
    source_share: float
    elapsed_seconds: float


Record = ProgressRecord | EvaluationRecord | TimingRecord
_KINDS: dict[str, type[Record]] = {
    "progress": ProgressRecord,
    "evaluation": EvaluationRecord,
    "timing": TimingRecord,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """All records of a run, in the order of their instances."""

    progress: tuple[ProgressRecord, ...]
    evaluations: tuple[EvaluationRecord, ...]
    timings: tuple[TimingRecord, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricsMark:
    """How far the metrics had come when a checkpoint was written, and the SHA-256 of all that was before."""

    bytes: int
    sha256: str


class MetricsLog:
    """The two files of a run folder."""

    def __init__(self, folder: Path) -> None:
        self.metrics_path = folder / METRICS_NAME
        self.timings_path = folder / TIMINGS_NAME

    def append(self, record: Record) -> None:
        """Add one line to the file that the record belongs to.

        Raises:
            RunError: the line cannot be written.
        """
        path = self.timings_path if isinstance(record, TimingRecord) else self.metrics_path
        try:
            with path.open("a", encoding="utf-8") as handle:
                handle.write(_line(record))
        except OSError as error:
            raise _unwritten(path, error) from None

    def mark(self) -> MetricsMark:
        """Make the metrics durable and return how far they have come.

        Raises:
            RunError: they cannot be made durable.
        """
        if not self.metrics_path.exists():
            return MetricsMark(bytes=0, sha256=hashlib.sha256().hexdigest())
        try:
            with self.metrics_path.open("rb") as handle:
                os.fsync(handle.fileno())
                content = handle.read()
        except OSError as error:
            raise _unwritten(self.metrics_path, error) from None
        return MetricsMark(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())

    def rewind(self, mark: MetricsMark, instances: int) -> None:
        """Cut both files back to where they were when a checkpoint was written.

        Raises:
            InputError: what the metrics held then is not what they hold now.
        """
        content = self.metrics_path.read_bytes() if self.metrics_path.exists() else b""
        if hashlib.sha256(content[: mark.bytes]).hexdigest() != mark.sha256 or len(content) < mark.bytes:
            raise InputError(
                f"the first {mark.bytes:,} bytes of {self.metrics_path} are not those that the checkpoint knows",
                remedy="restore the file, or start a new run",
            )
        if len(content) > mark.bytes:
            os.truncate(self.metrics_path, mark.bytes)
        self._keep_timings(instances)

    def clear(self) -> None:
        """Forget everything, for a run that starts again."""
        self.metrics_path.unlink(missing_ok=True)
        self.timings_path.unlink(missing_ok=True)

    def _keep_timings(self, instances: int) -> None:
        """Leave out what was measured after so many instances, and lines that a crash made unreadable."""
        kept = []
        for line in _lines(self.timings_path):
            with contextlib.suppress(*_NO_RECORD):
                record = _parse(line)
                kept += [_line(record)] if record.instances <= instances else []
        write_text(self.timings_path, "".join(kept))

    def latest(self) -> tuple[ProgressRecord | None, EvaluationRecord | None]:
        """Return the latest step and the latest evaluation, reading backwards; None where there was none yet.

        Raises:
            InputError: see `history`.
        """
        progress: ProgressRecord | None = None
        evaluation: EvaluationRecord | None = None
        for record in _records(self.metrics_path, backwards=True):
            if isinstance(record, ProgressRecord):
                progress = progress or record
            elif isinstance(record, EvaluationRecord):
                evaluation = evaluation or record
            if progress is not None and evaluation is not None:
                break
        return progress, evaluation

    def history(self) -> History:
        """Return everything that was written.

        Raises:
            InputError: a line that is not one of ours, unless it is the last, which a crash may have cut off.
        """
        learnt = list(_records(self.metrics_path))
        return History(
            progress=tuple(record for record in learnt if isinstance(record, ProgressRecord)),
            evaluations=tuple(record for record in learnt if isinstance(record, EvaluationRecord)),
            timings=tuple(record for record in _records(self.timings_path) if isinstance(record, TimingRecord)),
        )


def finite_or_none(value: float) -> float | None:
    """Return a number as JSON can carry it."""
    return value if math.isfinite(value) else None


def _unwritten(path: Path, error: OSError) -> RunError:
    return RunError(
        f"cannot write {path} ({error.strerror}): make room, then --resume continues from the last checkpoint"
    )


def _line(record: Record) -> str:
    kind = next(name for name, record_type in _KINDS.items() if isinstance(record, record_type))
    return json.dumps({"kind": kind, **dataclasses.asdict(record)}, allow_nan=False) + "\n"


def _records(path: Path, *, backwards: bool = False) -> Iterator[Record]:
    """Parse a file line by line; nothing if there is no file."""
    lines = list(enumerate(_lines(path), start=1))
    for number, line in reversed(lines) if backwards else lines:
        try:
            record = _parse(line)
        except _NO_RECORD as error:
            detail = " ".join(str(error).split())[:80]
            raise InputError(
                f"line {number} of {path} is no record of a run ({detail})", remedy="restore the file"
            ) from None
        yield record


_NO_RECORD = (ValueError, KeyError, TypeError, AttributeError)  # what `_parse` raises


def _parse(line: str) -> Record:
    values = json.loads(line)
    return from_dict(_KINDS[values.pop("kind")], values)


def _lines(path: Path) -> list[str]:
    """Return the lines of a file that are whole; what follows the last line break was cut off."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").split("\n")[:-1]
    except FileNotFoundError:
        return []
