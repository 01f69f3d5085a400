import math

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference import arithmetic as reference
from up.coding.arithmetic import (
    HIGH,
    LOOKAHEAD,
    LOW,
    SHARE_BITS,
    WIDTH,
    begin,
    decode_bit,
    encode_bit,
    last_bytes,
    new_ends,
    share_of,
    split,
)

LEAST, MOST = 1, (1 << SHARE_BITS) - 1
FLOOR = share_of(2.0**-16)  # of the mixing predictor
shares = st.one_of(st.integers(LEAST, MOST), st.sampled_from([LEAST, FLOOR, 1 << 29, MOST]))
decisions = st.lists(st.tuples(shares, st.integers(0, 1)), max_size=60)


# The ends close in on the place where the first byte changes, until there is nothing between them.
CLOSING_IN = [(3 << 28, 1), ((1 << SHARE_BITS) // 3, 0)] * 40


def encoded(pairs):
    ends, code, place = new_ends(), np.zeros(LOOKAHEAD * len(pairs), np.uint8), 0
    for share, bit in pairs:
        place = encode_bit(ends, share, bit, code, place)
    return code[:place].tobytes() + last_bytes(ends)


def decoded(code, given_shares):
    ends, room = new_ends(), LOOKAHEAD * (1 + len(given_shares))
    array = np.frombuffer(code.ljust(room, b"\xff"), np.uint8)
    place, bits = begin(ends, array), []
    for share in given_shares:
        bit, place = decode_bit(ends, share, array, place)
        bits.append(bit)
    return bits, place - LOOKAHEAD + len(last_bytes(ends))


@given(decisions)
@example([(1 << 29, 1), (MOST, 0)] * 20)
@example(CLOSING_IN)
def test_the_code_is_that_of_exact_fractions_rounded_alike(pairs):
    assert encoded(pairs) == reference.shortest(reference.narrow(pairs, reference.rounded))


@given(decisions)
@example(CLOSING_IN)
def test_what_was_encoded_is_decoded_whatever_follows_and_the_end_is_found(pairs):
    code = encoded(pairs)
    bits, end = decoded(code, [share for share, _ in pairs])
    assert bits == [bit for _, bit in pairs]
    assert end == len(code)
    assert list(reference.decoded(code, [share for share, _ in pairs], reference.rounded)) == bits


@given(st.lists(st.tuples(st.integers(FLOOR, (1 << SHARE_BITS) - FLOOR), st.integers(0, 1)), max_size=60))
def test_the_oracle_without_rounding_decodes_what_it_encodes_and_is_hardly_ever_shorter(pairs):
    exact = reference.shortest(reference.narrow(pairs, reference.ideal))
    given_shares = [share for share, _ in pairs]
    assert list(reference.decoded(exact, given_shares, reference.ideal)) == [bit for _, bit in pairs]
    assert abs(len(encoded(pairs)) - len(exact)) <= 1


@given(st.integers(0, (1 << WIDTH) - 2), st.integers(1, (1 << WIDTH) - 1), shares)
def test_neither_part_of_a_split_is_empty_and_its_place_is_exact(low, width, share):
    width = min(width, (1 << WIDTH) - 1 - low)
    middle = split(low, low + width, share)
    assert low <= middle < low + width
    assert middle == low + (width * share >> SHARE_BITS)


@given(decisions)
def test_the_ends_never_share_their_leading_byte(pairs):
    ends, code = new_ends(), np.zeros(LOOKAHEAD, np.uint8)
    for share, bit in pairs:
        assert encode_bit(ends, share, bit, code, 0) <= LOOKAHEAD
        assert 0 <= ends[LOW] < ends[HIGH] < 1 << WIDTH
        assert ends[LOW] >> (WIDTH - 8) != ends[HIGH] >> (WIDTH - 8)


def test_many_likely_bits_take_what_they_are_charged():
    """Bits of probability 1 - 2^-16, and now and then one of 2^-16, as far as the predictor goes."""
    rng, likely = np.random.default_rng(0), 1 - 2.0**-16
    pairs = [(share_of(likely), int(rng.random() >= 1e-4)) for _ in range(400_000)]
    ideal_bits = sum(-math.log2(likely if bit else 1 - likely) for _, bit in pairs)
    assert 8 * len(encoded(pairs)) <= 1.001 * ideal_bits + 16
    assert 8 * len(encoded(pairs)) >= 0.999 * ideal_bits


@given(st.floats(0, 1))
def test_a_share_is_the_nearest_and_never_none_or_all(probability):
    share = share_of(probability)
    assert LEAST <= share <= MOST
    assert abs(share / 2**SHARE_BITS - probability) <= 2.0**-SHARE_BITS
