"""The one table of example programs, read by the tests, the documentation and the program `up`.

Each case says what it should compute, written down without the language, and the inputs on which it is compared:
interpreter, weights and expectation, all inputs up to a length.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

from theory.machines.one_tape import MACHINES, Configuration, TapeMachine, step
from up.compiler.examples.copying import copy, reverse
from up.compiler.examples.counting import brackets, increment, share
from up.compiler.examples.parity import parity
from up.compiler.examples.sorting import sort
from up.compiler.examples.tape_machine import configuration_at, tape_machine, tape_tokens
from up.compiler.interpreter import State
from up.compiler.language import Program
from up.errors import InputError

Tokens = tuple[str, ...]
_TAPE_STEPS = 8


@dataclass(frozen=True)
class Case:
    """A program and what it should compute.

    Attributes:
        build: makes the program.
        summary: what it computes, in a line.
        longest: the inputs of up to so many tokens are compared.
        inputs: all inputs of a length.
        answer: what the variables of all positions say, after the last layer.
        expected: the same, from the input alone.
        numeric: whether it has numeric variables, so that there is no tanh variant.

    """

    build: Callable[[], Program]
    summary: str
    longest: int
    inputs: Callable[[int], Iterable[Tokens]]
    answer: Callable[[list[State]], object]
    expected: Callable[[Tokens], object]
    numeric: bool = False

    def all_inputs(self) -> list[Tokens]:
        """Return every input that is compared."""
        return [given for length in range(self.longest + 1) for given in self.inputs(length)]


def _words(alphabet: str) -> Callable[[int], Iterable[Tokens]]:
    return lambda length: product(alphabet, repeat=length)


def _with_room(length: int) -> Iterable[Tokens]:
    return ((*word, *"_" * length) for word in product("01", repeat=length))


def _at(name: str, position: int) -> Callable[[list[State]], object]:
    return lambda states: states[position][name]


def _between(name: str) -> Callable[[list[State]], object]:
    return lambda states: tuple(state[name] for state in states[1:-1])


def _copied(states: list[State]) -> object:
    return tuple(state["belt"] for state in states[1 + (len(states) - 1) // 2 :])


def _incremented(given: Tokens) -> object:
    return tuple(map(int, format(int("0" + "".join(given), 2) + 1, f"0{len(given) + 1}b")))


def _is_balanced(given: Tokens) -> object:
    text = "".join(given)
    while "()" in text:
        text = text.replace("()", "")
    return int(not text)


def _tapes(machine: TapeMachine) -> Callable[[int], Iterable[Tokens]]:
    def all_of(length: int) -> Iterable[Tokens]:
        for tape in product(range(machine.symbols), repeat=length):
            for head in range(length):
                yield tape_tokens(Configuration(tape, head, machine.states[0]))

    return all_of


def _stepped(machine: TapeMachine) -> Callable[[Tokens], object]:
    def run(given: Tokens) -> object:
        head = next(at for at, token in enumerate(given) if token.endswith("^"))
        configuration = Configuration(tuple(int(token[0]) for token in given), head, machine.states[0])
        for _ in range(_TAPE_STEPS):
            configuration = step(machine, configuration)
        return configuration

    return run


def _tape_case(machine: TapeMachine, longest: int) -> Case:
    return Case(
        lambda: tape_machine(machine, _TAPE_STEPS),
        f"the Turing machine {machine.name}, {_TAPE_STEPS} steps",
        longest,
        _tapes(machine),
        lambda states: configuration_at(machine, states),
        _stepped(machine),
    )


CASES: Mapping[str, Case] = {
    "parity": Case(
        parity, "whether the number of ones is odd", 8, _words("01"), _at("parity", 0), lambda g: g.count("1") % 2
    ),
    "copy": Case(copy, "a word, once more", 5, _with_room, _copied, lambda g: tuple(map(int, g[: len(g) // 2]))),
    "reverse": Case(
        reverse, "a word backwards", 6, _words("01"), _between("reversed"), lambda g: tuple(map(int, reversed(g)))
    ),
    "sort": Case(sort, "digits in order", 4, _words("0123"), _between("digit"), lambda g: tuple(map(int, sorted(g)))),
    "increment": Case(
        increment,
        "a binary number plus 1",
        7,
        _words("01"),
        lambda states: tuple(state["bit"] for state in states[:-1]),
        _incremented,
    ),
    "brackets": Case(brackets, "whether brackets are balanced", 8, _words("()"), _at("balanced", -1), _is_balanced),
    "share": Case(
        share,
        "the share of ones, a fraction",
        6,
        lambda length: product("01", repeat=length) if length else (),
        _at("share", 0),
        lambda g: Fraction(g.count("1"), len(g)),
        numeric=True,
    ),
    **{f"tape-{name}": _tape_case(machine, 3 if machine.symbols > 2 else 4) for name, machine in MACHINES.items()},
}


@cache
def load_program(name: str) -> Program:
    """Return an example program by its name.

    Raises:
        InputError: there is none.

    """
    if name not in CASES:
        raise InputError("there is no such program", received=name, remedy=f"take one of {', '.join(CASES)}")
    return CASES[name].build()
