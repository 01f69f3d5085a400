"""Context-tree weighting in fractions: as the sum over all trees, and as the recursion of Willems and others (1995).

Both give the probability of a list of visits: pairs of a context, the bits before with the latest one first, and the
bit that came there. For strings that are too long for fractions there is the recursion in decimals of 60 digits.
"""

import math
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
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


def words(vocabulary_size: int) -> list[Bits]:
    """Return the binary word of every symbol, the most significant bit first."""
    width = math.ceil(math.log2(vocabulary_size))
    return [tuple((symbol >> place) & 1 for place in reversed(range(width))) for symbol in range(vocabulary_size)]


def visits_of(text: Sequence[int], prefix: Bits, depth: int, vocabulary_size: int) -> tuple[Visits, Bits]:
    """Return the visits to the tree of words that start with `prefix`, and the context after the text."""
    word_of = words(vocabulary_size)
    visits: Visits = []
    context = (0,) * depth
    for symbol in text:
        word = word_of[symbol]
        if word[: len(prefix)] == prefix:
            visits.append((context, word[len(prefix)]))
        context = (*reversed(word), *context)[:depth]
    return visits, context


def is_open(prefix: Bits, vocabulary_size: int) -> bool:
    """Return whether words that start with `prefix` may go on with either bit."""
    return len({word[len(prefix)] for word in words(vocabulary_size) if word[: len(prefix)] == prefix}) == 2


def probability(
    past: Sequence[int],
    symbol: int,
    *,
    depth: int,
    vocabulary_size: int,
    weighted: Callable[[Visits, int], Fraction] = recursion,
) -> Fraction:
    """Return p(symbol | past): for every bit that the vocabulary leaves open, what its own tree says."""
    word = words(vocabulary_size)[symbol]
    result = Fraction(1)
    for place, bit in enumerate(word):
        if is_open(word[:place], vocabulary_size):
            visits, context = visits_of(past, word[:place], depth, vocabulary_size)
            result *= weighted([*visits, (context, bit)], depth) / weighted(visits, depth)
    return result


def bits(
    text: Sequence[int],
    *,
    depth: int,
    vocabulary_size: int,
    weighted: Callable[[Visits, int], Fraction] = recursion,
) -> list[float]:
    """Return -log2 of `probability` for every symbol of a text given the ones before it."""
    settings = {"depth": depth, "vocabulary_size": vocabulary_size}
    return [_minus_log2(probability(text[:t], text[t], weighted=weighted, **settings)) for t in range(len(text))]


def block_bits(text: Sequence[int], *, depth: int, vocabulary_size: int) -> float:
    """Return -log2 of the probability of a whole text: the product of what each tree says about its visits."""
    prefixes = {word[:place] for word in words(vocabulary_size) for place in range(len(word))}
    trees_used = [prefix for prefix in prefixes if is_open(prefix, vocabulary_size)]
    return sum(
        _minus_log2(recursion(visits_of(text, prefix, depth, vocabulary_size)[0], depth)) for prefix in trees_used
    )


def decimal_predictions(text: Sequence[int], depth: int) -> list[Decimal]:
    """Return p(bit | past) for every bit of a text with zeros before it, rounded to 60 digits at every step.

    All that is added is positive, so the relative errors of 10^-60 do no worse than add up: about ten of them for each
    node of a path, hence less than 10^-53 for 10^5 bits and a dozen levels.
    """
    one, half, context = Decimal(1), Decimal("0.5"), 0
    counts: dict[tuple[int, int], tuple[int, int]] = {}
    estimate: dict[tuple[int, int], Decimal] = {}
    weighted: dict[tuple[int, int], Decimal] = {}
    predictions = []
    with localcontext(Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        for bit in text:
            before = weighted.get((0, 0), one)
            for level in range(depth, -1, -1):
                last = context & ((1 << level) - 1)  # the last `level` bits, the latest one lowest
                node = level, last
                seen = counts.get(node, (0, 0))
                estimate[node] = estimate.get(node, one) * (2 * seen[bit] + 1) / (2 * sum(seen) + 2)
                counts[node] = (seen[0], seen[1] + 1) if bit else (seen[0] + 1, seen[1])
                weighted[node] = estimate[node]
                if level < depth:
                    zero, other = (weighted.get((level + 1, last | side << level), one) for side in (0, 1))
                    weighted[node] = (estimate[node] + zero * other) * half
            predictions.append(weighted[0, 0] / before)
            context = (context << 1 | bit) & ((1 << depth) - 1)
    return predictions


def _minus_log2(fraction: Fraction) -> float:
    return math.log2(fraction.denominator) - math.log2(fraction.numerator)
