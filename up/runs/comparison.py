"""Runs side by side: the settings in which they differ, and their latest bits per character with the difference.

The error of a difference is that of two independent means, sqrt(a^2 + b^2). Runs that were evaluated on the same slices
err together, so for them it is too large rather than too small.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from typing import Any

from up.config import flatten, to_dict
from up.evaluation.rows import EvaluationRow
from up.recipes.config import RunConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class DifferingSetting:
    """A setting by its dotted name, with its value in each run; None, too, where a run has no such setting."""

    name: str
    values: tuple[Any, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedBits:
    """One run on one data set, bits per character.

    Attributes:
        data: name of the data set.
        run: which run, counted from 0.
        size_bytes: length of the text; None for rows of a source.
        sha256: of the text; None likewise.
        bits: mean over the last character of each slice.
        stderr: its standard error.
        tail_bits: mean over the last `tail_positions` characters of each slice.
        tail_stderr: its standard error.
        tail_positions: characters in the tail.
        markov_tail_bits: the in-context Markov model over the same tails.
        ppm_exclusion_tail_bits: PPM-D with update exclusion over them; None if it was not measured.
        untrained_tail_bits: the run's model before training over them, likewise.
        difference_bits: `bits` less those of the first run; None for the first itself, and where they are no measure of
            the same thing: another text, length of context or of tail. The same text is one under any name.
        difference_stderr: its standard error.
        tail_difference_bits: `tail_bits` less those of the first run, None likewise.
        tail_difference_stderr: its standard error.
    """

    data: str
    run: int
    size_bytes: int | None
    sha256: str | None
    bits: float
    stderr: float
    tail_bits: float
    tail_stderr: float
    tail_positions: int
    markov_tail_bits: float
    ppm_exclusion_tail_bits: float | None
    untrained_tail_bits: float | None
    difference_bits: float | None
    difference_stderr: float | None
    tail_difference_bits: float | None
    tail_difference_stderr: float | None


def settings_that_differ(configs: Sequence[RunConfig]) -> tuple[DifferingSetting, ...]:
    """Return every setting in which not all configurations agree, those included that a device settles."""
    flat = [flatten(to_dict(config)) for config in configs]
    differing = []
    for name in dict.fromkeys(name for each in flat for name in each):
        values = tuple(each.get(name) for each in flat)
        if any(value != values[0] for value in values):
            differing.append(DifferingSetting(name=name, values=values))
    return tuple(differing)


def compare_bits(evaluations: Sequence[Sequence[EvaluationRow]]) -> tuple[ComparedBits, ...]:
    """Return every run on every data set, data set by data set, each compared with the first run.

    Args:
        evaluations: rows of one evaluation of each run; empty for a run without any.

    """
    name_of: dict[str, str] = {}  # a text has the name by which it is met first
    for row in itertools.chain.from_iterable(evaluations):
        name_of.setdefault(row.identity, row.data)
    return tuple(
        _compared(row, evaluations[0] if run else (), run)
        for name in dict.fromkeys(name_of.values())
        for run, rows in enumerate(evaluations)
        for row in rows
        if name_of[row.identity] == name
    )


def _compared(row: EvaluationRow, first: Sequence[EvaluationRow], run: int) -> ComparedBits:
    other = next((each for each in first if _measure(each) == _measure(row)), None)
    return ComparedBits(
        data=row.data,
        run=run,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        bits=row.bits,
        stderr=row.stderr,
        tail_bits=row.tail_bits,
        tail_stderr=row.tail_stderr,
        tail_positions=row.tail_positions,
        markov_tail_bits=row.markov_tail_bits,
        ppm_exclusion_tail_bits=row.ppm_exclusion_tail_bits,
        untrained_tail_bits=row.untrained_tail_bits,
        difference_bits=row.bits - other.bits if other else None,
        difference_stderr=math.hypot(row.stderr, other.stderr) if other else None,
        tail_difference_bits=row.tail_bits - other.tail_bits if other else None,
        tail_difference_stderr=math.hypot(row.tail_stderr, other.tail_stderr) if other else None,
    )


def _measure(row: EvaluationRow) -> tuple[str, int, int]:
    return row.identity, row.context_length, row.tail_positions
