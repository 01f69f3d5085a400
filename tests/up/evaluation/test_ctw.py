import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import ctw as reference
from theory.measures.context_trees import ContextTrees
from up.data.corpora import load_corpus, sample_slices
from up.errors import InputError
from up.evaluation import ctw
from up.evaluation.ctw import DEPTHS, MAX_DEPTH, choose, in_context_bits, mean_bits
from up.evaluation.kernels import compiled_kernel
from up.sources.tree import TreeSource

needs_numba = pytest.mark.skipif(compiled_kernel(ctw._fill_bits) is None, reason="needs numba")
MODES = [False, pytest.param(True, marks=needs_numba)]

# Vocabularies of one to four bits, powers of two and others, all of which the text may use.
texts = st.integers(1, 10).flatmap(
    lambda vocabulary: st.tuples(st.just(vocabulary), st.lists(st.integers(0, vocabulary - 1), min_size=1, max_size=16))
)


def reference_bits(tokens_NT: np.ndarray, depth: int, vocabulary_size: int = 256) -> np.ndarray:
    return np.array([reference.bits(row, depth=depth, vocabulary_size=vocabulary_size) for row in tokens_NT.tolist()])


def random_visits(generator: np.random.Generator, depth: int) -> reference.Visits:
    return [
        (tuple(generator.integers(2, size=depth).tolist()), int(generator.integers(2)))
        for _ in range(int(generator.integers(12)))
    ]


