import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import mixing as reference
from up.model.mixing.contexts import FAMILIES, Context, contexts_of, lags
from up.model.mixing.inputs import empty_tables, num_inputs
from up.model.mixing.rows import RowReader, row_slots, start_tables
from up.model.mixing.slots import BUCKET, find_slot, give_slot, learn_bit, new_word
from up.model.mixing.statistics import learn, look, new_statistics

LONGEST = 48
CONTEXTS = contexts_of(FAMILIES)
READER, TABLES = RowReader(CONTEXTS, 1024), empty_tables(len(CONTEXTS))

# Few symbols, so that contexts and matches come back, and stretches that are repeated.
rows = st.one_of(
    st.lists(st.sampled_from([0, 97, 98, 255]), min_size=1, max_size=LONGEST).map(bytes),
    st.tuples(st.binary(min_size=1, max_size=14), st.integers(2, 3)).map(lambda drawn: drawn[0] * drawn[1]),
    st.binary(min_size=1, max_size=LONGEST),
)


def inputs_of(row: bytes) -> tuple[np.ndarray, np.ndarray]:
    return READER.read(np.frombuffer(row, np.uint8), np.ones(len(row), np.bool_), TABLES)


@given(rows)
def test_what_experts_offer_equals_the_dictionaries(row):
    inputs, came = inputs_of(row)
    expected_inputs, expected_came = reference.inputs_of_row(CONTEXTS, row)
    np.testing.assert_allclose(inputs, expected_inputs, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(came, expected_came)


def test_what_experts_offer_equals_the_dictionaries_on_a_longer_row():
    generator = np.random.default_rng(0)
    words = [bytes(generator.integers(256, size=size).tolist()) for size in (1, 2, 3, 5, 9, 20)]
    row = b"".join(words[index] for index in generator.integers(len(words), size=70))
    inputs, came = inputs_of(row)
    expected_inputs, expected_came = reference.inputs_of_row(CONTEXTS, row)
    np.testing.assert_allclose(inputs, expected_inputs, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(came, expected_came)


def test_a_row_leaves_nothing_behind_for_the_next():
    inputs, _ = inputs_of(b"abcabcabcabc")
    inputs_of(b"abcabcaxyzabc\x00\xff" * 9)
    np.testing.assert_array_equal(inputs_of(b"abcabcabcabc")[0], inputs)


def test_plain_python_offers_the_same_as_the_compiled_loop():
    code = (
        "import numpy as np; from tests.up.model.mixing.test_statistics import inputs_of;"
        "import hashlib; print(hashlib.sha256(inputs_of(b'abracadabra abracad')[0].tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_DISABLE_JIT": disable},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for disable in "01"
    }
    assert len(digests) == 1


@given(st.lists(st.integers(0, 1), min_size=1, max_size=600))
def test_a_slot_of_one_word_equals_lists_of_bits(bits):
    word, slot = new_word(5), reference.Slot()
    for bit in bits:
        word = learn_bit(word, bit)
        slot.learn(bit)
    assert (word >> 8) & 255 == slot.count[0]
    assert (word >> 16) & 255 == slot.count[1]
    assert (word >> 24) & 255 == min(slot.run, 255)
    assert (word >> 32) & 16_383 == slot.share
    assert word & 255 == int("1" + slot.history, 2)
    assert word >> 46 == 5


def test_the_least_confident_slot_of_a_full_bucket_gives_way():
    slots, keys = np.zeros(BUCKET, np.int64), [3, 7, 11, 19]
    for key, times in zip(keys, (4, 2, 3, 5), strict=True):
        assert find_slot(slots, key) == -1
        word = new_word(key)
        for _ in range(times):
            word = learn_bit(word, 1)
        slots[give_slot(slots, key)] = word
    assert sorted(find_slot(slots, key) for key in keys) == [0, 1, 2, 3]
    slots[give_slot(slots, 23)] = learn_bit(new_word(23), 0)
    assert find_slot(slots, 7) == -1
    assert all(find_slot(slots, key) >= 0 for key in (3, 11, 19, 23))


def test_a_full_table_forgets_and_goes_on():
    statistics = new_statistics(CONTEXTS, empty_tables(len(CONTEXTS)), 1024)
    inputs = np.empty(num_inputs(len(CONTEXTS)))
    for byte in np.random.default_rng(0).integers(256, size=24).tolist():
        for shift in range(7, -1, -1):
            look(statistics, inputs)
            learn(statistics, (byte >> shift) & 1)
    assert (statistics.slots != 0).mean() > 0.99
    assert np.isfinite(inputs).all()


@pytest.mark.parametrize("num_bytes", [1, 48, 2048])
def test_the_slots_of_a_row_fill_a_quarter_of_the_table_at_most(num_bytes):
    assert 8 * num_bytes * len(CONTEXTS) * 4 <= row_slots(num_bytes, len(CONTEXTS))


def test_start_tables_of_no_rows_know_nothing():
    np.testing.assert_array_equal(start_tables(np.zeros((5, 2, 256, 2), np.int64)), empty_tables(5))


def test_start_tables_favour_neither_bit_and_are_capped():
    rows_NT = np.random.default_rng(0).integers(4, size=(3, 60)).astype(np.uint8) * 85
    contexts, kept_T = (lags(1), lags(1, 2), Context(matcher=0)), np.zeros(60, np.bool_)
    reader, totals_KFSB = RowReader(contexts, 60), np.zeros((3, 2, 256, 2), np.int64)
    for row_T in rows_NT:
        reader.read(row_T, kept_T, start_tables(totals_KFSB), totals_KFSB=totals_KFSB)
    tables_KFSC = start_tables(totals_KFSB)
    histories_K = tables_KFSC[:, 0, :, 0]
    np.testing.assert_allclose(histories_K[:, 0b1011] + histories_K[:, 0b1100], 1, rtol=1e-12)
    np.testing.assert_allclose(tables_KFSC[:, 1, 6, 0] + tables_KFSC[:, 1, 7, 0], 1, rtol=1e-12)
    assert tables_KFSC[..., 1].max() == 30
    assert tables_KFSC[0, 0, 0b11, 0] > 0.5  # what came once comes again
