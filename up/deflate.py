"""The size of bytes as a raw deflate stream, the quickest measure of structure that sees repetition at any distance."""

import zlib

LEVEL = 9


def deflated_bits(text: bytes) -> float:
    """Return the size of bytes compressed by zlib at level 9, in bits per byte, without header and checksum.

    Those would weigh on a short string. A few bytes of overhead are left, so random bytes come out slightly above 8.

    >>> deflated_bits(bytes(512)) < 0.2
    True
    """
    return 8 * len(deflated(text)) / len(text)


def deflated(text: bytes) -> bytes:
    """Return the raw stream of zlib at level 9."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)  # negative: a raw stream
    return compressor.compress(text) + compressor.flush()
