"""Hypothesis strategies for the theory: bit strings, random small machines, and classes of them."""

from fractions import Fraction

from hypothesis import strategies as st

from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import strings

BOUND = Bound(time=12, space=6)

bit_strings = st.text(alphabet="01", max_size=8)
probabilities = st.integers(1, 40).flatmap(lambda d: st.builds(Fraction, st.integers(1, d), st.just(d)))


def tree_machine(name, tree):
    """A machine that walks down a binary tree, one program bit at each fork, and writes what the leaf says.

    A leaf that says None is stuck; one that says "copy" writes the condition.
    """

    def walk(tape):
        node = tree
        while isinstance(node, tuple):
            node = node[tape.read()]
        if node is None:
            tape.stuck()
        elif node == "copy":
            place = 0
            while (bit := tape.condition(place)) is not None:
                tape.write(bit)
                place += 1
        else:
            for bit in node:
                tape.write(bit)

    return FunctionMachine(name, walk)


def trees(leaf):
    return st.recursive(leaf, lambda node: st.tuples(node, node), max_leaves=6)


short = st.text(alphabet="01", max_size=3)


@st.composite
def model_classes(draw, *, sufficient=True, with_identity=False):
    """A class of one to five tree machines with a random prior that sums to at most 1."""
    leaf = short | st.just("copy") if sufficient else short | st.just("copy") | st.none()
    members = draw(st.lists(trees(leaf), min_size=1, max_size=4))
    if with_identity:
        members = ["copy", *members]
    weights = [draw(st.integers(1, 9)) for _ in members]
    whole = sum(weights) + draw(st.integers(0, 3))
    return ModelClass.of(
        "random",
        [tree_machine(f"tree {i}", tree) for i, tree in enumerate(members)],
        bound=BOUND,
        max_length=2,
        prior=[Fraction(weight, whole) for weight in weights],
    )


@st.composite
def distributions(draw, max_length=3):
    """A distribution over the strings of at most `max_length` bits, zeros included."""
    support = list(strings(max_length))
    weights = draw(st.lists(st.integers(0, 9), min_size=len(support), max_size=len(support)).filter(any))
    return {x: Fraction(w, sum(weights)) for x, w in zip(support, weights, strict=True) if w}


def coded(model_class, words=None):
    """The same members with the prior of a complete code."""
    return ModelClass.of("coded", model_class.members, bound=model_class.bound, max_length=2, words=words)


def halts(model_class):
    """Whether any member can write anything on the empty condition."""
    return bool(Mixture(model_class).measure("").mass)
