"""One-tape Turing machines as cellular automata of radius one, the form in which a recurrent network can step them.

A configuration is a tape, the position of the head and a state. Written as columns, one for each cell, each column
holds its symbol and, where the head is, the state: what a column becomes in one step depends on itself and its two
neighbours only (`next_column`), since the head moves by one cell. A column is a vector of bits, one-hot for the symbol
or the padding, followed by one flag for each state.

    >>> machine = MACHINES["bb2"]
    >>> start = Configuration((0, 0, 0), 1, "A")
    >>> step(machine, start)
    Configuration(tape=(0, 1, 0), head=2, state='B')
    >>> column_string(machine, start)
    '100000100100100000'

A machine of one's own is a `TapeMachine`; `load_machine("mine.py:NAME")` takes it from a file.

Source: Bloem 2025 (arXiv 2506.20057), section 4.4. Deviation: the paper has four tapes and hands the state to the
network in its first hidden vector; here there is one tape and the state travels with the head, so that the network's
own state carries nothing from one step to the next. Limits: the tape is a window of fixed size. A head that leaves it
is gone, which is a configuration like any other, and nothing moves any more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal

from theory.errors import InputError
from theory.numbers.bit_strings import BitString
from theory.user_file import load_object

State = str
HALTED: State = "H"
LEFT: Literal[-1] = -1
RIGHT: Literal[1] = 1


@dataclass(frozen=True)
class TapeRule:
    """What to do in one state on one symbol: the symbol to `write`, where to `move`, and the `state` to go to."""

    write: int
    move: Literal[-1, 1]
    state: State


@dataclass(frozen=True, kw_only=True)
class TapeMachine:
    """A machine with a rule for each state and symbol.

    Attributes:
        name: how results refer to it.
        symbols: size of the alphabet; 0 is the blank.
        states: the states that run, with distinct names, the first one starting; `HALTED` comes on top.
        rules: the rule for each pair of a running state and a symbol.

    """

    name: str
    symbols: int
    states: tuple[State, ...]
    rules: Mapping[tuple[State, int], TapeRule]

    def __post_init__(self) -> None:
        named = all(isinstance(state, str) and state for state in self.states)
        if not self.states or not named or len({*self.states, HALTED}) <= len(self.states):
            raise InputError(
                f"machine {self.name}: states are distinct names, and none of them is {HALTED!r}",
                received=self.states,
                remedy=f"name the states that run; {HALTED!r} is where a rule goes to halt",
            )
        missing = set(product(self.states, range(self.symbols))) ^ set(self.rules)
        if missing:
            raise InputError(
                f"machine {self.name}: each state and symbol needs exactly one rule",
                received=sorted(missing, key=repr),
                remedy="complete the table",
            )
        for rule in self.rules.values():
            if rule.write not in range(self.symbols) or rule.state not in self.flags:
                raise InputError(
                    f"machine {self.name}: a rule names an unknown symbol or state",
                    received=rule,
                    remedy=f"take symbols below {self.symbols} and states from {', '.join(self.flags)}",
                )
            if rule.move not in (LEFT, RIGHT):
                raise InputError(
                    f"machine {self.name}: a rule moves by one cell", received=rule, remedy=f"move by {LEFT} or {RIGHT}"
                )

    def __hash__(self) -> int:
        return hash((self.name, self.symbols, self.states, frozenset(self.rules.items())))

    @property
    def flags(self) -> tuple[State, ...]:
        """The states that a column has a flag for: all that run, and `HALTED`."""
        return (*self.states, HALTED)

    @property
    def column_width(self) -> int:
        """Bits in a column: one for each symbol, the padding, and each state."""
        return self.symbols + 1 + len(self.flags)


@dataclass(frozen=True)
class Configuration:
    """Where a machine is: its `tape`, and the `head` with its `state`, both None once the head has left the tape."""

    tape: tuple[int, ...]
    head: int | None
    state: State | None


@dataclass(frozen=True)
class Column:
    """One cell: its symbol (None for padding) and the state of the head, if the head is here."""

    symbol: int | None
    state: State | None = None


PADDING = Column(None)


def step(machine: TapeMachine, configuration: Configuration) -> Configuration:
    """Return the configuration one step later; a halted or headless one stays as it is."""
    tape, head, state = configuration.tape, configuration.head, configuration.state
    if head is None or state is None or state == HALTED:
        return configuration
    rule = machine.rules[state, tape[head]]
    written = (*tape[:head], rule.write, *tape[head + 1 :])
    arrived = head + rule.move
    if not 0 <= arrived < len(tape):
        return Configuration(written, None, None)
    return Configuration(written, arrived, rule.state)


def next_column(machine: TapeMachine, left: Column, middle: Column, right: Column) -> Column:
    """Return what the middle column becomes: the cellular automaton that `step` is, seen from one cell."""

    def arriving(neighbour: Column, move: int) -> State | None:
        rule = machine.rules.get((neighbour.state or "", neighbour.symbol if neighbour.symbol is not None else -1))
        return rule.state if rule is not None and rule.move == move else None

    if middle.state == HALTED:
        return middle
    rule = None if middle.state is None or middle.symbol is None else machine.rules[middle.state, middle.symbol]
    symbol = middle.symbol if rule is None else rule.write
    return Column(symbol, arriving(left, RIGHT) or arriving(right, LEFT))


def configurations(machine: TapeMachine, cells: int) -> Iterator[Configuration]:
    """Yield every tape of so many cells, each with no head, then with the head in each cell and state."""
    for tape in product(range(machine.symbols), repeat=cells):
        yield Configuration(tape, None, None)
        for head in range(cells):
            for state in machine.flags:
                yield Configuration(tape, head, state)


def windows(machine: TapeMachine) -> Iterator[tuple[Column, Column, Column]]:
    """Yield every three neighbouring columns that any tape can show around a cell: at most one head among them."""
    symbols = range(machine.symbols)
    for cells in product((None, *symbols), symbols, (None, *symbols)):
        yield _three(cells, None, None)
        for head, symbol in enumerate(cells):
            if symbol is not None:
                for state in machine.flags:
                    yield _three(cells, head, state)


def _three(cells: tuple[int | None, ...], head: int | None, state: State | None) -> tuple[Column, Column, Column]:
    left, middle, right = (Column(symbol, state if at == head else None) for at, symbol in enumerate(cells))
    return left, middle, right


def columns_of(configuration: Configuration) -> tuple[Column, ...]:
    """Return a configuration cell by cell, without padding."""
    return tuple(
        Column(symbol, configuration.state if at == configuration.head else None)
        for at, symbol in enumerate(configuration.tape)
    )


def one_hot(machine: TapeMachine, column: Column) -> tuple[int, ...]:
    """Return the bits of one column: symbols, padding, states."""
    symbol = machine.symbols if column.symbol is None else column.symbol
    return (
        *(int(symbol == k) for k in range(machine.symbols + 1)),
        *(int(column.state == flag) for flag in machine.flags),
    )


def column_string(machine: TapeMachine, configuration: Configuration) -> BitString:
    """Return a configuration as a string, column after column."""
    return "".join(str(bit) for column in columns_of(configuration) for bit in one_hot(machine, column))


def configuration_of(machine: TapeMachine, bits: BitString) -> Configuration | None:
    """Return the configuration that a string writes down, or None if it writes none; the inverse of `column_string`."""
    width = machine.column_width
    names = {
        "".join(map(str, one_hot(machine, column))): column
        for column in (Column(s, q) for s in range(machine.symbols) for q in (None, *machine.flags))
    }
    columns = [names.get(bits[at : at + width]) for at in range(0, len(bits), width)]
    heads = [(at, column.state) for at, column in enumerate(columns) if column is not None and column.state]
    tape = tuple(column.symbol for column in columns if column is not None and column.symbol is not None)
    if not columns or len(tape) != len(columns) or len(heads) > 1:
        return None
    return Configuration(tape, *(heads[0] if heads else (None, None)))


def _machine(name: str, symbols: int, table: str) -> TapeMachine:
    """Read a table such as "A0:1RB A1:1LB": state, symbol, what to write, where to move, next state."""
    rules = {
        (entry[0], int(entry[1])): TapeRule(int(entry[3]), RIGHT if entry[4] == "R" else LEFT, entry[5])
        for entry in table.split()
    }
    states = tuple(sorted({state for state, _ in rules}))
    return TapeMachine(name=name, symbols=symbols, states=states, rules=rules)


MACHINES: Mapping[str, TapeMachine] = {
    machine.name: machine
    for machine in (
        _machine("flip", 2, "A0:1RA A1:0RA"),
        _machine("bb2", 2, "A0:1RB A1:1LB B0:1LA B1:1RH"),
        _machine("two-three", 3, "A0:1RB A1:2LA A2:1LA B0:2LA B1:2RB B2:0RA"),
    )
}


def load_machine(machine: str | TapeMachine) -> TapeMachine:
    """Return a machine by its name, or one of the user's own.

    Args:
        machine: `flip`, the busy beaver `bb2`, or the universal `two-three`; or `path/to/file.py:NAME` where NAME is a
            `TapeMachine`, the file being executed; or the machine itself.

    Raises:
        InputError: no machine of that name, or a file that does not hold one.

    """
    if isinstance(machine, TapeMachine):
        return machine
    found = MACHINES.get(machine) or load_object(machine, TapeMachine, "user_machine")
    if found is None:
        remedy = f"take one of {', '.join(MACHINES)} or give path/to/file.py:NAME"
        raise InputError("there is no such tape machine", received=machine, remedy=remedy)
    return found
