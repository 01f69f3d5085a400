"""Exponential and logarithm of + - * / alone, which IEEE 754 rounds exactly: the same bits on every machine.

    exp(x) = q(x / 64)^64          q: the Taylor polynomial of degree 14, |x / 64| <= 5/8; six squarings
    log(m 2^e) = e log 2 + 2 atanh((m - 1) / (m + 1))         m from 0.7 to 1.5; the series up to the 23rd power

Libraries differ in the last bit of these functions, and a decoder whose last bit differs from the encoder's reads
nonsense. numba fuses no multiplication with an addition and keeps the order of sums unless it is asked for fast math.

Limits: relative errors up to 1e-13; exponents beyond +-40 are cut there, where a sigmoid is 0 or 1 but for 1e-17.
"""

import math

LOG_2 = 0.6931471805599453
LIMIT = 40.0
_SQRT_HALF = 0.7071067811865476


def exponential(x: float) -> float:
    """Return e^x, x cut to +-40.

    >>> abs(exponential(1.0) - math.e) < 1e-13
    True
    """
    r = min(max(x, -LIMIT), LIMIT) * 0.015625
    q = 1.0 + r * (1.0 / 14.0)
    q = 1.0 + q * r * (1.0 / 13.0)
    q = 1.0 + q * r * (1.0 / 12.0)
    q = 1.0 + q * r * (1.0 / 11.0)
    q = 1.0 + q * r * (1.0 / 10.0)
    q = 1.0 + q * r * (1.0 / 9.0)
    q = 1.0 + q * r * (1.0 / 8.0)
    q = 1.0 + q * r * (1.0 / 7.0)
    q = 1.0 + q * r * (1.0 / 6.0)
    q = 1.0 + q * r * (1.0 / 5.0)
    q = 1.0 + q * r * 0.25
    q = 1.0 + q * r * (1.0 / 3.0)
    q = 1.0 + q * r * 0.5
    q = 1.0 + q * r
    q = q * q
    q = q * q
    q = q * q
    q = q * q
    q = q * q
    return q * q


def sigmoid(x: float) -> float:
    """Return 1 / (1 + e^-x).

    >>> sigmoid(0.0)
    0.5
    """
    return 1.0 / (1.0 + exponential(-x))


def logarithm(x: float) -> float:
    """Return the natural logarithm of a positive number.

    >>> logarithm(1.0), abs(logarithm(10.0) - math.log(10)) < 1e-14
    (0.0, True)
    """
    m, e = math.frexp(x)
    if m < _SQRT_HALF:
        m, e = 2.0 * m, e - 1
    s = (m - 1.0) / (m + 1.0)
    square = s * s
    series = 0.0
    for odd in range(23, 0, -2):
        series = series * square + 1.0 / odd
    return e * LOG_2 + 2.0 * s * series
