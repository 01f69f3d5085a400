"""The two toy grammars of Bloem (2025), figure 3: drawing a sentence, its mean length, its derivation's entropy.

Every choice is uniform: an option that is n times as likely as another stands n times in its list. `TOY` is English of
a kind; `TOY2` is arithmetic, which the paper adapts from Heckendorn, *A Practical Tutorial on Context Free Grammars*
(2021).

Limits: no empty options. Both grammars end with probability 1; one that does not may never return from `draw_sentence`.
"""

import dataclasses
import math
from collections.abc import Mapping

import numpy as np

Option = tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Grammar:
    """A context-free grammar whose options are equally likely.

    Attributes:
        start: the symbol that a sentence is derived from.
        options: for each symbol, what it may become; what has no options is written as it is.
        separator: written between two neighbours of the sentence.

    """

    start: str
    options: Mapping[str, tuple[Option, ...]]
    separator: str


def draw_sentence(grammar: Grammar, generator: np.random.Generator) -> str:
    """Draw a sentence, always replacing the leftmost symbol; one number of the generator for each replacement."""
    sentence: list[str] = []
    pending = [grammar.start]  # the rest of the sentence, its next symbol last
    while pending:
        symbol = pending.pop()
        options = grammar.options.get(symbol)
        if options is None:
            sentence.append(symbol)
        else:
            pending.extend(reversed(options[int(generator.random() * len(options))]))
    return grammar.separator.join(sentence)


def derivation_bits(grammar: Grammar) -> float:
    """Return the entropy of a derivation in bits: each symbol is worth the entropy of its options.

    It is the entropy of the sentence, too, where each sentence has one derivation only, and more than it otherwise.
    """
    entropies = {}
    for symbol, options in grammar.options.items():
        shares = [options.count(option) / len(options) for option in dict.fromkeys(options)]
        entropies[symbol] = -sum(share * math.log2(share) for share in shares)
    return _mean_of_derivation(grammar, entropies)


def mean_length(grammar: Grammar) -> float:
    """Return the mean length of a sentence in characters: each terminal is worth its length and a separator's."""
    separator = len(grammar.separator)
    lengths = {}
    for symbol, options in grammar.options.items():
        terminals = [part for option in options for part in option if part not in grammar.options]
        lengths[symbol] = sum(len(terminal) + separator for terminal in terminals) / len(options)
    return _mean_of_derivation(grammar, lengths) - separator


def _mean_of_derivation(grammar: Grammar, worth: Mapping[str, float]) -> float:
    """Return the mean of the sum over a derivation of what each of its symbols is worth.

    With M the mean number of each symbol among what a symbol becomes, the means x of all symbols solve x = worth + M x.
    """
    symbols = list(grammar.options)
    means_SS = np.zeros((len(symbols), len(symbols)))
    for row, options in enumerate(grammar.options.values()):
        for part in (part for option in options for part in option if part in grammar.options):
            means_SS[row, symbols.index(part)] += 1 / len(options)
    mean_S = np.linalg.solve(np.eye(len(symbols)) - means_SS, np.array([worth[symbol] for symbol in symbols]))
    return float(mean_S[symbols.index(grammar.start)])


def _words(text: str) -> tuple[Option, ...]:
    """Read options as they are printed: symbols between spaces, options between bars."""
    return tuple(tuple(option.split()) for option in text.split("|"))


TOY = Grammar(
    start="S",
    options={
        "S": _words("S ADV | NP VP | NP VP PREP NP | NP VP ( PREP NP ) | NP VP CON S | NP VP ( CON S )"),
        "ADV": _words("briefly | quickly | impatiently"),
        "NP": _words("a NOUN | the NOUN | a ADJ NOUN | the ADJ NOUN"),
        "PREP": _words("on | with | to"),
        "CON": _words("while | but"),
        "NOUN": _words("mouse | bunny | cat | dog | man | woman | person"),
        "VP": _words("walked | walks | ran | runs | goes | went"),
        "ADJ": _words("short | quick | busy | nice | gorgeous"),
    },
    separator=" ",
)

# Expression, addend, factor, group, variable. An operator has one space on each side.
TOY2 = Grammar(
    start="E",
    options={
        "E": (("E", " + ", "A"), ("E", " - ", "A"), *3 * (("A",),)),
        "A": (("A", " * ", "M"), ("A", " / ", "M"), *3 * (("M",),)),
        "M": (("G", " ^ ", "M"), *4 * (("G",),)),
        "G": (*4 * (("V",),), ("(", "E", ")")),
        "V": (("x",), ("y",), ("z",)),
    },
    separator="",
)
