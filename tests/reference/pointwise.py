"""The law of the source `pointwise` from its definition: a token at a time, and the exact probability of a row."""

from collections.abc import Sequence
from fractions import Fraction


def urn(fresh: Sequence[int], uniform: Sequence[float], *, alpha: float, vocabulary_size: int) -> list[int]:
    """Return the row that Polya's urn makes of the random numbers, one fresh token and one uniform number a place."""
    row: list[int] = []
    for place, (token, number) in enumerate(zip(fresh, uniform, strict=True)):
        drawn = int(number * (place + vocabulary_size * alpha))
        row.append(row[drawn] if drawn < place else token)
    return row


def probability(row: Sequence[int], *, alpha: Fraction, vocabulary_size: int) -> Fraction:
    """Return the integral over p ~ Dirichlet(alpha, ..., alpha) of the product of p[token] over the row."""
    result = Fraction(1)
    for place, token in enumerate(row):
        result *= (row[:place].count(token) + alpha) / (place + vocabulary_size * alpha)
    return result
