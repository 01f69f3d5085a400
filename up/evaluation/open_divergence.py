"""How far a model is, at least and at most, from a measure that leaves some mass open.

Claim: of a measure under a bound it is known that p >= lower, and no more is known of p, the distribution of what the
unbounded machine writes (`theory.measures.beginnings`). So KL(p || q) lies between its least and its greatest value on
the set of these p, and both are attained there:

    most      KL is convex in p, so it is greatest at a corner: all open mass on one beginning
    least     p = max(lower, t q), with t such that it sums to 1 (the conditions of Karush, Kuhn and Tucker: where p is
              above its lower bound, the derivative log2 p/q + log2 e is the same everywhere)

q may sum to less than 1 over the beginnings: what is given to others is lost, and counts.

Source: Boyd and Vandenberghe 2004, sections 5.5.3 and 3.1.5. Limits: the masses are fractions, the divergence is a
float, which errs by about 1e-14 bits for each beginning.
"""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

from theory.measures.beginnings import beginnings, corners
from theory.measures.measure import Measure


@dataclasses.dataclass(frozen=True, kw_only=True)
class DivergenceRange:
    """The least and the greatest divergence that a measure with open mass allows, in bits."""

    least: float
    most: float


def divergence_range(measure: Measure, charged: Mapping[str, float], symbols: int) -> DivergenceRange:
    """Return what KL(p || q) of the first symbols can be.

    Args:
        measure: of beginnings of so many symbols (`of_beginnings`); its masses and what is unresolved sum to 1.
        charged: -log2 q of every beginning, in bits.
        symbols: that are looked at.

    """
    most = max(_divergence(corner, charged) for corner in corners(measure, symbols))
    return DivergenceRange(least=_divergence(nearest(measure, charged, symbols), charged), most=most)


def nearest(measure: Measure, charged: Mapping[str, float], symbols: int) -> dict[str, float]:
    """Return the distribution with the least divergence from q among those that a measure of beginnings allows."""
    lower = {y: float(measure.lower(y)) for y in beginnings(symbols)}
    q = {y: 2.0 ** -charged[y] for y in lower}
    raised = sorted(lower, key=lambda y: math.log2(lower[y]) + charged[y] if lower[y] else -math.inf)
    kept, above, scale = 1 - float(measure.unresolved), 0.0, 0.0
    for y in raised:  # those come first whose lower bound is the smallest multiple of q
        if above and lower[y] >= scale * q[y]:
            break
        above += q[y]
        kept -= lower[y]
        scale = (1 - kept) / above
    return {y: max(lower[y], scale * q[y]) for y in lower}


def _divergence(p: Mapping[str, Fraction] | Mapping[str, float], charged: Mapping[str, float]) -> float:
    return sum(float(mass) * (charged[y] + math.log2(mass)) for y, mass in p.items() if mass)
