"""How many bits per character the best predictor of each synthetic set needs: entropy rates, computed and not typed in.

A set writes independent strings W, with a delimiter where it has one. If a text can be cut back into its strings in one
way only, its entropy per character is that of a string over its mean length, delimiter included (the renewal theorem):

    rate = H(W) / E[length of W and delimiter].

The entropy H(W) is that of the string, which is less than that of the choices behind it where different choices write
the same string.

Limits: over a whole slice of 512 characters, which may begin inside a string, even the best predictor needs more than
the rate: much more on `champ`, whose strings are longer than that. A corpus of 1,000,000 bytes is one draw, so its own
mean scatters around the rate.
"""

import math
from collections.abc import Callable

from up.data.automaton_rate import automaton_rate_bounds_bits
from up.data.grammars import TOY, TOY2, derivation_bits, mean_length
from up.data.synthetic import (
    AUT_LENGTH,
    BITS_WORD,
    BITSFLIP_WORD,
    BITSREP_TIMES,
    BITSREP_WORD,
    CHAMP_INTEGERS,
    CHAMP_LIMIT,
    DELIMITER,
    DYCK_OPENING_PROBABILITY,
    NDFA_STOP_PROBABILITY,
    NDFA_WORDS,
    SYNTHETIC_SETS,
    VARIANTS,
)


def entropy_rate_bits(name: str) -> float | None:
    """Return the entropy rate of a corpus in bits per character, or None where it is not known.

    >>> entropy_rate_bits("bitsflip"), entropy_rate_bits("bitsflip-delimited"), entropy_rate_bits("stdlib")
    (0.5, 0.46153846153846156, None)

    It is not known of real text, nor of `champ-plain`, which can be cut back into its strings in several ways.

    Args:
        name: of the corpus, as `load_corpus` takes it.

    """
    if name == "champ":
        return champ_rate_bits()
    written = SYNTHETIC_SETS.get(name) or VARIANTS.get(name)
    rate = _RATES.get(name.partition("-")[0])
    return None if written is None or rate is None else rate(written.delimiter)


def aut_rate_bits(delimiter: str = "") -> float:
    """Return the middle of two bounds that are less than 2e-4 apart (`up.data.automaton_rate`)."""
    return sum(automaton_rate_bounds_bits()) / 2 * AUT_LENGTH / (AUT_LENGTH + len(delimiter))


def bits_rate_bits(delimiter: str = DELIMITER) -> float:
    """Return 10/31: two random words of 5 bits determine the 30 digits; the delimiter is the 31st character."""
    return 2 * BITS_WORD / (6 * BITS_WORD + len(delimiter))


def bitsflip_rate_bits(delimiter: str = "") -> float:
    """Return 1/2: 6 random bits in 12 characters."""
    return BITSFLIP_WORD / (2 * BITSFLIP_WORD + len(delimiter))


def bitsrep_rate_bits(delimiter: str = "") -> float:
    """Return 1/3: 3 random bits in 9 characters."""
    return BITSREP_WORD / (BITSREP_TIMES * BITSREP_WORD + len(delimiter))


def champ_rate_bits() -> float:
    """Return log2(2^24 - 256), 24 bits, over the mean length of 256 integers with a delimiter, about 1,520.

    A string tells its start: its length, the number of digits of the first integer. The mean length needs no sum over
    the starts s: an integer has one digit, and one more for each power of 16 that it reaches, and s + i reaches 16^d
    for the starts from 16^d - i on.
    """
    starts = CHAMP_LIMIT - CHAMP_INTEGERS
    digits = 0
    for i in range(CHAMP_INTEGERS):
        digits += starts
        power = 16
        while power < CHAMP_LIMIT:
            digits += starts - max(0, power - i)
            power *= 16
    return math.log2(starts) / (digits / starts + len(DELIMITER))


def dyck_rate_bits(delimiter: str = DELIMITER) -> float:
    """Return 0.8 times the entropy of a choice of p = 7/16.

    The depth starts at 1 and falls by 1 - 2p = 1/8 in the mean at each choice, so that 8 choices bring it to 0 in the
    mean (Wald). The string tells them all, and has one bracket more, and a delimiter. That a string ends is no choice.
    """
    p = DYCK_OPENING_PROBABILITY
    choices = 1 / (1 - 2 * p)
    return choices * _entropy_bits(p, 1 - p) / (1 + choices + len(delimiter))


def ndfa_rate_bits(delimiter: str = DELIMITER) -> float:
    """Return (H(K) + P(K > 0) log2 3) / 15, where K is the number of words, geometric with the mean 3.

    Deciding whether to stop costs the entropy of 1/4, and is done E[K] + 1 = 4 times. Where K = 0 the string is `ss`
    whatever the word is.
    """
    stop = NDFA_STOP_PROBABILITY
    entropy = _entropy_bits(stop, 1 - stop) / stop + (1 - stop) * math.log2(len(NDFA_WORDS))
    mean_times = (1 - stop) / stop
    return entropy / (len("ss") + mean_times * len(NDFA_WORDS[0]) + len(delimiter))


def toy_rate_bits(delimiter: str = DELIMITER) -> float:
    """Return the entropy rate of the sentences of `TOY`, an ambiguous grammar.

    `the cat ran but the dog went briefly` has two derivations: the adverb belongs to both clauses or to the second. In
    general, S is rewritten by `S ADV` or `NP VP CON S` m times, in any order, before it is rewritten otherwise. The
    sentence shows, in order, the clauses before their conjunctions and the adverbs at the end, but not how the two took
    turns: with j of one kind, C(m, j) derivations, all of the same probability. Brackets stay visible, and what stands
    in them is a sentence of its own. So

        H(sentence) = H(derivation) - E[number of such S] E[log2 C(m, j)],

    where m is geometric, P(m) = (2/3) (1/3)^m (two of the six options), j is one of m fair coins, and the mean number
    of S is 4/3, since one of the four other options, `NP VP ( CON S )`, holds another one.
    """
    options = TOY.options["S"]
    repeated = sum(option in (("S", "ADV"), ("NP", "VP", "CON", "S")) for option in options) / len(options)
    nested = 1 / (len(options) * (1 - repeated))
    hidden = sum(
        (1 - repeated) * (repeated / 2) ** m * math.comb(m, j) * math.log2(math.comb(m, j))
        for m in range(100)
        for j in range(m + 1)
    )
    return (derivation_bits(TOY) - hidden / (1 - nested)) / (mean_length(TOY) + len(delimiter))


def toy2_rate_bits(delimiter: str = DELIMITER) -> float:
    """Return the entropy rate of the expressions of `TOY2`, an unambiguous grammar: an expression is its derivation.

    + and - bind from the left, * and / closer and from the left, ^ closest and from the right.
    """
    return derivation_bits(TOY2) / (mean_length(TOY2) + len(delimiter))


def _entropy_bits(*probabilities: float) -> float:
    return -sum(p * math.log2(p) for p in probabilities)


_RATES: dict[str, Callable[[str], float]] = {
    "aut": aut_rate_bits,
    "bits": bits_rate_bits,
    "bitsflip": bitsflip_rate_bits,
    "bitsrep": bitsrep_rate_bits,
    "dyck": dyck_rate_bits,
    "ndfa": ndfa_rate_bits,
    "toy": toy_rate_bits,
    "toy2": toy2_rate_bits,
}
"""As functions of what stands between two strings; that of `champ` is known with its delimiter only."""
