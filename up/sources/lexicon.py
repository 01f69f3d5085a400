"""Lexica: rows of words that come back, with marks between them, in lines that resemble each other.

What is random here is a vocabulary and a way of using it. Every row draws its own alphabet, which tokens are letters
and which are marks, and how all of the following is done:

    a letter      by a random chain of order 1: which letters follow which, a few of them much more often than others
    a new word    letters up to a geometric length; or a known word with a known one before or after it
    a word        from a Pitman-Yor process over words given the last word, whose base is a Pitman-Yor process over
                  words, whose base is a new word (Goldwater, Griffiths and Johnson 2006, Contextual dependencies in
                  unsupervised word segmentation; Johnson, Griffiths and Goldwater 2007, Adaptor grammars)
    a mark        after each word: as a rule the same one, else another of the row's; some open, and what is open closes
    a line        a geometric number of words; it begins further in or further out than the last one, by a repeated
                  mark; or it is an earlier line again, with some of its words exchanged
    a column      in some rows each word is filled up with the usual mark to the same width

The first word whose counts decide nothing opens a table, as in `up.sources.restaurant`: with c customers of whom c_w
took the word w at t_w tables, the next one takes w with probability (c_w - a t_w + (b + a t) p_base(w)) / (b + c).

No letter, word, language or format is known here: tokens are exchangeable, and every share is drawn for each row.

Limits: a row is written in plain Python, in about 1 ms for 512 tokens. Its random numbers are those of Python's
Mersenne Twister, seeded from the generator, whose sequence Python guarantees; logarithms and powers of them may differ
in the last bit between platforms, and so, rarely, a row.
"""

import dataclasses
import math
import random

import torch
from torch import Tensor

from up.errors import InputError
from up.sources.base import RowSource
from up.sources.draws import require_range

