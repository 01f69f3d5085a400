"""How far counting falls behind the best coin: on every string, decided in integers."""

from fractions import Fraction
from math import log2

from theory import krichevsky_trofimov, laplace

LENGTHS = (1, 4, 16, 64)


def best_coin(ones: int, n: int) -> Fraction:
    """P(x) by the coin that makes x most likely."""
    return Fraction(ones, n) ** ones * Fraction(n - ones, n) ** (n - ones)


print("   n   Laplace   log2(n + 1)   Krichevsky-Trofimov   log2(n)/2 + 1")
for n in LENGTHS:
    behind = {}
    for estimator in (laplace(n), krichevsky_trofimov(n)):
        # The order of the bits changes nothing, so n + 1 strings stand for all 2^n.
        behind[estimator.name] = max(
            best_coin(ones, n) / estimator.prefix_mass("1" * ones + "0" * (n - ones))
            for ones in range(n + 1)
        )
    by_laplace, by_kt = behind.values()
    assert by_laplace == n + 1  # reached by 11...1
    assert by_kt**2 <= 4 * n  # a regret of log2(n)/2 + 1, squared
    print(
        f"{n:4}{log2(by_laplace):10.3f}{log2(n + 1):14.3f}"
        f"{log2(by_kt):22.3f}{log2(n) / 2 + 1:16.3f}"
    )
