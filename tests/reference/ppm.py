"""Prediction by partial matching, method D with exclusions: dictionaries, fractions, whole distributions."""

import collections
import math
from collections.abc import Sequence
from fractions import Fraction


def distribution(
    counts: dict[tuple[int, ...], collections.Counter[int]], past: Sequence[int], *, order: int, vocabulary_size: int
) -> dict[int, tuple[Fraction, int]]:
    """Return for every symbol its probability after `past`, and the order that predicts it (-1: none).

    Args:
        counts: for every context that occurred, how often each symbol was counted after it.
        past: all symbols before.
        order: length of the longest context.
        vocabulary_size: symbols are 0 to this less 1.
    """
    result: dict[int, tuple[Fraction, int]] = {}
    escaped_here = Fraction(1)
    for length in range(min(order, len(past)), -1, -1):
        context = tuple(past[len(past) - length :])
        followers = {s: count for s, count in counts.get(context, {}).items() if s not in result}
        n, d = sum(followers.values()), len(followers)
        if not followers:
            continue
        nothing_else = len(result) + d == vocabulary_size
        whole = 2 * n - d if nothing_else else 2 * n
        for symbol, count in followers.items():
            result[symbol] = (escaped_here * Fraction(2 * count - 1, whole), length)
        if nothing_else:
            return result
        escaped_here *= Fraction(d, 2 * n)
    others = [symbol for symbol in range(vocabulary_size) if symbol not in result]
    for symbol in others:
        result[symbol] = (escaped_here / len(others), -1)
    return result


def distributions(
    text: Sequence[int], *, order: int, vocabulary_size: int, update_exclusion: bool = False
) -> list[dict[int, Fraction]]:
    """Return the distribution of every character given the ones before it, exactly."""
    counts: dict[tuple[int, ...], collections.Counter[int]] = collections.defaultdict(collections.Counter)
    result = []
    for position, character in enumerate(text):
        past = text[:position]
        predicted = distribution(counts, past, order=order, vocabulary_size=vocabulary_size)
        result.append({symbol: probability for symbol, (probability, _) in predicted.items()})
        shortest = max(0, predicted[character][1]) if update_exclusion else 0
        for length in range(shortest, min(order, position) + 1):
            counts[tuple(past[position - length :])][character] += 1
    return result


def bits(text: Sequence[int], *, order: int, vocabulary_size: int, update_exclusion: bool = False) -> list[float]:
    """Return -log2 of what `distributions` give to the characters that came."""
    predicted = distributions(text, order=order, vocabulary_size=vocabulary_size, update_exclusion=update_exclusion)
    exact = [p[character] for p, character in zip(predicted, text, strict=True)]
    return [math.log2(p.denominator) - math.log2(p.numerator) for p in exact]
