"""Distributions compared, exactly: entropy, total variation, and the least ratio, which is what domination is about."""

from fractions import Fraction

from theory.measures.mixture import Distribution
from theory.numbers.bit_strings import BitString
from theory.numbers.common import least_quotient, scaled
from theory.numbers.exact import LogSum


def entropy(distribution: Distribution) -> LogSum:
    """Return the entropy in bits, exactly.

    >>> float(entropy({"0": Fraction(1, 2), "1": Fraction(1, 2)}))
    1.0
    """
    return LogSum([(-p, p) for p in distribution.values() if p])


def total_variation(p: Distribution, q: Distribution) -> Fraction:
    """Return half of the sum of |p(x) - q(x)|."""
    (ours, p_whole), (theirs, q_whole) = scaled(p), scaled(q)
    moved = sum(abs(ours.get(x, 0) * q_whole - theirs.get(x, 0) * p_whole) for x in {**ours, **theirs})
    return Fraction(moved, 2 * p_whole * q_whole)


def least_ratio(above: Distribution, below: Distribution) -> tuple[Fraction, BitString]:
    """Return the least above(x) / below(x) over the support of `below`, and the first x where it is attained."""
    found = least_quotient(above, below)
    if found is None:
        raise ValueError("there is no ratio to a distribution without support")
    return found
