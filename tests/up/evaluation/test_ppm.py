import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import ppm as reference
from up.data.corpora import load_corpus, sample_slices
from up.errors import InputError
from up.evaluation import ppm
from up.evaluation.kernels import compiled_kernel
from up.evaluation.ppm import ORDERS, choose, in_context_bits, mean_bits

needs_numba = pytest.mark.skipif(compiled_kernel(ppm._fill_bits) is None, reason="needs numba")
MODES = [False, pytest.param(True, marks=needs_numba)]

# Few symbols and many tokens, so that contexts of high order come back and vocabularies are used up.
texts = st.integers(1, 4).flatmap(
    lambda alphabet: st.tuples(
        st.integers(alphabet, 6), st.lists(st.integers(0, alphabet - 1), min_size=1, max_size=40)
    )
)


def reference_bits(tokens_NT: np.ndarray, order: int, vocabulary_size: int = 256, update_exclusion: bool = False):
    settings = {"order": order, "vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
    return np.array([reference.bits(row, **settings) for row in tokens_NT.tolist()])


@pytest.mark.parametrize("compiled", MODES)
@given(texts, st.integers(0, 9), st.booleans())
def test_equals_the_fractions_on_small_alphabets(compiled, drawn, order, update_exclusion):
    vocabulary_size, text = drawn
    settings = {"vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
    bits_1T = in_context_bits(np.array([text]), order, compiled=compiled, **settings)
    np.testing.assert_allclose(bits_1T, reference_bits(np.array([text]), order, **settings), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("update_exclusion", [False, True])
def test_equals_the_fractions_on_a_thousand_random_strings(update_exclusion):
    generator = np.random.default_rng(0)
    for _ in range(1000):
        alphabet, order, length = generator.integers((2, 1, 1), (13, 9, 65)).tolist()
        text_1T = generator.integers(alphabet, size=(1, length))
        settings = {"vocabulary_size": alphabet, "update_exclusion": update_exclusion}
        expected_1T = reference_bits(text_1T, order, **settings)
        np.testing.assert_allclose(in_context_bits(text_1T, order, **settings), expected_1T, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("update_exclusion", [False, True])
@pytest.mark.parametrize("corpus", ["stdlib", "pydoc"])
def test_equals_the_fractions_on_real_bytes(corpus, update_exclusion):
    generator = np.random.default_rng(1)
    for num_slices, length in ((10, 64), (1, 400)):
        text_NT = sample_slices(load_corpus(corpus), num_slices=num_slices, length=length, generator=generator)
        bits_NT = in_context_bits(text_NT, 5, update_exclusion=update_exclusion)
        expected_NT = reference_bits(text_NT, 5, update_exclusion=update_exclusion)
        np.testing.assert_allclose(bits_NT, expected_NT, rtol=1e-12, atol=1e-12)


@needs_numba
def test_compiled_and_plain_agree_on_slices_of_full_length():
    text_NT = np.random.default_rng(2).integers(256, size=(4, 512)) & np.array([[1], [7], [63], [255]])
    for order in (1, 8):
        compiled_NT, plain_NT = (in_context_bits(text_NT, order, compiled=mode) for mode in (True, False))
        np.testing.assert_allclose(compiled_NT, plain_NT, rtol=1e-13)


@pytest.mark.parametrize(
    ("update_exclusion", "last"),
    [
        # After "ba" came b once: escape 1/2. After "a" came b only, which is excluded. Of all symbols, b excluded, a
        # came three times: escape 1/6. One symbol is left.
        (False, Fraction(1, 12)),
        # The second a was predicted by order 0 and counts there, the third by order 2 and does not: escape 1/4.
        (True, Fraction(1, 8)),
    ],
)
def test_worked_example(update_exclusion, last):
    # a b a b a c over an alphabet of 3, order 2. Uniform; escape 1/2, one of two; n = 2 and d = 2; then, after "a" came
    # b once, and after "ab" a once.
    expected = [Fraction(1, 3), Fraction(1, 4), Fraction(1, 4), Fraction(1, 2), Fraction(1, 2), last]
    text_1T = np.array([[0, 1, 0, 1, 0, 2]])
    bits_1T = in_context_bits(text_1T, 2, vocabulary_size=3, update_exclusion=update_exclusion)
    np.testing.assert_allclose(bits_1T, [[-math.log2(p) for p in expected]], rtol=1e-12)


@given(texts, st.integers(0, 9), st.booleans())
def test_probabilities_of_the_next_symbol_are_positive_and_sum_to_one(drawn, order, update_exclusion):
    vocabulary_size, prefix = drawn
    tokens_NT = np.array([[*prefix, following] for following in range(vocabulary_size)])
    settings = {"vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
    probability_N = np.exp2(-in_context_bits(tokens_NT, order, **settings)[:, -1])
    assert (probability_N > 0).all()
    assert probability_N.sum() == pytest.approx(1, rel=1e-12)


@given(texts, st.integers(0, 9), st.booleans(), st.integers(0, 38))
def test_prediction_uses_the_past_only(drawn, order, update_exclusion, position):
    vocabulary_size, text = drawn
    settings = {"vocabulary_size": vocabulary_size, "update_exclusion": update_exclusion}
    changed = text[: position + 1] + [0] * len(text[position + 1 :])
    before_1T, after_1T = (in_context_bits(np.array([tokens]), order, **settings) for tokens in (text, changed))
    np.testing.assert_array_equal(before_1T[:, : position + 1], after_1T[:, : position + 1])


def test_slices_share_nothing_and_may_be_of_any_integer_type():
    tokens_NT = np.random.default_rng(3).integers(3, size=(7, 50))
    together_NT = in_context_bits(tokens_NT, 4)
    for n in range(7):
        np.testing.assert_array_equal(in_context_bits(tokens_NT[n : n + 1].astype(np.uint8), 4)[0], together_NT[n])


def test_a_symbol_that_always_follows_gets_cheap_as_method_d_says():
    # In the context "a" alone, a after n times a: (2n - 1) / 2n.
    bits_1T = in_context_bits(np.zeros((1, 100), int), 1)
    expected = [8.0, -math.log2(1 / 2), *(-math.log2((2 * n - 1) / (2 * n)) for n in range(1, 99))]
    np.testing.assert_allclose(bits_1T[0], expected, rtol=1e-12)


def test_the_chosen_order_is_the_best_over_the_tail_and_ties_go_to_the_first():
    tokens_NT = np.random.default_rng(4).integers(2, size=(5, 60)).cumsum(axis=1) % 7
    for update_exclusion in (False, True):
        settings = {"first_position": 20, "vocabulary_size": 7, "update_exclusion": update_exclusion}
        mean_O = mean_bits(tokens_NT, **settings)
        expected_O = [reference_bits(tokens_NT, k, 7, update_exclusion)[:, 20:].mean() for k in ORDERS]
        np.testing.assert_allclose(mean_O, expected_O, rtol=1e-12)
        assert choose(tokens_NT, **settings) == ORDERS[int(np.argmin(expected_O))]
    assert choose(np.arange(200)[None], orders=(3, 1, 2)) == 3  # no symbol comes twice


@pytest.mark.parametrize(("corpus", "all_orders", "update_exclusion"), [("stdlib", 2.99, 2.74), ("pydoc", 3.42, 3.24)])
def test_charges_for_real_bytes_what_the_documentation_says(corpus, all_orders, update_exclusion):
    generator = np.random.default_rng(5)
    tokens_NT = sample_slices(load_corpus(corpus), num_slices=400, length=512, generator=generator)
    for exclude, expected in ((False, all_orders), (True, update_exclusion)):
        tail_N = in_context_bits(tokens_NT, 3, update_exclusion=exclude)[:, -64:].mean(axis=1)
        assert abs(tail_N.mean() - expected) < 4 * tail_N.std() / math.sqrt(len(tail_N))


@pytest.mark.parametrize(
    ("tokens_NT", "message"),
    [
        (np.array([[0, 5]]), r"outside the vocabulary \(received 5\): use tokens from 0 to 4"),
        (np.array([[0, -1]]), r"outside the vocabulary \(received -1\)"),
        (np.array([0, 1]), "table of slices"),
        (np.zeros((0, 4), int), "table of slices"),
    ],
)
def test_bad_tokens_and_orders_are_refused(tokens_NT, message):
    for function in (choose, mean_bits):
        with pytest.raises(InputError, match=message):
            function(tokens_NT, vocabulary_size=5)
    with pytest.raises(InputError, match=message):
        in_context_bits(tokens_NT, 2, vocabulary_size=5)
    with pytest.raises(InputError, match=r"ppm\.order"):
        in_context_bits(np.array([[0]]), -1)


@pytest.mark.parametrize("numba", ["switched off", "broken"])
def test_without_numba_the_bits_are_the_same_and_nothing_is_imported_before_it_is_needed(numba, tmp_path):
    (tmp_path / "numba.py").write_text("raise RuntimeError('this numpy is too new')")
    program = (
        "import sys, numpy as np\n"
        "from up.evaluation import ctw, kernels, ppm\n"
        "assert 'numba' not in sys.modules\n"
        "tokens_NT = np.arange(60).reshape(2, 30) ** 2 % 7\n"
        "print(ppm.in_context_bits(tokens_NT, 3).sum().round(6), ctw.in_context_bits(tokens_NT, 9).sum().round(6))\n"
        "assert kernels.compiled_kernel(ppm._fill_bits) is None\n"
    )
    environment = {"NUMBA_DISABLE_JIT": "1"} if numba == "switched off" else {"PYTHONPATH": f"{tmp_path}{os.pathsep}."}
    said = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    from up.evaluation import ctw

    tokens_NT = np.arange(60).reshape(2, 30) ** 2 % 7
    expected = (in_context_bits(tokens_NT, 3).sum().round(6), ctw.in_context_bits(tokens_NT, 9).sum().round(6))
    assert said.stdout.split() == [str(number) for number in expected], said.stderr
