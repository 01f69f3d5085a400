"""The bars of an evaluation: each is measured as its module does, with the setting that is best on the tails."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import ppm as reference
from up.data.corpora import load_corpus, sample_slices
from up.evaluation import bars, ctw, ppm
from up.evaluation.bars import BARS_WITH_PROGRESS, measure_bars
from up.evaluation.markov import in_context_bits


def slices_of(corpus: str, num_slices: int, length: int):
    text = load_corpus(corpus)
    slices_NT = sample_slices(text, num_slices=num_slices, length=length, generator=np.random.default_rng(0))
    return slices_NT, np.unique(text.data)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.sampled_from(b"abz"), min_size=20, max_size=20), min_size=1, max_size=3), st.integers(1, 19)
)
def test_ppm_equals_the_fractions_with_the_best_order_on_the_tails(rows, tail_positions):
    slices_NT, symbols = np.array(rows, np.uint8), np.frombuffer(b"abcz", np.uint8)
    measured = measure_bars(slices_NT, symbols, tail_positions=tail_positions)
    tokens = [[b"abcz".index(character) for character in row] for row in rows]
    for bar, update_exclusion in ((measured.ppm, False), (measured.ppm_exclusion, True)):
        setting = {"vocabulary_size": 4, "update_exclusion": update_exclusion}
        bits = {
            order: np.array([reference.bits(row, order=order, **setting) for row in tokens]) for order in ppm.ORDERS
        }
        best = min(bits, key=lambda order: bits[order][:, -tail_positions:].mean().round(9))
        assert bar.longest == best
        np.testing.assert_allclose(bar.bits_T, bits[best].mean(axis=0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("corpus", ["stdlib", "pydoc"])
def test_the_bars_rise_in_the_order_in_which_they_are_told(corpus):
    """As the documentation has it, on 200 slices of 512: each bar takes at least 0.1 bits from the one before."""
    slices_NT, symbols = slices_of(corpus, 200, 512)
    measured = measure_bars(slices_NT, symbols, tail_positions=64)
    told = (measured.markov, measured.ctw, measured.ppm, measured.ppm_exclusion)
    tails = [bar.bits_T[-64:].mean() for bar in told]
    assert all(later < earlier - 0.1 for earlier, later in itertools.pairwise(tails))


def test_to_know_the_symbols_of_the_corpus_makes_a_harder_bar_than_all_256():
    slices_NT, symbols = slices_of("pydoc", 100, 512)
    known, all_256 = (
        measure_bars(slices_NT, each, tail_positions=64) for each in (symbols, np.arange(256, dtype=np.uint8))
    )
    for name in ("markov", "ctw", "ppm", "ppm_exclusion"):
        assert getattr(known, name).bits_T[-64:].mean() < getattr(all_256, name).bits_T[-64:].mean() - 0.02


def test_the_longest_context_is_chosen_by_the_first_slices_and_all_are_measured(monkeypatch):
    monkeypatch.setattr(bars, "_CHOICE_TOKENS", 2 * 64)
    monkeypatch.setattr(bars, "_CHUNK_TOKENS", 3 * 64)
    first_NT = np.tile(np.frombuffer(b"abcd", np.uint8), (2, 16))  # two characters are enough: the shortest that is
    slices_NT = np.concatenate([first_NT, np.random.default_rng(1).integers(97, 101, (6, 64), np.uint8)])
    told = []
    measured = measure_bars(slices_NT, np.frombuffer(b"abcd", np.uint8), tail_positions=32, on_slices=told.append)
    tokens_NT = slices_NT - ord("a")
    assert measured.ctw.longest == ctw.choose(tokens_NT[:2], first_position=32, vocabulary_size=4)
    assert measured.ppm.longest == ppm.choose(tokens_NT[:2], first_position=32, vocabulary_size=4)
    expected_NT = ctw.in_context_bits(tokens_NT, measured.ctw.longest, vocabulary_size=4)
    np.testing.assert_allclose(measured.ctw.bits_T, expected_NT.mean(axis=0), rtol=1e-12)
    assert told == [3, 3, 2] * BARS_WITH_PROGRESS


def test_data_of_one_symbol_cost_nothing():
    slices_NT = np.full((3, 12), ord("z"), np.uint8)
    measured = measure_bars(slices_NT, np.array([ord("z")], np.uint8), tail_positions=4)
    for bar in (measured.markov, measured.ctw, measured.ppm, measured.ppm_exclusion):
        assert not bar.bits_T.any()
    expected_NT = in_context_bits(slices_NT, measured.markov256.model)
    np.testing.assert_allclose(measured.markov256.bits_T, expected_NT.mean(axis=0))
