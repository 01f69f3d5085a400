"""Exact numbers for people: the fraction, shortened where it is long and saying so, with a decimal beside it."""

import math
from fractions import Fraction

from theory.numbers.exact import log2_float
from theory.words import number_of

Number = Fraction | float | int

_MOST_DIGITS = 12
_ENDS = 4
_CELL_COLUMNS = 9
_LEAST_WITH_EXPONENT = 1e12  # floats below this are written out
_MOST_PRINTABLE_BITS = 4_000  # Python refuses to write longer integers in decimal


def exact(value: Number) -> str:
    """Return a number in full, with a decimal beside it where that says more; `≈` where the decimal is rounded.

    >>> exact(Fraction(1, 256)), exact(Fraction(2, 3)), exact(Fraction(8)), exact(0.25)
    ('1/256 = 0.00390625', '2/3 ≈ 0.6667', '8', '0.25')
    >>> exact(Fraction(7**20, 7**20 + 2)), exact(-10784.6)
    ('7979…2001/7979…2003 (17 digits each) ≈ 1', '-10,785')
    """
    if isinstance(value, int):
        value = Fraction(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if 1_000 <= abs(value) < _LEAST_WITH_EXPONENT else f"{value:.4g}"
    top, bottom = value.as_integer_ratio()
    if bottom == 1 and abs(top).bit_length() < _MOST_PRINTABLE_BITS:
        return f"{top:,}"
    if bottom == 1:
        return f"{_rounded(value)}, a number of {_digits(top):,} digits"
    if max(abs(top), bottom).bit_length() > _MOST_PRINTABLE_BITS:
        return f"{_rounded(value)}, a fraction of {_digits(top):,} over {number_of(_digits(bottom), 'digit')}"
    shown = f"{_shortened(top)}/{_shortened(bottom)}"
    digits = [len(str(abs(part))) for part in (top, bottom)]
    if max(digits) > _MOST_DIGITS:
        each = (
            f"{number_of(digits[0], 'digit')} each"
            if digits[0] == digits[1]
            else f"{digits[0]} over {number_of(digits[1], 'digit')}"
        )
        shown += f" ({each})"
    return f"{shown} {_rounded(value)}"


def cell(value: Number) -> str:
    """Return a number for a column: a short fraction exactly, anything else rounded, with `≈`.

    >>> cell(Fraction(1, 256)), cell(Fraction(2, 3)), cell(Fraction(12345, 67891)), cell(0.123456)
    ('1/256', '2/3', '≈0.1818', '0.1235')
    >>> cell(Fraction(1, 2**18))
    '2^-18'
    """
    if not isinstance(value, Fraction):
        return exact(value)
    top, bottom = value.as_integer_ratio()
    if max(abs(top), bottom).bit_length() < 4 * _CELL_COLUMNS and len(str(value)) < _CELL_COLUMNS - 2:
        return str(value)
    if top == 1 and bottom & (bottom - 1) == 0:
        return f"2^-{bottom.bit_length() - 1}"
    rounded = _rounded(value)
    if rounded.startswith("= ") and len(rounded) - 2 <= _CELL_COLUMNS:
        return rounded.removeprefix("= ")
    return _rounded(value, digits=4).removeprefix("= ").replace("≈ ", "≈")


def bits_cell(bits: float | None) -> str:
    """Return a number of bits for a column: three decimals, an exponent where these would all be 0, - for None.

    >>> bits_cell(1.35112), bits_cell(0.0), bits_cell(0.00007), bits_cell(None)
    ('1.351', '0', '7.0e-05', '-')
    """
    if bits is None:
        return "-"
    if not math.isfinite(bits):
        return f"{bits:g}"
    return "0" if bits == 0 else f"{bits:.1e}" if abs(bits) < 0.0005 else f"{bits:.3f}"


def _rounded(value: Fraction, digits: int = 9) -> str:
    """Return `= decimal` if so many digits are all of it, else `≈ decimal`; a power of two beyond what floats hold.

    >>> _rounded(Fraction(1, 3**1000))
    '≈ 2^-1585'
    """
    size = abs(value.numerator).bit_length() - value.denominator.bit_length()
    as_float = float(value) if abs(size) < 1000 else 0.0
    if as_float == 0 and value:
        return f"≈ {'-' * (value < 0)}2^{log2_float(abs(value)):.0f}"
    decimal = f"{as_float:.{digits}g}"
    if Fraction(decimal) == value:
        return f"= {decimal}"
    return f"≈ {as_float:.4g}"


def _shortened(integer: int) -> str:
    digits = str(integer)
    return digits if len(digits) <= _MOST_DIGITS else f"{digits[:_ENDS]}…{digits[-_ENDS:]}"


def _digits(integer: int) -> int:
    """Return about how many decimal digits a huge integer has."""
    return math.floor(math.log10(2) * (abs(integer).bit_length() - 1)) + 1 if integer else 1
