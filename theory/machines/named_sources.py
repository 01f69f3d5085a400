"""Class A: ten named sources, from fair coins to a grammar, each a few lines that turn coin flips into a string.

Five are memoryless or nearly so (uniform, b1/4, geo1/4, geo-b3/4, sticky), one is a context-free grammar (dyck), three
compute (dup, rev, xor) and one is constant. The parameter L bounds the length of what they write. A probability of 1/4
is drawn lazily: a first 1 decides against it at once, after 0 a second bit decides. So the number of programs is
finite, and every probability is dyadic. The code is incomplete (Kraft sum 7/8) and the prior is 2^-length / (7/8).

Beside each machine stands its `density`, the probability of a string in closed form. The enumeration of programs is
what defines a machine's measure; the densities are tested equal to it and reach lengths where enumeration takes too
long. Source: Bloem 2025 (arXiv 2506.20057), section 2, which names such sources; the sizes are ours.

Deviation (erratum): section 2 counts a normal distribution, a Markov model and a context-free grammar among the
machines, and footnote 3 asks for machines that always halt if given sufficient input. A machine that halts on every
infinite input has a finite domain (by König's lemma), hence dyadic probabilities and finite support. Bernoulli(1/3) or
an unbounded grammar needs the weaker condition that it halts with probability 1 (Kraft sum 1). Here lengths are
bounded by L and all probabilities are dyadic, so that both conditions hold.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise

from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine, Tape
from theory.numbers.bit_strings import BitString, kraft_sum

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)


def _one_in_four(tape: Tape) -> bool:
    return not tape.read() and not tape.read()


def _bernoulli(length: int, tape: Tape) -> None:
    for _ in range(length):
        tape.write(int(_one_in_four(tape)))


def _uniform(length: int, tape: Tape) -> None:
    for _ in range(length):
        tape.write(tape.read())


def _geometric(length: int, tape: Tape) -> None:
    for _ in range(length):
        if tape.read() and tape.read():
            return
        tape.write(tape.read())


def _geometric_biased(length: int, tape: Tape) -> None:
    for _ in range(length):
        if tape.read():
            return
        tape.write(int(not _one_in_four(tape)))


def _sticky(length: int, tape: Tape) -> None:
    bit = tape.read() if length else 0
    for place in range(length):
        if place and _one_in_four(tape):
            bit = 1 - bit
        tape.write(bit)


def _dyck(length: int, tape: Tape) -> None:
    written = depth = 0
    while written + depth < length - 1:  # room for one more pair
        if tape.read():
            tape.write(1)
            depth += 1
        elif depth:
            tape.write(0)
            depth -= 1
        else:
            return
        written += 1
    for _ in range(depth):
        tape.write(0)


def _read_word(tape: Tape, length: int) -> list[int]:
    word = [tape.read() for _ in range(length)]
    for bit in word:
        tape.write(bit)
    return word


def _duplicate(length: int, tape: Tape) -> None:
    for bit in _read_word(tape, length // 2):
        tape.write(bit)


def _reverse(length: int, tape: Tape) -> None:
    for bit in reversed(_read_word(tape, length // 2)):
        tape.write(bit)


def _exclusive_or(length: int, tape: Tape) -> None:
    for a, b in zip(_read_word(tape, length // 3), _read_word(tape, length // 3), strict=True):
        tape.write(a ^ b)


def _constant(length: int, tape: Tape) -> None:
    for _ in range(length):
        tape.write(1)


def _product_density(length: int, x: BitString, one: Fraction) -> Fraction:
    ones = x.count("1")
    return one**ones * (1 - one) ** (length - ones) if len(x) == length else Fraction(0)


def _geometric_density(length: int, x: BitString, stop: Fraction, one: Fraction) -> Fraction:
    ended = stop if len(x) < length else Fraction(len(x) == length)
    return ended * (1 - stop) ** len(x) * _product_density(len(x), x, one)


def _sticky_density(length: int, x: BitString) -> Fraction:
    if len(x) != length or not x:
        return Fraction(len(x) == length)
    changes = sum(a != b for a, b in pairwise(x))
    return HALF * QUARTER**changes * (1 - QUARTER) ** (length - 1 - changes)


def _dyck_density(length: int, x: BitString) -> Fraction:
    probability, depth = Fraction(1), 0
    for written, symbol in enumerate([*x, "$"]):
        free = written + depth < length - 1
        if symbol == "$":
            probability *= Fraction(depth == 0) * (HALF if free else 1)
        elif symbol == "1":
            probability *= HALF if free else 0
            depth += 1
        else:
            probability *= Fraction(depth > 0) * (HALF if free else 1)
            depth -= 1
        if not probability:
            break
    return probability


def _word_density(length: int, x: BitString, parts: int, write: Callable[[BitString], BitString]) -> Fraction:
    """Return 2^-|w| if x is what `write` makes of the word w that it begins with, |w| = (parts - 1) (L / parts)."""
    word = x[: length // 2 if parts == 2 else 2 * (length // 3)]
    whole = 2 * (length // 2) if parts == 2 else 3 * (length // 3)
    return Fraction(1, 1 << len(word)) if len(x) == whole and write(word) == x else Fraction(0)


def _write_xor(word: BitString) -> BitString:
    a, b = word[: len(word) // 2], word[len(word) // 2 :]
    return word + "".join(str(int(i != j)) for i, j in zip(a, b, strict=True))


@dataclass(frozen=True)
class NamedSource:
    """A named source: its code length in bits, what it does with a tape, and its density, both for a given L."""

    name: str
    code_length_bits: int
    write: Callable[[int, Tape], None]
    density: Callable[[int, BitString], Fraction]


SOURCES = (
    NamedSource("uniform", 2, _uniform, partial(_product_density, one=HALF)),
    NamedSource("b1/4", 3, _bernoulli, partial(_product_density, one=QUARTER)),
    NamedSource("geo1/4", 3, _geometric, partial(_geometric_density, stop=QUARTER, one=HALF)),
    NamedSource("geo-b3/4", 4, _geometric_biased, partial(_geometric_density, stop=HALF, one=1 - QUARTER)),
    NamedSource("sticky", 3, _sticky, _sticky_density),
    NamedSource("dyck", 4, _dyck, _dyck_density),
    NamedSource("dup", 5, _duplicate, partial(_word_density, parts=2, write=lambda w: w + w)),
    NamedSource("rev", 5, _reverse, partial(_word_density, parts=2, write=lambda w: w + w[::-1])),
    NamedSource("xor", 5, _exclusive_or, partial(_word_density, parts=3, write=_write_xor)),
    NamedSource("const", 5, _constant, partial(_product_density, one=Fraction(1))),
)


def prior(source: NamedSource) -> Fraction:
    """Return p(c) = 2^-length / (7/8).

    >>> prior(SOURCES[0])
    Fraction(2, 7)
    """
    return Fraction(1, 1 << source.code_length_bits) / kraft_sum(_WORDS)


def sources_class(length: int = 6) -> ModelClass:
    """Return class A with L = `length`: 7,875 programs for 6 bits, 108,485 for 8.

    >>> [member.name for member in sources_class(4).members][:3]
    ['uniform', 'b1/4', 'geo1/4']
    """
    return ModelClass(
        name="sources",
        members=tuple(FunctionMachine(s.name, partial(s.write, length), reads_condition=False) for s in SOURCES),
        words=_WORDS,
        prior=tuple(prior(source) for source in SOURCES),
        bound=Bound(time=4 * length, space=length),
        max_length=length,
    )


def _canonical_words(lengths: list[int]) -> tuple[BitString, ...]:
    """Return prefix-free words of the given lengths: short ones first, each the next free number of its length."""
    words: dict[int, BitString] = {}
    place = Fraction(0)
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        words[i] = format(int(place * (1 << lengths[i])), f"0{lengths[i]}b")
        place += Fraction(1, 1 << lengths[i])
    return tuple(words[i] for i in range(len(lengths)))


_WORDS = _canonical_words([source.code_length_bits for source in SOURCES])
