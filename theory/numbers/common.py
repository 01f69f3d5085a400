"""Fractions over a common denominator: long sums are added as integers, and reduced once at their end.

A `Fraction` is reduced after every operation, which costs a greatest common divisor each time. A sum of thousands of
products needs it once: bring what is added to one denominator, add the numerators, and reduce what came out. The result
is the same fraction, for a fraction has one reduced form.

Limits: the common denominator is the least common multiple, which is long where the denominators have little in common.
"""

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from math import lcm
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Scaled(NamedTuple, Generic[Key]):
    """Fractions by name: the `numerators`, and the `denominator` that all of them share."""

    numerators: Mapping[Key, int]
    denominator: int


def scaled(fractions: Mapping[Key, Fraction]) -> Scaled[Key]:
    """Return fractions over their least common denominator, in the same order.

    >>> scaled({"0": Fraction(1, 2), "1": Fraction(1, 3)})
    Scaled(numerators={'0': 3, '1': 2}, denominator=6)
    """
    if len(fractions) == 1:
        ((key, value),) = fractions.items()
        return Scaled({key: value.numerator}, value.denominator)
    pairs = [(key, *value.as_integer_ratio()) for key, value in fractions.items()]
    whole = lcm(*{denominator for _, _, denominator in pairs})
    return Scaled({key: numerator * (whole // denominator) for key, numerator, denominator in pairs}, whole)


def weighted_sum(terms: Iterable[tuple[Fraction, Scaled[Key]]]) -> dict[Key, Fraction]:
    """Return the sum of weight times fractions, name by name, in the order in which names are first met.

    >>> half = Fraction(1, 2)
    >>> weighted_sum([(half, scaled({"0": half})), (half, scaled({"0": half, "1": half}))])
    {'0': Fraction(1, 2), '1': Fraction(1, 4)}
    """
    parts = [(*weight.as_integer_ratio(), numerators, denominator) for weight, (numerators, denominator) in terms]
    whole = lcm(*{below * denominator for _, below, _, denominator in parts})
    sums: dict[Key, int] = {}
    for above, below, numerators, denominator in parts:
        factor = above * (whole // (below * denominator))
        for key, numerator in numerators.items():
            sums[key] = sums.get(key, 0) + factor * numerator
    return {key: Fraction(numerator, whole) for key, numerator in sums.items()}


def least_quotient(above: Mapping[Key, Fraction], below: Mapping[Key, Fraction]) -> tuple[Fraction, Key] | None:
    """Return the least above[k] / below[k] over the k for which `below` is positive, and the first such k; or None.

    Quotients are compared crosswise, and only the least is made a fraction. What `above` lacks is 0.

    >>> least_quotient({"0": Fraction(1, 2)}, {"0": Fraction(1, 3), "1": Fraction(0)})
    (Fraction(3, 2), '0')
    """
    zero = Fraction(0)
    numerator, denominator, at = 1, 0, None
    for key, value in below.items():
        b, b_whole = value.as_integer_ratio()
        if b:
            a, a_whole = above.get(key, zero).as_integer_ratio()
            n, d = a * b_whole, a_whole * b
            if at is None or n * denominator < numerator * d:
                numerator, denominator, at = n, d, (key,)
    return None if at is None else (Fraction(numerator, denominator), at[0])
