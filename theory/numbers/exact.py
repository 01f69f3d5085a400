"""Logarithms compared exactly: no float tolerance stands between a theorem and its check.

Three tools, all on integers. `at_least_power_of_two` compares 2^a with a fraction. `log2_interval` encloses log2 of a
fraction between two fractions by repeated squaring with outward rounding. `LogSum` is a sum of c_i log2 r_i whose sign
is decided: positive or negative by an interval that excludes 0, and exactly zero by algebra. For the latter the
numbers are split into pairwise coprime integers greater than 1, whose logarithms are linearly independent over the
rationals, so that the sum is zero if and only if every coefficient is.
"""

import functools
import math
from collections.abc import Iterable
from fractions import Fraction

_MOST_READABLE_BITS = 200  # 60 digits


def at_least_power_of_two(ratio: Fraction, exponent: int) -> bool:
    """Return whether ratio >= 2^exponent, by comparing integers.

    >>> at_least_power_of_two(Fraction(1, 8), -3), at_least_power_of_two(Fraction(1, 9), -3)
    (True, False)
    """
    numerator, denominator = ratio.as_integer_ratio()
    if exponent >= 0:
        return numerator >= denominator << exponent
    return numerator << -exponent >= denominator


@functools.lru_cache(maxsize=65_536)
def log2_interval(value: Fraction | int, precision: int = 64) -> tuple[Fraction, Fraction]:
    """Return fractions (low, high) with low <= log2(value) <= high, about 2^-precision apart; equal at powers of two.

    Each squaring of a number in [1, 2) brings one binary digit of its logarithm to light. The lower end rounds every
    square down and the upper end rounds up, with enough guard bits that the two stay close.

    >>> log2_interval(8)
    (Fraction(3, 1), Fraction(3, 1))
    >>> low, high = log2_interval(3, precision=8)
    >>> float(low) <= math.log2(3) <= float(high), high - low < Fraction(1, 128)
    (True, True)
    """
    numerator, denominator = Fraction(value).as_integer_ratio()
    if numerator <= 0:
        raise ValueError("a logarithm needs a positive number")
    whole = numerator.bit_length() - denominator.bit_length()
    if not at_least_power_of_two(Fraction(numerator, denominator), whole):
        whole -= 1
    scaled, unit = (numerator, denominator << whole) if whole >= 0 else (numerator << -whole, denominator)
    if scaled == unit:
        return Fraction(whole), Fraction(whole)
    guard = 2 * precision + 8
    low, high = (scaled << guard) // unit, -((-scaled << guard) // unit)
    low_digits = _digits(low, guard, precision, up=False)
    high_digits = _digits(high, guard, precision, up=True) + 1
    return whole + Fraction(low_digits, 1 << precision), whole + Fraction(high_digits, 1 << precision)


def _digits(mantissa: int, guard: int, precision: int, *, up: bool) -> int:
    """Return the first `precision` binary digits of log2(mantissa / 2^guard), for a mantissa in [1, 2]."""
    two = 2 << guard
    digits = 0
    for _ in range(precision):
        square = mantissa * mantissa
        mantissa = -(-square >> guard) if up else square >> guard
        digits <<= 1
        if mantissa >= two:
            digits |= 1
            mantissa = -(-mantissa >> 1) if up else mantissa >> 1
    return digits


def log2_float(value: Fraction | int) -> float:
    """Return log2 as a float for display; never compare it."""
    numerator, denominator = Fraction(value).as_integer_ratio()
    if not numerator:
        return -math.inf
    return math.log2(numerator) - math.log2(denominator)


def number_text(value: Fraction | int) -> str:
    """Return a number for a sentence: as p/q where that can be read, otherwise about how large it is.

    Python refuses to write integers of more than 4,300 digits, and a probability of 2^-14500 has as many.

    >>> number_text(Fraction(2, 3)), number_text(Fraction(1, 3**200)), number_text(Fraction(2**300, 2**300 + 1))
    ('2/3', 'about 2^-317.0', 'about 1')
    """
    value = Fraction(value)
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    if max(abs(value.numerator), value.denominator).bit_length() <= _MOST_READABLE_BITS:
        return str(value)
    if abs(size) <= _MOST_READABLE_BITS:
        return f"about {float(value):.6g}"
    return f"about {'-' * (value < 0)}2^{log2_float(abs(value)):.1f}"


class LogSum:
    """A sum of c_i log2 r_i with rational c_i and r_i > 0, kept as integer arguments with rational coefficients.

    >>> twice_two_is_four = LogSum([(2, 2), (-1, 4)])
    >>> twice_two_is_four.sign()
    0
    >>> LogSum([(1, 3), (Fraction(-3, 2), 2)]).sign()  # 3 against 2 ** 1.5 = 2.83
    1
    """

    def __init__(self, terms: Iterable[tuple[Fraction | int, Fraction | int]] = ()) -> None:
        self.terms: dict[int, Fraction] = {}
        for coefficient, argument in terms:
            self.add(coefficient, argument)

    def add(self, coefficient: Fraction | int, argument: Fraction | int) -> None:
        """Add coefficient · log2(argument)."""
        numerator, denominator = Fraction(argument).as_integer_ratio()
        if numerator <= 0:
            raise ValueError("a logarithm needs a positive number")
        for integer, signed in ((numerator, coefficient), (denominator, -coefficient)):
            if integer > 1:
                before = self.terms.pop(integer, None)
                total = Fraction(signed) if before is None else before + signed
                if total:
                    self.terms[integer] = total

    def __add__(self, other: "LogSum") -> "LogSum":
        return LogSum([*((c, n) for n, c in self.terms.items()), *((c, n) for n, c in other.terms.items())])

    def __sub__(self, other: "LogSum") -> "LogSum":
        return LogSum([*((c, n) for n, c in self.terms.items()), *((-c, n) for n, c in other.terms.items())])

    def interval(self, precision: int = 64) -> tuple[Fraction, Fraction]:
        """Return fractions that enclose the sum."""
        low = high = Fraction(0)
        for integer, coefficient in self.terms.items():
            ends = [coefficient * end for end in log2_interval(integer, precision)]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def is_zero(self) -> bool:
        """Return whether the sum is exactly zero, by algebra."""
        base = coprime_base(self.terms)
        return all(sum(c * _multiplicity(n, factor) for n, c in self.terms.items()) == 0 for factor in base)

    def sign(self) -> int:
        """Return -1, 0 or 1, decided exactly."""
        precision = 64
        while True:
            low, high = self.interval(precision)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            if precision == 64 and self.is_zero():
                return 0
            precision *= 2

    def __float__(self) -> float:
        low, high = self.interval(64)
        return float((low + high) / 2)


def coprime_base(integers: Iterable[int]) -> list[int]:
    """Return pairwise coprime integers greater than 1 such that each of the given ones is a product of their powers.

    >>> coprime_base([12, 18])
    [2, 3]
    """
    base: set[int] = set()
    waiting = [n for n in integers if n > 1]
    while waiting:
        n = waiting.pop()
        for factor in base:
            common = math.gcd(n, factor)
            if common > 1:
                if n != factor:
                    base.remove(factor)
                    waiting += [part for part in (common, n // common, factor // common) if part > 1]
                break
        else:
            base.add(n)
    return sorted(base)


def _multiplicity(n: int, factor: int) -> int:
    count = 0
    while n % factor == 0:
        n //= factor
        count += 1
    return count
