"""A prefix machine and the transformer that it became, layer by layer: what is on the tapes of each.

The tapes of the transformer are read from its residual. They agree at a layer when they are those of the machine after
as many steps (it rests once it has halted), and when all variables at all positions are those of the interpreter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, repeat

import numpy as np

from theory.machines.prefix import Snapshot
from up.compiler.checked import Floats, read_variables, run_steps
from up.compiler.interpreter import State, states
from up.compiler.prefix_program import input_symbols, work_symbols
from up.compiler.undefined import UndefinedValueError
from up.compiler.zmap import MappedProgram, checked_run
from up.device import single_thread

_TOLERANCE = 1e-3
UNUSED = "_"


@dataclass(frozen=True)
class Tapes:
    """What is on the tapes.

    Attributes:
        state: of the machine; "?" where the positions of the transformer do not agree on one.
        program: the marker and the cells, `UNUSED` beyond the program.
        input: with both markers.
        work: the marker and the cells.
        heads: places of the heads of program, input and work tape; -1: there is none.
        outputs: for each output tape the numerator and the denominator so far.

    """

    state: str
    program: str
    input: str
    work: str
    heads: tuple[int, int, int]
    outputs: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Layer:
    """Machine and transformer after so many layers, and whether they agree."""

    number: int
    machine: Tapes
    transformer: Tapes
    agree: bool


@dataclass(frozen=True)
class SideBySide:
    """A whole run of both.

    Attributes:
        layers: from before the first one on.
        logits: of the machine.
        interpreted: of the interpreter.
        network: of the transformer.
        steps: of the machine, until it halted.

    """

    layers: tuple[Layer, ...]
    logits: tuple[Fraction, ...]
    interpreted: tuple[Fraction, ...]
    network: tuple[float, ...]
    steps: int

    @property
    def agree(self) -> bool:
        """Whether every layer agrees, and the logits do."""
        near = all(abs(float(a) - b) <= _TOLERANCE for a, b in zip(self.logits, self.network, strict=True))
        return all(layer.agree for layer in self.layers) and self.logits == self.interpreted and near


def side_by_side(mapped: MappedProgram, given: str) -> SideBySide:
    """Run machine, interpreter and transformer on an input.

    Raises:
        InputError: the machine does not halt within the bound, with its head on the program's last bit and with logits
            on its tapes.
        UndefinedValueError: something undefined is read.

    """
    done = checked_run(mapped.machine, mapped.bound, mapped.program, given)
    looped = mapped.compiled.program
    layers: list[Layer] = []
    errors: list[UndefinedValueError | None] = [None]
    last: list[State] = []
    values: Floats = {}
    with single_thread():
        of_network = run_steps(mapped.compiled, [given], errors=errors)
        rows = zip(
            _resting(mapped, given), states(looped, given), of_network, strict=False
        )  # the machine rests for ever
        for number, (snapshot, exact, x_BTD) in enumerate(rows):
            if errors[0] is not None:
                raise errors[0]
            values, distance = read_variables(mapped.compiled, x_BTD)
            machine = tapes_of_machine(mapped, given, snapshot)
            transformer = tapes_of_transformer(mapped, values)
            same = distance <= _TOLERANCE and all(
                abs(float(state[name]) - values[name][0, at]) <= _TOLERANCE * (1 + abs(float(state[name])))
                for at, state in enumerate(exact)
                for name in state
            )
            layers.append(Layer(number, machine, transformer, same and machine == transformer))
            last = exact
    names = looped.outputs
    interpreted = tuple(Fraction(last[0][name]) for name in names)
    network = tuple(float(values[name][0, 0]) for name in names)
    return SideBySide(tuple(layers), done.logits, interpreted, network, done.steps)


def _resting(mapped: MappedProgram, given: str) -> Iterator[Snapshot]:
    """Yield the machine's snapshots, the last one again and again."""
    found = list(mapped.machine.snapshots(mapped.program, given))
    return chain(found, repeat(found[-1]))


def tapes_of_machine(mapped: MappedProgram, given: str, now: Snapshot) -> Tapes:
    """Return what is on the machine's tapes, as many cells as the bound has registers."""
    blanks = mapped.machine.work[0] * mapped.bound.space
    outputs: list[tuple[int, int]] = []
    for bits in now.outputs:
        numerator, _, denominator = bits[1:].partition("0")
        outputs.append((-len(numerator) if bits[:1] == "1" else len(numerator), 1 + len(denominator)))
    return Tapes(
        now.state,
        "<" + mapped.program.ljust(mapped.bound.space, UNUSED),
        f"<{given}>",
        "<" + (now.work + blanks)[: mapped.bound.space],
        (now.program_head, now.input_head, now.work_head),
        tuple(outputs),
    )


def tapes_of_transformer(mapped: MappedProgram, values: Floats) -> Tapes:
    """Return what the variables of one sequence, each (1, T), say about the tapes."""
    machine, separator = mapped.machine, mapped.bound.space + 1
    known = {name: column[0] for name, column in values.items()}
    found = set(known["state"].tolist())
    return Tapes(
        machine.states[found.pop()] if len(found) == 1 else "?",
        "<" + "".join({-1: "0", 0: UNUSED, 1: "1"}[int(bit)] for bit in known["bit"][1:separator]),
        "".join(input_symbols(machine)[int(symbol)] for symbol in known["input"][separator:]),
        "".join(work_symbols(machine)[int(symbol)] for symbol in known["work"][:separator]),
        (
            _place(known["program_head"][:separator]),
            _place(known["input_head"][separator:]),
            _place(known["work_head"][:separator]),
        ),
        tuple(
            (round(float(known[f"sum_{tape}"][0])), int(known[f"key_{tape}"].sum())) for tape in range(machine.outputs)
        ),
    )


def _place(flags_T: np.ndarray) -> int:
    places = np.flatnonzero(flags_T)
    return int(places[0]) if len(places) == 1 else -1
