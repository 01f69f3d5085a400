"""Prefix-free machines under explicit bounds.

A machine reads its program one way, bit by bit, and may look at the condition as it likes. When it halts, the bits read
are the program, and no halting program is the start of another. Every run takes a `Bound` on time and space, and every
way of not halting is a status, not an exception.

A machine is anything with the attributes of `Machine`. `FunctionMachine` makes one from a few lines of Python;
`theory.machines.turing` has the real thing with a transition table and four tapes; `theory.measures.measure` has what
they sample from.
Source: Bloem 2025 (arXiv 2506.20057), section 2. Limits: a machine in Python is trusted to keep its promises.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from theory.errors import InputError
from theory.numbers.bit_strings import BitString, shown


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


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did: `steps` taken, cells of `space` used, and bits of the program read before it ended."""

    status: Status
    output: BitString
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

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run on a program and a condition until a halt, a missing bit, or the bound."""
        ...


class _Stop(BaseException):  # not an Exception, which the user's function may catch
    def __init__(self, status: Status) -> None:
        self.status = status


class Tape:
    """What a machine that is written as a Python function sees: program, condition, output, and the clock."""

    def __init__(self, program: BitString, condition: BitString, bound: Bound) -> None:
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
        """Return the next bit of the program, 0 or 1; one step. Without time for it no bit is asked for."""
        if self.steps < self._bound.time and self.bits_read == len(self._program):
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
    def read_so_far(self) -> BitString:
        """The bits of the program that have been read."""
        return self._program[: self.bits_read]

    @property
    def output(self) -> BitString:
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

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
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
        except MemoryError:
            raise
        except Exception as error:
            problem = f"machine {self.name} fails on program {shown(tape.read_so_far)}: {type(error).__name__}: {error}"
            raise InputError(problem, remedy="correct its function") from error
        return Run(status, tape.output, tape.steps, tape.space, tape.bits_read)
