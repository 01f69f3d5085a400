import math
import os
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import markov as reference
from up.errors import InputError
from up.evaluation.measures import measure


def test_worked_example():
    measures = measure(b"aaab" * 64)
    # Entropy of (3/4, 1/4) is 2 - (3/4) log2 3.
    assert measures.entropy_bits == pytest.approx(2 - 0.75 * math.log2(3))
    assert measures.distinct_symbols == 2
    assert measures.markov_order == 3  # `aab` and `aba` and so on each tell the next character, `aa` alone does not
    assert measures.markov_bits < 0.5
    assert measures.zlib_bits < 0.5
    assert measures.lzma_bits < 1


def test_a_constant_string_has_no_entropy_and_costs_one_surprise():
    measures = measure(b"z" * 512)
    assert measures.entropy_bits == 0
    # Eight bits for the first character and for the first context; smoothing of a millionth makes the rest almost free.
    assert measures.markov_bits == pytest.approx(8 / 512, abs=1e-3)
    assert measures.character_bits[0] == pytest.approx(8)
    assert max(measures.character_bits[2:]) < 0.01


def test_random_bytes_cannot_be_compressed():
    measures = measure(np.random.default_rng(0).integers(256, size=4096, dtype=np.uint8).tobytes())
    assert measures.entropy_bits == pytest.approx(8, abs=0.1)
    for bits in (measures.markov_bits, measures.zlib_bits, measures.lzma_bits):
        assert 7.99 < bits < 8.02  # two raw streams: a few bytes of overhead and no container


@given(st.binary(min_size=1, max_size=80))
def test_relations_between_the_measures(text):
    measures = measure(text)
    assert -1e-12 <= measures.entropy_bits <= math.log2(measures.distinct_symbols) + 1e-12
    assert len(measures.character_bits) == len(text)
    assert measures.character_bits[0] == pytest.approx(8)
    assert measures.markov_bits == pytest.approx(sum(measures.character_bits) / len(text))
    assert measures.distinct_symbols == len(set(text))


@given(st.text("ab", min_size=1, max_size=60))
def test_character_bits_are_those_of_the_named_markov_model(text):
    measures = measure(text.encode(), vocabulary_size=2, first_symbol=ord("a"))
    expected = reference.bits(
        [ord(character) - ord("a") for character in text],
        order=measures.markov_order,
        smoothing=Fraction(measures.markov_smoothing),
        vocabulary_size=2,
    )
    assert measures.character_bits == pytest.approx(expected, abs=1e-9)


def test_zlib_bits_count_a_stream_that_decompresses_without_a_header():
    text = os.urandom(50) * 3
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = compressor.compress(text) + compressor.flush()
    assert zlib.decompress(stream, -15) == text
    assert measure(text).zlib_bits == 8 * len(stream) / 150


def test_a_smaller_alphabet_lowers_the_uniform_code():
    text = bytes(range(32, 127))
    assert measure(text).character_bits[0] == pytest.approx(8)
    assert measure(text, vocabulary_size=95, first_symbol=32).character_bits[0] == pytest.approx(math.log2(95))


def test_empty_strings_and_foreign_symbols_are_refused():
    with pytest.raises(InputError, match="empty string"):
        measure(b"")
    with pytest.raises(InputError, match="outside the vocabulary"):
        measure(b"\n", vocabulary_size=95, first_symbol=32)
