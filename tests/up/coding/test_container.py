import io
import random
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference import arithmetic as reference
from up.coding.arithmetic import decode_bit, encode_bit, share_of
from up.coding.container import BLOCK, VERSION, Sizes, read, write
from up.coding.flow import CHUNK_BYTES
from up.errors import InputError


class Counting:
    """Predicts each bit by how often it came after the same bits of a byte, and is never surer than to a hundredth."""

    def __init__(self, name: bytes = b"1234") -> None:
        self.fingerprint = name
        self.counts = np.full((256, 2), 0.5)

    def share(self, partial: int) -> int:
        zeros, ones = self.counts[partial]
        return share_of(min(max(ones / (zeros + ones), 0.01), 0.99))

    def encode(self, data, ends, code):
        place = 0
        for byte in data:
            partial = 1
            for shift in range(7, -1, -1):
                bit = int(byte) >> shift & 1
                place = encode_bit(ends, self.share(partial), bit, code, place)
                self.counts[partial, bit] += 1
                partial = 2 * partial + bit
        return place

    def decode(self, data, ends, code):
        place = 0
        for t in range(len(data)):
            partial = 1
            for _ in range(8):
                bit, place = decode_bit(ends, self.share(partial), code, place)
                self.counts[partial, bit] += 1
                partial = 2 * partial + bit
            data[t] = partial - 256
        return place


class Uniform:
    """Takes eight bits a byte, and is quick: the code is the data, moved by what stood before."""

    fingerprint = b"even"

    def encode(self, data, ends, code):
        place = 0
        for byte in data.tolist():
            for shift in (7, 6, 5, 4, 3, 2, 1, 0):
                place = encode_bit(ends, 1 << 29, byte >> shift & 1, code, place)
        return place

    def decode(self, data, ends, code):
        place = 0
        for t in range(len(data)):
            byte = 0
            for _ in range(8):
                bit, place = decode_bit(ends, 1 << 29, code, place)
                byte = 2 * byte + bit
            data[t] = byte
        return place


class Trickling(io.BytesIO):
    """Hands over a few bytes at a time, as a pipe may."""

    def read(self, size=-1):
        return super().read(min(size, 7) if size > 0 else size)


def packed(data: bytes, model=Counting) -> bytes:
    sink = io.BytesIO()
    assert write(model(), io.BytesIO(data), sink) == Sizes(data_bytes=len(data), file_bytes=len(sink.getvalue()))
    return sink.getvalue()


def unpacked(file: bytes, model=Counting) -> bytes:
    sink = io.BytesIO()
    assert read(model(), io.BytesIO(file), sink) == Sizes(data_bytes=len(sink.getvalue()), file_bytes=len(file))
    return sink.getvalue()


@given(st.binary(max_size=300))
@example(b"")
@example(bytes(CHUNK_BYTES))
@example(b"\xff" * (CHUNK_BYTES + 1))
def test_what_was_written_is_read(data):
    assert unpacked(packed(data)) == data


@pytest.mark.parametrize("length", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_blocks_that_are_full_or_nearly_so_are_no_exception(length):
    data = bytes(length)
    file = packed(data, Uniform)
    assert len(file) <= length + 16
    assert unpacked(file, Uniform) == data


def test_a_pipe_that_trickles_gives_the_same_bytes_both_ways():
    data, file, back = random.Random(0).randbytes(3_000), io.BytesIO(), io.BytesIO()
    write(Counting(), Trickling(data), file)
    assert file.getvalue() == packed(data)
    read(Counting(), Trickling(file.getvalue()), back)
    assert back.getvalue() == data


def test_progress_is_told_from_the_first_bytes_to_the_last_and_never_goes_back():
    told: list[Sizes] = []
    file = io.BytesIO()
    write(Counting(), io.BytesIO(bytes(range(256)) * 8), file, progress=told.append)
    assert [each.data_bytes for each in told] == list(range(CHUNK_BYTES, 2_049, CHUNK_BYTES))
    told.clear()
    read(Counting(), io.BytesIO(file.getvalue()), io.BytesIO(), progress=told.append)
    assert [each.data_bytes for each in told] == list(range(CHUNK_BYTES, 2_049, CHUNK_BYTES))
    sizes = [each.file_bytes for each in told]
    assert sizes == sorted(sizes)
    assert len(file.getvalue()) - 16 < sizes[-1] <= len(file.getvalue())


class Silent:
    """Needs no code, since it knows that all bytes are 0."""

    fingerprint = b"null"

    def encode(self, data, _ends, _code):
        assert not data.any()
        return 0

    def decode(self, _data, _ends, _code):
        return 0


class Flow:
    """So many zeros to read, or a place where bytes vanish."""

    def __init__(self, length: int = 0) -> None:
        self.left = length

    def read(self, count):
        part = bytes(min(count, self.left))
        self.left -= len(part)
        return part

    def write(self, part):
        pass


def test_memory_does_not_depend_on_the_length():
    file = io.BytesIO()
    tracemalloc.start()
    try:
        assert write(Silent(), Flow(1 << 23), file).data_bytes == 1 << 23
        assert read(Silent(), io.BytesIO(file.getvalue()), Flow()).data_bytes == 1 << 23
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 1 << 20


TEXT = b"how much would"


def test_every_byte_that_is_changed_to_any_other_is_found():
    file = packed(TEXT)
    for place in range(len(file)):
        for change in range(1, 256):
            damaged = bytearray(file)
            damaged[place] ^= change
            with pytest.raises(InputError):
                unpacked(bytes(damaged))


def test_every_file_that_was_cut_off_is_found():
    file = packed(TEXT)
    for length in range(len(file)):
        with pytest.raises(InputError, match=r"cut off|empty"):
            unpacked(file[:length])


@given(st.binary(min_size=1, max_size=9))
def test_whatever_follows_the_end_is_found(more):
    with pytest.raises(InputError, match="something stands after the end"):
        unpacked(packed(TEXT) + more)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (b"", "an empty file"),
        (b"\x81u", "cut off"),
        (b"PK\x03\x04 something else", "this is no .up file"),
        (b"\x81un is not what we write", "this is no .up file"),
        (bytes([128 + VERSION + 1]) + packed(TEXT)[1:], r"another version of the format \(received 2\)"),
        (packed(TEXT, lambda: Counting(b"abcd")), r"another model \(received '61626364'\).*this one is 31323334"),
        (packed(TEXT)[:-1] + b"?", "damaged, its checksum differs"),
    ],
)
def test_what_is_refused_is_refused_with_the_reason(file, said):
    with pytest.raises(InputError, match=said):
        unpacked(file)


@pytest.mark.parametrize("data", [b"", b"A", b"some bytes"])
def test_the_layout_is_the_documented_one(data):
    """Rebuilt from the description: an even bit for `no full block`, the length in 16, and then those of the bytes."""
    bits = [0, *map(int, f"{len(data):016b}"), *np.unpackbits(np.frombuffer(data, np.uint8)).tolist()]
    code = reference.shortest(reference.narrow([(1 << 29, bit) for bit in bits], reference.ideal))
    file = b"\x81up" + Uniform.fingerprint + code
    both = zlib.crc32(data).to_bytes(4, "little") + zlib.crc32(file).to_bytes(4, "little")
    assert packed(data, Uniform) == file + zlib.crc32(both).to_bytes(4, "little")


@given(st.binary(max_size=100))
def test_a_damaged_file_of_random_bytes_behind_a_true_header_never_comes_out(code):
    with pytest.raises(InputError):
        unpacked(b"\x81up1234" + code)
