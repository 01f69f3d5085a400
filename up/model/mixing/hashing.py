"""Hashes: names of contexts and of slots, as integers below 2^62.

Their products are cut to 62 bits, so plain Python's whole numbers and a compiled function's words of 64 bits agree.

Limits: no protection against bytes that were chosen to collide.
"""

_MASK_62 = (1 << 62) - 1
_FACTOR = 0x2545F4914F6CDD1D


def scramble(name: int, symbol: int) -> int:
    """Return the name of a context that is longer by a symbol."""
    name = ((name ^ (symbol + 1)) * _FACTOR) & _MASK_62
    return name ^ (name >> 31)


def hash_of_two(first: int, second: int) -> int:
    """Return a hash of two symbols, 16 bits."""
    return scramble(scramble(0, first), second) & 0xFFFF
