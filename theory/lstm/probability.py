"""The probability that a Gaussian initialisation hits the function: the p(f) > 0 of Lemma 4.4, bounded from below.

With independent parameters of mean 0 and variance 1 around a network w in n dimensions, the probability of a region
R that is symmetric about 0, shifted to w, is by Jensen's inequality at least

    (2 pi)^(-n/2) · volume(R) · exp(-(|w|^2 + mean over R of |e|^2) / 2)

as e and -e cancel in the product w · e. The box of radius r has volume (2r)^n and mean n r^2 / 3; the ball has volume
pi^(n/2) r^n / Gamma(n/2 + 1) and mean n r^2 / (n + 2). The parameters and the radius are floats and so exact fractions;
pi and e are enclosed; the logarithm is rounded down. The results are true lower bounds, in bits.

Source: Bloem 2025 (arXiv 2506.20057), Lemma 4.4. Deviation: a Gaussian initialisation is needed for the lemma. The
uniform one of section 5.1 is bounded, and the weights here lie outside of it. Limits: sigma = 1.
"""

import math
from fractions import Fraction

import numpy as np

from theory.lstm.construction import LSTM
from theory.lstm.radius import Region
from theory.numbers.exact import log2_interval

# Enclosures, from 25 digits of each.
PI = Fraction(31415926535897932384626433, 10**25), Fraction(31415926535897932384626434, 10**25)
E = Fraction(27182818284590452353602874, 10**25), Fraction(27182818284590452353602875, 10**25)


def log2_probability(lstm: LSTM, *, radius: float, region: Region) -> Fraction:
    """Return a lower bound of log2 of the probability that an initialisation falls within the radius.

    Raises:
        ValueError: a radius that is not positive.

    """
    n, r = lstm.parameter_count, Fraction(radius)
    square_norm = _square_norm(lstm.vector)
    two_pi_high = log2_interval(2 * PI[1])[1]
    if region == "box":
        log_volume, mean_square = n * log2_interval(2 * r)[0], n * r * r / 3
    else:
        log_volume, mean_square = _log2_ball_volume(n, r), r * r * Fraction(n, n + 2)
    nats = (square_norm + mean_square) / 2
    return log_volume - Fraction(n, 2) * two_pi_high - nats * log2_interval(E[1])[1]


def _square_norm(vector: np.ndarray) -> Fraction:
    values, counts = np.unique(vector, return_counts=True)
    return sum((int(k) * Fraction(float(v)) ** 2 for v, k in zip(values, counts, strict=True)), Fraction(0))


def _log2_ball_volume(n: int, radius: Fraction) -> Fraction:
    """Return a lower bound of log2 of the volume of a ball in n dimensions.

    Gamma(n/2 + 1) is (n/2)! for even n, and n!! · sqrt(pi) / 2^((n+1)/2) for odd n, where one half power of pi cancels.
    """
    half = n // 2
    odd_factorial = Fraction(math.prod(range(1, n + 1, 2)), 2 ** (half + 1))
    gamma = odd_factorial if n % 2 else Fraction(math.factorial(half))
    return half * log2_interval(PI[0])[0] + n * log2_interval(radius)[0] - log2_interval(gamma)[1]
