import hashlib
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.up.model.mixing.test_stream import FEW, TEXT, new_stream, texts, wild_predictor
from up.coding.container import SUFFIX
from up.errors import InputError
from up.model.mixing import coder
from up.model.mixing.coder import compress, decompress, fingerprint_of
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import order
from up.model.mixing.predictor import MixingPredictor

SLOTS = 1 << 14
OVERHEAD_BYTES = 16


def packed(data: bytes, seed: int = 0) -> bytes:
    return compress(wild_predictor(seed), data, num_slots=SLOTS)


def unpacked(file: bytes, seed: int = 0) -> bytes:
    return decompress(wild_predictor(seed), file, num_slots=SLOTS)


@settings(max_examples=25)
@given(st.one_of(st.binary(max_size=200), texts), st.integers(0, 3))
def test_what_was_compressed_comes_back(data, seed):
    assert unpacked(packed(data, seed), seed) == data


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff", TEXT, bytes(3_000), random.Random(0).randbytes(3_000)])
def test_the_file_is_as_long_as_the_predictor_charges_and_sixteen_bytes(data):
    ideal_bytes = new_stream(wild_predictor()).score(data).sum() / 8
    assert ideal_bytes - 1 <= len(packed(data)) <= 1.001 * ideal_bytes + OVERHEAD_BYTES


@pytest.mark.parametrize(
    "data", [bytes(65_536), pytest.param((TEXT * 500)[:65_537], marks=pytest.mark.slow)], ids=["zeros", "text"]
)
def test_so_it_is_over_a_whole_block(data):
    ideal_bytes = new_stream(wild_predictor()).score(data).sum() / 8
    file = packed(data)
    assert len(file) <= 1.001 * ideal_bytes + OVERHEAD_BYTES
    assert unpacked(file) == data


def test_random_bytes_hardly_grow():
    data = random.Random(2).randbytes(65_536)
    assert len(
        compress(MixingPredictor(MixingConfig(hidden=(12, 8)), contexts=FEW), data, num_slots=SLOTS)
    ) <= 1.002 * len(data)


def test_the_predictor_itself_compresses_and_decompresses():
    predictor = wild_predictor()
    file = predictor.compress(TEXT)
    assert len(file) < len(TEXT) / 2
    assert predictor.decompress(file) == TEXT
    with pytest.raises(InputError, match=f"no {SUFFIX} file"):
        predictor.decompress(TEXT)


def changed(what: str) -> MixingPredictor:
    predictor = wild_predictor()
    with torch.no_grad():
        if what == "weight":
            predictor.gate.first.weight[3, 5] *= 1 + 1e-6
        elif what == "bias":
            predictor.gate.third.bias[0] += 1e-6
        elif what == "start":
            predictor.totals_KFSB[1, 0, 7, 1] += 1
    return predictor


@pytest.mark.parametrize(
    "other",
    [
        *(changed(what) for what in ("weight", "bias", "start")),
        wild_predictor(1),
        MixingPredictor(MixingConfig(hidden=(12, 8)), contexts=(*FEW[:-1], order(3))),
        MixingPredictor(MixingConfig(hidden=(8, 12)), contexts=FEW),
    ],
    ids=["a weight", "a bias", "a start", "all weights", "a context", "widths"],
)
def test_another_model_is_refused_whatever_it_differs_in(other):
    file = packed(TEXT)
    with pytest.raises(InputError, match=r"was compressed with another model"):
        decompress(other, file, num_slots=SLOTS)


def test_other_slots_and_another_arithmetic_are_other_models(monkeypatch):
    predictor = wild_predictor()
    prints = {fingerprint_of(predictor, SLOTS), fingerprint_of(predictor, 2 * SLOTS)}
    monkeypatch.setattr(coder, "ARITHMETIC", coder.ARITHMETIC + 1)
    assert len(prints | {fingerprint_of(predictor, SLOTS)}) == 3


def test_a_copy_of_the_weights_is_the_same_model():
    copy = MixingPredictor(MixingConfig(hidden=(12, 8)), torch.Generator().manual_seed(9), contexts=FEW)
    copy.load_state_dict(wild_predictor().state_dict())
    assert fingerprint_of(copy, SLOTS) == fingerprint_of(wild_predictor(), SLOTS)


SHORT = b"so it goes, so it went"


def test_every_damage_to_a_short_file_is_found():
    """All bytes, each changed in several ways, and all lengths; `tests/up/coding` does it with all changes."""
    file, rng = packed(SHORT), random.Random(0)
    damaged = [file[:length] for length in range(len(file))] + [file + b"\0"]
    for place in range(len(file)):
        changes = (1, 0x80, 0xFF, rng.randrange(1, 256))
        damaged += [file[:place] + bytes([file[place] ^ change]) + file[place + 1 :] for change in changes]
    for each in damaged:
        with pytest.raises(InputError):
            unpacked(each)


# Of `stored_predictor`, which depends on no generator of torch's. Where it cannot be read any more, the arithmetic of
# the stream has changed: raise `coder.ARITHMETIC`, so that old files are refused with the reason, and store it anew.
STORED_TEXT = TEXT[:150]
STORED = (
    "817570c21e5f36ffb4cf6dfd1d4a3b2ee69530a73dc57eafc0de5de43bc2901f6e625b4f13b51a809b9c759fd19b78698384"
    "6052816c2c9fccba9e46a239768b254461696ea7c5947858e8005f2dbe24df72"
)


def stored_predictor() -> MixingPredictor:
    predictor = MixingPredictor(MixingConfig(hidden=(12, 8)), contexts=FEW)
    weight = np.random.Generator(np.random.PCG64(0)).random
    with torch.no_grad():
        for parameter in predictor.gate.parameters():
            parameter.copy_(torch.from_numpy(0.3 * (weight(tuple(parameter.shape)) - 0.5)))
    return predictor


def test_a_stored_file_is_read_and_written_bit_for_bit():
    file = bytes.fromhex(STORED)
    assert decompress(stored_predictor(), file, num_slots=SLOTS) == STORED_TEXT
    assert compress(stored_predictor(), STORED_TEXT, num_slots=SLOTS) == file


@pytest.mark.parametrize(
    ("name", "value"), [("OMP_NUM_THREADS", "1"), ("OMP_NUM_THREADS", "2"), ("NUMBA_DISABLE_JIT", "1")]
)
def test_neither_threads_nor_compilation_change_a_byte(name, value):
    code = (
        "from tests.up.model.mixing.test_coder import *\n"
        "file = compress(stored_predictor(), STORED_TEXT[:70], num_slots=SLOTS)\n"
        "assert decompress(stored_predictor(), file, num_slots=SLOTS) == STORED_TEXT[:70]\n"
        "print(hashlib.sha256(file).hexdigest())"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, name: value}, capture_output=True, text=True, check=True
    )
    file = compress(stored_predictor(), STORED_TEXT[:70], num_slots=SLOTS)
    assert result.stdout.strip() == hashlib.sha256(file).hexdigest()
