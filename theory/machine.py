"""Prefix-free machines under explicit bounds, and the exact measures that they define.

A machine reads its program one way, bit by bit, and may look at the condition as it likes. When it halts, the bits read
are the program, and no halting program is the start of another. Fed with fair coin flips it samples from

    p_c(x | z) = sum over the programs r with c(r, z) = x of 2^-|r|.

Every run takes a `Bound` on time and space, and every way of not halting is a status, not an exception. Enumerating
all programs under a bound gives p_c exactly, up to the mass of the runs that were cut off: then `Measure` is a rigorous
lower and upper bound. Source: Bloem 2025 (arXiv 2506.20057), section 2.

A machine is anything with the attributes of `Machine`. `FunctionMachine` makes one from a few lines of Python;
`theory.turing` has the real thing with a transition table and four tapes.
"""

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from theory.bits import Bits, require_bits, shown
from theory.errors import InputError


@dataclass(frozen=True)
class Bound:
    """How long and how wide a run may be.

    Attributes:
        time: steps; reading a bit of the program is at least one step.
        space: cells of work and output tape.

    """

    time: int
    space: int

    def __post_init__(self) -> None:
        for name, value in (("time", self.time), ("space", self.space)):
            if value < 0:
                raise InputError(f"a bound on {name} is not negative", received=value, remedy="give 0 or more")


class Status(enum.Enum):
    """How a run ended."""

    HALTED = "halted"
    NEEDS_INPUT = "needs another bit of program"
    OUT_OF_TIME = "out of time"
    OUT_OF_SPACE = "out of space"
    STUCK = "stuck without a rule"


@dataclass(frozen=True)
class Run:
    """What a run did: `steps` taken, cells of `space` used, and bits of the program read before it ended."""

    status: Status
    output: Bits
    steps: int
    space: int
    bits_read: int


class Machine(Protocol):
    """A prefix-free machine.

    `run` must be deterministic, read the program one way, take at least one step for each bit that it reads, and never
    step beyond the bound. `reads_condition` may be False only if no run ever depends on the condition; measures are
    then computed once for all conditions.
    """

    @property
    def name(self) -> str:
        """What results call the machine."""
        ...

    @property
    def reads_condition(self) -> bool:
        """Whether runs may depend on the condition."""
        ...

    def run(self, program: Bits, condition: Bits, bound: Bound) -> Run:
        """Run on a program and a condition until a halt, a missing bit, or the bound."""
        ...


class _Stop(BaseException):  # not an Exception, which the user's function may catch
    def __init__(self, status: Status) -> None:
        self.status = status


class Tape:
    """What a machine that is written as a Python function sees: program, condition, output, and the clock."""

    def __init__(self, program: Bits, condition: Bits, bound: Bound) -> None:
        self._program, self._condition, self._bound = program, condition, bound
        self._output: list[str] = []
        self.steps = self.space = self.bits_read = 0

    def tick(self, steps: int = 1) -> None:
        """Let time pass."""
        if self.steps + steps > self._bound.time:
            raise _Stop(Status.OUT_OF_TIME)
        self.steps += steps

    def use(self, cells: int) -> None:
        """Claim cells of the work tape."""
        if self.space + cells > self._bound.space:
            raise _Stop(Status.OUT_OF_SPACE)
        self.space += cells

    def read(self) -> int:
        """Return the next bit of the program, 0 or 1; one step."""
        if self.bits_read == len(self._program):
            raise _Stop(Status.NEEDS_INPUT)
        self.tick()
        self.bits_read += 1
        return int(self._program[self.bits_read - 1])

    def condition(self, place: int) -> int | None:
        """Return a bit of the condition, or None beyond either end; one step."""
        self.tick()
        return int(self._condition[place]) if 0 <= place < len(self._condition) else None

    def write(self, bit: int | str) -> None:
        """Append one bit to the output; one step and one cell.

        Raises:
            ValueError: something else than 0, 1, "0" or "1".

        """
        if bit not in (0, 1, "0", "1"):
            raise ValueError(f"a machine writes 0 or 1, not {bit!r}")
        self.tick()
        self.use(1)
        self._output.append(str(int(bit)))

    def stuck(self) -> None:
        """End the run without halting: no rule applies."""
        raise _Stop(Status.STUCK)

    @property
    def read_so_far(self) -> Bits:
        """The bits of the program that have been read."""
        return self._program[: self.bits_read]

    @property
    def output(self) -> Bits:
        """What has been written."""
        return "".join(self._output)


