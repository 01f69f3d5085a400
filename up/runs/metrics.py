"""What a run writes down while it trains: what was learnt, and apart from it, how fast.

    metrics.jsonl    one JSON object for every optimiser step (kind `step`) and for every evaluation (`evaluation`);
                     a function of the configuration alone, the same bytes however often the run was stopped
    timings.jsonl    at most one JSON object a second, kind `timing`: this machine, these processes

A process that is killed may leave half a line at the end of either. Readers leave that line out; a run that is resumed
cuts the metrics back to the length that its checkpoint knows.
"""

import contextlib
import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from up.config import from_dict
from up.errors import InputError, RunError
from up.runs.events import Evaluated, Timing
from up.runs.files import write_text
from up.training.step import Step

METRICS_NAME = "metrics.jsonl"
TIMINGS_NAME = "timings.jsonl"


Record = Step | Evaluated | Timing
_KINDS: dict[str, type[Record]] = {"step": Step, "evaluation": Evaluated, "timing": Timing}


@dataclasses.dataclass(frozen=True, kw_only=True)
class History:
    """All records of a run, in the order of their instances."""

    steps: tuple[Step, ...]
    evaluations: tuple[Evaluated, ...]
    timings: tuple[Timing, ...]


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
        path = self.timings_path if isinstance(record, Timing) else self.metrics_path
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

    def rewind(self, mark: MetricsMark, instances: int) -> str | None:
        """Cut both files back to where they were when a checkpoint was written.

        Metrics that were damaged since are set aside, and begin anew: they are no part of what is resumed.

        Returns:
            What was wrong and where the damaged file is kept, in words; None if all was well.

        Raises:
            RunError: the damaged file cannot be renamed.
        """
        content = self.metrics_path.read_bytes() if self.metrics_path.exists() else b""
        self._keep_timings(instances)
        if hashlib.sha256(content[: mark.bytes]).hexdigest() == mark.sha256 and len(content) >= mark.bytes:
            if len(content) > mark.bytes:
                os.truncate(self.metrics_path, mark.bytes)
            return None
        problem = f"the first {mark.bytes:,} bytes of {self.metrics_path} are not those that the checkpoint knows"
        if not self.metrics_path.exists():
            return f"{problem}, for the file is gone: the metrics begin anew"
        kept = _unused(self.metrics_path.with_name(f"{METRICS_NAME}.damaged"))
        try:
            self.metrics_path.rename(kept)
        except OSError as error:
            raise _unwritten(kept, error) from None
        return f"{problem}: the file is kept as {kept.name}, and the metrics begin anew"

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

    def latest(self) -> tuple[Step | None, Evaluated | None]:
        """Return the latest step and the latest evaluation, reading backwards; None where there was none yet.

        Raises:
            InputError: see `history`.
        """
        step: Step | None = None
        evaluation: Evaluated | None = None
        for record in _records(self.metrics_path, backwards=True):
            if isinstance(record, Step):
                step = step or record
            elif isinstance(record, Evaluated):
                evaluation = evaluation or record
            if step is not None and evaluation is not None:
                break
        return step, evaluation

    def best(self, names: Collection[str] = ()) -> Evaluated | None:
        """Return the evaluation with the fewest bits, the first of several; None before the first.

        Args:
            names: of the data sets that count; none: all.

        Raises:
            InputError: see `history`.
        """
        return min(self._evaluations(), key=lambda evaluation: evaluation.mean_tail_bits(names), default=None)

    def since_best(self, names: Collection[str] = ()) -> int:
        """Return how many evaluations there were after the best one; arguments and errors as for `best`."""
        bits = [evaluation.mean_tail_bits(names) for evaluation in self._evaluations()]
        return len(bits) - 1 - bits.index(min(bits)) if bits else 0

    def _evaluations(self) -> Iterator[Evaluated]:
        records = _records(self.metrics_path, kind="evaluation")
        return (record for record in records if isinstance(record, Evaluated))

    def history(self) -> History:
        """Return everything that was written.

        Raises:
            InputError: a line that is not one of ours, unless it is the last, which a crash may have cut off.
        """
        learnt = list(_records(self.metrics_path))
        return History(
            steps=tuple(record for record in learnt if isinstance(record, Step)),
            evaluations=tuple(record for record in learnt if isinstance(record, Evaluated)),
            timings=tuple(record for record in _records(self.timings_path) if isinstance(record, Timing)),
        )


def _unwritten(path: Path, error: OSError) -> RunError:
    return RunError(
        f"cannot write {path} ({error.strerror}): make room, then --resume continues from the last checkpoint"
    )


def _unused(path: Path) -> Path:
    """Return a path, with a number behind it if there is something of that name."""
    numbered = (path.with_name(f"{path.name}-{number}") for number in itertools.count(2))
    return next(each for each in itertools.chain([path], numbered) if not each.exists())


def _line(record: Record) -> str:
    kind = next(name for name, record_type in _KINDS.items() if isinstance(record, record_type))
    return json.dumps({"kind": kind, **dataclasses.asdict(record)}, allow_nan=False) + "\n"


def _records(path: Path, *, backwards: bool = False, kind: str = "") -> Iterator[Record]:
    """Parse a file line by line, where a kind is given its lines only; nothing if there is no file."""
    lines = list(enumerate(_lines(path), start=1))
    for number, line in reversed(lines) if backwards else lines:
        if kind and not line.startswith(f'{{"kind": "{kind}"'):
            continue
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
