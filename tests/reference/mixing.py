"""What the experts of the mixing predictor offer, with dictionaries, lists and `math.log`; nothing is hashed or packed.

A context's key is a tuple of what it sees, so contexts are never confused and nothing is ever forgotten.
"""

import dataclasses
import math
from collections.abc import Sequence

from up.model.mixing.contexts import Context
from up.model.mixing.signals import MATCH_LENGTHS, SURPRISE


@dataclasses.dataclass
class Slot:
    """Decisions of one context after the same digits of a token."""

    bits: list[int] = dataclasses.field(default_factory=list)
    count: list[int] = dataclasses.field(default_factory=lambda: [0, 0])
    share: int = 0

    def learn(self, bit: int) -> None:
        if not self.bits:
            self.share = 10_240 if bit else 6_143
        elif bit:
            self.share += (16_383 - self.share) // 4
        else:
            self.share -= self.share // 4
        self.bits.append(bit)
        self.count[bit] = min(self.count[bit] + 1, 255)
        if self.count[1 - bit] > 2:
            self.count[1 - bit] //= 2

    @property
    def run(self) -> int:
        length = 0
        while length < len(self.bits) and self.bits[-1 - length] == self.bits[-1]:
            length += 1
        return length

    @property
    def history(self) -> str:
        return "".join(map(str, self.bits[-7:]))

    @property
    def is_pure(self) -> bool:
        return 0 in self.count

    @property
    def run_state(self) -> tuple[int, bool, int]:
        return min(self.run, 63), self.is_pure, self.bits[-1]


@dataclasses.dataclass
class Adaptive:
    """An adaptive probability of a 1."""

    probability: float = 0.5
    seen: int = 0

    def learn(self, bit: int) -> None:
        self.probability += (bit - self.probability) / (self.seen + 1.5)
        self.seen = min(self.seen + 1, 255)


def quantised(probability: float) -> float:
    return (math.floor(probability * 4096) + 0.5) / 4096


def log_odds(probability: float) -> float:
    return math.log(quantised(probability) / (1 - quantised(probability)))


