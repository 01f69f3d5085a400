"""Context-tree weighting in fractions: as the sum over all trees, and as the recursion of Willems and others (1995).

Both give the probability of a list of visits: pairs of a context, the bits before with the latest one first, and the
bit that came there.
"""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

Bits = tuple[int, ...]
Visits = list[tuple[Bits, int]]


def krichevsky_trofimov(visits: Visits) -> Fraction:
    """Return the probability of the bits: each is one with (ones before + 1/2) / (bits before + 1)."""
    probability, seen = Fraction(1), [0, 0]
    for _, bit in visits:
        probability *= (seen[bit] + Fraction(1, 2)) / (sum(seen) + 1)
        seen[bit] += 1
    return probability


def trees(depth: int) -> list[list[Bits]]:
    """Return all trees of at most this depth as lists of their leaves, which are the contexts that end there."""
    if depth == 0:
        return [[()]]
    below = trees(depth - 1)
    split = [[(0, *leaf) for leaf in zero] + [(1, *leaf) for leaf in one] for zero in below for one in below]
    return [[()], *split]


def sum_over_trees(visits: Visits, depth: int) -> Fraction:
    """Return the sum over all trees of 2^-(nodes above the full depth) times what the leaves say."""
    total = Fraction(0)
    for leaves in trees(depth):
        inner_nodes = len(leaves) - 1
        nodes_above = inner_nodes + sum(len(leaf) < depth for leaf in leaves)
        product = Fraction(1, 2**nodes_above)
        for leaf in leaves:
            product *= krichevsky_trofimov([visit for visit in visits if visit[0][: len(leaf)] == leaf])
        total += product
    return total


def recursion(visits: Visits, depth: int) -> Fraction:
    """Return P_w of a node with `depth` levels below it; contexts start at its level."""
    if depth == 0 or not visits:
        return krichevsky_trofimov(visits)
    children = [[(context[1:], bit) for context, bit in visits if context[0] == side] for side in (0, 1)]
    product = recursion(children[0], depth - 1) * recursion(children[1], depth - 1)
    return krichevsky_trofimov(visits) / 2 + product / 2


def probability(
    past: Sequence[int],
    symbol: int,
    *,
    depth: int,
    vocabulary_size: int,
    weighted: Callable[[Visits, int], Fraction] = recursion,
) -> Fraction:
    """Return p(symbol | past): for every bit that the vocabulary leaves open, what its own tree says."""
    width = math.ceil(math.log2(vocabulary_size))
    words = [tuple(int(digit) for digit in f"{word:0{width}b}") if width else () for word in range(vocabulary_size)]
    result = Fraction(1)
    for place in range(width):
        prefix, bit = words[symbol][:place], words[symbol][place]
        if len({word[place] for word in words if word[:place] == prefix}) == 1:
            continue
        visits: Visits = []
        history = [0] * depth  # the latest bit last
        for earlier in past:
            if words[earlier][:place] == prefix:
                visits.append((tuple(history[::-1][:depth]), words[earlier][place]))
            history += words[earlier]
        now = (tuple(history[::-1][:depth]), bit)
        result *= weighted([*visits, now], depth) / weighted(visits, depth)
    return result


def bits(
    text: Sequence[int],
    *,
    depth: int,
    vocabulary_size: int,
    weighted: Callable[[Visits, int], Fraction] = recursion,
) -> list[float]:
    """Return -log2 of `probability` for every symbol of a text given the ones before it."""
    exact = [
        probability(text[:t], symbol, depth=depth, vocabulary_size=vocabulary_size, weighted=weighted)
        for t, symbol in enumerate(text)
    ]
    return [math.log2(p.denominator) - math.log2(p.numerator) for p in exact]
