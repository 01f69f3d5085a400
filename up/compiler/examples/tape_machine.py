"""A Turing machine with one tape, a cell at each position and a step in each layer.

Every position knows the state; a head reads the symbol under the machine's head; the cells beside it learn from two
relative heads that it comes to them. The machines are those of `theory.machines.one_tape`, which step exactly.

Source: Shaw et al. 2025 (arXiv 2509.22445), figures 4 and 5.

Deviation (erratum): in figure 5 of Shaw et al. the block that moves the head begins with `and x["head"]`, so that only
the cell which loses the head runs it, the neighbour never gains it, and in the next layer no cell has it; here the
neighbours run it. `symbol` has a value for START and END as well, and nothing is written there: as printed, a write on
START takes away the very symbol that guards the end of the tape.

Deviation: of Shaw et al., figure 5; a head that steps off the tape stays on START or END, where no rule applies, so
that the machine rests as `theory.machines.one_tape.step` has it, and the head begins on the cell whose token has a ^.
"""

from typing import Any

from theory.machines.one_tape import HALTED, RIGHT, Configuration, TapeMachine
from up.compiler.interpreter import State
from up.compiler.language import Match, Program, Relative, binary, categorical
from up.compiler.tracing import trace

HEAD_MARK = "^"


def tape_machine(machine: TapeMachine, steps: int = 8) -> Program:
    """Return the program that runs a machine for so many steps, on a tape of any length."""
    edge = machine.symbols
    states = machine.flags
    plain = {str(symbol): symbol for symbol in range(machine.symbols)}
    marked = {f"{symbol}{HEAD_MARK}": symbol for symbol in range(machine.symbols)}
    variables = (
        categorical("state", len(states)),
        categorical("symbol", machine.symbols + 1, {**plain, **marked}, edge),
        binary("head", dict.fromkeys(marked, 1)),
        binary("start", {"START": 1}),
        binary("end", {"END": 1}),
    )
    heads = (
        Match("head_symbol", "symbol", key="head"),
        Relative("head_left", "head", -1),
        Relative("head_right", "head", 1),
    )

    def step(x: Any) -> None:
        state = states[x["state"]]
        if state == HALTED:
            return
        seen = x["head_symbol"]
        if seen == edge:
            return
        rule = machine.rules[state, seen]
        x["state"] = states.index(rule.state)
        if x["head"]:
            x["symbol"] = rule.write
            x["head"] = 0
        elif rule.move == RIGHT:
            if not x["start"] and x["head_left"]:
                x["head"] = 1
        elif not x["end"] and x["head_right"]:
            x["head"] = 1

    return Program(
        f"tape machine {machine.name}",
        alphabet=(*plain, *marked),
        variables=variables,
        heads=heads,
        rules=trace(step, variables, heads).rules,
        outputs=("symbol", "head", "state"),
        layers=lambda _length: steps,
        before=("START",),
        after=("END",),
    )


def tape_tokens(configuration: Configuration) -> tuple[str, ...]:
    """Return the input that stands for a tape with a head on it; the machine begins in its first state.

    >>> tape_tokens(Configuration((0, 1, 1), 1, "A"))
    ('0', '1^', '1')
    """
    return tuple(
        f"{symbol}{HEAD_MARK}" if at == configuration.head else str(symbol)
        for at, symbol in enumerate(configuration.tape)
    )


def configuration_at(machine: TapeMachine, positions: list[State]) -> Configuration:
    """Return the configuration that the variables of all positions hold."""
    cells = positions[1:-1]
    tape = tuple(int(cell["symbol"]) for cell in cells)
    heads = [at for at, cell in enumerate(cells) if cell["head"]]
    if not heads:
        return Configuration(tape, None, None)
    return Configuration(tape, heads[0], machine.flags[int(cells[heads[0]]["state"])])
