"""Tokens as binary decisions: each is written in ceil(log2 V) digits, and predicted digit by digit from the highest on.

A vocabulary of V = 256 tokens, that of bytes, has eight digits. The token read so far is held as `partial`: a one, then
its digits (`up.model.mixing.slots.bits_so_far` counts them).
"""

BYTES = 256


def digits_of(vocabulary_size: int) -> int:
    """Return how many binary digits a token is written in.

    >>> digits_of(256), digits_of(2)
    (8, 1)
    """
    return (vocabulary_size - 1).bit_length()
