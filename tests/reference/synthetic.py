"""The synthetic sets as languages: how probable a string is, from the definition; what cannot be drawn has -infinity.

Written from the definitions, as readers of strings, and sharing nothing with `up.data`. A probability is a sum over all
ways to draw the string.
"""

import functools
import math
import re
from collections.abc import Callable

NEVER = -math.inf


def champ(text: str) -> float:
    """Read the start off the first digits, for each number of them, and count up from there.

    >>> champ("0123") == NEVER, champ("".join(f"{i:x}" for i in range(256))) == -math.log2(16776960)
    (True, True)
    """
    for digits in range(1, 7):
        if re.fullmatch("[0-9a-f]+", text[:digits]):
            start = int(text[:digits], 16)
            if start < 16777216 - 256 and "".join(hex(start + i)[2:] for i in range(256)) == text:
                return -math.log2(16777216 - 256)
    return NEVER


def dyck(text: str) -> float:
    """Count the open brackets.

    >>> dyck("()") == math.log2(9 / 16), dyck("(())") == math.log2(7 / 16 * 9 / 16 * 9 / 16)
    (True, True)
    >>> dyck("()()"), dyck("(()"), dyck(")("), dyck("")
    (-inf, -inf, -inf, -inf)
    """
    if text[:1] != "(":
        return NEVER
    depth, bits = 1, 0.0
    for bracket in text[1:]:
        if depth == 0 or bracket not in "()":
            return NEVER
        depth += 1 if bracket == "(" else -1
        bits += math.log2(7 / 16 if bracket == "(" else 9 / 16)
    return bits if depth == 0 else NEVER


def ndfa(text: str) -> float:
    """Match a regular expression; each word alone writes `ss`, too.

    >>> 2 ** ndfa("ss"), round(2 ** ndfa("sabc!s"), 6), ndfa("sabc!uvw!s")
    (0.25, 0.0625, -inf)
    """
    match = re.fullmatch(r"s((abc!)*|(uvw!)*|(klm!)*)s", text)
    if match is None:
        return NEVER
    times = len(match[1]) // 4
    return math.log2(1 / 4) + (times * math.log2(3 / 4) - math.log2(3) if times else 0)


AUT = {
    0: [(0, 122), (1, 122), (2, 248), (3, 248), (4, 224)],
    1: [(1, 224), (3, 224)],
    2: [(3, 248)],
    3: [(4, 248)],
    4: [(0, 248), (2, 122), (3, 224)],
}


def aut(text: str) -> float:
    """Sum over all walks that write the text (the forward algorithm); a part of a string from its start is fine.

    >>> round(2 ** aut("z"), 6), round(2 ** aut("zz"), 6), aut("za")
    (0.4, 0.08, -inf)
    """
    reached, bits = {0: 1.0}, 0.0
    for character in text:
        after = dict.fromkeys(AUT, 0.0)
        for state, probability in reached.items():
            for next_state, byte in AUT[state]:
                if byte == ord(character):
                    after[next_state] += probability / len(AUT[state])
        total = sum(after.values())
        if not total:
            return NEVER
        bits += math.log2(total)
        reached = {state: probability / total for state, probability in after.items() if probability}
    return bits


def bits(text: str) -> float:
    """Compare each of the four results with the two words; 0 is true.

    >>> bits("00000" "11111" "00000" "11111" "00000" "11111"), bits("0" * 30)
    (-10.0, -inf)
    """
    if not re.fullmatch("[01]{30}", text):
        return NEVER
    left, right, *results = ([digit == "0" for digit in text[i : i + 5]] for i in range(0, 30, 5))
    pairs = list(zip(left, right, strict=True))
    expected = [
        [a != b for a, b in pairs],
        [a and b for a, b in pairs],
        [a or b for a, b in pairs],
        [a == b for a, b in pairs],
    ]
    return -10.0 if results == expected else NEVER


def bitsrep(text: str) -> float:
    """Match a word of three bits and itself, twice.

    >>> bitsrep("011011011"), bitsrep("011011010")
    (-3.0, -inf)
    """
    return -3.0 if re.fullmatch(r"([01]{3})\1\1", text) else NEVER


def bitsflip(text: str) -> float:
    """Compare 12 bits with their own reversal.

    >>> bitsflip("001011110100"), bitsflip("001011001011"), bitsflip("00")
    (-6.0, -inf, -inf)
    """
    return -6.0 if re.fullmatch("[01]{12}", text) and text == text[::-1] else NEVER


