"""The synthetic data sets of Bloem (2025), section 6.1 and figure 3: nine generators of strings, each a corpus by name.

A corpus is a long row of strings, drawn independently, with `|` between them where the set has a delimiter. Delimiters
are optional: `dyck-plain` is `dyck` without them, `aut-delimited` is `aut` with them (`VARIANTS`). Most are
easy for whoever finds the rule and hard for a Markov model, which is why the paper evaluates on them.
`up.data.entropy_rates` says how many bits per character the best predictor needs.

**Rule for choosing anything** (a source, an architecture, hyper-parameters, weights to ship): of these sets, choose on
`champ`, `dyck`, `ndfa` and `toy` only, the paper's validation sets. `aut`, `toy2`, `bits` and `bitsflip` are touched
once, at the end. `bitsrep` is in the published code and not in the paper; it is kept with those. No weights that are
shipped with this project are trained on a source that implements one of these generators.

Every number is drawn by `Generator.random()`, a multiple of 2^-53, and a choice among n is the whole part of n times it
(so its probabilities are off by less than 2^-53). The corpus NAME is drawn with `PCG64`, seeded by the bytes of NAME.
So its bytes depend on neither machine, system nor Python, nor on NumPy as long as `random` stays what it has been since
it exists; the tests hold their SHA-256.

Deviation: a corpus has 1,000,000 bytes and is cut there, maybe inside a string, so that slices overlap less. The paper
stops after the string that exceeds 100,000 characters, and its code begins with a delimiter where there is one.

Limits: all strings of a set are alike in length and kind wherever a slice lies; nothing is held out.
"""

import dataclasses
from collections.abc import Callable

import numpy as np

from up.data.grammars import TOY, TOY2, draw_sentence

CORPUS_BYTES = 1_000_000
DELIMITER = "|"

CHAMP_LIMIT = 16_777_216
CHAMP_INTEGERS = 256
DYCK_OPENING_PROBABILITY = 7 / 16
NDFA_WORDS = ("abc!", "uvw!", "klm!")
NDFA_STOP_PROBABILITY = 1 / 4
# For each state, the outgoing edges: the state where it leads, and the byte that is written.
AUT_EDGES = (
    ((0, 122), (1, 122), (2, 248), (3, 248), (4, 224)),
    ((1, 224), (3, 224)),
    ((3, 248),),
    ((4, 248),),
    ((0, 248), (2, 122), (3, 224)),
)
AUT_LENGTH = 512
BITS_WORD = 5
BITSREP_WORD = 3
BITSREP_TIMES = 3
BITSFLIP_WORD = 6


def champ(generator: np.random.Generator) -> str:
    """Write 256 successive integers in hexadecimal, without zeros in front, from a random start below 2^24 - 256."""
    start = _below(CHAMP_LIMIT - CHAMP_INTEGERS, generator)
    return "".join(f"{integer:x}" for integer in range(start, start + CHAMP_INTEGERS))


def dyck(generator: np.random.Generator) -> str:
    """Open a bracket, then open another with probability 7/16 or else close one, until none is open."""
    brackets, depth = ["("], 1
    while depth:
        opens = generator.random() < DYCK_OPENING_PROBABILITY
        brackets.append("(" if opens else ")")
        depth += 1 if opens else -1
    return "".join(brackets)


def ndfa(generator: np.random.Generator) -> str:
    """Write `s`, one of three words any number of times, and `s`; stop with probability 1/4 before each time."""
    word = NDFA_WORDS[_below(len(NDFA_WORDS), generator)]
    times = 0
    while generator.random() >= NDFA_STOP_PROBABILITY:
        times += 1
    return f"s{word * times}s"


def aut(generator: np.random.Generator) -> str:
    """Walk 512 edges of an automaton from state 0, each drawn uniformly among those that leave the state.

    The bytes are characters of Latin-1: `z`, `à` and `ø`.
    """
    state, characters = 0, []
    for uniform in generator.random(AUT_LENGTH).tolist():
        edges = AUT_EDGES[state]
        state, byte = edges[int(uniform * len(edges))]
        characters.append(chr(byte))
    return "".join(characters)


