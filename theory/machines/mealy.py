"""Class B: all 252 one-state Mealy machines, the smallest class in which every statement can be gone through.

A machine watches one tape, its input or the condition. Each symbol that it meets makes it write nothing, 0 or 1, and
stay or halt; after six steps it halts in any case. A machine that watches the condition also meets the end of the tape,
as often as it stays there. So there are 6^3 machines of the first kind and 6^2 of the second, and on strings of at most
six bits they write strings of at most six bits: the class is closed, and its kernel is a 127 by 127 matrix.

The copy machine (write what you see, halt at the end) is the identity of Theorem 4.3; it comes first. The code is the
complete code for 252 things: 7 bits for the first four machines, 8 for the others.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Run, Status
from theory.numbers.bit_strings import BitString

CLOCK = 6
COPY = "mealy 0.1.h"


@dataclass(frozen=True, slots=True)
class Action:
    """What to do on a symbol: write "", "0" or "1", then stay or halt."""

    write: BitString
    halt: bool

    @property
    def sign(self) -> str:
        """The action as a sign: `.` to stay, `h` to halt, after what is written.

        >>> Action("0", halt=False).sign, Action("", halt=True).sign
        ('0.', 'h')
        """
        return self.write + ("h" if self.halt else ".")


ACTIONS = tuple(Action(write, halt) for write in ("", "0", "1") for halt in (False, True))


@dataclass(frozen=True)
class MealyMachine:
    """A one-state machine: `actions` on 0, on 1 and, if it watches the condition, on the end of the tape."""

    actions: tuple[Action, ...]
    clock: int = CLOCK

    @property
    def reads_condition(self) -> bool:
        """Whether it watches the condition; otherwise it watches its input."""
        return len(self.actions) == 3

    @property
    def name(self) -> str:
        """The actions in order, such as `mealy 0.1.h` for the copy machine; `coin` for those that watch the input."""
        return ("mealy " if self.reads_condition else "coin ") + "".join(action.sign for action in self.actions)

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run until a halting action, the clock, a missing bit, or the bound; one step for each symbol."""
        reads_condition, output = len(self.actions) == 3, ""
        watched = condition if reads_condition else program
        for step in range(self.clock):
            if step == bound.time:
                return self._ended(Status.OUT_OF_TIME, output, step)
            if step < len(watched):
                action = self.actions[watched[step] == "1"]
            elif reads_condition:
                action = self.actions[2]
            else:
                return self._ended(Status.NEEDS_INPUT, output, step)
            if len(output) + len(action.write) > bound.space:  # the symbol that asks for too much has been read
                return self._ended(Status.OUT_OF_SPACE, output, step + 1)
            output += action.write
            if action.halt:
                return self._ended(Status.HALTED, output, step + 1)
        return self._ended(Status.HALTED, output, self.clock)

    def _ended(self, status: Status, output: BitString, steps: int) -> Run:
        """Return the run: one symbol for each step, and a bit of the program if the machine watches its input."""
        return Run(status, output, steps, len(output), steps if len(self.actions) == 2 else 0)


def mealy_machines(clock: int = CLOCK) -> tuple[MealyMachine, ...]:
    """Return the 252 machines in the order of their code: the copy machine, the others on the condition, the coins."""
    on_condition = [MealyMachine(actions, clock) for actions in product(ACTIONS, repeat=3)]
    on_input = [MealyMachine(actions, clock) for actions in product(ACTIONS, repeat=2)]
    copy = next(machine for machine in on_condition if machine.name == COPY)
    return (copy, *(machine for machine in on_condition if machine != copy), *on_input)


LEGEND = (
    "Names: mealy .0.1h has the actions '.', '0.', '1h' on 0, on 1 and at the end of the condition, coin has those on 0"
    " and on 1 of its input; a digit is written, '.' goes on, 'h' halts."
)


def mealy_class(max_length: int = CLOCK) -> ModelClass:
    """Return class B with strings of at most `max_length` bits; the clock follows the length, so that it stays closed.

    >>> len(mealy_class().members)
    252
    """
    return ModelClass.of(
        "mealy",
        mealy_machines(max_length),
        bound=Bound(time=max_length, space=max_length),
        max_length=max_length,
        legend=LEGEND,
    )


def erasing_class(max_length: int = CLOCK) -> ModelClass:
    """Return a class without the identity: nothing is written on 0, and the end of the condition halts.

    >>> len(erasing_class().members)
    36
    """
    members = [
        machine
        for machine in mealy_machines(max_length)
        if machine.reads_condition and not machine.actions[0].write and machine.actions[2].halt
    ]
    return ModelClass.of(
        "mealy, erasing",
        members,
        bound=Bound(time=max_length, space=max_length),
        max_length=max_length,
        prior=[Fraction(1, len(members))] * len(members),
    )
