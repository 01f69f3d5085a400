"""Verifying runs: each goes as the certificate says, and together they are all that the machine can do.

That a list is complete needs no search: if the strings of bits read are prefix-free and their 2^-length sum to 1, coin
flips can lead nowhere else. A run that did not halt is listed with the reason. It is repeated with more bits than the
bound on time allows to read, so that it is seen to stop for that reason and not for want of input.

Limits: reading a file takes time in proportion to its size. All that is done with it is counted in steps, those of the
machines and those of the arithmetic, by the size of its numbers; at most `MOST_STEPS` in all, a minute or two, so that
no file can ask for unlimited time.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from theory.certificates.file import OPEN, Runs
from theory.errors import InputError
from theory.machines.machine import Bound, Machine, Run, Status
from theory.numbers.bit_strings import BitString, shown

Mass = dict[BitString, Fraction]
ZERO = Fraction(0)
MOST_STEPS = 100_000_000


class Wrong(Exception):  # noqa: N818 (a verdict, not an error)
    """The first wrong item."""


@dataclass
class Tally:
    """Counts what was checked, the programs that halt and the ratios compared, and stops at the first wrong item."""

    checked: int = 0
    steps: int = 0
    programs: int = 0
    ratios: int = 0

    def spend(self, steps: int) -> None:
        """Count work: the steps of a run and the bits that it was given, or about as much of something else.

        Raises:
            InputError: there is too much.

        """
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise InputError(
                f"to verify the certificate takes more than {MOST_STEPS:,} steps",
                remedy="lower the bound on time, or take fewer members or conditions",
            )

    def calculate(self, *numbers: Fraction) -> None:
        """Count one operation with these numbers before it is done."""
        bits = sum(number.numerator.bit_length() + number.denominator.bit_length() for number in numbers)
        self.spend(4 + bits // 128 + bits * bits // 8_000_000)  # measured: a step is about a microsecond

    def require(self, right: bool, item: str) -> None:
        """Stop at this item unless it is right."""
        if not right:
            raise Wrong(item)
        self.checked += 1

    def equal(self, item: str, claimed: object, found: object) -> None:
        """Stop at this item unless what is claimed is what was found."""
        if claimed != found:
            raise Wrong(f"{item} is {in_words(found)}, the certificate says {in_words(claimed)}")
        self.checked += 1


def in_words(value: object) -> str:
    """Return a value as it stands in the sentence about a wrong item, shortened."""
    if isinstance(value, Fraction) and value.denominator.bit_length() + value.numerator.bit_length() > 999:
        return "a fraction of hundreds of digits"
    text = "nothing" if value is None else shown(str(value))
    return text if len(text) <= 60 else text[:57] + "..."


def prefix_free(words: list[BitString]) -> bool:
    """Return whether no word is the start of another; in sorted order an offender would follow directly."""
    return not any(later.startswith(word) for word, later in pairwise(sorted(words)))


def half_to_the(length: int) -> Fraction:
    """Return 2^-length."""
    return Fraction(1, 1 << length)


def verify_runs(
    tally: Tally, where: str, machine: Machine, bound: Bound, conditions: list[BitString], runs: Runs
) -> Fraction:
    """Check that each listed run goes as listed and that nothing is left out; return the largest open mass."""
    tally.require(set(runs) == set(conditions), f"{where}: the conditions listed are not all of those to look at")
    most_open = ZERO
    layout = min(bound.time, bound.space) // 100  # a machine may lay out all the room that it has, for a short run too
    for z in conditions:
        here = f"{where}, condition {in_words(z)}"
        for leaf, outcome in runs[z].items():
            halts = outcome not in OPEN
            supplied = leaf if halts else leaf.ljust(bound.time + 1, "0")
            run = machine.run(supplied, z, bound)
            tally.spend(run.steps + len(supplied) + len(run.output) + layout)
            tally.equal(f"{here}, program {in_words(leaf)}: the outcome", outcome, _outcome(run))
            tally.equal(f"{here}, program {in_words(leaf)}: the number of bits read", len(leaf), run.bits_read)
            tally.programs += halts
        tally.require(prefix_free(list(runs[z])), f"{here}: the programs listed are not prefix-free")
        total = _kraft_sum(tally, Counter(map(len, runs[z])))
        tally.require(total == 1, f"{here}: programs are missing, the Kraft sum is {in_words(total)} instead of 1")
        most_open = max(
            most_open, _kraft_sum(tally, Counter(len(leaf) for leaf, outcome in runs[z].items() if outcome in OPEN))
        )
    return most_open


def _outcome(run: Run) -> str:
    return run.output if run.status is Status.HALTED else run.status.name.lower()


def output_mass(tally: Tally, runs: Mapping[BitString, str]) -> Mass:
    """Return p(x): the sum of 2^-|r| over the listed programs r that halt with x."""
    lengths: dict[BitString, Counter[int]] = {}
    for program, outcome in runs.items():
        if outcome not in OPEN:
            lengths.setdefault(outcome, Counter())[len(program)] += 1
    return {x: _kraft_sum(tally, counted) for x, counted in lengths.items()}


def _kraft_sum(tally: Tally, lengths: Counter[int]) -> Fraction:
    """Return the sum of 2^-length over so many programs of each length, with one reduction to lowest terms."""
    longest = max(lengths, default=0)
    tally.calculate(half_to_the(longest))
    tally.spend(len(lengths) * (1 + longest // 1_000))
    return Fraction(sum(count << (longest - length) for length, count in lengths.items()), 1 << longest)
