from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import markov as reference
from up.errors import InputError
from up.evaluation import markov
from up.evaluation.markov import ORDERS, SMOOTHINGS, MarkovModel, choose, in_context_bits, mean_bits

# Few symbols and many tokens, so that contexts of high order come back.
slices = st.integers(1, 4).flatmap(
    lambda alphabet: st.tuples(
        st.integers(alphabet, 6),
        st.integers(1, 40).flatmap(
            lambda length: st.lists(
                st.lists(st.integers(0, alphabet - 1), min_size=length, max_size=length), min_size=1, max_size=4
            )
        ),
    )
)


def reference_bits(tokens_NT: np.ndarray, order: int, smoothing: float, vocabulary_size: int) -> np.ndarray:
    exact = Fraction(smoothing)  # the float's exact value
    return np.array(
        [
            reference.bits(row, order=order, smoothing=exact, vocabulary_size=vocabulary_size)
            for row in tokens_NT.tolist()
        ]
    )


@given(slices, st.integers(0, 7), st.sampled_from(SMOOTHINGS))
def test_equals_the_dictionary_on_small_alphabets(drawn, order, smoothing):
    vocabulary_size, rows = drawn
    tokens_NT = np.array(rows, dtype=np.uint8)
    bits_NT = in_context_bits(tokens_NT, MarkovModel(order=order, smoothing=smoothing), vocabulary_size=vocabulary_size)
    expected_NT = reference_bits(tokens_NT, order, smoothing, vocabulary_size)
    np.testing.assert_allclose(bits_NT, expected_NT, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("alphabet", [2, 5, 256])
def test_equals_the_dictionary_on_slices_of_full_length_over_bytes(alphabet):
    generator = np.random.default_rng(alphabet)
    tokens_NT = generator.integers(256 - alphabet, 256, size=(3, 512), dtype=np.uint8)
    for order in ORDERS:
        bits_NT = in_context_bits(tokens_NT, MarkovModel(order=order, smoothing=0.01))
        np.testing.assert_allclose(bits_NT, reference_bits(tokens_NT, order, 0.01, 256), rtol=1e-12)


def test_a_string_too_long_for_32_bit_keys_gives_the_same_counts():
    tokens_1T = np.random.default_rng(0).integers(4, size=(1, 5000))
    expected_1T = reference_bits(tokens_1T, 5, 0.1, 256)
    np.testing.assert_allclose(in_context_bits(tokens_1T, MarkovModel(order=5, smoothing=0.1)), expected_1T, rtol=1e-12)


def test_worked_example():
    # a b a b a over an alphabet of 2, order 1, smoothing 1. The contexts are: none, a, b, a, b.
    # Seen before: none; a never; b never; a once, then b; b once, then a. So 1/2, 1/2, 1/2, 2/3, 2/3.
    bits_1T = in_context_bits(np.array([[0, 1, 0, 1, 0]]), MarkovModel(order=1, smoothing=1.0), vocabulary_size=2)
    np.testing.assert_allclose(bits_1T, [[1, 1, 1, np.log2(1.5), np.log2(1.5)]], rtol=1e-12)


@given(slices, st.integers(0, 7), st.sampled_from(SMOOTHINGS))
def test_the_first_characters_cost_what_a_uniform_code_charges(drawn, order, smoothing):
    vocabulary_size, rows = drawn
    model = MarkovModel(order=order, smoothing=smoothing)
    bits_NT = in_context_bits(np.array(rows), model, vocabulary_size=vocabulary_size)
    np.testing.assert_allclose(bits_NT[:, : max(1, order)], np.log2(vocabulary_size), rtol=0, atol=1e-9)


@given(slices, st.integers(0, 4), st.sampled_from(SMOOTHINGS), st.integers(0, 38))
def test_prediction_uses_the_past_only(drawn, order, smoothing, position):
    vocabulary_size, rows = drawn
    tokens_NT = np.array(rows)
    changed_NT = tokens_NT.copy()
    changed_NT[:, position + 1 :] = 0
    model = MarkovModel(order=order, smoothing=smoothing)
    before_NT = in_context_bits(tokens_NT, model, vocabulary_size=vocabulary_size)
    after_NT = in_context_bits(changed_NT, model, vocabulary_size=vocabulary_size)
    np.testing.assert_array_equal(before_NT[:, : position + 1], after_NT[:, : position + 1])


@given(st.lists(st.integers(0, 3), max_size=20), st.integers(0, 5), st.sampled_from(SMOOTHINGS))
def test_probabilities_of_the_next_character_sum_to_one(prefix, order, smoothing):
    vocabulary_size = 5
    tokens_NT = np.array([[*prefix, following] for following in range(vocabulary_size)])
    model = MarkovModel(order=order, smoothing=smoothing)
    bits_N = in_context_bits(tokens_NT, model, vocabulary_size=vocabulary_size)[:, -1]
    assert np.exp2(-bits_N).sum() == pytest.approx(1, rel=1e-12)


def test_slices_do_not_share_counts_and_chunks_do_not_matter(monkeypatch):
    tokens_NT = np.random.default_rng(1).integers(3, size=(7, 50))
    model = MarkovModel(order=2, smoothing=0.1)
    together_NT = in_context_bits(tokens_NT, model)
    mean_OS = mean_bits(tokens_NT, first_position=10)
    for n in range(7):
        np.testing.assert_array_equal(in_context_bits(tokens_NT[n : n + 1], model)[0], together_NT[n])
    monkeypatch.setattr(markov, "_CHUNK_TOKENS", 100)  # two slices at a time
    np.testing.assert_array_equal(in_context_bits(tokens_NT, model), together_NT)
    np.testing.assert_allclose(mean_bits(tokens_NT, first_position=10), mean_OS, rtol=1e-12)


def test_mean_bits_are_the_means_of_each_model_over_the_chosen_positions():
    tokens_NT = np.random.default_rng(2).integers(3, size=(6, 40))
    orders, smoothings = (3, 0, 1), (0.5, 1e-6)
    mean_OS = mean_bits(tokens_NT, orders=orders, smoothings=smoothings, first_position=30)
    expected_OS = [[reference_bits(tokens_NT, k, s, 256)[:, 30:].mean() for s in smoothings] for k in orders]
    np.testing.assert_allclose(mean_OS, expected_OS, rtol=1e-12)


def test_the_chosen_model_is_the_best_of_the_grid():
    tokens_NT = np.random.default_rng(3).integers(2, size=(5, 60)).cumsum(axis=1) % 7
    chosen = choose(tokens_NT, first_position=20)
    best = in_context_bits(tokens_NT, chosen)[:, 20:].mean()
    for order in ORDERS:
        for smoothing in SMOOTHINGS:
            bits_NT = in_context_bits(tokens_NT, MarkovModel(order=order, smoothing=smoothing))
            assert best <= bits_NT[:, 20:].mean() + 1e-12


def test_the_order_that_generated_the_data_wins():
    # x_t = x_{t-1} + x_{t-2} + x_{t-3} mod 2 plus rare noise: three characters of context tell the next one.
    generator = np.random.default_rng(4)
    tokens_NT = generator.integers(2, size=(8, 600))
    for t in range(3, 600):
        tokens_NT[:, t] = (tokens_NT[:, t - 3 : t].sum(axis=1) + (generator.random(8) < 0.1)) % 2
    assert choose(tokens_NT, first_position=300).order == 3


@pytest.mark.parametrize(
    ("tokens_NT", "message"),
    [
        (np.array([[0, 5]]), r"outside the vocabulary \(received 5\): use tokens from 0 to 4"),
        (np.array([[0, -1]]), r"outside the vocabulary \(received -1\)"),
        (np.array([0, 1]), "table of slices"),
        (np.zeros((0, 4), int), "table of slices"),
    ],
)
def test_bad_tokens_are_refused(tokens_NT, message):
    for function in (choose, mean_bits):
        with pytest.raises(InputError, match=message):
            function(tokens_NT, vocabulary_size=5)


def test_bad_models_are_refused():
    with pytest.raises(InputError, match=r"markov\.order"):
        MarkovModel(order=-1, smoothing=1.0)
    with pytest.raises(InputError, match=r"markov\.smoothing"):
        MarkovModel(order=1, smoothing=0.0)


def test_a_tie_goes_to_the_lowest_order_and_the_strongest_smoothing():
    # No character comes twice, so every model of every order above 0 charges log2 V throughout.
    assert choose(np.arange(200)[None]) == MarkovModel(order=1, smoothing=1.0)
