import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from up.model.mixing.exact import LIMIT, exponential, logarithm, sigmoid


@given(st.floats(-LIMIT, LIMIT))
def test_the_exponential_is_that_of_the_library_within_its_limits(x):
    assert math.isclose(exponential(x), math.exp(x), rel_tol=1e-13)


@given(st.floats(1e-300, 1e300))
def test_the_logarithm_is_that_of_the_library(x):
    assert math.isclose(logarithm(x), math.log(x), rel_tol=4e-15, abs_tol=4e-16)


@given(st.floats(-1e9, 1e9))
def test_a_sigmoid_and_that_of_the_opposite_sum_to_one(x):
    assert math.isclose(sigmoid(x) + sigmoid(-x), 1, rel_tol=1e-13)


def test_the_bits_are_the_same_everywhere():
    points = np.linspace(-45, 45, 1001).tolist()
    digest = sum(round(math.frexp(exponential(x))[0] * 2**53) * (index + 1) for index, x in enumerate(points)) % 2**61
    digest ^= sum(round(math.frexp(logarithm(1e-9 + abs(x)))[0] * 2**53) for x in points) % 2**61
    assert digest == 388350193133143671
