"""The size of a raw deflate stream."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from up.deflate import deflated_bits


@given(st.binary(min_size=1, max_size=300))
def test_it_is_the_size_of_what_zlib_can_read_back(text):
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = compressor.compress(text) + compressor.flush()
    assert zlib.decompress(stream, -15) == text
    assert deflated_bits(text) == 8 * len(stream) / len(text)
