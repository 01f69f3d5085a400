"""The context-tree source and its exact mixture, one node at a time; see `up.sources.tree` for the prior."""

import math
from collections.abc import Sequence
from fractions import Fraction

MASK = 2**64 - 1


def scrambled(counter: int) -> int:
    """Return output number `counter`, from 1 on, of SplitMix64 with seed 0."""
    return mixed(counter * 0x9E3779B97F4A7C15 & MASK)


def mixed(number: int) -> int:
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & MASK
    return number ^ number >> 31


def theta(key: int, prefix: int, context: Sequence[int], max_depth: int, split_probability: float) -> float:
    """Return the parameter of the leaf that a context, the latest token first, leads to in the tree of a prefix."""
    name = key
    for depth in range(max_depth + 1):
        coin = mixed((name + scrambled(1 + prefix)) & MASK) >> 11
        if depth == max_depth or coin >= int(split_probability * 2**53):
            break
        name = (name + scrambled(513 + context[depth] * max_depth + depth)) & MASK
    angle = (mixed((name + scrambled(257 + prefix)) & MASK) >> 11) * (math.pi / 2 * 2.0**-53)
    return math.sin(angle) ** 2


def bits_of(token: int, vocabulary_size: int) -> list[tuple[int, int]]:
    """Return pairs (prefix, bit) of the bits of a token that are not forced."""
    width, pairs, prefix = (vocabulary_size - 1).bit_length(), [], 1
    for place in reversed(range(width)):
        if ((2 * prefix + 1) << place) - (1 << width) < vocabulary_size:
            pairs.append((prefix, token >> place & 1))
        prefix = 2 * prefix + (token >> place & 1)
    return pairs


def row(
    key: int, uniforms: Sequence[Sequence[float]], *, vocabulary_size: int, max_depth: int, split_probability: float
) -> list[int]:
    """Return the tokens of a row, from its key and a uniform number for every bit."""
    width = (vocabulary_size - 1).bit_length()
    tokens = [0] * max_depth
    for numbers in uniforms:
        prefix = 1
        for place, number in zip(reversed(range(width)), numbers, strict=True):
            is_allowed = ((2 * prefix + 1) << place) - (1 << width) < vocabulary_size
            probability = theta(key, prefix, tokens[::-1], max_depth, split_probability)
            prefix = 2 * prefix + (is_allowed and number < probability)
        tokens.append(prefix - (1 << width))
    return tokens[max_depth:]


def krichevsky_trofimov(bits: Sequence[int]) -> Fraction:
    """Return the integral of the probability of the bits over theta ~ Beta(1/2, 1/2).

    >>> krichevsky_trofimov([1, 1])
    Fraction(3, 8)
    """
    result = Fraction(1)
    for place, bit in enumerate(bits):
        result *= (bits[:place].count(bit) + Fraction(1, 2)) / (place + 1)
    return result


def probability(
    tokens: Sequence[int], *, vocabulary_size: int, max_depth: int, split_probability: Fraction
) -> Fraction:
    """Return the probability of a row under the mixture over all trees and parameters."""

    def of_node(depth: int, seen: list[tuple[list[int], int]]) -> Fraction:
        """Return P(node) for the bits of its subtree, each with its context, the latest token first."""
        if not seen:
            return Fraction(1)
        as_leaf = krichevsky_trofimov([bit for _, bit in seen])
        if depth == max_depth:
            return as_leaf
        as_split = Fraction(1)
        for token in range(vocabulary_size):
            as_split *= of_node(depth + 1, [each for each in seen if each[0][depth] == token])
        return split_probability * as_split + (1 - split_probability) * as_leaf

    seen_of_prefix: dict[int, list[tuple[list[int], int]]] = {}
    past = [0] * max_depth
    for token in tokens:
        for prefix, bit in bits_of(token, vocabulary_size):
            seen_of_prefix.setdefault(prefix, []).append((past[::-1], bit))
        past.append(token)
    return math.prod((of_node(0, seen) for seen in seen_of_prefix.values()), start=Fraction(1))
