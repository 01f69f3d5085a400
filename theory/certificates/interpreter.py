"""The machine u of Lemma 4.1 as the verifier runs it: it reads the word of a member, then is that member."""

from bisect import bisect
from dataclasses import replace

from theory.certificates.file import Certificate
from theory.machines.machine import Bound, Run, Status
from theory.numbers.bit_strings import BitString


class Interpreter:
    """u, for words that are prefix-free: the only word that a program can begin with precedes it in sorted order."""

    name, reads_condition = "u", True

    def __init__(self, certificate: Certificate) -> None:
        self.bound = certificate.bound
        self.machines = {member.word or "": member.machine for member in certificate.members}
        self.words = sorted(self.machines)

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:  # noqa: ARG002 (each member has its own)
        """Run the member that the program names; it keeps the bound of the class."""
        place = bisect(self.words, program)
        word = self.words[place - 1] if place else None
        if word is not None and program.startswith(word):
            run = self.machines[word].run(program[len(word) :], condition, self.bound)
            return replace(run, steps=run.steps + len(word), bits_read=run.bits_read + len(word))
        nearest = self.words[max(0, place - 1) : place + 1]  # no other word shares a longer beginning with the program
        read = max(_shared(near, program) for near in nearest) + 1  # no word begins so any more
        if read > len(program):
            return Run(Status.NEEDS_INPUT, "", len(program), 0, len(program))
        return Run(Status.STUCK, "", read, 0, read)


def _shared(a: BitString, b: BitString) -> int:
    """Return how many bits two strings begin with in common."""
    return next((place for place, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), min(len(a), len(b)))
