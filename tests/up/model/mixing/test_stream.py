import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import Context, lags, order, signalled
from up.model.mixing.gate import FLOOR
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.rows import row_slots
from up.model.mixing.stream import Stream

FEW = (order(0), order(1), order(2), order(4), lags(2), Context(matcher=0), signalled("segment"))
TEXT = b"a stream of bytes, a stream of words; \x00\x01\x00\x02 a stream of bytes, " * 6


def wild_predictor(seed: int = 0) -> MixingPredictor:
    """A predictor whose gate and tables are far from their start, so that all parts count."""
    predictor = MixingPredictor(MixingConfig(hidden=(12, 8)), torch.Generator().manual_seed(seed), contexts=FEW)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        predictor.gate.third.weight *= 100
        predictor.totals_KFSB.random_(0, 30, generator=generator)
    return predictor


def new_stream(predictor: MixingPredictor, *, adapting: bool = True, num_slots: int = 1 << 14) -> Stream:
    return Stream(predictor, num_slots=num_slots, adapting=adapting)


def code_lengths(ones_N8: np.ndarray, data: bytes) -> np.ndarray:
    bits_N8 = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(-1, 8)
    return -np.log2(np.where(bits_N8 == 1, ones_N8, 1 - ones_N8)).sum(1)


texts = st.one_of(st.binary(min_size=1, max_size=200), st.lists(st.sampled_from(b"ab\n"), min_size=1).map(bytes))


@settings(max_examples=20)
@given(texts, st.integers(0, 5))
def test_a_frozen_stream_charges_what_whole_rows_charge(text, seed):
    predictor = wild_predictor(seed).double()
    row_1T = np.frombuffer(text, np.uint8)[None]
    stream = new_stream(predictor, adapting=False, num_slots=row_slots(len(text), len(FEW)))
    np.testing.assert_allclose(stream.score(text), predictor.token_bits(row_1T)[0], rtol=0, atol=1e-6)


def test_a_frozen_stream_of_all_contexts_charges_what_whole_rows_charge_in_single_precision():
    predictor = MixingPredictor()
    row_1T = np.frombuffer(TEXT, np.uint8)[None]
    stream = new_stream(predictor, adapting=False, num_slots=row_slots(len(TEXT), len(predictor.contexts)))
    np.testing.assert_allclose(stream.score(TEXT), predictor.token_bits(row_1T)[0], rtol=0, atol=1e-3)


def test_later_bytes_do_not_change_earlier_predictions():
    stream, other = new_stream(wild_predictor()), new_stream(wild_predictor())
    np.testing.assert_array_equal(stream.read(TEXT)[:150], other.read(TEXT[:150] + b"\xff" * 50)[:150])


@pytest.mark.parametrize("adapting", [False, True])
def test_bit_by_bit_equals_many_bytes_at_once(adapting):
    ones_N8 = new_stream(wild_predictor(), adapting=adapting).read(TEXT[:150])
    stream = new_stream(wild_predictor(), adapting=adapting)
    for byte, ones in zip(TEXT, ones_N8, strict=False):
        for shift in range(8):
            assert stream.predict() == stream.predict() == ones[shift]
            stream.update((byte >> (7 - shift)) & 1)


def test_a_bit_is_learned_alike_whatever_was_asked_before():
    plain, asked = new_stream(wild_predictor()), new_stream(wild_predictor())
    for byte in TEXT[:100]:
        asked.distribution()
        for shift in range(8):
            bit = (byte >> (7 - shift)) & 1
            plain.update(bit)
            if shift == 0:
                asked.predict()
                asked.distribution()
            asked.update(bit)
    assert plain.predict() == asked.predict()


def test_the_distribution_sums_to_one_and_agrees_with_what_is_charged():
    stream, distributed, charged = new_stream(wild_predictor()), 0.0, 0.0
    for byte in TEXT[:100]:
        distribution = stream.distribution()
        assert distribution.shape == (256,)
        assert abs(distribution.sum() - 1) < 1e-12
        assert abs(distribution[128:].sum() - stream.predict()) < 1e-12
        distributed -= np.log2(distribution[byte])
        charged += stream.score(bytes([byte]))[0]
    assert abs(distributed - charged) < 0.03 * charged  # bits are learned in between


