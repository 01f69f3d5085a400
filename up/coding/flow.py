"""A code in a file: bits and bytes are encoded into what is written, and decoded from what is read ahead.

Limits: what a source hands over is waited for until some 50,000 bytes are there or it ends.
"""

import zlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from up.coding.arithmetic import LOOKAHEAD, begin, decode_bit, encode_bit, last_bytes, new_ends
from up.errors import InputError

CHUNK_BYTES = 512
"""Bytes that a model codes at a time."""

FINGERPRINT_BYTES = 4
GET_AGAIN = "get the file again from where it came from"
_MOST_CODE = 8 * LOOKAHEAD * CHUNK_BYTES


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


class Encoder:
    """Encodes bits, and writes what is finished of their code.

    Attributes:
        size: bytes written.
        sum: CRC-32 of them.

    """

    def __init__(self, sink: Sink) -> None:
        self._ends, self._code = new_ends(), np.zeros(_MOST_CODE, np.uint8)
        self.size, self.sum, self._sink = 0, 0, sink

    def encode(self, share: int, bit: int) -> None:
        """Encode a bit; `share` is that of a 1."""
        self.write(self._code[: encode_bit(self._ends, share, bit, self._code, 0)].tobytes())

    def encode_by(self, model: ByteModel, data: NDArray[np.uint8]) -> None:
        """Encode up to `CHUNK_BYTES` bytes by what a model predicts."""
        self.write(self._code[: model.encode(data, self._ends, self._code)].tobytes())

    def end(self) -> None:
        """Write the bytes that end the code."""
        self.write(last_bytes(self._ends))

    def write(self, part: bytes) -> None:
        """Write bytes that are no code."""
        self._sink.write(part)
        self.size, self.sum = self.size + len(part), zlib.crc32(part, self.sum)


class Decoder:
    """Reads a source ahead, and decodes bits; beyond its end it reads zeros until it has to be done with one.

    Attributes:
        size: bytes that it is done with.
        sum: CRC-32 of them.

    """

    def __init__(self, source: Source) -> None:
        self._ends, self.size, self.sum = new_ends(), 0, 0
        self._source, self._ahead, self._is_over = source, b"", False

    def take(self, count: int) -> bytes:
        """Return the next bytes, which are then done with; fewer where the source ends."""
        self._fill(count)
        part, self._ahead = self._ahead[:count], self._ahead[count:]
        self.size, self.sum = self.size + len(part), zlib.crc32(part, self.sum)
        return part

    def begin(self) -> None:
        """Begin the code that comes next."""
        begin(self._ends, self._window(0))

    def decode(self, share: int) -> bool:
        """Return whether the next bit is a 1."""
        bit, place = decode_bit(self._ends, share, self._window(1), LOOKAHEAD)
        self._pass(place - LOOKAHEAD)
        return bit == 1

    def decode_by(self, model: ByteModel, data: NDArray[np.uint8]) -> None:
        """Decode up to `CHUNK_BYTES` bytes by what a model predicts, as many as there is room for."""
        self._pass(model.decode(data, self._ends, self._window(8 * len(data))[LOOKAHEAD:]))

    def end(self) -> None:
        """Pass the bytes that end the code."""
        self._pass(len(last_bytes(self._ends)))

    def _window(self, bits: int) -> NDArray[np.uint8]:
        """Return the code from the first byte that is not done with on, enough for so many bits."""
        count = LOOKAHEAD * (1 + bits)
        self._fill(count)
        return np.frombuffer(self._ahead[:count].ljust(count, b"\0"), np.uint8)

    def _pass(self, count: int) -> None:
        if len(self.take(count)) < count:
            raise cut_off()

    def _fill(self, count: int) -> None:
        if not self._is_over and len(self._ahead) < count:
            self._ahead += read_fully(self._source, 2 * count - len(self._ahead))
            self._is_over = len(self._ahead) < 2 * count


def read_fully(source: Source, count: int) -> bytes:
    """Read so many bytes, fewer only where the source ends; a pipe hands over what it has."""
    parts: list[bytes] = []
    while count > 0 and (part := source.read(count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def cut_off() -> InputError:
    """Return the line that tells of a file which ends early."""
    return InputError("the file is cut off or damaged, it ends too early", remedy=GET_AGAIN)
