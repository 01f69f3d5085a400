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


@dataclass(frozen=True)
class Enumeration:
    """All programs on which a machine halts under a bound, in lexicographic order, with their outputs.

    Attributes:
        programs: pairs (program, output).
        unresolved: probability that fair coin flips lead to a run that did not halt under the bound.
        stuck: the part of `unresolved` where no bound would help, because no rule applied.

    """

    programs: tuple[tuple[BitString, BitString], ...]
    unresolved: Fraction
    stuck: Fraction = Fraction(0)


def leaves(
    machine: Machine, condition: BitString, bound: Bound, max_program_length: int | None = None
) -> Iterator[tuple[BitString, Run]]:
    """Yield every leaf of the tree of programs, depth first: the bits read, and the run that ended there.

    Each run is given a program that is long enough; the bits that it read are a leaf. The next leaf is found like the
    next number on an odometer: drop the final 1s, turn the last 0 into 1.
    """
    longest = bound.time if max_program_length is None else max_program_length
    program = ""
    while True:
        run = machine.run(program + "0" * (longest - len(program)), condition, bound)
        leaf = (program + "0" * longest)[: run.bits_read]
        yield leaf, run
        rest = leaf.rstrip("1")
        if not rest:
            return
        program = rest[:-1] + "1"


def enumerate_programs(
    machine: Machine, condition: BitString, bound: Bound, max_program_length: int | None = None
) -> Enumeration:
    """Find all programs on which the machine halts, with the mass of those that it leaves open.

    Args:
        machine: any machine that keeps the promises of `Machine`.
        condition: the string on the conditional tape.
        bound: time and space of each run.
        max_program_length: longer programs are left unresolved; by default the bound on time is the only limit.

    """
    require_bit_string(condition)
    programs: list[tuple[BitString, BitString]] = []
    unresolved = stuck = Fraction(0)
    for leaf, run in leaves(machine, condition, bound, max_program_length):
        if run.status is Status.HALTED:
            programs.append((leaf, run.output))
            continue
        unresolved += Fraction(1, 1 << len(leaf))
        if run.status is Status.STUCK:
            stuck += Fraction(1, 1 << len(leaf))
    return Enumeration(tuple(programs), unresolved, stuck)


@dataclass(frozen=True)
class Measure:
    """A distribution over strings that is known exactly, except for `unresolved` mass that could lie anywhere."""

    mass: Mapping[BitString, Fraction]
    unresolved: Fraction = Fraction(0)

    def lower(self, x: BitString) -> Fraction:
        """Return the greatest lower bound on the probability of x that is proved."""
        return self.mass.get(x, Fraction(0))

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
        return sum(self.mass.values(), Fraction(0))


def measure_of(enumeration: Enumeration) -> Measure:
    """Return the measure that an enumeration adds up to."""
    mass: dict[BitString, Fraction] = {}
    for program, output in enumeration.programs:
        weight = Fraction(1, 1 << len(program))
        mass[output] = mass[output] + weight if output in mass else weight
    return Measure(mass, enumeration.unresolved)


def output_measure(
    machine: Machine, condition: BitString, bound: Bound, max_program_length: int | None = None
) -> Measure:
    """Return p_c(x | z) as an exact measure.

    >>> from theory.machines.machine import FunctionMachine
    >>> def echo(tape):
    ...     tape.write(tape.read())
    >>> dict(output_measure(FunctionMachine("echo", echo), "", Bound(time=9, space=9)).mass)
    {'0': Fraction(1, 2), '1': Fraction(1, 2)}
    """
    return measure_of(enumerate_programs(machine, condition, bound, max_program_length))
