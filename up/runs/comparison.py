"""Runs side by side: the settings in which they differ, and their latest bits per character with the difference.

The error of a difference is that of two independent means, sqrt(a^2 + b^2). Runs that were evaluated on the same slices
err together, so for them it is too large rather than too small.
"""

import dataclasses
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
        bits: mean over the last character of each slice.
        stderr: its standard error.
        tail_bits: mean over the last `tail_positions` characters of each slice.
        tail_stderr: its standard error.
        tail_positions: characters in the tail.
        markov_tail_bits: the in-context Markov model over the same tails.
        difference_bits: `bits` less those of the first run; None for the first itself, and where they are no measure of
            the same thing: another text, length of context or of tail.
        difference_stderr: its standard error.
        tail_difference_bits: `tail_bits` less those of the first run, None likewise.
        tail_difference_stderr: its standard error.
    """

    data: str
    run: int
    bits: float
    stderr: float
    tail_bits: float
    tail_stderr: float
    tail_positions: int
    markov_tail_bits: float
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
    by_name = [{row.data: row for row in rows} for rows in evaluations]
    names = dict.fromkeys(name for rows in by_name for name in rows)
    return tuple(
        _compared(rows[name], by_name[0].get(name) if run else None, run)
        for name in names
        for run, rows in enumerate(by_name)
        if name in rows
    )


def _compared(row: EvaluationRow, first: EvaluationRow | None, run: int) -> ComparedBits:
    other = first if first is not None and _measure(row) == _measure(first) else None
    return ComparedBits(
        data=row.data,
        run=run,
        bits=row.bits,
        stderr=row.stderr,
        tail_bits=row.tail_bits,
        tail_stderr=row.tail_stderr,
        tail_positions=row.tail_positions,
        markov_tail_bits=row.markov_tail_bits,
        difference_bits=row.bits - other.bits if other else None,
        difference_stderr=math.hypot(row.stderr, other.stderr) if other else None,
        tail_difference_bits=row.tail_bits - other.tail_bits if other else None,
        tail_difference_stderr=math.hypot(row.tail_stderr, other.tail_stderr) if other else None,
    )


def _measure(row: EvaluationRow) -> tuple[str, int, int]:
    return row.source, row.context_length, row.tail_positions
