"""Machines as data: a kind and its parameters, in both directions, so that a certificate holds its class and no code.

    mealy      {"kind": "mealy", "actions": ["0.", "1.", "h"], "clock": 6}
    source     {"kind": "source", "name": "dup", "length": 6}
    turing     {"kind": "turing", "name": ..., "start": ..., "looks_at": {...}, "rules": [...]}
    universal  {"kind": "universal", "reads_condition": false, "wraps": false}
    tree       {"kind": "tree", "name": ..., "trees": {"": ["0", ["1", null]]}}

A tree takes one bit of program at each fork; a leaf is what is written, or null where the machine does not halt. It
stands for machines that are code, such as a user's Python function: the certificate is then about the tree.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from theory.certificates.fields import Field
from theory.machines.machine import Bound, FunctionMachine, Machine, Run, Status
from theory.machines.mealy import Action, MealyMachine
from theory.machines.named_sources import SOURCES
from theory.machines.turing import HALT, Rule, TuringMachine, WatchedTape
from theory.machines.universal.machine import UniversalMachine
from theory.numbers.bit_strings import BitString

Tree = BitString | None | list[Any]


@dataclass(frozen=True)
class TreeMachine:
    """A machine that is written down as a tree for each condition; see the module's docstring."""

    name: str
    trees: Mapping[BitString, Tree]

    @property
    def reads_condition(self) -> bool:
        """Whether there are trees for more than the empty condition."""
        return self.trees.keys() != {""}  # at once, however many there are

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Walk down the tree, one step for each bit, then write the leaf."""
        node = self.trees[condition if self.reads_condition else ""]
        bits_read = 0
        while isinstance(node, list):
            if bits_read == bound.time:
                return Run(Status.OUT_OF_TIME, "", bits_read, 0, bits_read)
            if bits_read == len(program):
                return Run(Status.NEEDS_INPUT, "", bits_read, 0, bits_read)
            node = node[program[bits_read] == "1"]
            bits_read += 1
        if node is None:
            return Run(Status.STUCK, "", bits_read, 0, bits_read)
        if len(node) > bound.space:
            return Run(Status.OUT_OF_SPACE, "", bits_read, bound.space, bits_read)
        return Run(Status.HALTED, node, bits_read, len(node), bits_read)


def machine_data(machine: Machine) -> dict[str, Any] | None:
    """Return a machine as its kind and parameters; None if it is no built-in kind."""
    if type(machine) is MealyMachine:
        return {"kind": "mealy", "actions": [action.sign for action in machine.actions], "clock": machine.clock}
    if type(machine) is UniversalMachine:
        return {"kind": "universal", "reads_condition": machine.reads_condition, "wraps": machine.wraps}
    if type(machine) is FunctionMachine and isinstance(machine.function, partial):
        for source in SOURCES:
            if machine.function.func is source.write and machine.name == source.name and not machine.reads_condition:
                return {"kind": "source", "name": source.name, "length": machine.function.args[0]}
    if type(machine) is TuringMachine:
        return {
            "kind": "turing",
            "name": machine.name,
            "start": machine.start,
            "looks_at": {state: source.value for state, source in machine.looks_at.items()},
            "rules": [
                {
                    "state": state,
                    "seen": seen,
                    "write": rule.write,
                    "move": rule.move,
                    "condition_move": rule.condition_move,
                    "emit": rule.emit,
                    "go_to": rule.state,
                }
                for (state, seen), rule in machine.rules.items()
            ],
        }
    return None


def kind_of(machine: Machine) -> str:
    """Return the kind of a machine that was read: `tree` for one that is no built-in kind."""
    data = machine_data(machine)
    return "tree" if data is None else data["kind"]


def read_machine(machine: Field) -> Machine:
    """Read a machine of one of the kinds in the module's docstring."""
    kind = machine.value.get("kind") if isinstance(machine.value, dict) else None
    readers = {"mealy": _mealy, "source": _source, "turing": _turing, "universal": _universal, "tree": _tree}
    if not isinstance(kind, str) or kind not in readers:
        raise machine.refuse("a machine whose kind is one of " + ", ".join(readers))
    return readers[kind](machine)


def _mealy(machine: Field) -> MealyMachine:
    _, actions, clock = machine.fields("kind", "actions", "clock")
    signs = actions.items()
    if len(signs) not in (2, 3):
        raise actions.refuse("a list of 2 or 3 actions")
    for sign in signs:
        if not re.fullmatch(r"[01]{0,9}[.h]", sign.text()):
            raise sign.refuse('an action such as "0." or "1h"')
    return MealyMachine(tuple(Action(sign.value[:-1], sign.value[-1] == "h") for sign in signs), clock.integer())


def _source(machine: Field) -> FunctionMachine:
    _, name, length = machine.fields("kind", "name", "length")
    name.among(*(source.name for source in SOURCES))
    write = next(source.write for source in SOURCES if source.name == name.value)
    return FunctionMachine(name.value, partial(write, length.integer()), reads_condition=False)


def _universal(machine: Field) -> UniversalMachine:
    _, reads_condition, wraps = machine.fields("kind", "reads_condition", "wraps")
    return UniversalMachine(reads_condition.among(False, True), wraps.among(False, True))


def _turing(machine: Field) -> TuringMachine:
    _, name, start, looks_at, rules = machine.fields("kind", "name", "start", "looks_at", "rules")
    if not isinstance(looks_at.value, dict):
        raise looks_at.refuse("an object")
    tapes = {source.value: source for source in WatchedTape}
    states = {
        state: tapes[Field(tape, f"{looks_at.place}.{state}").among(*tapes)] for state, tape in looks_at.value.items()
    }
    ends = {HALT, *states}

    def known(field: Field, among: Collection[str]) -> str:
        if not isinstance(field.value, str) or field.value not in among:
            raise field.refuse("one of the states in looks_at")
        return field.value

    table: dict[tuple[str, str], Rule] = {}
    for row in rules.items():
        state, seen, write, move, condition_move, emit, target = row.fields(
            "state", "seen", "write", "move", "condition_move", "emit", "go_to"
        )
        key = known(state, states), seen.among("0", "1", "end")
        if key in table:
            raise row.refuse("the only rule for its state and symbol")
        table[key] = Rule(
            known(target, ends),
            write.among(None, "0", "1"),
            move.among(-1, 0, 1),
            condition_move.among(-1, 0, 1),
            emit.bit_string(),
        )
    return TuringMachine(name.text(), states, table, known(start, ends))


def _tree(machine: Field) -> TreeMachine:
    _, name, trees = machine.fields("kind", "name", "trees")
    roots = trees.pairs()
    left = list(roots.values())
    while left:
        node = left.pop()
        if isinstance(node.value, list):
            if len(node.value) != 2:
                raise node.refuse("a fork of two branches, a bit string or null")
            left += [Field(branch, node.place) for branch in node.value]  # a deep tree has long places
        elif node.value is not None:
            node.bit_string()
    return TreeMachine(name.text(), {condition: root.value for condition, root in roots.items()})
