import bz2
import lzma
import sys
import zlib

import numpy as np
import pytest

from up.data.corpora import load_corpus
from up.errors import InputError
from up.evaluation.compressors import (
    COMPRESSORS,
    EXTRA,
    PPMD_MEMORY,
    PPMD_ORDERS,
    CompressedSize,
    compressed_sizes,
    xz_filters,
)

# The package that each compressor of the extra comes from.
PACKAGES = {"zstd": "zstandard", "brotli": "brotli", "PPMd var. H": "pyppmd"}
NAMED = {compressor.name: compressor for compressor in COMPRESSORS}
FILES = {
    "one byte": b"a",
    "text": b"the cat sat on the mat; the mat sat on the cat. " * 20,
    "noise": np.random.default_rng(0).bytes(5000),
    "all bytes": bytes(range(256)) * 3,
}


def unpack(name: str, stream: bytes, settings: str, size: int) -> bytes:
    """Decompress with the decoder of the format, which is told only what the row says and the file's length."""
    if name == "zlib":
        return zlib.decompress(stream, wbits=-zlib.MAX_WBITS)
    if name == "bzip2":
        return bz2.decompress(stream)
    if name == "xz":
        return lzma.decompress(stream, format=lzma.FORMAT_RAW, filters=xz_filters(size))
    if name == "zstd":
        zstandard = pytest.importorskip("zstandard")
        decoder = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS)
        return decoder.decompress(stream, max_output_size=size)
    if name == "brotli":
        return pytest.importorskip("brotli").decompress(stream)
    order = int(settings.removeprefix("order "))
    return pytest.importorskip("pyppmd").Ppmd7Decoder(order, PPMD_MEMORY).decode(stream, size)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("name", NAMED)
def test_what_is_counted_can_be_unpacked(name, file):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name])
    data = FILES[file]
    stream, settings = NAMED[name].compress(data)
    assert unpack(name, stream, settings, len(data)) == data
    expected = {"size_bytes": len(stream), "bits_per_byte": 8 * len(stream) / len(data)}
    assert NAMED[name].measure(data) == CompressedSize(
        name=name, stream=NAMED[name].stream, settings=settings, **expected
    )


def test_raw_streams_are_shorter_than_the_files_of_the_same_compressor_by_header_and_checksum():
    data = load_corpus("stdlib").data[:50_000].tobytes()
    sizes = {size.name: size.size_bytes for size in compressed_sizes(data)}
    assert sizes["zlib"] == len(zlib.compress(data, 9)) - 2 - 4
    assert sizes["bzip2"] == len(bz2.compress(data, 9))
    assert len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) - 100 < sizes["xz"]
    assert sizes["xz"] < len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)) - 12  # the header alone
    if sizes["zstd"] is not None:
        zstandard = pytest.importorskip("zstandard")
        assert sizes["zstd"] < len(zstandard.ZstdCompressor(level=22).compress(data)) - 4  # the magic number


@pytest.mark.parametrize("file", FILES)
def test_what_is_left_of_the_header_of_zstd_is_as_long_as_is_said(file):
    zstandard = pytest.importorskip("zstandard")
    stream, _ = NAMED["zstd"].compress(FILES[file])
    assert NAMED["zstd"].stream == "with 2 bytes of its header"
    assert zstandard.frame_header_size(zstandard.FRAME_HEADER + stream) == len(zstandard.FRAME_HEADER) + 2


def test_the_order_of_ppmd_is_the_best_for_the_file():
    pyppmd = pytest.importorskip("pyppmd")
    data = load_corpus("pydoc").data[:20_000].tobytes()
    size = NAMED["PPMd var. H"].measure(data)
    sizes = []
    for order in PPMD_ORDERS:
        encoder = pyppmd.Ppmd7Encoder(order, PPMD_MEMORY)
        sizes.append(len(encoder.encode(data)) + len(encoder.flush()))
    assert size.size_bytes == min(sizes)
    assert size.settings == f"order {PPMD_ORDERS[sizes.index(min(sizes))]}"


def test_a_compressor_that_is_not_installed_has_a_row_that_names_the_extra(monkeypatch):
    for package in PACKAGES.values():
        monkeypatch.setitem(sys.modules, package, None)
    sizes = compressed_sizes(b"abc" * 100)
    assert [size.name for size in sizes] == ["zlib", "bzip2", "xz", "zstd", "brotli", "PPMd var. H"]
    for size in sizes:
        if size.name in PACKAGES:
            assert (size.settings, size.size_bytes, size.bits_per_byte) == ("", None, None)
            assert size.missing_extra == EXTRA == "compressors"
        else:
            assert size.missing_extra is None
            assert size.size_bytes is not None


def test_an_empty_file_is_refused():
    with pytest.raises(InputError, match="empty file"):
        compressed_sizes(b"")
