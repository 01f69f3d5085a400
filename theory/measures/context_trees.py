"""Context-tree weighting in fractions: the mixture of all context trees of bounded depth, kept bit by bit.

A context tree says how far a bit looks back. It is a set of *leaves*, contexts of at most D bits of which exactly one
is the end of every past; each leaf is a coin of its own, and throws the bits that follow it. Here every coin is
unknown, so that a leaf which has seen a zeros and b ones gives them the probability of Krichevsky and Trofimov,

    KT(a, b) = (1/2)(3/2)...(a - 1/2) (1/2)(3/2)...(b - 1/2) / (a + b)!,   and a one next with (b + 1/2) / (a + b + 1).

A tree S has the prior s^(inner nodes) (1 - s)^(leaves above depth D); at s = 1/2 that is 2^-Gamma(S), where Gamma(S)
counts its nodes above depth D. The mixture over all trees, m(x) = sum over S of p(S) prod over its leaves of KT, is
computed from the counts in all contexts:

    m(node) = KT at depth D,    m(node) = (1 - s) KT + s m(child 0) m(child 1) above,    m(x) = m(root).

A bit changes only the D + 1 nodes on the path of its context, which is what makes the sum over 2, 5, 26, 677, ... trees
cheap. A node is frozen: reading a bit makes D + 1 new ones and shares the others, so that a string and all its
continuations are known together.

Contexts are written in the order of time, so a leaf "01" is met where a 0 was followed by a 1. Before a string lie
zeros, as in `up.sources.tree`, which draws from this very mixture at V = 2, and in `up.evaluation.ctw`, which computes
it in floats.

Source: Willems, Shtarkov and Tjalkens 1995 (IEEE Transactions on Information Theory 41), where D is the depth, s = 1/2,
and the past is given. Limits: bits. Fractions grow with the string, by about log2 n digits a bit; some hundred bits are
done at once, and floats are for more.
"""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from math import factorial

from theory.errors import InputError
from theory.measures.measure import ONE
from theory.numbers.bit_strings import BitString, require_bit_string
from theory.numbers.exact import number_text

HALF = Fraction(1, 2)

Tree = tuple[BitString, ...]
"""The leaves of a context tree, in lexicographic order of the contexts read backwards."""


@dataclass(frozen=True, slots=True)
class Node:
    """A context that has been met: what followed it.

    Attributes:
        counts: zeros and ones that followed.
        estimate: KT of them.
        mass: m(node), what the mixture of the trees below gives them.
        children: the contexts that are one bit longer, by that bit; None has not been met, and has mass 1.

    """

    counts: tuple[int, int] = (0, 0)
    estimate: Fraction = ONE
    mass: Fraction = ONE
    children: "tuple[Node | None, Node | None]" = (None, None)


_NEW = Node()


@dataclass(frozen=True)
class ContextTrees:
    """The mixture after some bits.

    >>> trees = ContextTrees(1)
    >>> str(trees.reading("0011").mass), str(trees.reading("001").next_symbol["1"])
    ('7/256', '7/16')

    Attributes:
        depth: D, bits of the longest context.
        split: s, the prior probability that a node above depth D has children.
        past: the last D bits, in order of time.
        root: the node of the empty context.

    """

    depth: int
    split: Fraction = HALF
    past: BitString = ""
    root: Node = _NEW

    def __post_init__(self) -> None:
        if self.depth < 0:
            raise InputError("a depth is not negative", received=self.depth, remedy="give 0 or more")
        if not 0 <= self.split <= 1:
            raise InputError(
                "a node is split with a probability", received=number_text(self.split), remedy="give e.g. 1/2"
            )
        object.__setattr__(self, "past", begun(self.past, self.depth))

    @property
    def mass(self) -> Fraction:
        """m(x_), the probability that a sequence begins with what has been read."""
        return self.root.mass

    @property
    def next_symbol(self) -> dict[str, Fraction]:
        """The probabilities of 0 and of 1 as the next bit."""
        return {bit: self.reading(bit).mass / self.mass for bit in "01"}

    def reading(self, x: BitString) -> "ContextTrees":
        """Return the mixture after these bits more.

        Raises:
            InputError: a character other than 0 and 1.

        """
        found = self
        for bit in require_bit_string(x):
            root = _visited(found.root, found.past, int(bit), found.split)
            found = replace(found, past=(found.past + bit)[1:] if found.depth else "", root=root)
        return found


