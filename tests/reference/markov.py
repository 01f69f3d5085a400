"""The in-context Markov model of section 6.2, counted with a dictionary, one character at a time."""

import collections
import math
from collections.abc import Sequence
from fractions import Fraction


def probabilities(text: Sequence[int], *, order: int, smoothing: Fraction, vocabulary_size: int) -> list[Fraction]:
    """Return p(character | the ones before it) for every position, exactly.

    The context of a character is the `order` characters before it, or all of them where there are fewer.
    """
    count_context: collections.Counter[tuple[int, ...]] = collections.Counter()
    count_continuation: collections.Counter[tuple[tuple[int, ...], int]] = collections.Counter()
    result = []
    for position, character in enumerate(text):
        context = tuple(text[max(0, position - order) : position])
        result.append(
            (count_continuation[context, character] + smoothing)
            / (count_context[context] + smoothing * vocabulary_size)
        )
        count_context[context] += 1
        count_continuation[context, character] += 1
    return result


def bits(text: Sequence[int], *, order: int, smoothing: Fraction, vocabulary_size: int) -> list[float]:
    """Return -log2 of `probabilities`."""
    exact = probabilities(text, order=order, smoothing=smoothing, vocabulary_size=vocabulary_size)
    return [math.log2(p.denominator) - math.log2(p.numerator) for p in exact]