@dataclass(frozen=True)
class FunctionMachine:
    """A machine in a few lines of Python: a function of a `Tape` that halts by returning.

    The function is run afresh for each program, so it must keep nothing between runs. The bound stops it when it uses
    the tape; a loop that does not use it needs a `tick`.

    >>> def echo(tape):
    ...     tape.write(tape.read())
    >>> FunctionMachine("echo", echo).run("10", "", Bound(time=9, space=9))
    Run(status=<Status.HALTED: 'halted'>, output='1', steps=2, space=1, bits_read=1)
    """

    name: str
    function: Callable[[Tape], None]
    reads_condition: bool = True

    def run(self, program: Bits, condition: Bits, bound: Bound) -> Run:
        """Run the function; see `Machine`.

        Raises:
            InputError: the function raises an exception of its own.

        """
        tape = Tape(program, condition if self.reads_condition else "", bound)
        try:
            self.function(tape)
            status = Status.HALTED
        except _Stop as stop:
            status = stop.status
        except Exception as error:
            problem = f"machine {self.name} fails on program {shown(tape.read_so_far)}: {type(error).__name__}: {error}"
            raise InputError(problem, remedy="correct its function") from error
        return Run(status, tape.output, tape.steps, tape.space, tape.bits_read)


@dataclass(frozen=True)
class Enumeration:
    """All programs on which a machine halts under a bound, in lexicographic order, with their outputs.

    Attributes:
        programs: pairs (program, output).
        unresolved: probability that fair coin flips lead to a run that did not halt under the bound.
        stuck: the part of `unresolved` where no bound would help, because no rule applied.

    """

    programs: tuple[tuple[Bits, Bits], ...]
    unresolved: Fraction
    stuck: Fraction = Fraction(0)


def leaves(
    machine: Machine, condition: Bits, bound: Bound, max_program_length: int | None = None
) -> Iterator[tuple[Bits, Run]]:
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
    machine: Machine, condition: Bits, bound: Bound, max_program_length: int | None = None
) -> Enumeration:
    """Find all programs on which the machine halts, with the mass of those that it leaves open.

    Args:
        machine: any machine that keeps the promises of `Machine`.
        condition: the string on the conditional tape.
        bound: time and space of each run.
        max_program_length: longer programs are left unresolved; by default the bound on time is the only limit.

    """
    require_bits(condition)
    programs: list[tuple[Bits, Bits]] = []
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

    mass: Mapping[Bits, Fraction]
    unresolved: Fraction = Fraction(0)

    def lower(self, x: Bits) -> Fraction:
        """Return the greatest lower bound on the probability of x that is proved."""
        return self.mass.get(x, Fraction(0))

    def upper(self, x: Bits) -> Fraction:
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
    mass: dict[Bits, Fraction] = {}
    for program, output in enumeration.programs:
        weight = Fraction(1, 1 << len(program))
        mass[output] = mass[output] + weight if output in mass else weight
    return Measure(mass, enumeration.unresolved)


def output_measure(machine: Machine, condition: Bits, bound: Bound, max_program_length: int | None = None) -> Measure:
    """Return p_c(x | z) as an exact measure.

    >>> def echo(tape):
    ...     tape.write(tape.read())
    >>> dict(output_measure(FunctionMachine("echo", echo), "", Bound(time=9, space=9)).mass)
    {'0': Fraction(1, 2), '1': Fraction(1, 2)}
    """
    return measure_of(enumerate_programs(machine, condition, bound, max_program_length))