class Experts:
    """All experts; `inputs` lists what they offer for the next bit, `learn` takes that bit.

    A token is a word of digits; where no word goes on with a 1, there is a 0 and no decision.
    """

    def __init__(self, contexts: tuple[Context, ...], vocabulary_size: int = 256) -> None:
        self.contexts, self.vocabulary_size = contexts, vocabulary_size
        self.words = [word_of(token, vocabulary_size) for token in range(vocabulary_size)]
        self.beginnings = {word[:length] for word in self.words for length in range(len(word) + 1)}
        self.past: list[int] = []
        self.bits: tuple[int, ...] = ()
        self.slots: list[dict] = [{} for _ in contexts]
        self.adaptive: list[dict] = [{} for _ in contexts]
        self.costs = [[1.0, 1.0] for _ in contexts]
        self.token_cost = 0.0
        self.surprise = {key: Adaptive(0.0) for key in (*range(vocabulary_size), "all")}
        self.seen = dict.fromkeys(self.surprise, 0)
        self.segments: list[list[int]] = [[]]
        self.matches = [None for _ in MATCH_LENGTHS]  # (place, length)

    def signal(self, name: str):
        if name.startswith("follower"):
            width = int(name[-1])
            after = [
                self.past[i] for i in range(width, len(self.past)) if self.past[i - width : i] == self.past[-width:]
            ]
            after = [0, 0, *after] if len(self.past) >= width else [0, 0]
            return after[-1] if name.startswith("follower_") else tuple(after[-2:])
        if name == "expected":
            return self.vocabulary_size if self.matches[0] is None else self.past[self.matches[0][0]]
        back = 0 if name == "segment" else int(name[-1])
        return tuple(self.segments[-1 - back]) if back < len(self.segments) else ()

    def key(self, context: Context):
        if context.matcher is not None:
            match = self.matches[context.matcher]
            if match is None:
                return None
            place, length = match
            expected = self.words[self.past[place]]
            if expected[: len(self.bits)] != self.bits:
                return None
            return length if length <= 16 else min(16 + (length - 16) // 8, 32), expected[len(self.bits)]
        seen = [self.past[-d] & mask if d <= len(self.past) else "before" for d, mask in context.views]
        return tuple(seen), tuple(map(self.signal, context.signals)), self.bits

    def slot(self, k: int) -> Slot | None:
        key = self.key(self.contexts[k])
        return None if key is None else self.slots[k].setdefault(key, Slot())

    def probability(self, k: int, state) -> Adaptive:
        return self.adaptive[k].setdefault(state, Adaptive())

    def inputs(self) -> tuple[list[float], int]:
        """Certainty, votes, traits, digit of the token; and the bit from whose side they are seen."""
        votes, traits, sum_indirect = [], [], 0.0
        for k in range(len(self.contexts)):
            slot = self.slot(k)
            if slot is None or not slot.bits:
                votes += [0.0] * 4
                traits += [0.0, 0.0, *self.costs[k]]
                continue
            indirect = log_odds(self.probability(k, slot.history).probability)
            votes += [
                math.log((slot.count[1] + 0.3) / (slot.count[0] + 0.3)),
                log_odds((slot.share + 0.5) / 16_384),
                indirect,
                log_odds(self.probability(k, slot.run_state).probability),
            ]
            traits += [math.log(sum(slot.count) + 1), float(slot.is_pure), *self.costs[k]]
            sum_indirect += indirect
        if sum_indirect < 0:
            votes = [-vote for vote in votes]
        decision = [float(index == len(self.bits)) for index in range(len(self.words[0]))]
        return [float(sum_indirect != 0), *votes, *traits, *decision], int(sum_indirect >= 0)

    def learn(self, bit: int) -> None:
        total = 0.0
        for k in range(len(self.contexts)):
            slot, cost = self.slot(k), 1.0
            if slot is not None and slot.bits:
                states = [self.probability(k, state) for state in (slot.history, slot.run_state)]
                likely = quantised(states[0].probability)
                cost = -math.log2(likely if bit else 1 - likely)
                for state in states:
                    state.learn(bit)
            self.costs[k][0] += (cost - self.costs[k][0]) / 16
            self.costs[k][1] += (cost - self.costs[k][1]) / 128
            total += cost
            if slot is not None:
                slot.learn(bit)
        self.token_cost += total / len(self.contexts)
        self.bits = (*self.bits, bit)
        while self.bits not in self.words and (*self.bits, 1) not in self.beginnings:
            self.bits = (*self.bits, 0)
        if self.bits in self.words:
            self.read_token(self.words.index(self.bits))
            self.bits, self.token_cost = (), 0.0

    def read_token(self, token: int) -> None:
        for key in (self.past[-1] if self.past else 0, "all"):
            self.seen[key] = min(self.seen[key] + 1, 64)
            self.surprise[key].probability += (self.token_cost - self.surprise[key].probability) / self.seen[key]
        self.past.append(token)
        if self.seen[token] > 1 and self.surprise[token].probability > SURPRISE * self.surprise["all"].probability:
            self.segments.append([])
        else:
            self.segments[-1].append(token)
        self.matches = [self.follow(match, least) for match, least in zip(self.matches, MATCH_LENGTHS, strict=True)]

    def follow(self, match, least: int):
        if match is not None and self.past[match[0]] == self.past[-1]:
            return match[0] + 1, min(match[1] + 1, 400)
        for place in range(len(self.past) - 1, least - 1, -1):
            length = 0
            while length < min(32, place) and self.past[place - 1 - length] == self.past[-1 - length]:
                length += 1
            if length >= least:
                return place, length
        return None


def word_of(token: int, vocabulary_size: int) -> tuple[int, ...]:
    digits = 1
    while 2**digits < vocabulary_size:
        digits += 1
    return tuple(int(digit) for digit in f"{token:0{digits}b}")


def inputs_of_row(
    contexts: tuple[Context, ...], row: Sequence[int], vocabulary_size: int = 256
) -> tuple[list[list[float]], list[int]]:
    """The inputs of all decisions, and whether what was expected came."""
    experts, inputs, came = Experts(contexts, vocabulary_size), [], []
    for token in row:
        tokens_before = len(experts.past)
        while len(experts.past) == tokens_before:
            offered, expected = experts.inputs()
            bit = experts.words[token][len(experts.bits)]
            inputs.append(offered)
            came.append(int(bit == expected))
            experts.learn(bit)
    return inputs, came
