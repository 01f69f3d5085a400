"""The stream as what an arithmetic coder codes by: smaller files for what it predicts, and back again.

    encode    for each bit: decide, code it by that, absorb
    decode    for each bit: decide, read which it was, absorb

A `fingerprint` stands in every file, and no other model reads it. It covers all that the stream's probabilities come
from: contexts, widths and weights of the gate, start tables, number of slots, and `ARITHMETIC`, a number that is raised
when their computation changes in any bit. A stored file in the tests is there to notice.

Limits: coding adds little to what predicting takes; see `stream`.
"""

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.coding.arithmetic import decode_bit, encode_bit, share_of, split
from up.coding.container import read, write
from up.coding.flow import FINGERPRINT_BYTES
from up.errors import InputError
from up.model.mixing.compiled import kernel
from up.model.mixing.contexts import context_table
from up.model.mixing.gate import weights_of
from up.model.mixing.stream import NUM_SLOTS, Beginning, State, Stream, absorb, decide
from up.model.mixing.vocabulary import BYTES

ARITHMETIC = 1


class StreamCoder:
    """A `ByteModel` (`up.coding.flow`) that has read nothing yet.

    Args:
        predictor: what its stream begins with.
        num_slots: of the stream.

    Raises:
        InputError: the predictor's tokens are no bytes.

    """

    def __init__(self, predictor: Beginning, *, num_slots: int = NUM_SLOTS) -> None:
        if predictor.vocabulary_size != BYTES:
            raise InputError(
                "only a predictor of bytes compresses",
                received=f"a vocabulary of {predictor.vocabulary_size:,}",
                remedy="use up.MixingPredictor.score for what its tokens cost",
            )
        self.fingerprint = fingerprint_of(predictor, num_slots)[:FINGERPRINT_BYTES]
        self._state = Stream(predictor, num_slots=num_slots).state

    def encode(self, data: NDArray[np.uint8], ends: NDArray[np.int64], code: NDArray[np.uint8]) -> int:
        """Encode bytes, and return the bytes of code that were written."""
        return kernel(encode_bytes, *_HELPERS)(self._state, data, ends, code)

    def decode(self, data: NDArray[np.uint8], ends: NDArray[np.int64], code: NDArray[np.uint8]) -> int:
        """Decode as many bytes as `data` has room for, and return the bytes of code that were read."""
        return kernel(decode_bytes, *_HELPERS)(self._state, data, ends, code)


def compress(predictor: Beginning, data: bytes, *, num_slots: int = NUM_SLOTS) -> bytes:
    """Return a file that holds the data (`up.coding.container`)."""
    file = io.BytesIO()
    write(StreamCoder(predictor, num_slots=num_slots), io.BytesIO(data), file)
    return file.getvalue()


def decompress(predictor: Beginning, file: bytes, *, num_slots: int = NUM_SLOTS) -> bytes:
    """Return what a file holds.

    Raises:
        InputError: no such file, another version or model, a file that was damaged or cut off, or a predictor whose
            tokens are no bytes.

    """
    data = io.BytesIO()
    read(StreamCoder(predictor, num_slots=num_slots), io.BytesIO(file), data)
    return data.getvalue()


def fingerprint_of(predictor: Beginning, num_slots: int) -> bytes:
    """Return a SHA-256 of all that the probabilities of a stream come from."""
    weights = weights_of(predictor.gate)
    shapes = [side for part in weights for side in part.shape]
    digest = hashlib.sha256()
    for part in (np.array([ARITHMETIC, num_slots, *shapes]), context_table(predictor.contexts)):
        digest.update(part.astype("<i8").tobytes())
    for part in (weights.vector, predictor.start()):
        digest.update(part.astype("<f8").tobytes())
    return digest.digest()


def encode_bytes(state: State, data: Any, ends: Any, code: Any) -> int:
    """Encode and learn bytes, and return how many bytes of code that wrote."""
    place = 0
    for t in range(len(data)):
        for index in range(8):
            bit = (int(data[t]) >> (7 - index)) & 1
            place = encode_bit(ends, share_of(decide(state)), bit, code, place)
            absorb(state, bit, True)
    return place


def decode_bytes(state: State, data: Any, ends: Any, code: Any) -> int:
    """Fill `data` with bytes, learn them, and return how many bytes of code that read."""
    place = 0
    for t in range(len(data)):
        byte = 0
        for _ in range(8):
            bit, place = decode_bit(ends, share_of(decide(state)), code, place)
            absorb(state, bit, True)
            byte = 2 * byte + bit
        data[t] = byte
    return place


_HELPERS = (decide, absorb, share_of, split, encode_bit, decode_bit)