TOY = """
S: S ADV / NP VP / NP VP PREP NP / NP VP ( PREP NP ) / NP VP CON S / NP VP ( CON S )
ADV: briefly / quickly / impatiently
NP: a NOUN / the NOUN / a ADJ NOUN / the ADJ NOUN
PREP: on / with / to
CON: while / but
NOUN: mouse / bunny / cat / dog / man / woman / person
VP: walked / walks / ran / runs / goes / went
ADJ: short / quick / busy / nice / gorgeous
"""
_TOY: dict[str, list[tuple[str, ...]]] = {
    line.split(":")[0]: [tuple(option.split()) for option in line.split(":")[1].split(" / ")]
    for line in TOY.strip().splitlines()
}

_KINDS = {
    option[0]: (kind, len(options))
    for kind, options in {**_TOY, "ART": [("a",), ("the",)]}.items()
    if kind not in {"S", "NP"}
    for option in options
}


def toy_derivations(text: str) -> tuple[int, float]:
    """Return the number of derivations of a sentence and log2 of the probability of all, by filling a chart.

    All derivations of a sentence are equally probable, since they use the same rules in another order.

    >>> toy_derivations("the cat ran but the dog went briefly")[0], toy_derivations("the cat but ran")
    (2, (0, -inf))
    """
    words = text.split(" ")

    @functools.cache
    def inside(parts: tuple[str, ...], first: int, last: int) -> tuple[int, float]:
        """Return (derivations, probability) of words[first:last] from these parts."""
        if last - first < len(parts):
            return 0, 0.0
        if len(parts) != 1:
            ways, probability = 0, 0.0
            longest = last if parts[0] == "S" else first + 3  # nothing but S has more than three words
            for middle in range(first + 1, min(longest, last - len(parts) + 1) + 1):
                left = inside(parts[:1], first, middle)
                if left[0]:
                    right = inside(parts[1:], middle, last)
                    ways, probability = ways + left[0] * right[0], probability + left[1] * right[1]
            return ways, probability
        (part,) = parts
        options = _TOY.get(part)
        if options is None:
            found = last - first == 1 and words[first] == part
            return int(found), float(found)
        each = [inside(option, first, last) for option in options]
        return sum(ways for ways, _ in each), sum(probability for _, probability in each) / len(options)

    ways, probability = inside(("S",), 0, len(words))
    return ways, math.log2(probability) if ways else NEVER


def toy_skeleton(text: str) -> tuple[str, int]:
    """Replace each word by its kind, and return how many sentences have this skeleton, all equally probable.

    >>> toy_skeleton("the dog ran briefly")
    ('ART NOUN VP ADV', 252)
    """
    kinds, sentences = [], 1
    for word in text.split(" "):
        kind, choices = _KINDS.get(word, (word, 1))
        kinds.append(kind)
        sentences *= choices
    return " ".join(kinds), sentences


def toy(text: str) -> float:
    """Return log2 of the probability of a sentence.

    >>> round(2 ** -toy("the cat ran"))
    1008
    """
    return toy_derivations(text)[1]


def toy2(text: str) -> float:
    """Read an expression by recursive descent: sums of products of powers of variables and brackets.

    >>> round(2 ** -toy2("x"), 4), toy2("x+y"), toy2("x + "), toy2("(x"), toy2("xy")
    (13.0208, -inf, -inf, -inf, -inf)
    """
    place, bits = 0, 0.0

    def chance(probability: float) -> None:
        nonlocal bits
        bits += math.log2(probability)

    def take(*expected: str) -> bool:
        nonlocal place
        for each in expected:
            if text.startswith(each, place):
                place += len(each)
                return True
        return False

    def chain(operators: tuple[str, ...], more: float, read_part: Callable[[], bool]) -> bool:
        while read_part():
            if not take(*operators):
                return True
            chance(more)
        return False

    def expression() -> bool:
        return ends(chain((" + ", " - "), 0.2, product), 0.6)

    def product() -> bool:
        return ends(chain((" * ", " / "), 0.2, power), 0.6)

    def power() -> bool:
        return ends(chain((" ^ ",), 0.2, group), 0.8)

    def group() -> bool:
        if take("("):
            return ends(expression() and take(")"), 0.2)
        return ends(take("x", "y", "z"), 0.8 / 3)

    def ends(fits: bool, probability: float) -> bool:
        chance(probability)
        return fits

    return bits if expression() and place == len(text) else NEVER