def toy(generator: np.random.Generator) -> str:
    """Draw a sentence such as `the cat walks ( on a busy dog ) briefly` (`up.data.grammars.TOY`)."""
    return draw_sentence(TOY, generator)


def toy2(generator: np.random.Generator) -> str:
    """Draw an expression such as `x + (y - z) ^ x` (`up.data.grammars.TOY2`)."""
    return draw_sentence(TOY2, generator)


def bits(generator: np.random.Generator) -> str:
    """Write two random words of 5 bits, then their exclusive or, and, or, equality, bit by bit: 30 characters.

    As in the published code, the digit `0` stands for true and `1` for false.
    """
    ones = (1 << BITS_WORD) - 1
    left, right = (_below(ones + 1, generator) for _ in range(2))
    words = (left, right, left ^ right, left & right, left | right, ~(left ^ right))
    return "".join(f"{~word & ones:0{BITS_WORD}b}" for word in words)


def bitsrep(generator: np.random.Generator) -> str:
    """Write a random word of 3 bits three times."""
    return _word(BITSREP_WORD, generator) * BITSREP_TIMES


def bitsflip(generator: np.random.Generator) -> str:
    """Write a random word of 6 bits and its reversal."""
    word = _word(BITSFLIP_WORD, generator)
    return word + word[::-1]


@dataclasses.dataclass(frozen=True, kw_only=True)
class SyntheticSet:
    """One of the paper's synthetic sets.

    Attributes:
        draw: one string, from an explicit generator.
        delimiter: written between two strings; empty where strings follow each other directly.
        selection: whether a choice may be made on it; if not, it is touched once, at the end.

    """

    draw: Callable[[np.random.Generator], str]
    delimiter: str = ""
    selection: bool = False


SYNTHETIC_SETS = {
    "aut": SyntheticSet(draw=aut),
    "bits": SyntheticSet(draw=bits, delimiter=DELIMITER),
    "bitsflip": SyntheticSet(draw=bitsflip),
    "bitsrep": SyntheticSet(draw=bitsrep),
    "champ": SyntheticSet(draw=champ, delimiter=DELIMITER, selection=True),
    "dyck": SyntheticSet(draw=dyck, delimiter=DELIMITER, selection=True),
    "ndfa": SyntheticSet(draw=ndfa, delimiter=DELIMITER, selection=True),
    "toy": SyntheticSet(draw=toy, delimiter=DELIMITER, selection=True),
    "toy2": SyntheticSet(draw=toy2, delimiter=DELIMITER),
}


VARIANTS = {
    f"{name}-{'plain' if each.delimiter else 'delimited'}": dataclasses.replace(
        each, delimiter="" if each.delimiter else DELIMITER
    )
    for name, each in SYNTHETIC_SETS.items()
}
"""The same sets the other way: `dyck-plain` has no delimiters, `aut-delimited` has some. The strings are the same."""


def synthetic_text(name: str) -> bytes:
    """Draw the corpus of a synthetic set, in Latin-1 (ASCII but for `aut`): the same 1,000,000 bytes each time.

    Args:
        name: a key of `SYNTHETIC_SETS` or `VARIANTS`.

    """
    chosen = SYNTHETIC_SETS.get(name) or VARIANTS[name]
    generator = np.random.Generator(np.random.PCG64([*name.partition("-")[0].encode()]))
    strings, length = [], 0
    while length < CORPUS_BYTES:
        string = chosen.draw(generator) + chosen.delimiter
        strings.append(string)
        length += len(string)
    return "".join(strings)[:CORPUS_BYTES].encode("latin-1")


def _below(limit: int, generator: np.random.Generator) -> int:
    return int(generator.random() * limit)


def _word(length: int, generator: np.random.Generator) -> str:
    return f"{_below(1 << length, generator):0{length}b}"
