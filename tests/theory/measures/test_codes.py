"""Exact codes over finite spaces: the lemmas of Shaw et al. 2025, and what eq. 10 gets wrong."""

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import InputError
from theory.measures.codes import (
    FiniteCode,
    adaptive_variational,
    bayesian,
    divergence,
    function_weights,
    likelihood,
    mean_inside,
    posterior,
    quasi_optimal,
    shortest_two_part,
    tape_divergence,
    two_part,
    variational,
)
from theory.numbers.code_length import CodeLength

HALF = Fraction(1, 2)
CERTAIN = ((Fraction(1), Fraction(0)),), ((Fraction(0), Fraction(1)),)
TWO_CERTAIN = FiniteCode((HALF, HALF), CERTAIN)

probabilities = st.integers(1, 5).map(lambda k: Fraction(k, 6))
functions = st.tuples(probabilities, probabilities).map(lambda ps: tuple((1 - p, p) for p in ps))
pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), max_size=4)


def scaled(weights):
    return tuple(Fraction(w, sum(weights)) for w in weights)


@st.composite
def codes(draw):
    several = draw(st.lists(functions, min_size=1, max_size=3))
    drawn = draw(st.lists(st.sampled_from(several), min_size=2, max_size=5))
    weights = draw(st.lists(st.integers(1, 9), min_size=len(drawn) + 1, max_size=len(drawn) + 1))
    return FiniteCode(scaled(weights)[:-1], tuple(drawn))


@st.composite
def posteriors(draw, size):
    weights = draw(st.lists(st.integers(0, 6), min_size=size, max_size=size).filter(any))
    return dict(enumerate(scaled(weights)))


@given(codes(), pairs)
def test_lemma_1_the_minimum_over_hypotheses_is_one_over_functions(code, data):
    over_functions = min(
        CodeLength.of(weight) + CodeLength.of(likelihood(f, data)) for f, weight in function_weights(code).items()
    )
    assert shortest_two_part(code, data).total == over_functions
    assert all(over_functions <= two_part(code, h, data).total for h in range(len(code.prior)))


@given(codes())
def test_lemma_2_the_lengths_of_functions_keep_krafts_inequality(code):
    assert sum(function_weights(code).values()) <= 1


@given(codes(), pairs)
def test_lemma_5_a_point_mass_costs_what_the_two_part_code_does(code, data):
    for h in range(len(code.prior)):
        point, two = variational(code, {h: Fraction(1)}, data), two_part(code, h, data)
        assert (point.hypothesis, point.data, point.total) == (two.hypothesis, two.data, two.total)


@given(st.data(), codes(), pairs)
def test_eq_76_a_variational_code_exceeds_the_bayesian_one_by_its_divergence_from_the_posterior(data, code, labels):
    beta = data.draw(posteriors(len(code.prior)))
    excess = divergence(beta, posterior(code, labels))
    assert bayesian(code, labels).total + excess == variational(code, beta, labels).total
    assert bayesian(code, labels).total <= variational(code, beta, labels).total


@given(codes(), pairs)
def test_proposition_3_the_bayesian_posterior_attains_the_bound_and_two_part_codes_do_not_beat_it(code, labels):
    exact = variational(code, posterior(code, labels), labels).total
    assert exact == bayesian(code, labels).total
    assert exact <= shortest_two_part(code, labels).total


@given(st.data(), codes(), pairs)
def test_eq_10_is_never_longer_than_eq_9(data, code, labels):
    beta = data.draw(posteriors(len(code.prior)))
    assert mean_inside(code, beta, labels).total <= variational(code, beta, labels).total


def test_eq_10_beats_the_bayesian_bound_by_0_402_bits():
    """Notes, section 5, item 2: p = (1, 0), beta = (.78, .22)."""
    beta = {0: Fraction(78, 100), 1: Fraction(22, 100)}
    printed, bound = (
        float(each.total) for each in (mean_inside(TWO_CERTAIN, beta, [(0, 0)]), bayesian(TWO_CERTAIN, [(0, 0)]))
    )
    assert printed == pytest.approx(0.598, abs=5e-4)
    assert bound == 1
    assert float(variational(TWO_CERTAIN, beta, [(0, 0)]).total) == math.inf


@given(codes(), pairs)
def test_an_adaptive_prior_costs_its_own_bits_on_top(code, labels):
    other = FiniteCode(code.prior[::-1], code.functions)
    beta = posterior(code, labels)
    plain = variational(other, beta, labels)
    adaptive = adaptive_variational([Fraction(3, 4), Fraction(1, 4)], [code, other], 1, beta, labels)
    assert adaptive.prior == CodeLength.of(Fraction(1, 4))
    assert float(adaptive.total) == pytest.approx(float(plain.total) + 2)


@pytest.mark.parametrize(("bits", "registers"), [(0, 0), (0, 3), (2, 5), (5, 5)])
def test_a_tape_of_rademacher_registers_costs_exactly_its_program(bits, registers):
    """Against the sum over all tapes, without the independence of the registers."""
    tapes = list(product((1, -1), repeat=registers))
    prior = [Fraction(1, len(tapes))] * len(tapes)
    kept = [place for place, tape in enumerate(tapes) if all(bit == 1 for bit in tape[:bits])]
    beta = dict.fromkeys(kept, Fraction(1, len(kept)))
    assert tape_divergence(bits, registers) == divergence(beta, prior) == CodeLength.of(Fraction(1, 2**bits))


@given(pairs)
def test_eq_103_sending_the_length_first_takes_log_r_s_bits_more(labels):
    first, second, third = (((1 - Fraction(k, 4), Fraction(k, 4)),) * 2 for k in (1, 2, 3))
    code = FiniteCode((HALF, Fraction(1, 4), Fraction(1, 8)), (first, second, third))
    longer = shortest_two_part(quasi_optimal(code, 8), labels).total
    assert longer == shortest_two_part(code, labels).total + CodeLength.of(Fraction(1, 8))


def test_what_a_posterior_takes_for_possible_and_the_prior_does_not_costs_infinitely_many_bits():
    code = FiniteCode((Fraction(1), Fraction(0)), CERTAIN)
    assert float(variational(code, {0: HALF, 1: HALF}, []).hypothesis) == math.inf
    assert float(two_part(code, 1, []).total) == math.inf


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: FiniteCode((HALF,), CERTAIN),
        lambda: FiniteCode((HALF, Fraction(2, 3)), CERTAIN),
        lambda: FiniteCode((), ()),
        lambda: FiniteCode((Fraction(-1, 2), HALF), CERTAIN),
        lambda: variational(TWO_CERTAIN, {0: HALF}, []),
        lambda: variational(TWO_CERTAIN, {0: Fraction(3, 2), 1: -HALF}, []),
        lambda: posterior(FiniteCode((Fraction(1),), CERTAIN[:1]), [(0, 1)]),
        lambda: adaptive_variational([HALF, Fraction(1)], [TWO_CERTAIN] * 2, 0, {0: Fraction(1)}, []),
        lambda: tape_divergence(4, 3),
        lambda: quasi_optimal(FiniteCode((HALF, Fraction(1, 16)), CERTAIN), 3),
        lambda: quasi_optimal(FiniteCode((Fraction(1), Fraction(0)), CERTAIN), 3),
    ],
)
def test_bad_input_is_refused(wrong):
    with pytest.raises(InputError):
        wrong()
