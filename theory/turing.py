"""Turing machines with four tapes: program, condition, work and output, and a small class of all of one kind.

A state looks at one tape: at the program, whose next bit it takes; at the condition; or at the work tape. What it sees
selects a rule, and the rule may write on the work tape, move a head, append to the output, and names the next state.
The program is read one way, so the machine is prefix-free. Source: Bloem 2025 (arXiv 2506.20057), section 2.

The class `turing-2`: two states, two symbols, every table of one kind. State A looks at the program (2,048 machines) or
at the condition (2,048 more) and state B at the work tape. One of the four entries halts; each of the other three
writes a symbol on the work tape, moves left or right and goes on in A or B (8 choices): 4 times 8^3 tables. What is
written in a step to the right is output as well. The end of the condition halts. Many of these machines loop, so that
their measures stay below 1 under every bound: the semimeasures of footnote 3.

Limits: the output is only appended to, where the paper's output head moves in both directions; the work tape makes up
for that. A blank work cell reads as 0.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from theory.bits import Bits, require_bits
from theory.classes import ModelClass
from theory.errors import InputError
from theory.machine import Bound, Run, Status

HALT = "halt"
END = "end"


class Source(enum.Enum):
    """The tape that a state looks at."""

    PROGRAM = "program"
    CONDITION = "condition"
    WORK = "work"


@dataclass(frozen=True)
class Rule:
    """What to do: write a work symbol (None: leave it), move the heads, append to the output, go to a state.

    `move` and `condition_move` are -1, 0 or 1 for the head of the work tape and of the condition.
    """

    state: str
    write: str | None = None
    move: int = 0
    condition_move: int = 0
    emit: Bits = ""


@dataclass(frozen=True)
class TuringMachine:
    """A machine from a transition table.

    Attributes:
        name: how results refer to it.
        looks_at: the tape that each state looks at.
        rules: (state, symbol seen) -> rule; `END` is seen beyond the condition on both sides. No rule: stuck.
        start: the first state.

    >>> copy = TuringMachine(
    ...     "copy", {"A": Source.CONDITION},
    ...     {("A", "0"): Rule("A", condition_move=1, emit="0"),
    ...      ("A", "1"): Rule("A", condition_move=1, emit="1"),
    ...      ("A", END): Rule(HALT)},
    ... )
    >>> copy.run("", "011", Bound(time=9, space=9)).output
    '011'
    """

    name: str
    looks_at: Mapping[str, Source]
    rules: Mapping[tuple[str, str], Rule]
    start: str = "A"

    def __post_init__(self) -> None:
        for state in (self.start, *(rule.state for rule in self.rules.values())):
            if state != HALT and state not in self.looks_at:
                raise InputError(
                    f"machine {self.name} has a state that looks at no tape",
                    received=state,
                    remedy=f"name its tape in looks_at or go to {HALT!r}",
                )
        for rule in self.rules.values():
            require_bits(rule.emit)

    @property
    def reads_condition(self) -> bool:
        """Whether some state looks at the condition."""
        return Source.CONDITION in self.looks_at.values()

    def run(self, program: Bits, condition: Bits, bound: Bound) -> Run:
        """Run until a rule leads to `HALT`, a bit is missing, no rule applies, or the bound; one step for each rule.

        The space is the number of work cells visited and of bits written.
        """
        state, output = self.start, ""
        work: dict[int, str] = {0: "0"}
        head = condition_head = bits_read = steps = 0

        def ended(status: Status) -> Run:
            return Run(status, output, steps, min(len(work) + len(output), bound.space), bits_read)

        while state != HALT:
            if len(work) + len(output) > bound.space:
                return ended(Status.OUT_OF_SPACE)
            source = self.looks_at[state]
            if steps == bound.time:
                return ended(Status.OUT_OF_TIME)
            if source is Source.PROGRAM:
                if bits_read == len(program):
                    return ended(Status.NEEDS_INPUT)
                seen = program[bits_read]
                bits_read += 1
            elif source is Source.CONDITION:
                seen = condition[condition_head] if 0 <= condition_head < len(condition) else END
            else:
                seen = work[head]
            rule = self.rules.get((state, seen))
            if rule is None:
                return ended(Status.STUCK)
            if rule.write is not None:
                work[head] = rule.write
            head += rule.move
            work.setdefault(head, "0")
            condition_head += rule.condition_move
            output += rule.emit
            state = rule.state
            steps += 1
        return ended(Status.HALTED if len(work) + len(output) <= bound.space else Status.OUT_OF_SPACE)


_ENTRIES = (("A", "0"), ("A", "1"), ("B", "0"), ("B", "1"))
_CHOICES = tuple(product("01", (-1, 1), "AB"))


def _rule(symbol: str, move: int, state: str, first: Source, entry: tuple[str, str]) -> Rule:
    steps_on = 1 if first is Source.CONDITION and entry[0] == "A" else 0
    return Rule(state, write=symbol, move=move, condition_move=steps_on, emit=symbol if move == 1 else "")


def two_state_machine(first: Source, halting: int, choices: tuple[tuple[str, int, str], ...]) -> TuringMachine:
    """Return the machine whose entry number `halting` halts and whose other three entries make these choices.

    >>> two_state_machine(Source.PROGRAM, 1, (("1", 1, "A"), ("0", -1, "B"), ("0", 1, "A"))).name
    'program 1>A halt 0<B 0>A'
    """
    left = [entry for i, entry in enumerate(_ENTRIES) if i != halting]
    rules = {entry: _rule(*choice, first, entry) for entry, choice in zip(left, choices, strict=True)}
    rules[_ENTRIES[halting]] = Rule(HALT)
    signs = [f"{symbol}{'<' if move < 0 else '>'}{state}" for symbol, move, state in choices]
    signs.insert(halting, HALT)
    if first is Source.CONDITION:
        rules["A", END] = Rule(HALT)
    return TuringMachine(f"{first.value} {' '.join(signs)}", {"A": first, "B": Source.WORK}, rules)


def turing_class(max_length: int = 1, *, time: int = 8) -> ModelClass:
    """Return `turing-2`: 4,096 machines with words of 12 bits each, and conditions of up to `max_length` bits.

    >>> len(turing_class().members)
    4096
    """
    machines = [
        two_state_machine(first, halting, choices)
        for first in (Source.PROGRAM, Source.CONDITION)
        for halting in range(4)
        for choices in product(_CHOICES, repeat=3)
    ]
    return ModelClass.of("turing-2", machines, bound=Bound(time=time, space=2 * time + 1), max_length=max_length)