def begun(past: BitString, depth: int) -> BitString:
    """Return the `depth` bits before the next one, with zeros before the past."""
    return ("0" * depth + past)[len(past) :]


def _visited(node: Node | None, past: BitString, bit: int, split: Fraction) -> Node:
    """Return the node after one more bit; `past` is the context that is left below it, its last bit the nearest."""
    node = node or _NEW
    zeros, ones = node.counts
    estimate = node.estimate * predicted(zeros, ones, bit)
    counts = (zeros, ones + 1) if bit else (zeros + 1, ones)
    if not past:
        return Node(counts, estimate, estimate)
    side = int(past[-1])
    child = _visited(node.children[side], past[:-1], bit, split)
    children = (node.children[0], child) if side else (child, node.children[1])
    return Node(counts, estimate, weighted(estimate, children, split), children)


def predicted(zeros: int, ones: int, bit: int) -> Fraction:
    """Return what a leaf says of the next bit.

    >>> str(predicted(0, 2, 1))
    '5/6'
    """
    return Fraction(2 * (ones if bit else zeros) + 1, 2 * (zeros + ones + 1))


def weighted(estimate: Fraction, children: tuple[Node | None, Node | None], split: Fraction) -> Fraction:
    """Return m(node) above the greatest depth."""
    zero, one = (ONE if child is None else child.mass for child in children)
    return (1 - split) * estimate + split * zero * one


@cache
def krichevsky_trofimov_mass(zeros: int, ones: int) -> Fraction:
    """Return KT(a, b) in closed form, (2a)! (2b)! / (4^(a+b) a! b! (a+b)!).

    >>> str(krichevsky_trofimov_mass(0, 2))
    '3/8'
    """
    above = factorial(2 * zeros) * factorial(2 * ones)
    return Fraction(above, (factorial(zeros) * factorial(ones) * factorial(zeros + ones)) << 2 * (zeros + ones))


def trees(depth: int) -> tuple[Tree, ...]:
    """Return all context trees of at most this depth: 1, 2, 5, 26, 677, ...

    >>> trees(1), len(trees(3))
    ((('',), ('0', '1')), 26)
    """
    found: tuple[Tree, ...] = (("",),)
    for _ in range(depth):
        split = (tuple(_below(zero, "0") + _below(one, "1")) for zero in found for one in found)
        found = (("",), *split)
    return found


def _below(tree: Tree, nearest: str) -> list[BitString]:
    return [leaf + nearest for leaf in tree]


def full_tree(depth: int) -> Tree:
    """Return the tree whose leaves all have this depth."""
    return tuple(format(n, f"0{depth}b")[::-1] if depth else "" for n in range(1 << depth))


def tree_prior(tree: Tree, depth: int, split: Fraction = HALF) -> Fraction:
    """Return p(S), the prior of a tree among those of at most this depth.

    >>> [str(tree_prior(tree, 2)) for tree in trees(2)]
    ['1/2', '1/8', '1/8', '1/8', '1/8']
    """
    above = sum(len(leaf) < depth for leaf in tree)
    return split ** (len(tree) - 1) * (1 - split) ** above


def context_counts(x: BitString, depth: int) -> dict[BitString, tuple[int, int]]:
    """Return the zeros and ones that followed each context of up to `depth` bits that was met in x, after zeros.

    >>> context_counts("0011", 1)
    {'': (2, 2), '0': (2, 1), '1': (0, 1)}
    """
    counts: dict[BitString, tuple[int, int]] = {}
    text = "0" * depth + x
    for place in range(depth, len(text)):
        for length in range(depth + 1):
            context = text[place - length : place]
            zeros, ones = counts.get(context, (0, 0))
            counts[context] = (zeros, ones + 1) if text[place] == "1" else (zeros + 1, ones)
    return counts
