"""Turing machines with four tapes: program, condition, work and output, and a small class of all of one kind.

A state looks at one tape: at the program, whose next bit it takes; at the condition; or at the work tape. What it sees
selects a rule, and the rule may write on the work tape, move a head, append to the output, and names the next state.
The program is read one way, so the machine is prefix-free. Source: Bloem 2025 (arXiv 2506.20057), section 2.

The classes `turing-1` and `turing-2`: n states, two symbols, every table of one kind. State A looks at the program, or
in the other half of the machines at the condition, and the other states at the work tape. One of the 2n entries halts;
each of the others writes a symbol on the work tape, moves left or right and goes on in one of the states (4n choices).
What is written in a step to the right is output as well. The end of the condition halts. That makes 16 machines with
one state, 4,096 with two and 2,985,984 with three, too many to enumerate here. Many of them loop, so that their
measures stay below 1 under every bound: the semimeasures of footnote 3.

Limits: the output is only appended to, where the paper's output head moves in both directions; the work tape makes up
for that. A blank work cell reads as 0.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase

from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Run, Status
from theory.numbers.bit_strings import BitString, require_bit_string

HALT = "halt"
CONDITION_END = "end"


class WatchedTape(enum.Enum):
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
    emit: BitString = ""


@dataclass(frozen=True)
class TuringMachine:
    """A machine from a transition table.

    Attributes:
        name: how results refer to it.
        looks_at: the tape that each state looks at.
        rules: (state, symbol seen) -> rule; `CONDITION_END` is seen beyond the condition on both sides. No rule: stuck.
        start: the first state.

    >>> copy = TuringMachine(
    ...     "copy", {"A": WatchedTape.CONDITION},
    ...     {("A", "0"): Rule("A", condition_move=1, emit="0"),
    ...      ("A", "1"): Rule("A", condition_move=1, emit="1"),
    ...      ("A", CONDITION_END): Rule(HALT)},
    ... )
    >>> copy.run("", "011", Bound(time=9, space=9)).output
    '011'
    """

    name: str
    looks_at: Mapping[str, WatchedTape]
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
            require_bit_string(rule.emit)

    @property
    def reads_condition(self) -> bool:
        """Whether some state looks at the condition."""
        return WatchedTape.CONDITION in self.looks_at.values()

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run until a rule leads to `HALT`, a bit is missing, no rule applies, or the bound; one step for each rule.

        The space is the number of work cells visited and of bits written.
        """
        state, output, written = self.start, list[BitString](), 0
        work: dict[int, str] = {0: "0"}
        head = condition_head = bits_read = steps = 0

        def ended(status: Status) -> Run:
            return Run(status, "".join(output), steps, min(len(work) + written, bound.space), bits_read)

        while state != HALT:
            if len(work) + written > bound.space:
                return ended(Status.OUT_OF_SPACE)
            source = self.looks_at[state]
            if steps == bound.time:
                return ended(Status.OUT_OF_TIME)
            if source is WatchedTape.PROGRAM:
                if bits_read == len(program):
                    return ended(Status.NEEDS_INPUT)
                seen = program[bits_read]
                bits_read += 1
            elif source is WatchedTape.CONDITION:
                seen = condition[condition_head] if 0 <= condition_head < len(condition) else CONDITION_END
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
            if rule.emit:
                output.append(rule.emit)
                written += len(rule.emit)
            state = rule.state
            steps += 1
        return ended(Status.HALTED if len(work) + written <= bound.space else Status.OUT_OF_SPACE)


Choice = tuple[str, int, str]
"""What an entry of a table does: the symbol that it writes, the move, and the state that it goes to."""


def _rule(choice: Choice, first: WatchedTape, entry: tuple[str, str]) -> Rule:
    symbol, move, state = choice
    steps_on = 1 if first is WatchedTape.CONDITION and entry[0] == "A" else 0
    return Rule(state, write=symbol, move=move, condition_move=steps_on, emit=symbol if move == 1 else "")


def table_machine(first: WatchedTape, halting: int, choices: tuple[Choice, ...]) -> TuringMachine:
    """Return the machine whose entry number `halting` halts and whose other entries make these choices, in order.

    The entries are (A, 0), (A, 1), (B, 0), (B, 1), and so on, two for each state.

    >>> table_machine(WatchedTape.PROGRAM, 1, (("1", 1, "A"), ("0", -1, "B"), ("0", 1, "A"))).name
    'program 1>A halt 0<B 0>A'
    """
    states = ascii_uppercase[: (len(choices) + 1) // 2]
    entries = tuple(product(states, "01"))
    left = [entry for i, entry in enumerate(entries) if i != halting]
    rules = {entry: _rule(choice, first, entry) for entry, choice in zip(left, choices, strict=True)}
    rules[entries[halting]] = Rule(HALT)
    signs = [f"{symbol}{'<' if move < 0 else '>'}{state}" for symbol, move, state in choices]
    signs.insert(halting, HALT)
    if first is WatchedTape.CONDITION:
        rules["A", CONDITION_END] = Rule(HALT)
    looks_at = {state: first if state == "A" else WatchedTape.WORK for state in states}
    return TuringMachine(f"{first.value} {' '.join(signs)}", looks_at, rules)


def table_class(states: int, max_length: int = 1, *, time: int = 8) -> ModelClass:
    """Return all machines with so many states, words of equal length, and conditions up to `max_length` bits.

    >>> [len(table_class(states).members) for states in (1, 2)]
    [16, 4096]

    Raises:
        InputError: no states, or more than two.

    """
    if not 1 <= states <= 2:
        raise InputError("there are too many machines, or none", received=states, remedy="take 1 or 2 states")
    choices = tuple(product("01", (-1, 1), ascii_uppercase[:states]))
    machines = [
        table_machine(first, halting, chosen)
        for first in (WatchedTape.PROGRAM, WatchedTape.CONDITION)
        for halting in range(2 * states)
        for chosen in product(choices, repeat=2 * states - 1)
    ]
    return ModelClass.of(
        f"turing-{states}",
        machines,
        bound=Bound(time=time, space=2 * time + 1),
        max_length=max_length,
        legend=(
            "Names: what state A looks at, then the entries for A and 0, A and 1, and so on; 1>B writes 1, moves right"
            " and goes on in B."
        ),
    )


def one_state_class(max_length: int = 1) -> ModelClass:
    """Return `turing-1`, 16 machines with words of 4 bits."""
    return table_class(1, max_length)


def two_state_class(max_length: int = 1) -> ModelClass:
    """Return `turing-2`, 4,096 machines with words of 12 bits."""
    return table_class(2, max_length)
