"""Rows of independent tokens from a Dirichlet prior: their law, exactly."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.chi_squared import limit, statistic
from tests.reference.pointwise import probability, urn
from up.errors import InputError
from up.sources.pointwise import PointwiseSource


def draw(num_rows, num_tokens, seed=0, **settings):
    return PointwiseSource(**settings).rows(num_rows, num_tokens, torch.Generator().manual_seed(seed))


@given(st.integers(1, 5), st.integers(1, 40), st.integers(2, 256), st.floats(1e-6, 1e3), st.integers(0, 2**32))
def test_rows_equal_the_urn_a_token_at_a_time(num_rows, num_tokens, vocabulary_size, alpha, seed):
    settings = {"vocabulary_size": vocabulary_size, "alpha": alpha}
    generator = torch.Generator().manual_seed(seed)
    fresh_RT = torch.randint(vocabulary_size, (num_rows, num_tokens), generator=generator, dtype=torch.uint8)
    uniform_RT = torch.rand((num_rows, num_tokens), generator=generator, dtype=torch.float64)
    expected = [urn(f, u, **settings) for f, u in zip(fresh_RT.tolist(), uniform_RT.tolist(), strict=True)]
    assert draw(num_rows, num_tokens, seed, **settings).tolist() == expected


@pytest.mark.parametrize(("vocabulary_size", "alpha"), [(2, Fraction(1, 2)), (3, Fraction(1, 5)), (3, Fraction(2))])
def test_short_rows_have_their_exact_probabilities(vocabulary_size, alpha):
    """Chi-squared over all rows of three tokens, 100,000 draws."""
    count = 100_000
    drawn = draw(count, 3, vocabulary_size=vocabulary_size, alpha=float(alpha)).long()
    codes = (drawn * torch.tensor([vocabulary_size**2, vocabulary_size, 1])).sum(1)
    found = torch.bincount(codes, minlength=vocabulary_size**3).double()
    exact = [
        probability(row, alpha=alpha, vocabulary_size=vocabulary_size)
        for row in itertools.product(range(vocabulary_size), repeat=3)
    ]
    assert sum(exact) == 1
    assert statistic(found, [count * p for p in exact]) < limit(len(exact) - 1)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (0, 511), (200, 300)])
def test_two_tokens_are_equal_as_often_as_the_prior_says(first, second):
    """With probability (alpha + 1) / (V alpha + 1), wherever they stand; 20,000 rows, five standard deviations."""
    tokens_RT, count = draw(20_000, 512, seed=1), 20_000
    equal = 1.5 / 129
    found = float((tokens_RT[:, first] == tokens_RT[:, second]).double().mean())
    assert abs(found - equal) < 5 * math.sqrt(equal * (1 - equal) / count)


def test_a_small_alpha_makes_constant_rows_and_a_large_one_noise():
    assert (draw(200, 64, alpha=1e-8) == draw(200, 64, alpha=1e-8)[:, :1]).all()
    equal = (draw(20_000, 2, alpha=1e6)[:, 0] == draw(20_000, 2, alpha=1e6)[:, 1]).double().mean()
    assert abs(float(equal) - 1 / 256) < 5 * math.sqrt(1 / 256 / 20_000)


def test_the_description_says_the_prior():
    assert PointwiseSource().description == "pointwise, alpha 0.5"


@pytest.mark.parametrize("alpha", [0.0, -1.0, math.nan, math.inf, 1e10])
def test_a_bad_alpha_is_refused_with_its_value(alpha):
    with pytest.raises(InputError, match="alpha") as caught:
        PointwiseSource(alpha=alpha)
    assert str(alpha) in str(caught.value)
    assert "\n" not in str(caught.value)
