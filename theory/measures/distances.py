"""Distributions compared, exactly: entropy, total variation, squared errors, and the least ratio of domination."""

from fractions import Fraction

from theory.measures.density import Density
from theory.measures.measure import ONE, ZERO
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


def expected_squares(truth: Density, predictor: Density, steps: int) -> list[Fraction]:
    """Return E (q(1 | x) - p(1 | x))^2 for the prefixes x of 0, 1, ... steps - 1 bits that p produces.

    Solomonoff's theorem bounds their sum by (ln 1/c) / 2 for every q >= c p, however many steps there are.

    >>> from theory.measures.density import bernoulli
    >>> [str(error) for error in expected_squares(bernoulli(Fraction(1, 4), 9), bernoulli(Fraction(1, 2), 9), 2)]
    ['1/16', '1/16']
    """
    errors, prefixes = [], {"": ONE}
    for _ in range(steps):
        following: dict[BitString, Fraction] = {}
        error = ZERO
        for x, mass in prefixes.items():
            p, q = truth.next_symbol(x), predictor.next_symbol(x)
            error += mass * (q["1"] - p["1"]) ** 2
            following |= {x + bit: mass * p[bit] for bit in "01" if p[bit]}
        errors.append(error)
        prefixes = following
    return errors