_MARKS = 12
_PAIRS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class LexiconSource(RowSource):
    """Words that come back.

    Attributes:
        kind: `lexicon`.
        vocabulary_size: number of tokens, at least 16.
        max_letters: most letters of a row, at least 2; their number is log-uniform from 2 on.
        max_word_length: most letters that a new word has on average; log-uniform from 1 on.
        max_line_length: most words that a line has on average; log-uniform from 2 on.
        column_share: probability of a row to have columns, 0 to 1.
        template_share: probability of a row to repeat lines, 0 to 1.

    """

    kind: str = "lexicon"
    max_letters: int = 64
    max_word_length: int = 10
    max_line_length: int = 40
    column_share: float = 0.2
    template_share: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("source", "vocabulary_size", self.vocabulary_size, 16, 256)
        require_range("source", "max_letters", self.max_letters, 2, 256)
        require_range("source", "max_word_length", self.max_word_length, 1, 1_000)
        require_range("source", "max_line_length", self.max_line_length, 2, 10_000)
        for name in ("column_share", "template_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"source.{name} is out of range", received=getattr(self, name), remedy="use 0 to 1")

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        return f"lexicon, up to {self.max_letters} letters"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, row by row."""
        seeds = torch.randint(1 << 62, (num_rows,), generator=generator, device=generator.device).tolist()
        rows = [_Writer(self, random.Random(seed)).write(num_tokens) for seed in seeds]
        return torch.frombuffer(bytearray(b"".join(rows)), dtype=torch.uint8).view(num_rows, num_tokens).clone()


class PitmanYor:
    """Who sits where in a restaurant whose dishes are numbers.

    A customer joins the table of one who is there, drawn evenly, but who draws the first of a table opens a new one
    with probability a: that gives each table its size less a.
    """

    def __init__(self, discount: float, concentration: float) -> None:
        self._discount, self._concentration = discount, concentration
        self._dishes: list[int] = []
        self._opened: list[bool] = []

    def drawn(self, uniform: random.Random) -> int | None:
        """Return the dish of the table that the next customer joins, None if he opens a new one."""
        if uniform.random() * (self._concentration + len(self._dishes)) >= len(self._dishes):
            return None
        place = uniform.randrange(len(self._dishes))
        return None if self._opened[place] and uniform.random() < self._discount else self._dishes[place]

    def seat(self, dish: int, *, opens: bool) -> None:
        """Seat a customer, at a table that is there or at one that he opens."""
        self._dishes.append(dish)
        self._opened.append(opens)


class _Writer:
    """Writes one row; all that its constructor draws is the row's own."""

    def __init__(self, source: LexiconSource, uniform: random.Random) -> None:
        self._uniform = uniform
        tokens = uniform.sample(range(source.vocabulary_size), source.vocabulary_size)
        letters = round(self._log(2, min(source.max_letters, source.vocabulary_size - _MARKS)))
        self._letters, marks = tokens[:letters], tokens[letters : letters + _MARKS]
        self._space, self._end = marks[:1], marks[1:2]
        pairs = uniform.randint(0, _PAIRS)
        self._pairs = [(marks[2 + 2 * pair], marks[3 + 2 * pair]) for pair in range(pairs)]
        self._others = marks[2 + 2 * pairs :]
        self._other_share, self._open_share = self._log(0.01, 0.4), self._log(0.01, 0.3) if pairs else 0.0
        self._steepness = uniform.uniform(0.3, 2.5)
        self._orders = [uniform.sample(range(letters), letters) for _ in range(letters + 1)]
        self._go_on = 1 - 1 / self._log(1, source.max_word_length)
        self._compound_share = uniform.uniform(0, 0.6)
        self._process = PitmanYor(uniform.uniform(0.1, 0.9), self._log(1, 100))
        self._given_share = uniform.uniform(0, 0.9)
        self._given_parameters = (uniform.uniform(0.1, 0.9), self._log(0.1, 20))
        self._given: dict[int, PitmanYor] = {}
        self._words: list[list[int]] = []
        self._line_goes_on = 1 - 1 / self._log(2, source.max_line_length)
        self._step = uniform.randint(0, 8)
        self._width = uniform.randint(3, 16) if uniform.random() < source.column_share else 0
        self._again_share = uniform.uniform(0, 0.6) if uniform.random() < source.template_share else 0.0
        self._exchanged_share = self._log(0.02, 0.5)

    def write(self, num_tokens: int) -> bytes:
        """Return the row."""
        uniform, row, lines, level, last = self._uniform, bytearray(), [], 0, -1
        while len(row) < num_tokens:
            level = max(0, level + uniform.choice((-1, 0, 0, 0, 1)))
            if lines and uniform.random() < self._again_share:
                level, line = lines[-1 - min(int(uniform.expovariate(0.3)), len(lines) - 1)]
                line = [
                    (self._word(-1), mark) if uniform.random() < self._exchanged_share else (word, mark)
                    for word, mark in line
                ]
            else:
                line, stack = [], []
                while not line or uniform.random() < self._line_goes_on:
                    last = self._word(last)
                    line.append((last, self._mark(stack)))
            lines.append((level, line))
            row += bytes(self._space * (self._step * min(level, 6)))
            for word, mark in line:
                row += bytes(self._words[word])
                row += bytes(self._space * max(0, self._width - len(self._words[word])))
                row += bytes(mark)
            row += bytes(self._end)
        return bytes(row[:num_tokens])

    def _word(self, last: int) -> int:
        """Return the number of the next word, given that of the last one, -1 for none."""
        given = None
        if last >= 0 and self._uniform.random() < self._given_share:
            given = self._given.setdefault(last, PitmanYor(*self._given_parameters))
            known = given.drawn(self._uniform)
            if known is not None:
                given.seat(known, opens=False)
                return known
        word = self._process.drawn(self._uniform)
        opens = word is None
        if word is None:
            word = len(self._words)
            self._words.append(self._new_word())
        self._process.seat(word, opens=opens)
        if given is not None:
            given.seat(word, opens=True)
        return word

    def _new_word(self) -> list[int]:
        if self._words and self._uniform.random() < self._compound_share:
            return (self._uniform.choice(self._words) + self._uniform.choice(self._words))[:32]
        place, word = self._letter(len(self._letters)), []
        while True:
            word.append(self._letters[place])
            if self._uniform.random() >= self._go_on or len(word) >= 32:
                return word
            place = self._letter(place)

    def _letter(self, before: int) -> int:
        """Return the place of the letter that follows; those early in the order of the last one are likelier."""
        skewed = self._uniform.random() ** (1 + self._steepness)
        return self._orders[before][int(skewed * len(self._letters))]

    def _mark(self, stack: list[int]) -> list[int]:
        """Return the marks after a word; `stack` holds what closes what is open."""
        if stack and self._uniform.random() < 0.3:
            return [stack.pop(), *self._space]
        if self._uniform.random() < self._open_share:
            opens, closes = self._uniform.choice(self._pairs)
            stack.append(closes)
            return [*self._space, opens]
        if self._uniform.random() < self._other_share:
            other = self._others[int(self._uniform.random() ** 2 * len(self._others))]
            return [other, *self._space] if self._uniform.random() < 0.5 else [other]
        return self._space

    def _log(self, least: float, most: float) -> float:
        """Return a number, log-uniform from one to the other."""
        return math.exp(self._uniform.uniform(math.log(least), math.log(most)))
