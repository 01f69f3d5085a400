"""How much sooner one run reaches a loss than another: in instances, and in seconds of training.

The loss is bits per character over the tails of the validation part, as it was evaluated along the way; between two
evaluations it is read off the straight line that joins them. Seconds are those of the steps alone: evaluations and
checkpoints do not count. Bloem 2025, section 6.3, counts instances.

Limits: a curve that goes up and down reaches a loss where it is first met. Seconds are those of whatever machines the
runs were trained on.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

from up.runs.events import Evaluated, Timing
from up.runs.metrics import History

_SHARES = (0.5, 0.75, 0.9, 1.0)

Curve = Sequence[tuple[int, float]]
"""Bits per character after so many instances, rising in instances."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reached:
    """When two runs reached a loss; None where one did not, or there is no such run.

    Attributes:
        bits: the loss, bits per character.
        finetuned_instances: after how many instances the finetuned run reached it; 0: it had it from the start.
        scratch_instances: the run from scratch likewise.
        instances_ratio: the second divided by the first; None, too, where the first is 0.
        finetuned_seconds: of training until then.
        scratch_seconds: likewise.
        seconds_ratio: the second divided by the first, likewise.
    """

    bits: float
    finetuned_instances: float | None
    scratch_instances: float | None
    instances_ratio: float | None
    finetuned_seconds: float | None
    scratch_seconds: float | None
    seconds_ratio: float | None


def curve_of(evaluations: Iterable[Evaluated], data: str) -> Curve:
    """Return the bits over the tails of one data set along a run."""
    return [(each.instances, row.tail_bits) for each in evaluations for row in each.rows if row.data == data]


def instances_to_reach(curve: Curve, bits: float) -> float | None:
    """Return after how many instances a curve first comes down to so many bits; None if it never does.

    >>> instances_to_reach([(0, 8.0), (100, 6.0), (200, 5.0)], 7.0)
    50.0
    """
    if not curve:
        return None
    if curve[0][1] <= bits:
        return float(curve[0][0])
    for (start, above), (end, below) in itertools.pairwise(curve):
        if below <= bits:
            return start + (end - start) * (above - bits) / (above - below)
    return None


def seconds_until(timings: Sequence[Timing], instances: float | None) -> float | None:
    """Return the seconds of training that so many instances took, at the rates that were measured; None if unknown."""
    if instances is None or not timings:
        return None
    rates = [timing.instances_per_second for timing in timings]
    rates[0] = rates[min(1, len(rates) - 1)]  # the first step of a process warms the device up
    seconds, done = 0.0, 0.0
    for timing, rate in zip(timings, rates, strict=True):
        more = min(timing.instances, instances) - done
        if more > 0:
            seconds += more / rate
            done += more
    return seconds + (instances - done) / rates[-1]


def losses_to_compare(scratch: Curve) -> tuple[float, ...]:
    """Return the losses at which the run from scratch has come 50, 75, 90 and 100 % of its way down to its best.

    >>> losses_to_compare([(0, 8.0), (100, 4.0), (200, 4.5)])
    (6.0, 5.0, 4.4, 4.0)
    """
    if not scratch:
        return ()
    start, best = scratch[0][1], min(bits for _, bits in scratch)
    return tuple(round(start - share * (start - best), 12) for share in _SHARES)


def compare_speed(
    finetuned: History, scratch: History | None, data: str, losses: Sequence[float] = ()
) -> tuple[Reached, ...]:
    """Return when both runs reached each of some losses.

    Args:
        finetuned: records of the finetuned run.
        scratch: those of the run from scratch; None: there is none.
        data: the data set whose loss is meant.
        losses: bits per character; none: those of `losses_to_compare`.
    """
    curves = [curve_of(each.evaluations, data) if each is not None else [] for each in (finetuned, scratch)]
    reached = []
    for bits in losses or losses_to_compare(curves[1]):
        instances = [instances_to_reach(curve, bits) for curve in curves]
        histories = (finetuned, scratch)
        seconds = [
            seconds_until(each.timings, needed) if each is not None else None
            for each, needed in zip(histories, instances, strict=True)
        ]
        reached.append(
            Reached(
                bits=bits,
                finetuned_instances=instances[0],
                scratch_instances=instances[1],
                instances_ratio=_ratio(instances[1], instances[0]),
                finetuned_seconds=seconds[0],
                scratch_seconds=seconds[1],
                seconds_ratio=_ratio(seconds[1], seconds[0]),
            )
        )
    return tuple(reached)


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None
