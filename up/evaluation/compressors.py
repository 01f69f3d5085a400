"""What general-purpose compressors make of a whole file, in bits per byte, at their strongest levels.

zlib, bzip2 and xz come with Python; zstd, brotli and PPMd var. H with the extra `compressors`, and without it their
rows have no size. Where the format allows a stream without header and checksum, that is what is counted, for those
weigh on a short file; the row says what is left of them. No size includes the compressor itself: brotli brings along a
dictionary of English and of the web, so it is ahead from the start on a short text. PPMd's order is the best for the
file, which favours it a little.

Limits: a file is compressed in memory, in one piece, by programs whose releases may differ by some bytes. xz at level
9 takes up to 700 MB. PPMd takes up to 256 MB, and forgets everything where that is not enough.
"""

import bz2
import dataclasses
import lzma
from collections.abc import Callable, Iterator

from up.deflate import LEVEL, deflated
from up.errors import InputError

EXTRA = "compressors"
PPMD_ORDERS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 24, 32, 48, 64)
PPMD_MEMORY = 256 << 20  # bytes

_XZ_DICTIONARY = 64 << 20  # bytes: that of level 9
_ZSTD_LEVEL = 22
_BROTLI_QUALITY, _BROTLI_WINDOW = 11, 24  # the window is 2^24 bytes, the largest of the format


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompressedSize:
    """What one compressor makes of one file.

    Attributes:
        name: of the compressor.
        stream: what is counted: `raw`, or what its format adds.
        settings: level or order, in words; empty if the compressor is not installed.
        size_bytes: length of the stream; None if it is not installed, or the file was not compressed.
        bits_per_byte: 8 `size_bytes` / length of the file; likewise.
        missing_extra: the extra of this package that would install it; None if it is installed.

    """

    name: str
    stream: str
    settings: str = ""
    size_bytes: int | None = None
    bits_per_byte: float | None = None
    missing_extra: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compressor:
    """A compressor.

    Attributes:
        name: as in `CompressedSize`.
        stream: likewise.
        compress: returns the stream and its settings; raises ModuleNotFoundError if the compressor is not
            installed.

    """

    name: str
    stream: str
    compress: Callable[[bytes], tuple[bytes, str]]

    def measure(self, data: bytes) -> CompressedSize:
        """Compress a file that is not empty."""
        try:
            stream, settings = self.compress(data)
        except ModuleNotFoundError:
            return CompressedSize(name=self.name, stream=self.stream, missing_extra=EXTRA)
        return CompressedSize(
            name=self.name,
            stream=self.stream,
            settings=settings,
            size_bytes=len(stream),
            bits_per_byte=8 * len(stream) / len(data),
        )


def compressed_sizes(data: bytes) -> tuple[CompressedSize, ...]:
    """Compress a file with every compressor, in the order of `COMPRESSORS`.

    Raises:
        InputError: an empty file.

    """
    if not data:
        raise InputError("cannot compress an empty file", remedy="give at least one byte")
    return tuple(compressor.measure(data) for compressor in COMPRESSORS)


def xz_filters(size_bytes: int) -> list[dict[str, int]]:
    """Return LZMA2 at level 9, extreme; a dictionary larger than the file would change nothing and take memory."""
    dictionary = min(max(4096, size_bytes), _XZ_DICTIONARY)
    return [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}]


def _zlib(data: bytes) -> tuple[bytes, str]:
    return deflated(data), f"level {LEVEL}"


def _bzip2(data: bytes) -> tuple[bytes, str]:
    return bz2.compress(data, 9), "level 9"


def _xz(data: bytes) -> tuple[bytes, str]:
    return lzma.compress(data, format=lzma.FORMAT_RAW, filters=xz_filters(len(data))), "level 9 extreme"


def _zstd(data: bytes) -> tuple[bytes, str]:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(
        _ZSTD_LEVEL,
        source_size=len(data),
        format=zstandard.FORMAT_ZSTD1_MAGICLESS,
        write_content_size=False,
        write_checksum=False,
        write_dict_id=False,
    )
    stream = zstandard.ZstdCompressor(compression_params=parameters).compress(data)
    return stream, f"level {_ZSTD_LEVEL}"


def _brotli(data: bytes) -> tuple[bytes, str]:
    import brotli

    return brotli.compress(data, quality=_BROTLI_QUALITY, lgwin=_BROTLI_WINDOW), f"quality {_BROTLI_QUALITY}"


def _ppmd(data: bytes) -> tuple[bytes, str]:
    import pyppmd

    def streams() -> Iterator[tuple[bytes, int]]:
        for order in PPMD_ORDERS:
            encoder = pyppmd.Ppmd7Encoder(order, PPMD_MEMORY)
            yield encoder.encode(data) + encoder.flush(), order

    stream, best = min(streams(), key=lambda each: len(each[0]))  # no more than the best so far is held
    return stream, f"order {best}"


COMPRESSORS = (
    Compressor(name="zlib", stream="raw", compress=_zlib),
    Compressor(name="bzip2", stream="with its header and checksums", compress=_bzip2),
    Compressor(name="xz", stream="raw", compress=_xz),
    Compressor(name="zstd", stream="with 2 bytes of its header", compress=_zstd),
    Compressor(name="brotli", stream="raw", compress=_brotli),
    Compressor(name="PPMd var. H", stream="raw", compress=_ppmd),
)
"""All compressors: those of Python first, then those of the extra."""
