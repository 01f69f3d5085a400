"""The programs on which a machine halts, those that are alike counted together: what a sum over programs needs.

A measure, the speed prior and the shortest program all look at the length of a program, the steps that it takes and
what it writes, never at its bits. So the programs of the universal machine need not be listed: they are walked by its
own interpreter, many in a call (`theory.measures.omega`). Any other machine is run on one leaf of the tree of its
programs after another (`theory.measures.measure.leaves`). Both find the same programs.

Limits: as for `leaves`, the work grows exponentially with the bits that a machine reads.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from theory.machines.machine import Bound, Machine, Status
from theory.machines.universal.machine import UniversalMachine
from theory.machines.universal.semantics import Stop
from theory.measures.measure import ZERO, Measure, leaves
from theory.measures.omega import program_leaves
from theory.numbers.bit_strings import BitString, require_bit_string


@dataclass(frozen=True)
class Programs:
    """Programs that are alike, or runs that did not halt.

    Attributes:
        count: how many they are.
        output: what each of them writes; None where they do not halt under the bound.
        length_bits: the bits that each has read.
        steps: the steps that each takes; reading a bit is a step.

    """

    count: int
    output: BitString | None
    length_bits: int
    steps: int

    @property
    def mass(self) -> Fraction:
        """The probability that coin flips lead to one of them: the number of them times 2^-length."""
        return Fraction(self.count, 1 << self.length_bits)


def programs(machine: Machine, condition: BitString, bound: Bound) -> Iterator[Programs]:
    """Yield all that a machine can read under a bound, in the order of the first program of each group.

    >>> from theory.machines.machine import FunctionMachine
    >>> def echo(tape):
    ...     tape.write(tape.read())
    >>> [(group.output, str(group.mass)) for group in programs(FunctionMachine("echo", echo), "", Bound(9, 9))]
    [('0', '1/2'), ('1', '1/2')]
    """
    require_bit_string(condition)
    if type(machine) is UniversalMachine:
        for group in program_leaves(machine, condition, bound):
            output = group.output if group.stop is Stop.HALTED else None
            yield Programs(group.count, output, group.bits_read, group.steps + group.bits_read)
    else:
        for leaf, run in leaves(machine, condition, bound):
            yield Programs(1, run.output if run.status is Status.HALTED else None, len(leaf), run.steps)


def counted_measure(groups: Iterable[Programs]) -> tuple[Measure, int]:
    """Return the measure that groups of programs add up to, and how many programs halted."""
    mass: dict[BitString, Fraction] = {}
    unresolved, count = ZERO, 0
    for group in groups:
        if group.output is None:
            unresolved += group.mass
        else:
            mass[group.output] = mass.get(group.output, ZERO) + group.mass
            count += group.count
    return Measure(mass, unresolved), count