@pytest.mark.parametrize(("depth", "number"), [(0, 1), (1, 2), (2, 5), (3, 26)])
def test_the_recursion_is_the_sum_over_all_trees(depth, number):
    """Willems, Shtarkov and Tjalkens (1995): the weighting of the nodes is a mixture of all trees. Exactly."""
    generator = np.random.default_rng(depth)
    assert len(reference.trees(depth)) == number
    assert reference.sum_over_trees([], depth) == 1
    for _ in range(50):
        visits = random_visits(generator, depth)
        assert reference.sum_over_trees(visits, depth) == reference.recursion(visits, depth)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_equals_the_sum_over_all_trees_on_a_thousand_random_strings(depth):
    generator = np.random.default_rng(10 + depth)
    for _ in range(250):
        vocabulary, length = generator.integers((1, 1), (6, 9)).tolist()
        text_1T = generator.integers(vocabulary, size=(1, length))
        expected = reference.bits(
            text_1T[0].tolist(), depth=depth, vocabulary_size=vocabulary, weighted=reference.sum_over_trees
        )
        bits_1T = in_context_bits(text_1T, depth, vocabulary_size=vocabulary)
        np.testing.assert_allclose(bits_1T[0], expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("compiled", MODES)
@given(drawn=texts, depth=st.integers(0, 12))
def test_equals_the_recursion_on_small_alphabets(compiled, drawn, depth):
    vocabulary_size, text = drawn
    bits_1T = in_context_bits(np.array([text]), depth, vocabulary_size=vocabulary_size, compiled=compiled)
    expected_1T = reference_bits(np.array([text]), depth, vocabulary_size)
    np.testing.assert_allclose(bits_1T, expected_1T, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("depth", [8, 24, 48])
@pytest.mark.parametrize("corpus", ["stdlib", "pydoc"])
def test_equals_the_recursion_on_real_bytes(corpus, depth):
    generator = np.random.default_rng(depth)
    text_NT = sample_slices(load_corpus(corpus), num_slices=2, length=20, generator=generator)
    bits_NT = in_context_bits(text_NT, depth)
    np.testing.assert_allclose(bits_NT, reference_bits(text_NT, depth), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("depth", [0, 13, 32])
def test_a_slice_of_full_length_costs_what_the_recursion_says_of_it_as_a_whole(depth):
    text_1T = sample_slices(load_corpus("stdlib"), num_slices=1, length=512, generator=np.random.default_rng(depth))
    expected = reference.block_bits(text_1T[0].tolist(), depth=depth, vocabulary_size=256)
    assert in_context_bits(text_1T, depth).sum() == pytest.approx(expected, rel=1e-11)


@needs_numba
def test_compiled_and_plain_agree_on_slices_of_full_length():
    text_NT = np.random.default_rng(2).integers(256, size=(3, 512)) & np.array([[1], [7], [255]])
    for depth in (8, 48):
        compiled_NT, plain_NT = (in_context_bits(text_NT, depth, compiled=mode) for mode in (True, False))
        np.testing.assert_allclose(compiled_NT, plain_NT, rtol=1e-12)


def test_worked_example():
    # Bits 0 0 1 1, depth 1, zeros before. The first three have context 0, so both trees agree: 1/2, 3/4, 1/6. Then the
    # context is 1: P_w = (P_e(2, 2) + P_e(2, 1) P_e(0, 1)) / 2 = (3/128 + 1/32) / 2 = 7/256, after 1/16.
    expected = [Fraction(1, 2), Fraction(3, 4), Fraction(1, 6), Fraction(7, 16)]
    bits_1T = in_context_bits(np.array([[0, 0, 1, 1]]), 1, vocabulary_size=2)
    np.testing.assert_allclose(bits_1T, [[-math.log2(p) for p in expected]], rtol=1e-12)


@given(texts, st.integers(0, MAX_DEPTH))
def test_probabilities_of_the_next_symbol_are_positive_and_sum_to_one(drawn, depth):
    vocabulary_size, prefix = drawn
    tokens_NT = np.array([[*prefix, following] for following in range(vocabulary_size)])
    probability_N = np.exp2(-in_context_bits(tokens_NT, depth, vocabulary_size=vocabulary_size)[:, -1])
    assert (probability_N > 0).all()
    assert probability_N.sum() == pytest.approx(1, rel=1e-12)


def test_probabilities_of_the_next_byte_sum_to_one():
    text = b"the quick brown fox jumps over the lazy dog; the quick"
    tokens_NT = np.array([[*text, following] for following in range(256)])
    for depth in DEPTHS:
        assert np.exp2(-in_context_bits(tokens_NT, depth)[:, -1]).sum() == pytest.approx(1, rel=1e-11)


@given(texts, st.integers(0, 20), st.integers(0, 14))
def test_prediction_uses_the_past_only(drawn, depth, position):
    vocabulary_size, text = drawn
    changed = text[: position + 1] + [0] * len(text[position + 1 :])
    before_1T, after_1T = (
        in_context_bits(np.array([tokens]), depth, vocabulary_size=vocabulary_size) for tokens in (text, changed)
    )
    np.testing.assert_array_equal(before_1T[:, : position + 1], after_1T[:, : position + 1])


def test_slices_share_nothing_and_may_be_of_any_integer_type():
    tokens_NT = np.random.default_rng(3).integers(3, size=(7, 50))
    together_NT = in_context_bits(tokens_NT, 24)
    for n in range(7):
        np.testing.assert_array_equal(in_context_bits(tokens_NT[n : n + 1].astype(np.uint8), 24)[0], together_NT[n])


def test_a_long_string_neither_over_nor_underflows():
    # The tree of depth 0 and the true one differ by thousands of bits, so their ratio is no float.
    text_1T = np.zeros((1, 20_000), np.uint8)
    text_1T[:, ::2] = 1
    bits_1T = in_context_bits(text_1T, 2, vocabulary_size=2)
    assert np.isfinite(bits_1T).all()
    # The contexts 0 and 1 alternate. The mixture is at most two bits above the tree with these two leaves, each of
    # which pays log2 n / 2 + 1 bits at most (n = 10,000), and the zeros before the string cost a little more.
    assert bits_1T.sum() < 2 + 2 * (math.log2(10_000) / 2 + 1) + 10


@given(text=st.lists(st.integers(0, 1), max_size=30), depth=st.integers(0, 6))
def test_sixty_digits_are_as_good_as_fractions(text, depth):
    mixture = ContextTrees(depth)
    for bit, predicted in zip(text, reference.decimal_predictions(text, depth), strict=True):
        exact = mixture.next_symbol[str(bit)]
        assert abs(Fraction(predicted) / exact - 1) < Fraction(1, 10**55)
        mixture = mixture.reading(str(bit))


@given(text=st.lists(st.integers(0, 1), min_size=1, max_size=30), depth=st.integers(0, 6))
def test_charges_for_bits_what_the_exact_mixture_of_context_trees_charges(text, depth):
    bits_1T, mixture = in_context_bits(np.array([text]), depth, vocabulary_size=2), ContextTrees(depth)
    for bit, found in zip(text, bits_1T[0], strict=True):
        assert found == pytest.approx(-math.log2(mixture.next_symbol[str(bit)]), rel=1e-12, abs=1e-12)
        mixture = mixture.reading(str(bit))


@pytest.mark.parametrize("kind", ["of the prior", "that change their minds"])
def test_errs_by_less_than_a_hundred_billionth_of_a_bit_on_each_of_100_000_bits(kind):
    """A string that alternates, is random, and alternates again overturns posteriors of thousands of bits."""
    count, depth = 100_000, 4
    if kind == "of the prior":
        source = TreeSource(vocabulary_size=2, max_depth=depth)
        text_T = source.rows(1, count, torch.Generator().manual_seed(0))[0].numpy()
    else:
        text_T = np.arange(count) % 2
        text_T[count // 3 : 2 * count // 3] = np.random.default_rng(0).integers(2, size=2 * count // 3 - count // 3)
    exact_T = -np.log2(np.array(reference.decimal_predictions(text_T.tolist(), depth), dtype=float))
    error_T = in_context_bits(text_T[None], depth, vocabulary_size=2)[0] - exact_T
    assert np.abs(error_T).max() < 1e-11
    assert abs(error_T.sum()) < 1e-8


def test_the_mixture_is_never_far_above_a_tree_of_its_depth():
    """Willems, Shtarkov and Tjalkens (1995): the tree of one leaf weighs 1/2, so it is missed by at most one bit."""
    text_1T = np.random.default_rng(6).integers(2, size=(1, 600))
    root = in_context_bits(text_1T, 0, vocabulary_size=2).sum()
    for depth in DEPTHS:
        assert in_context_bits(text_1T, depth, vocabulary_size=2).sum() <= root + 1 + 1e-9


@settings(max_examples=20)
@given(st.lists(st.integers(0, 6), min_size=22, max_size=60), st.permutations(DEPTHS))
def test_the_chosen_depth_is_the_best_over_the_tail(text, depths):
    tokens_1T = np.array([text])
    mean_D = mean_bits(tokens_1T, depths=depths, first_position=20, vocabulary_size=7)
    expected_D = [in_context_bits(tokens_1T, depth, vocabulary_size=7)[:, 20:].mean() for depth in depths]
    np.testing.assert_allclose(mean_D, expected_D, rtol=1e-12)
    chosen = choose(tokens_1T, depths=depths, first_position=20, vocabulary_size=7)
    assert expected_D[depths.index(chosen)] <= min(expected_D) + 1e-9


def test_a_tie_goes_to_the_first_depth():
    assert choose(np.zeros((1, 3), int), depths=(16, 8, 32)) == 16


@pytest.mark.parametrize(("corpus", "expected"), [("stdlib", 3.29), ("pydoc", 3.80)])
def test_charges_for_real_bytes_what_the_documentation_says(corpus, expected):
    generator = np.random.default_rng(5)
    tokens_NT = sample_slices(load_corpus(corpus), num_slices=200, length=512, generator=generator)
    tail_N = in_context_bits(tokens_NT, 48)[:, -64:].mean(axis=1)
    assert abs(tail_N.mean() - expected) < 4 * tail_N.std() / math.sqrt(len(tail_N))


@pytest.mark.parametrize(
    ("tokens_NT", "message"),
    [
        (np.array([[0, 5]]), r"outside the vocabulary \(received 5\): use tokens from 0 to 4"),
        (np.array([0, 1]), "table of slices"),
    ],
)
def test_bad_tokens_and_depths_are_refused(tokens_NT, message):
    for function in (choose, mean_bits):
        with pytest.raises(InputError, match=message):
            function(tokens_NT, vocabulary_size=5)
    for depth in (-1, MAX_DEPTH + 1):
        with pytest.raises(InputError, match=r"ctw\.depth"):
            in_context_bits(np.array([[0]]), depth)
