"""Files of the format `.up`: bytes of any number, coded by a model that predicts them, with a header and a checksum.

    1     128 + version of the format, which is 1
    2     the letters u, p
    4     fingerprint of the model
    ...   one arithmetic code (`arithmetic`) of all blocks
    4     checksum: CRC-32 of the CRC-32s of the data and of all that stands before, each 4 bytes, the lowest first

A block is a bit, 1 for `BLOCK` bytes and 0 for fewer, then their number in 16 even bits if there are fewer, then the
bytes, by the probabilities of the model. A block of fewer bytes, which may be none, is the last one. The bit of block
k, from 0 on, is a 1 with probability (k + 1) / (k + 2), so that the end of n blocks is known for 2 log2 (n + 1) bits.
So nothing need be known when the first byte is read, and everything stands in one code that a pipe can carry.

A changed byte is always found where it does not change the data, and where it does but for one case in 2^32.

Limits: what is read of a damaged file before the damage is found are bytes that mean nothing; keep them apart until
`read` has returned.
"""

import dataclasses
import zlib
from collections.abc import Callable

import numpy as np

from up.coding.arithmetic import SHARE_BITS
from up.coding.flow import (
    CHUNK_BYTES,
    FINGERPRINT_BYTES,
    GET_AGAIN,
    ByteModel,
    Decoder,
    Encoder,
    Sink,
    Source,
    cut_off,
    read_fully,
)
from up.errors import InputError

VERSION = 1
SUFFIX = ".up"
BLOCK = 1 << 16
_LETTERS = b"up"
_HEADER_BYTES = 1 + len(_LETTERS) + FINGERPRINT_BYTES
_CHECKSUM_BYTES = 4
_LENGTH_BITS = 16
_EVEN = 1 << (SHARE_BITS - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizes:
    """How long a file is.

    Attributes:
        data_bytes: of what it holds.
        file_bytes: of the file.

    """

    data_bytes: int
    file_bytes: int


Progress = Callable[[Sizes], None]


def write(model: ByteModel, source: Source, sink: Sink, *, progress: Progress = lambda _so_far: None) -> Sizes:
    """Write what a source holds to a sink, coded.

    Args:
        model: that has read nothing.
        source: read to its end.
        sink: receives the file.
        progress: called with what was read and written so far.

    """
    encoder, size, data_sum, number, is_last = Encoder(sink), 0, 0, 0, False
    encoder.write(_header(model))
    while not is_last:
        block = read_fully(source, BLOCK)
        is_last = len(block) < BLOCK
        encoder.encode(_full_share(number), int(not is_last))
        number += 1
        for place in reversed(range(_LENGTH_BITS if is_last else 0)):
            encoder.encode(_EVEN, len(block) >> place & 1)
        data_sum = zlib.crc32(block, data_sum)
        for start in range(0, len(block), CHUNK_BYTES):
            chunk = np.frombuffer(block, np.uint8)[start : start + CHUNK_BYTES]
            encoder.encode_by(model, chunk)
            size += len(chunk)
            progress(Sizes(data_bytes=size, file_bytes=encoder.size))
    encoder.end()
    encoder.write(_checksum(data_sum, encoder.sum))
    return Sizes(data_bytes=size, file_bytes=encoder.size)


def read(model: ByteModel, source: Source, sink: Sink, *, progress: Progress = lambda _so_far: None) -> Sizes:
    """Write what a file holds to a sink; it counts only once this has returned.

    Args:
        model: that has read nothing, and was given to `write`.
        source: the file, read to its end.
        sink: receives the data.
        progress: called with what was read and written so far.

    Raises:
        InputError: no such file, another version or model, or a file that was damaged or cut off.

    """
    decoder, size, data_sum, number, is_last = Decoder(source), 0, 0, 0, False
    _require_header(decoder.take(_HEADER_BYTES), model)
    decoder.begin()
    while not is_last:
        is_last, length = not decoder.decode(_full_share(number)), BLOCK
        if is_last:
            length = 0
            for _ in range(_LENGTH_BITS):
                length = 2 * length + decoder.decode(_EVEN)
        number += 1
        for start in range(0, length, CHUNK_BYTES):
            chunk = np.zeros(min(CHUNK_BYTES, length - start), np.uint8)
            decoder.decode_by(model, chunk)
            data_sum = zlib.crc32(chunk.tobytes(), data_sum)
            sink.write(chunk.tobytes())
            size += len(chunk)
            progress(Sizes(data_bytes=size, file_bytes=decoder.size))
    decoder.end()
    expected = _checksum(data_sum, decoder.sum)
    found = decoder.take(_CHECKSUM_BYTES)
    if len(found) < _CHECKSUM_BYTES:
        raise cut_off()
    if found != expected:
        raise InputError("the file is damaged, its checksum differs", remedy=GET_AGAIN)
    if decoder.take(1):
        raise InputError("something stands after the end of the file", remedy=GET_AGAIN)
    return Sizes(data_bytes=size, file_bytes=decoder.size)


def _full_share(number: int) -> int:
    """Return the share of a 1, for a full block, of this number."""
    return ((number + 1) << SHARE_BITS) // (number + 2)


def _header(model: ByteModel) -> bytes:
    assert len(model.fingerprint) == FINGERPRINT_BYTES
    return bytes([128 + VERSION]) + _LETTERS + model.fingerprint


def _require_header(found: bytes, model: ByteModel) -> None:
    version, letters, fingerprint = found[:1], found[1:3], found[3:]
    if letters != _LETTERS[: len(letters)] or version < b"\x80":
        if not found:
            raise InputError(f"an empty file is no {SUFFIX} file", remedy=GET_AGAIN)
        raise InputError(f"this is no {SUFFIX} file", remedy="give a file that `up compress` has written")
    if version != _header(model)[:1]:
        raise InputError(
            "the file was written in another version of the format",
            received=version[0] - 128,
            remedy=f"decompress it with the version of up that wrote it; this one reads version {VERSION}",
        )
    if len(found) < _HEADER_BYTES:
        raise cut_off()
    if fingerprint != model.fingerprint:
        raise InputError(
            "the file was compressed with another model",
            received=fingerprint.hex(),
            remedy=f"name that one with --model; this one is {model.fingerprint.hex()}",
        )


def _checksum(data_sum: int, file_sum: int) -> bytes:
    both = data_sum.to_bytes(4, "little") + file_sum.to_bytes(4, "little")
    return zlib.crc32(both).to_bytes(_CHECKSUM_BYTES, "little")
