"""Intervals of floating-point numbers that are certain to contain the true result: arithmetic rounded outward.

A sum, product, quotient or square root of two floats is rounded to the nearest float (IEEE 754), so the true value
lies between the float below the computed one and the float above it. Each operation here widens its result by that one
step on either side, and the interval of the results of any points of the operands stays inside. The exponential is not
a basic operation and libraries round it as they please, so it is summed here from its series with the remainder added;
the logistic function and tanh follow from it by monotonicity.

    >>> from fractions import Fraction
    >>> one_third = Interval.point(1.0) / Interval.point(3.0)
    >>> one_third.low < Fraction(1, 3) < one_third.high
    True

Source: Moore, Kearfott and Cloud 2009, "Introduction to Interval Analysis", chapters 2 to 5.
Limits: float64 in the default rounding mode, with gradual underflow. Ends are arrays, so one operation serves many
intervals. The logistic function and tanh are known to about 1e-12 in absolute terms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_HALVINGS = 10
_TERMS = 8
_LARGEST_EXPONENT = 40.0
# |y| <= 40 / 2^10 < 2^-4.6 leaves a remainder |y|^9 / 9! · e^|y| < 7e-19 after eight terms.
_REMAINDER = 1e-18


def down(value: ArrayLike) -> Floats:
    """Return the float below."""
    return np.nextafter(value, -np.inf)


def up(value: ArrayLike) -> Floats:
    """Return the float above."""
    return np.nextafter(value, np.inf)


@dataclass(frozen=True)
class Interval:
    """All real numbers from `low` to `high`, both included, element by element."""

    low: Floats
    high: Floats

    @classmethod
    def point(cls, value: ArrayLike) -> "Interval":
        """Return the interval that contains just this float."""
        exact = np.asarray(value, dtype=np.float64)
        return cls(exact, exact)

    @property
    def magnitude(self) -> Floats:
        """The largest absolute value inside, exact."""
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def __getitem__(self, index: object) -> "Interval":
        return Interval(self.low[index], self.high[index])  # type: ignore[index]

    def __neg__(self) -> "Interval":
        return Interval(-self.high, -self.low)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(down(self.low + other.low), up(self.high + other.high))

    def __sub__(self, other: "Interval") -> "Interval":
        return self + -other

    def __mul__(self, other: "Interval") -> "Interval":
        corners = self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high
        return Interval(down(np.minimum.reduce(corners)), up(np.maximum.reduce(corners)))

    def __truediv__(self, other: "Interval") -> "Interval":
        """Return the quotient; the divisor must be positive."""
        if not np.all(other.low > 0):
            raise ValueError("only positive intervals are divided by")
        return self * Interval(down(1 / other.high), up(1 / other.low))

    def sqrt(self) -> "Interval":
        """Return the square roots of an interval without negative numbers."""
        return Interval(np.maximum(down(np.sqrt(self.low)), 0.0), up(np.sqrt(self.high)))

    def widened(self, reach: "Interval") -> "Interval":
        """Return the interval with `reach` added on both sides; only the upper end of `reach` counts."""
        return Interval(down(self.low - reach.high), up(self.high + reach.high))


def total(terms: Interval) -> Interval:
    """Return the sum over the last axis."""
    low = high = np.zeros(terms.low.shape[:-1])
    for k in range(terms.low.shape[-1]):
        low, high = down(low + terms.low[..., k]), up(high + terms.high[..., k])
    return Interval(low, high)


def matrix_product(vectors: Interval, matrix: Floats) -> Interval:
    """Return matrix · vector for vectors (..., columns) and a matrix (rows, columns) of exact floats: (..., rows)."""
    shape = (*vectors.low.shape[:-1], len(matrix))
    low, high = np.zeros(shape), np.zeros(shape)
    for column in np.flatnonzero(matrix.any(axis=0)):
        rows = np.flatnonzero(matrix[:, column])  # adding a zero would be exact
        ends = [end[..., column, None] * matrix[rows, column] for end in (vectors.low, vectors.high)]
        low[..., rows] = down(low[..., rows] + down(np.minimum(*ends)))
        high[..., rows] = up(high[..., rows] + up(np.maximum(*ends)))
    return Interval(low, high)


def exponential(x: Interval) -> Interval:
    """Return e^x for |x| up to 40; beyond, the enclosure widens to 0 below and infinity above."""
    points, places = np.unique(np.stack([x.low, x.high]), return_inverse=True)  # many ends are equal
    low, high = _exponential_of_floats(points)
    at_low, at_high = places.reshape(2, *x.low.shape)
    return Interval(low[at_low], high[at_high])


def _exponential_of_floats(x: Floats) -> tuple[Floats, Floats]:
    """Enclose e^x: the series at x / 2^10 between its bounds, then ten squarings of two positive ends."""
    clipped = np.clip(x, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
    y = Interval(down(clipped / 2**_HALVINGS), up(clipped / 2**_HALVINGS))
    one = Interval.point(np.ones_like(x))
    series = one
    for k in range(_TERMS, 0, -1):
        series = one + series * y / Interval.point(np.full_like(x, k))
    low, high = down(series.low - _REMAINDER), up(series.high + _REMAINDER)
    for _ in range(_HALVINGS):
        low, high = down(low * low), up(high * high)
    return np.where(x < -_LARGEST_EXPONENT, 0.0, low), np.where(x > _LARGEST_EXPONENT, np.inf, high)


def logistic(x: Interval) -> Interval:
    """Return 1 / (1 + e^-x)."""
    inverse = Interval.point(np.ones_like(x.low)) + exponential(-x)
    return Interval(np.maximum(down(1 / inverse.high), 0.0), np.minimum(up(1 / inverse.low), 1.0))


def tanh(x: Interval) -> Interval:
    """Return tanh x = 2 logistic(2x) - 1."""
    return tanh_of_logistic(logistic(Interval(2 * x.low, 2 * x.high)))


def tanh_of_logistic(opened: Interval) -> Interval:
    """Return tanh x, given logistic(2x)."""
    result = opened + opened - Interval.point(np.ones_like(opened.low))
    return Interval(np.maximum(result.low, -1.0), np.minimum(result.high, 1.0))
