"""Context-tree weighting: what the mixture of all context trees loses to the best of them.

Let m be the mixture of all context trees of depth at most D, with the prior 2^-Gamma(S) and unknown coins at the
leaves (`theory.measures.context_trees`). It is a sum with one term for each tree S, 2^-Gamma(S) prod KT(a_s, b_s), and
is no less than any one of them: the tree costs Gamma(S) bits, its nodes above depth D. Beside the best coins for x, KT
charges each leaf that saw n bits log2(n)/2 + 1 bits at most. Together, for all strings x, trees S and coins theta,

    -log2 m(x) <= -log2 P_S,theta(x) + Gamma(S) + sum over the leaves that x met of (log2(n_s)/2 + 1).

Both halves are checked: each tree with KT at its leaves, and with the coins that make x most likely. Both are tight. A
leaf that saw one bit pays that one bit. And on the cycle of de Bruijn, in which each word of D bits comes once, D bits
settle the next and D - 1 say nothing about it: the full tree refutes all others, and m pays its Gamma, 2^D - 1 bits,
with an excess that falls to 0 exponentially.

The square root in 2^-(log2(n)/2) is avoided by comparing squares, so that all is exact. The mixture itself is found on
two ways, from the nodes bit by bit and as the sum over all trees, and predicts as they do.

Source: Willems, Shtarkov and Tjalkens 1995 (theorem 2; its per-string form before the concavity of the logarithm is
used); Bloem 2025 (arXiv 2506.20057), section 4.2, of which this is an instance. Limits: depth 3, strings of `steps`
bits, and one string of 64; zeros before the string. Nothing is run, so there are no runs to write a certificate of.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from math import prod

from theory.checks.registry import TREES
from theory.checks.result import (
    CheckResult,
    Counterexample,
    Equality,
    EqualityRow,
    Item,
    StepCurve,
    equality,
    ratio_item,
)
from theory.errors import InputError
from theory.measures.context_trees import (
    ContextTrees,
    Tree,
    context_counts,
    full_tree,
    krichevsky_trofimov_mass,
    predicted,
    tree_prior,
    trees,
)
from theory.numbers.bit_strings import BitString, shown, strings
from theory.numbers.exact import log2_float
from theory.words import number_of

LONG = 64
"""Bits of the cycle of de Bruijn, and the most that one leaf sees by itself."""
SHORT = 16
"""Bits up to which KT is computed in two ways."""

Counts = Mapping[BitString, tuple[int, int]]


def check_trees(*, depth: int = 2, steps: int = 8, variant: str | None = None) -> CheckResult:
    """Check that weighting loses at most Gamma(S) and the leaves' log2(n)/2 + 1 bits to any tree with any coins.

    Args:
        depth: D, bits of the longest context.
        steps: strings of up to this many bits are looked at.
        variant: None, or one of the declared ones.

    Raises:
        InputError: a negative length, or an unknown variant.

    """
    TREES.require_variant(variant)
    if min(depth, steps) < 0:
        raise InputError("a length is not negative", received=min(depth, steps), remedy="give 0 or more")
    every = trees(depth)
    mixtures = {"": ContextTrees(depth)}
    for x in islice(strings(steps), 1, None):
        mixtures[x] = mixtures[x[:-1]].reading(x[-1])
    masses = {x: mixture.mass for x, mixture in mixtures.items()}
    counts = {x: context_counts(x, depth) for x in masses}
    cycle = _on_the_cycle(depth, depth + 1 if variant == "deeper-tree" else depth)
    items = [_leaf(variant), _tight(cycle, full_tree(depth), depth, variant)]
    for tree in every:
        price = 1 / claimed_prior(tree, depth, variant)
        items.append(_with_unknown_coins(tree, price, masses, counts))
        items.append(_with_best_coins(tree, price, masses, counts, variant))
    return TREES.result(
        items,
        equalities=_equalities(every, depth, mixtures, counts),
        class_name=f"context trees of depth up to {depth}",
        bound=f"strings up to length {steps}",
        constants={f"2^-Gamma, {tree_text(tree)}": tree_prior(tree, depth) for tree in every},
        counts={"trees": len(every), "strings": len(masses), "failures": sum(not item.holds for item in items)},
        curves=(
            StepCurve(
                "bits that m is less than Gamma behind the full tree, on the cycle of de Bruijn",
                "n",
                tuple(log2_float(ratio) for ratio, _ in cycle),
                tuple(len(x) for _, x in cycle),
            ),
        ),
        variant=variant,
        tightest=lambda item: f"{item.name}, {item.witness}",
    )


def tree_text(tree: Tree) -> str:
    """Return a tree as the set of its leaves."""
    return f"{{{', '.join(map(shown, tree))}}}"


def claimed_prior(tree: Tree, depth: int, variant: str | None = None) -> Fraction:
    """Return 2^-Gamma(S), or what a wrong variant takes for it."""
    if variant == "free-tree":
        return Fraction(1)
    if variant == "inner-nodes":
        return Fraction(1, 1 << (len(tree) - 1))
    return tree_prior(tree, depth)


def de_bruijn(order: int) -> BitString:
    """Return the cyclic word in which each word of `order` bits comes once, from the words of Lyndon; "0" for order 0.

    >>> de_bruijn(1), de_bruijn(2), de_bruijn(3)
    ('01', '0011', '00010111')
    """
    found, word = "", [0]
    while word and order:  # Duval: all Lyndon words of up to `order` bits, in lexicographic order
        if order % len(word) == 0:
            found += "".join(map(str, word))
        word = [word[i % len(word)] for i in range(order)]
        while word and word[-1] == 1:
            word.pop()
        if word:
            word[-1] = 1
    return found or "0"


def _likeliest(zeros: int, ones: int) -> Fraction:
    """Return the probability of so many zeros and ones under the coin that makes them most likely."""
    return Fraction(zeros**zeros * ones**ones, (zeros + ones) ** (zeros + ones))


def _leaf(variant: str | None) -> Item:
    """Return that KT is within log2(n)/2 + 1 bits of the best coin, on all counts; slack 0 after one bit."""
    factor = 1 if variant == "half-log" else 4
    square, zeros, ones = min(
        (factor * n * (krichevsky_trofimov_mass(n - ones, ones) / _likeliest(n - ones, ones)) ** 2, n - ones, ones)
        for n in range(1, LONG + 1)
        for ones in range(n // 2 + 1)  # KT is the same with zeros and ones exchanged
    )
    return _squared("a leaf by itself", square, f"{number_of(zeros, 'zero')}, {number_of(ones, 'one')}")


def _on_the_cycle(depth: int, order: int) -> list[tuple[Fraction, BitString]]:
    """Return m(x) 2^Gamma / prod KT for the full tree of `order`, with x from 1 bit of its cycle on to LONG bits."""
    cycle = de_bruijn(order)
    text, mixture, tree, found = cycle * (1 + LONG // len(cycle)), ContextTrees(depth), full_tree(order), []
    price = 1 / tree_prior(tree, order)
    for n in range(1, LONG + 1):
        mixture = mixture.reading(text[n - 1])
        found.append((mixture.mass * price / _unknown(tree, context_counts(text[:n], order)), text[:n]))
    return found


def _tight(cycle: Sequence[tuple[Fraction, BitString]], full: Tree, depth: int, variant: str | None) -> Item:
    """Return that m is no more than Gamma bits behind the full tree on the cycle; the excess falls to 0."""
    unpriced = claimed_prior(full, depth, variant) / tree_prior(full, depth)
    slack, x = min((ratio / unpriced, x) for ratio, x in cycle)
    return ratio_item("the full tree on its cycle", slack, witness=f"{len(x)} bits", failure=_fails(x, slack))


def _unknown(tree: Tree, counts: Counts) -> Fraction:
    return prod((krichevsky_trofimov_mass(*counts[leaf]) for leaf in tree if leaf in counts), start=Fraction(1))


def _with_unknown_coins(
    tree: Tree, price: Fraction, masses: Mapping[BitString, Fraction], counts: Mapping[BitString, Counts]
) -> Item:
    """Return m(x) >= 2^-Gamma prod KT, at the string where it is nearest to failing."""
    slack, x = _least((m * price / _unknown(tree, counts[x]), x) for x, m in masses.items())
    return ratio_item(tree_text(tree), slack, witness=shown(x), failure=_fails(x, slack))


def _with_best_coins(
    tree: Tree,
    price: Fraction,
    masses: Mapping[BitString, Fraction],
    counts: Mapping[BitString, Counts],
    variant: str | None,
) -> Item:
    """Return the theorem for one tree, with the coins that make the string most likely, both sides squared."""

    def square(x: BitString, m: Fraction) -> Fraction:
        met = [counts[x][leaf] for leaf in tree if leaf in counts[x]]
        sizes = [zeros + ones for zeros, ones in met]
        if variant == "one-parameter":
            sizes = [sum(sizes)] if sizes else []
        parameters = prod((1 if variant == "half-log" else 4) * n for n in sizes)
        best = prod((_likeliest(*each) for each in met), start=Fraction(1))
        return (m * price / best) ** 2 * parameters

    least, x = _least((square(x, m), x) for x, m in masses.items())
    return _squared(f"{tree_text(tree)}, best coins", least, shown(x))


def _least(pairs: Iterator[tuple[Fraction, BitString]]) -> tuple[Fraction, BitString]:
    return min(pairs, key=lambda pair: (pair[0], len(pair[1]), pair[1]))


def _squared(name: str, square: Fraction, witness: str) -> Item:
    """Return the item of a ratio of which the square is known."""
    bits = log2_float(square) / 2
    failure = None if square >= 1 else _failure(witness, bits)
    return Item(name=name, holds=square >= 1, slack_bits=bits, witness=witness, failure=failure)


def _fails(x: BitString, slack: Fraction) -> Callable[[], Counterexample]:
    return lambda: _failure(shown(x), log2_float(slack))


def _failure(where: str, slack_bits: float) -> Counterexample:
    sentence = f"the mixture pays {-slack_bits:.4f} bits more than was claimed"
    return Counterexample(where=where, claimed=0.0, observed=-slack_bits, sentence=sentence)


def _equalities(
    every: Sequence[Tree],
    depth: int,
    mixtures: Mapping[BitString, ContextTrees],
    counts: Mapping[BitString, Counts],
) -> Iterator[Equality]:
    """Yield that the mixture is the sum over all trees, that it predicts as they do, and what both rest on."""
    yield equality("the priors of the trees sum to 1", [((), 1, sum(tree_prior(tree, depth) for tree in every))])
    yield equality("KT, bit by bit and in closed form", _kt_rows())
    totals: dict[int, Fraction] = {}
    for x, mixture in mixtures.items():
        totals[len(x)] = totals.get(len(x), Fraction(0)) + mixture.mass
    yield equality(
        "m(x) sums to 1 over the strings of n bits", (((("n", str(n)),), 1, total) for n, total in totals.items())
    )
    terms = {x: [tree_prior(tree, depth) * _unknown(tree, counts[x]) for tree in every] for x in mixtures}
    yield equality(
        "m(x), as the sum over all trees",
        (((("x", x),), sum(each, Fraction(0)), mixtures[x].mass) for x, each in terms.items()),
    )
    yield equality("m(1 | x), as the trees have it", _prediction_rows(mixtures, terms))


def _kt_rows() -> Iterator[EqualityRow]:
    """Yield KT(a, b) as a product over a string of a zeros, then b ones."""
    for zeros in range(SHORT + 1):
        for ones in range(SHORT + 1 - zeros):
            first = prod((predicted(n, 0, 0) for n in range(zeros)), start=Fraction(1))
            product = prod((predicted(zeros, n, 1) for n in range(ones)), start=first)
            where = ("zeros", str(zeros)), ("ones", str(ones))
            yield where, krichevsky_trofimov_mass(zeros, ones), product


def _prediction_rows(
    mixtures: Mapping[BitString, ContextTrees], terms: Mapping[BitString, Sequence[Fraction]]
) -> Iterator[EqualityRow]:
    """Yield the sum over all trees for x1 by that for x, and what the nodes predict after x."""
    for x, mixture in mixtures.items():
        if x + "1" in mixtures:
            yield (("x", x),), sum(terms[x + "1"], Fraction(0)) / sum(terms[x]), mixture.next_symbol["1"]
