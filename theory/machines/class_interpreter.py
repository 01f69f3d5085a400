"""The machine u of Lemma 4.1: it reads the word of a member of a class, and then is that member.

If the code is complete and the prior is p_C(i) = 2^-|code(i)|, its measure is the mixture m_C. With `recoded` it
expects the pair of footnote 4 instead, in which the program is coded once more; `theory.checks.embedding` tells why
that fails.
Source: Bloem 2025 (arXiv 2506.20057), section 4.1. Limits: the class's own bound, in which each member runs.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Machine, Run, Status
from theory.numbers.bit_strings import BitString


@dataclass(frozen=True)
class ClassInterpreter:
    """The machine u of Lemma 4.1: reads code(i), then is machine i of the class, within that class's bound.

    With `recoded` it expects the program as footnote 4 has it, 1^n 0 and then n bits.
    """

    model_class: ModelClass
    recoded: bool = False

    @property
    def name(self) -> str:
        """What results call it."""
        return f"u({self.model_class.name})"

    @property
    def reads_condition(self) -> bool:
        """Whether any member does."""
        return any(member.reads_condition for member in self.model_class.members)

    @property
    def bound(self) -> Bound:
        """Room for every run of a member, and for reading the pair."""
        inner = self.model_class.bound
        header = max(map(len, self.model_class.words)) + (inner.time + 1 if self.recoded else 0)
        return Bound(time=inner.time + header, space=inner.space)

    @cached_property
    def _places(self) -> dict[BitString, int]:
        return {word: i for i, word in enumerate(self.model_class.words)}

    @cached_property
    def _word_lengths(self) -> list[int]:
        return sorted({len(word) for word in self.model_class.words})

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run; one step for each bit of the pair's code and each step of the member."""
        header = next((n for n in self._word_lengths if program[:n] in self._places), None)
        if header is None:
            can_go_on = any(word.startswith(program) for word in self.model_class.words)
            return _stopped(Status.NEEDS_INPUT if can_go_on else Status.STUCK, self._strayed(program), bound)
        member, rest = self.model_class.members[self._places[program[:header]]], program[header:]
        if not self.recoded:
            return self._inside(member, rest, condition, header, bound)
        length = len(rest) - len(rest.lstrip("1"))
        if length > self.model_class.bound.time:  # no member can read so much
            return _stopped(Status.STUCK, header + self.model_class.bound.time + 1, bound)
        if length == len(rest):
            return _stopped(Status.NEEDS_INPUT, len(program), bound)
        header += length + 1
        supplied = rest[length + 1 :][:length]
        run = self._inside(member, supplied, condition, header, bound)
        halted_early = run.status is Status.HALTED and run.bits_read < header + length
        asks_for_more = run.status is Status.NEEDS_INPUT and len(supplied) == length
        return replace(run, status=Status.STUCK) if halted_early or asks_for_more else run

    def _inside(self, member: Machine, program: BitString, condition: BitString, header: int, bound: Bound) -> Run:
        if header > bound.time:
            return _stopped(Status.OUT_OF_TIME, header, bound)
        inner = self.model_class.bound
        run = member.run(program, condition, Bound(min(inner.time, bound.time - header), min(inner.space, bound.space)))
        return replace(run, steps=run.steps + header, bits_read=run.bits_read + header)

    def _strayed(self, program: BitString) -> int:
        """Return how many bits have been read when no word can follow any more, or all of them."""
        for n in range(len(program) + 1):
            if not any(word.startswith(program[:n]) for word in self.model_class.words):
                return n
        return len(program)


def _stopped(status: Status, bits_read: int, bound: Bound) -> Run:
    if bits_read > bound.time:
        return Run(Status.OUT_OF_TIME, "", bound.time, 0, bound.time)
    return Run(status, "", bits_read, 0, bits_read)
