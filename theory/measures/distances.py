"""Distributions compared, exactly: entropy, total variation, and the least ratio, which is what domination is about."""

from fractions import Fraction

from theory.measures.mixture import Distribution
from theory.numbers.bit_strings import BitString
from theory.numbers.exact import LogSum


def entropy(distribution: Distribution) -> LogSum:
    """Return the entropy in bits, exactly.

    >>> float(entropy({"0": Fraction(1, 2), "1": Fraction(1, 2)}))
    1.0
    """
    return LogSum([(-p, p) for p in distribution.values() if p])


def total_variation(p: Distribution, q: Distribution) -> Fraction:
    """Return half of the sum of |p(x) - q(x)|."""
    keys = {**p, **q}
    return sum((abs(p.get(x, Fraction(0)) - q.get(x, Fraction(0))) for x in keys), Fraction(0)) / 2


def least_ratio(above: Distribution, below: Distribution) -> tuple[Fraction, BitString]:
    """Return the least above(x) / below(x) over the support of `below`, and the first x where it is attained."""
    ratio, _, x = min((above.get(x, Fraction(0)) / p, i, x) for i, (x, p) in enumerate(below.items()) if p)
    return ratio, x
