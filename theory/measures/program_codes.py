"""Programs as hypotheses: the model functions that a prefix machine computes within a bound on time and space.

A program z belongs to Z_(T,R) if the machine T halts on it within R for every input, having read all of it; then no
program of Z is the start of another, and 2^-|z| is a prior. R = (R_t, R_s) bounds the steps, and the cells of every
tape: of the one that the machine works on, and of the one that holds z.

Deviation: the output is a string, which is read as a distribution over {0, 1} by Laplace's rule, p(1|x) = (ones + 1) /
(bits + 2); the paper reads rational logits from output tapes.

Source: Shaw et al. 2025 (arXiv 2509.22445), sections 2 and 4.1, B.3. Limits: finitely many inputs, given as conditions.
A program for which some input takes unbounded time is in no Z_(T,R), although the paper's K(f) counts it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.machines.machine import Bound, Machine, Run, Status
from theory.measures.codes import FiniteCode, ModelFunction
from theory.measures.measure import leaves
from theory.numbers.bit_strings import BitString


@dataclass(frozen=True)
class Halting:
    """All runs of a machine under a bound, input by input.

    Attributes:
        inputs: x.
        bound: R_t and R_s.
        runs: for each input the leaves of the tree of programs, with the run of each.

    """

    inputs: tuple[BitString, ...]
    bound: Bound
    runs: tuple[Mapping[BitString, Run], ...]

    def halts(self, program: BitString, place: int) -> bool:
        """Return whether a program halts within R on the input of this place."""
        run = self.runs[place].get(program)
        return run is not None and run.status is Status.HALTED and len(program) <= self.bound.space

    @property
    def programs(self) -> list[BitString]:
        """Z_(T,R), short ones first."""
        found = [z for z in self.runs[0] if all(self.halts(z, place) for place in range(len(self.inputs)))]
        return sorted(found, key=lambda z: (len(z), z))

    def function(self, program: BitString) -> ModelFunction:
        """Return what a program computes: p(0|x) and p(1|x) for each input."""
        return tuple(_distribution(runs[program].output) for runs in self.runs)


def halting(
    machine: Machine,
    inputs: Sequence[BitString],
    bound: Bound,
    advance: Callable[[int], None] | None = None,
) -> Halting:
    """Run a machine on everything that it can read under a bound, on each input.

    Args:
        machine: T.
        inputs: x, at least one.
        bound: R.
        advance: is told how many inputs have been gone through.

    """
    runs = []
    for done, x in enumerate(inputs, start=1):
        runs.append(dict(leaves(machine, x, bound)))
        if advance is not None:
            advance(done)
    return Halting(tuple(inputs), bound, tuple(runs))


def program_code(found: Halting) -> FiniteCode:
    """Return the two-part code of theorem 1 whose hypotheses are the programs, in the order of `Halting.programs`.

    Raises:
        InputError: no program halts on every input.

    """
    return FiniteCode(
        tuple(Fraction(1, 1 << len(z)) for z in found.programs), tuple(map(found.function, found.programs))
    )


def _distribution(output: BitString) -> tuple[Fraction, Fraction]:
    one = Fraction(output.count("1") + 1, len(output) + 2)
    return 1 - one, one
