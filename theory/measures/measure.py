"""The measure that a machine defines: all its programs under a bound, each with its mass, and what is left open.

    p_c(x | z) = sum over the programs r with c(r, z) = x of 2^-|r|

The tree of programs is walked leaf by leaf, so that the result is exact, up to the mass of the runs that were cut off:
`Measure` is then a rigorous lower and upper bound. Source: Bloem 2025 (arXiv 2506.20057), section 2.
Limits: the number of runs grows exponentially with the bits that a machine reads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from theory.machines.machine import Bound, Machine, Run, Status
from theory.numbers.bit_strings import BitString, require_bit_string

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class Measure:
    """A distribution over strings that is known exactly, except for `unresolved` mass that could lie anywhere."""

    mass: Mapping[BitString, Fraction]
    unresolved: Fraction = ZERO

    def lower(self, x: BitString) -> Fraction:
        """Return the greatest lower bound on the probability of x that is proved."""
        return self.mass.get(x, ZERO)

    def upper(self, x: BitString) -> Fraction:
        """Return an upper bound on the probability of x."""
        return self.lower(x) + self.unresolved

    @property
    def is_exact(self) -> bool:
        """Whether nothing is unresolved, so that lower and upper bounds agree."""
        return self.unresolved == 0

    @property
    def total(self) -> Fraction:
        """The mass that is known: at most 1, and with `unresolved` exactly 1 for a machine's measure."""
        return sum(self.mass.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Enumeration:
    """All that a machine does under a bound: the leaves of the tree of its programs, in lexicographic order.

    Attributes:
        outcomes: for the bits that a run read, what it wrote, or why it did not halt.
        work: what it takes to repeat these runs: their steps, and the bits that each is given.

    """

    outcomes: Mapping[BitString, BitString | Status]
    work: int

    @property
    def programs(self) -> tuple[tuple[BitString, BitString], ...]:
        """All programs on which the machine halts, with their outputs."""
        return tuple((leaf, outcome) for leaf, outcome in self.outcomes.items() if not isinstance(outcome, Status))

    @property
    def unresolved(self) -> Fraction:
        """The probability that fair coin flips lead to a run that did not halt under the bound."""
        return self.measure().unresolved

    def measure(self) -> Measure:
        """Return the measure that the leaves add up to."""
        if "" in self.outcomes:  # nothing is read, and there is no other leaf
            outcome = self.outcomes[""]
            return Measure({}, ONE) if isinstance(outcome, Status) else Measure({outcome: ONE})
        longest = max(map(len, self.outcomes), default=0)
        mass: dict[BitString, int] = {}
        unresolved, whole = 0, 1 << longest
        for leaf, outcome in self.outcomes.items():
            weight = 1 << (longest - len(leaf))
            if isinstance(outcome, Status):
                unresolved += weight
            else:
                mass[outcome] = mass.get(outcome, 0) + weight
        return Measure({x: Fraction(weight, whole) for x, weight in mass.items()}, Fraction(unresolved, whole))


def leaves(machine: Machine, condition: BitString, bound: Bound) -> Iterator[tuple[BitString, Run]]:
    """Yield every leaf of the tree of programs, depth first: the bits read, and the run that ended there.

    Each run is given one bit more than it has time to read, so that it stops for another reason than want. The bits
    that it read are a leaf. The next leaf is found like the next number on an odometer: drop the final 1s, turn the
    last 0 into 1.
    """
    program = ""
    while True:
        supplied = program.ljust(bound.time + 1, "0")
        run = machine.run(supplied, condition, bound)
        leaf = supplied[: run.bits_read]
        yield leaf, run
        rest = leaf.rstrip("1")
        if not rest:
            return
        program = rest[:-1] + "1"


def enumerate_programs(machine: Machine, condition: BitString, bound: Bound) -> Enumeration:
    """Run a machine on everything that it can read under a bound.

    Args:
        machine: any machine that keeps the promises of `Machine`.
        condition: the string on the conditional tape.
        bound: time and space of each run.

    """
    require_bit_string(condition)
    outcomes: dict[BitString, BitString | Status] = {}
    work = 0
    for leaf, run in leaves(machine, condition, bound):
        halts = run.status is Status.HALTED
        outcomes[leaf] = run.output if halts else run.status
        work += run.steps + (len(leaf) if halts else bound.time + 1)
    return Enumeration(outcomes, work)


def output_measure(machine: Machine, condition: BitString, bound: Bound) -> Measure:
    """Return p_c(x | z) as an exact measure.

    >>> from theory.machines.machine import FunctionMachine
    >>> def echo(tape):
    ...     tape.write(tape.read())
    >>> dict(output_measure(FunctionMachine("echo", echo), "", Bound(time=9, space=9)).mass)
    {'0': Fraction(1, 2), '1': Fraction(1, 2)}
    """
    return enumerate_programs(machine, condition, bound).measure()
