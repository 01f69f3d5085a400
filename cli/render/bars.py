"""A row of numbers as a row of bars, one character each."""

import itertools
import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"


def bar(value: float, lowest: float, highest: float) -> str:
    """Return the bar for `value` on the scale from `lowest` to `highest`; a value that is not finite is a blank.

    >>> bar(0.0, 0.0, 8.0), bar(4.0, 0.0, 8.0), bar(8.0, 0.0, 8.0)
    ('▁', '▅', '█')
    """
    if not math.isfinite(value):
        return " "
    if highest <= lowest:
        return BARS[len(BARS) // 2]
    share = (value - lowest) / (highest - lowest)
    return BARS[min(max(int(share * len(BARS)), 0), len(BARS) - 1)]


def sparkline(values: Sequence[float], width: int, *, lowest: float | None = None, highest: float | None = None) -> str:
    """Draw `values` from left to right in at most `width` characters.

    Where there are more values than characters, neighbours are averaged; where there are fewer, each has one
    character. The scale runs over what is drawn unless its ends are given, so that several lines can share one.

    >>> sparkline([8, 7, 6, 5, 4, 3, 2, 1], 8)
    '█▇▆▅▄▃▂▁'
    """
    if width < 1 or not values:
        return ""
    count = min(width, len(values))
    edges = [len(values) * i // count for i in range(count + 1)]
    drawn = [_mean(values[start:end]) for start, end in itertools.pairwise(edges)]
    finite = [value for value in drawn if math.isfinite(value)]
    if not finite:
        return " " * count
    low = min(finite) if lowest is None else lowest
    high = max(finite) if highest is None else highest
    return "".join(bar(value, low, high) for value in drawn)


def _mean(values: Sequence[float]) -> float:
    """Mean of the finite values; NaN where there are none."""
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
