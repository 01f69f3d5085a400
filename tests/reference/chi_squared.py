"""Pearson's statistic, and how large it may be: the bound of a normal variable at five standard deviations.

Chi-squared has a heavy tail where there are few degrees of freedom, so that mean plus five standard deviations is no
bound of one in a million there; the cube root of the statistic is nearly normal (Wilson and Hilferty 1931).
"""

import math
from collections.abc import Iterable


def statistic(found: Iterable[float], expected: Iterable[float]) -> float:
    """Return the sum of (found - expected)^2 / expected."""
    return sum((float(f) - float(e)) ** 2 / float(e) for f, e in zip(found, expected, strict=True))


def limit(freedom: int, deviations: float = 5.0) -> float:
    """Return what the statistic exceeds about as rarely as a normal variable its mean by so many deviations.

    >>> limit(1) > 25, round(limit(255))
    (True, 385)
    """
    variance = 2 / (9 * freedom)
    return freedom * (1 - variance + deviations * math.sqrt(variance)) ** 3
