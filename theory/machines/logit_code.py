"""Rational logits as bits on an output tape: a sign, ones for the numerator, 0, ones for the denominator less 1.

Source: Shaw et al. 2025 (arXiv 2509.22445), equation 28; the sign bit 1 is taken for negative.
"""

from fractions import Fraction

from theory.errors import InputError
from theory.numbers.bit_strings import BitString, require_bit_string


def decode_logit(bits: BitString) -> Fraction:
    """Return the logit on an output tape: a sign (1: negative), the numerator in ones, 0, denominator less 1 in ones.

    >>> decode_logit("111101"), decode_logit("00")
    (Fraction(-3, 2), Fraction(0, 1))

    Raises:
        InputError: the bits stand for no logit.

    """
    numerator, zero, denominator = require_bit_string(bits)[1:].partition("0")
    if not zero or "0" in denominator:
        remedy = "write a sign, ones for the numerator, 0, and ones for the denominator less 1"
        raise InputError("the bits of an output tape stand for no logit", received=bits, remedy=remedy)
    size = Fraction(len(numerator), len(denominator) + 1)
    return -size if bits[0] == "1" else size


def encode_logit(logit: Fraction) -> BitString:
    """Return the bits of an output tape for a logit; the inverse of `decode_logit` up to reducing the fraction.

    >>> encode_logit(Fraction(-3, 2))
    '111101'
    """
    return f"{int(logit < 0)}{'1' * abs(logit.numerator)}0{'1' * (logit.denominator - 1)}"
