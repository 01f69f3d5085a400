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
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from up.coding.arithmetic import LOOKAHEAD, SHARE_BITS, begin, decode_bit, encode_bit, last_bytes, new_ends
from up.errors import InputError

VERSION = 1
SUFFIX = ".up"
BLOCK = 1 << 16
CHUNK_BYTES = 512
"""Bytes that a model codes at a time."""

FINGERPRINT_BYTES = 4
_LETTERS = b"up"
_HEADER_BYTES = 1 + len(_LETTERS) + FINGERPRINT_BYTES
_CHECKSUM_BYTES = 4
_LENGTH_BITS = 16
_EVEN = 1 << (SHARE_BITS - 1)
_MOST_CODE = 8 * LOOKAHEAD * CHUNK_BYTES
_MAKE_ANOTHER = "get the file again from where it came from"


class Source(Protocol):
    """What is read, such as a file or a pipe."""

    def read(self, count: int, /) -> bytes:
        """Return so many bytes or fewer, none only at the end."""
        ...


class Sink(Protocol):
    """What is written to."""

    def write(self, part: bytes, /) -> object:
        """Take bytes."""
        ...


class ByteModel(Protocol):
    """What codes bytes by what it predicts, and learns them; the next call goes on where the last one ended."""

    @property
    def fingerprint(self) -> bytes:
        """`FINGERPRINT_BYTES` bytes that differ between models."""
        ...

    def encode(self, data: NDArray[np.uint8], ends: NDArray[np.int64], code: NDArray[np.uint8]) -> int:
        """Encode up to `CHUNK_BYTES` bytes, and return the bytes of code that were written."""
        ...

    def decode(self, data: NDArray[np.uint8], ends: NDArray[np.int64], code: NDArray[np.uint8]) -> int:
        """Decode as many bytes as `data` has room for, and return the bytes of code that were read."""
        ...


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
    encoder, size, data_sum, number, is_last = _Encoder(sink), 0, 0, 0, False
    encoder.write(_header(model))
    while not is_last:
        block = _read_fully(source, BLOCK)
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
    encoder.write(last_bytes(encoder.ends))
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
    decoder, size, data_sum, number, is_last = _Decoder(source), 0, 0, 0, False
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
        raise _cut_off()
    if found != expected:
        raise InputError("the file is damaged, its checksum differs", remedy=_MAKE_ANOTHER)
    if decoder.take(1):
        raise InputError("something stands after the end of the file", remedy=_MAKE_ANOTHER)
    return Sizes(data_bytes=size, file_bytes=decoder.size)


class _Encoder:
    """Encodes bits, and writes what is finished of their code."""

    def __init__(self, sink: Sink) -> None:
        self.ends, self.code = new_ends(), np.zeros(_MOST_CODE, np.uint8)
        self.size, self.sum, self._sink = 0, 0, sink

    def encode(self, share: int, bit: int) -> None:
        self.write(self.code[: encode_bit(self.ends, share, bit, self.code, 0)].tobytes())

    def encode_by(self, model: ByteModel, data: NDArray[np.uint8]) -> None:
        self.write(self.code[: model.encode(data, self.ends, self.code)].tobytes())

    def write(self, part: bytes) -> None:
        self._sink.write(part)
        self.size, self.sum = self.size + len(part), zlib.crc32(part, self.sum)


class _Decoder:
    """Reads a source ahead, and decodes bits; beyond its end it reads zeros until that is noticed."""

    def __init__(self, source: Source) -> None:
        self.ends, self.size, self.sum = new_ends(), 0, 0
        self._source, self._ahead, self._is_over = source, b"", False

    def take(self, count: int) -> bytes:
        """Return the next bytes, which are then done with; fewer where the source ends."""
        self._fill(count)
        part, self._ahead = self._ahead[:count], self._ahead[count:]
        self.size, self.sum = self.size + len(part), zlib.crc32(part, self.sum)
        return part

    def begin(self) -> None:
        begin(self.ends, self._window(0))

    def decode(self, share: int) -> bool:
        bit, place = decode_bit(self.ends, share, self._window(1), LOOKAHEAD)
        self._done_with(place - LOOKAHEAD)
        return bit == 1

    def decode_by(self, model: ByteModel, data: NDArray[np.uint8]) -> None:
        self._done_with(model.decode(data, self.ends, self._window(8 * len(data))[LOOKAHEAD:]))

    def end(self) -> None:
        """Be done with the bytes that end the code."""
        self._done_with(len(last_bytes(self.ends)))

    def _window(self, bits: int) -> NDArray[np.uint8]:
        """Return the code from the first byte that is not done with on, enough for so many bits."""
        count = LOOKAHEAD * (1 + bits)
        self._fill(count)
        return np.frombuffer(self._ahead[:count].ljust(count, b"\0"), np.uint8)

    def _done_with(self, count: int) -> None:
        if len(self.take(count)) < count:
            raise _cut_off()

    def _fill(self, count: int) -> None:
        if not self._is_over and len(self._ahead) < count:
            self._ahead += _read_fully(self._source, 2 * count - len(self._ahead))
            self._is_over = len(self._ahead) < 2 * count


def _read_fully(source: Source, count: int) -> bytes:
    """Read so many bytes, fewer only where the source ends; a pipe hands over what it has."""
    parts: list[bytes] = []
    while count > 0 and (part := source.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


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
            raise InputError(f"an empty file is no {SUFFIX} file", remedy=_MAKE_ANOTHER)
        raise InputError(f"this is no {SUFFIX} file", remedy="give a file that `up compress` has written")
    if version != _header(model)[:1]:
        raise InputError(
            "the file was written in another version of the format",
            received=version[0] - 128,
            remedy=f"decompress it with the version of up that wrote it; this one reads version {VERSION}",
        )
    if len(found) < _HEADER_BYTES:
        raise _cut_off()
    if fingerprint != model.fingerprint:
        raise InputError(
            "the file was compressed with another model",
            received=fingerprint.hex(),
            remedy=f"name that one with --model; this one is {model.fingerprint.hex()}",
        )


def _checksum(data_sum: int, file_sum: int) -> bytes:
    both = data_sum.to_bytes(4, "little") + file_sum.to_bytes(4, "little")
    return zlib.crc32(both).to_bytes(_CHECKSUM_BYTES, "little")


def _cut_off() -> InputError:
    return InputError("the file is cut off, its end is missing", remedy=_MAKE_ANOTHER)