@pytest.mark.parametrize("text", [bytes(3000), b"\xff" * 3000, b"\x55" * 3000])
def test_no_probability_is_below_the_floor(text):
    ones_N8 = new_stream(wild_predictor()).read(text + b"\xaa")
    assert ones_N8.min() >= FLOOR
    assert ones_N8.max() <= 1 - FLOOR
    assert np.minimum(ones_N8, 1 - ones_N8).min() < 1.01 * FLOOR  # and it is needed


def test_adapting_learns_and_freezing_keeps_what_was_learned():
    scratch = new_stream(wild_predictor(), adapting=False).score(TEXT * 8)
    adapting = new_stream(wild_predictor())
    learned = adapting.score(TEXT * 8)
    assert learned[-500:].sum() < 0.8 * scratch[-500:].sum()
    weights = adapting._state.weights.vector.copy()
    adapting.freeze()
    kept = adapting.score(TEXT)
    np.testing.assert_array_equal(adapting._state.weights.vector, weights)
    assert kept.sum() < 0.8 * scratch[-len(TEXT) :].sum()
    adapting.adapt()
    adapting.score(TEXT)
    assert (adapting._state.weights.vector != weights).any()


@settings(max_examples=3)
@given(st.integers(0, 300), st.binary(max_size=100))
def test_a_restored_snapshot_goes_on_with_the_same_bits(cut, other):
    stream = new_stream(wild_predictor())
    stream.read(TEXT[:cut])
    snapshot = stream.snapshot()
    expected = stream.read(TEXT[cut:])
    stream.read(other)
    stream.freeze()
    stream.restore(snapshot)
    np.testing.assert_array_equal(stream.read(TEXT[cut:]), expected)
    another = new_stream(wild_predictor(seed=1))
    another.restore(snapshot)
    np.testing.assert_array_equal(another.read(TEXT[cut:]), expected)


def test_memory_does_not_grow():
    stream = new_stream(wild_predictor(), num_slots=1 << 10)
    before = stream.memory_bytes
    stream.read(np.random.default_rng(0).integers(256, size=3000).astype(np.uint8))
    assert stream.memory_bytes == before
    assert (stream._state.statistics.slots != 0).mean() > 0.99
    assert new_stream(wild_predictor(), num_slots=1 << 11).memory_bytes == before + 8 * (1 << 10)


STORED = "ac37d329ce60602cf3f93dd0a96fb489df41bd0bfd574b31940d1518e5d1eb11"


def stored_stream() -> str:
    """A digest of all probabilities of a stream with every context, adapting over several steps."""
    predictor = MixingPredictor(MixingConfig(hidden=(16, 8)))
    weight = np.random.Generator(np.random.PCG64(0)).random
    with torch.no_grad():
        for parameter in predictor.gate.parameters():
            parameter.copy_(torch.from_numpy(0.3 * (weight(tuple(parameter.shape)) - 0.5)))
    return hashlib.sha256(Stream(predictor, num_slots=1 << 16).read(TEXT[:250]).tobytes()).hexdigest()


def test_a_stored_stream_comes_out_bit_for_bit():
    assert stored_stream() == STORED


@pytest.mark.parametrize(("name", "value"), [("NUMBA_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "2")])
def test_threads_change_no_bit(name, value):
    code = "from tests.up.model.mixing.test_stream import stored_stream; print(stored_stream())"
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, name: value}, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == STORED


def short_stream() -> str:
    """A digest of the probabilities of a small stream, past the gate's first step."""
    return hashlib.sha256(new_stream(wild_predictor()).read(TEXT[:70]).tobytes()).hexdigest()


def digest_in_plain_python(module: str) -> str:
    """What `short_stream` of a test module returns in a process that compiles nothing."""
    result = subprocess.run(
        [sys.executable, "-c", f"from {module} import short_stream; print(short_stream())"],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.strip()


def test_plain_python_gives_the_same_bits():
    assert digest_in_plain_python(__name__) == short_stream()
