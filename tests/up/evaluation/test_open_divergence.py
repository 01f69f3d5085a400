"""open_divergence: the ends are the least and the greatest divergence over all that is allowed, and are attained."""

import math
import random
from fractions import Fraction

import pytest

from theory.machines.machine import Bound
from theory.measures.beginnings import beginnings, halting, of_beginnings
from theory.measures.measure import Measure
from theory.measures.omega import halting_measure
from up.evaluation.open_divergence import divergence_range, nearest

SYMBOLS = 2
KNOWN = of_beginnings(halting_measure(Bound(15, 15)), SYMBOLS)


def bits(q):
    return {y: -math.log2(p) for y, p in q.items()}


def divergence(p, charged):
    return sum(p[y] * (charged[y] + math.log2(p[y])) for y in p if p[y])


def some_predictor(generator, whole):
    weights = {y: generator.random() ** 4 + 1e-6 for y in beginnings(SYMBOLS)}
    return {y: whole * weight / sum(weights.values()) for y, weight in weights.items()}


def some_allowed(generator):
    shares = some_predictor(generator, 1)
    return {y: float(KNOWN.lower(y) + KNOWN.unresolved * Fraction(shares[y])) for y in shares}


@pytest.mark.parametrize("seed", range(20))
def test_no_allowed_distribution_is_nearer_than_the_least_or_farther_than_the_most(seed):
    generator = random.Random(seed)
    charged = bits(some_predictor(generator, 1 - generator.random() / 2))
    found = divergence_range(KNOWN, charged, SYMBOLS)
    for _ in range(200):
        assert found.least - 1e-9 <= divergence(some_allowed(generator), charged) <= found.most + 1e-9


@pytest.mark.parametrize("seed", range(20))
def test_the_nearest_distribution_is_allowed_and_small_moves_away_from_it_do_not_bring_it_nearer(seed):
    generator = random.Random(seed)
    charged = bits(some_predictor(generator, 0.9))
    p = nearest(KNOWN, charged, SYMBOLS)
    assert math.fsum(p.values()) == pytest.approx(1)
    assert all(p[y] >= float(KNOWN.lower(y)) for y in p)
    assert divergence(p, charged) == pytest.approx(divergence_range(KNOWN, charged, SYMBOLS).least)
    for source in p:
        for target in p:
            moved = min(1e-4, p[source] - float(KNOWN.lower(source)))
            other = {**p, source: p[source] - moved}
            other[target] += moved
            assert divergence(other, charged) >= divergence(p, charged) - 1e-12


@pytest.mark.parametrize("seed", range(5))
def test_a_model_that_is_one_of_the_allowed_distributions_may_be_no_bit_away(seed):
    charged = bits(some_allowed(random.Random(seed)))
    found = divergence_range(KNOWN, charged, SYMBOLS)
    assert found.least == pytest.approx(0, abs=1e-9)
    assert found.most > 0.5


def test_what_is_known_whole_has_one_divergence():
    known = halting(KNOWN)
    charged = bits(some_predictor(random.Random(0), 1))
    exact = divergence({y: float(p) for y, p in known.mass.items()}, charged)
    found = divergence_range(Measure(known.mass), charged, SYMBOLS)
    assert (found.least, found.most) == pytest.approx((exact, exact))


def test_of_an_empty_measure_the_least_is_what_the_model_gives_to_others():
    charged = bits(some_predictor(random.Random(1), 0.25))
    found = divergence_range(Measure({}, Fraction(1)), charged, SYMBOLS)
    assert (found.least, found.most) == pytest.approx((2, max(charged.values())))
