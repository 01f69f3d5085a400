"""An LSTM, written by hand, that computes one step of a Turing machine: the network whose existence Lemma 4.4 assumes.

The network reads a tape column by column, a padding column before it and one after it, and answers one column late,
when it has seen both neighbours. Gates do no work: i and o stand open, f stands shut, so that the cell is a
feed-forward network with a memory of one token, in three layers of units that are +a where they fire, else -a or a
little less:

    events       this column holds symbol s and state q (or no state)      an AND over the input
    first delay  the last column will show s; keeps a halted head;          an OR over the events one token ago
                 sends a head to the right in state q
    second delay the last column but one sends a head right in state q      a copy of the first delay

The read-out takes the new symbol and a halted head from the first delay (the middle column), a head that comes from the
left from the second delay, and one that comes from the right from the events. Its answers lie `margin` beyond 0 and 1,
where the saturated linear activation cuts them off: rounding them is then the machine's step.

Source: Bloem 2025 (arXiv 2506.20057), section 4.4, Lemma 4.4.

Deviation (erratum): the proof of Lemma 4.4 moves the answers strictly inside the saturated part by y' = 3y - 1 and
prints the new bias as b - 1. It is 3b - 1: the bias, too, is multiplied. With b - 1 the read-out of the busy beaver is
wrong on 864 of 1,216 configurations, with 3b - 1 on none. A margin of 1 here is a margin of 0 followed by that step.

Limits: one layer, one bias vector (`torch.nn.LSTM` has two, which are added); the order of the gates is i, f, g, o.
Deviation: the network streams. At fixed precision no network can read all of a long tape and write only then.
"""

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError
from theory.machines.one_tape import (
    HALTED,
    LEFT,
    PADDING,
    RIGHT,
    Column,
    Configuration,
    State,
    TapeMachine,
    columns_of,
    one_hot,
)

# Shapes: B configurations, T tokens, N cells (T = N + 2), D bits of a column, H hidden units, 4H gate rows.

MOST_EVENTS = 2_000  # a gigabyte of weights

Array = NDArray[np.float64]
ReadOut = Literal["saturated", "rounded"]


@dataclass(frozen=True, kw_only=True)
class Gains:
    """How far the units are driven into saturation.

    Attributes:
        event: K, on the input of the events.
        delay: K1, on what a delayed unit reads.
        gate: Kg, on the biases of the gates.
        margin: M, how far beyond 0 and 1 the read-out answers.

    """

    event: float = 4.0
    delay: float = 3.0
    gate: float = 4.0
    margin: float = 1.0

    def __post_init__(self) -> None:
        for name in ("event", "delay", "gate"):
            if not 0 < getattr(self, name) < inf:
                raise InputError(f"the gain {name} is positive", received=getattr(self, name), remedy="give e.g. 4")
        if not 0 <= self.margin < inf:
            raise InputError("the margin is a number of 0 or more", received=self.margin, remedy="give e.g. 1")


@dataclass(frozen=True, kw_only=True)
class LSTM:
    """The parameters of a one-layer LSTM with a linear read-out, or of K of them: then each array is (K, ...)."""

    input_weight: Array  # (4H, D)
    recurrent_weight: Array  # (4H, H)
    bias: Array  # (4H,)
    readout_weight: Array  # (D, H)
    readout_bias: Array  # (D,)

    @property
    def hidden_size(self) -> int:
        """Hidden units H."""
        return self.recurrent_weight.shape[-1]

    @property
    def arrays(self) -> tuple[Array, Array, Array, Array, Array]:
        """All parameters: weights and bias of the gates, then those of the read-out."""
        return self.input_weight, self.recurrent_weight, self.bias, self.readout_weight, self.readout_bias

    @property
    def parameter_count(self) -> int:
        """How many parameters there are."""
        return sum(array.size for array in self.arrays)

    @property
    def vector(self) -> Array:
        """All parameters as one vector."""
        return np.concatenate([array.ravel() for array in self.arrays])

    def shifted(self, shift: Array) -> "LSTM":
        """Return the network with a vector added to its parameters, or with each of several, (K, parameters)."""
        ends, stack = np.cumsum([array.size for array in self.arrays])[:-1], shift.shape[:-1]
        split = np.split(shift, ends, axis=-1)
        parts = [part.reshape(stack + array.shape) for part, array in zip(split, self.arrays, strict=True)]
        return LSTM(
            input_weight=self.input_weight + parts[0],
            recurrent_weight=self.recurrent_weight + parts[1],
            bias=self.bias + parts[2],
            readout_weight=self.readout_weight + parts[3],
            readout_bias=self.readout_bias + parts[4],
        )


def step_lstm(machine: TapeMachine, gains: Gains | None = None) -> LSTM:
    """Return the network that computes one step of the machine.

    Raises:
        InputError: a machine for which it has more than `MOST_EVENTS` units of the first layer.

    """
    events = machine.symbols * (len(machine.flags) + 1)
    if events > MOST_EVENTS:
        raise InputError(
            f"machine {machine.name} has too many symbols and states for a network",
            received=f"{machine.symbols} and {len(machine.states)}",
            remedy="take a smaller machine",
        )
    return _Builder(machine, gains or Gains()).build()


class _Builder:
    """Lays out the units, then fills in the weights of each."""

    def __init__(self, machine: TapeMachine, gains: Gains) -> None:
        self.machine, self.gains = machine, gains
        symbols, rules = range(machine.symbols), machine.rules
        self.events: list[tuple[int, State | None]] = [(s, q) for q in (*machine.flags, None) for s in symbols]
        moves = {(rule.move, rule.state) for rule in rules.values()}
        self.sent_right = [q for q in machine.flags if (RIGHT, q) in moves]

        # Each delayed unit is the set of the events that it fires on.
        self.writes = [[k for k, e in enumerate(self.events) if self._written(*e) == s] for s in symbols]
        self.halts = [k for k, (_, q) in enumerate(self.events) if q == HALTED]
        self.sends = [self._sending(RIGHT, q) for q in self.sent_right]
        first_delay = [*self.writes, self.halts, *self.sends]

        self.first = len(self.events)
        self.halt_unit = self.first + len(self.writes)
        self.send_unit = self.halt_unit + 1
        self.second = self.first + len(first_delay)
        self.hidden_size = self.second + len(self.sends)
        self.first_delay = first_delay

    def _written(self, symbol: int, state: State | None) -> int:
        rule = self.machine.rules.get((state or "", symbol))
        return symbol if rule is None else rule.write

    def _sending(self, move: int, state: State) -> list[int]:
        rules = ((k, self.machine.rules.get((q or "", s))) for k, (s, q) in enumerate(self.events))
        return [k for k, rule in rules if rule is not None and (rule.move, rule.state) == (move, state)]

    def build(self) -> LSTM:
        gains, H, D = self.gains, self.hidden_size, self.machine.column_width
        open_gate = 1 / (1 + np.exp(-gains.gate))
        event_size = open_gate * np.tanh(open_gate * np.tanh(gains.event / 2))
        delay_size = open_gate * np.tanh(open_gate * np.tanh(gains.delay))
        flag_column = {state: self.machine.symbols + 1 + k for k, state in enumerate(self.machine.flags)}

        from_input, from_hidden, bias = np.zeros((H, D)), np.zeros((H, H)), np.zeros(H)  # of the candidate g
        for unit, (symbol, state) in enumerate(self.events):
            from_input[unit, symbol] = gains.event
            if state is None:
                from_input[unit, list(flag_column.values())] = -gains.event
                bias[unit] = -gains.event / 2
            else:
                from_input[unit, flag_column[state]] = gains.event
                bias[unit] = -1.5 * gains.event
        for unit, events in enumerate(self.first_delay, self.first):
            from_hidden[unit, events] = gains.delay / event_size
            bias[unit] = gains.delay * (len(events) - 1)
        for k in range(len(self.sends)):
            from_hidden[self.second + k, self.send_unit + k] = gains.delay / delay_size

        reach = 0.5 + gains.margin
        readout_weight, readout_bias = np.zeros((D, H)), np.full(D, 0.5 - reach)
        for symbol in range(self.machine.symbols):
            readout_weight[symbol, self.first + symbol] = reach / delay_size
            readout_bias[symbol] = 0.5
        for state, row in flag_column.items():
            delayed = [self.second + self.sent_right.index(state)] if state in self.sent_right else []
            delayed += [self.halt_unit] if state == HALTED else []
            direct = self._sending(LEFT, state)
            readout_weight[row, delayed] = reach / delay_size
            readout_weight[row, direct] = reach / event_size
            readout_bias[row] = 0.5 + reach * (len(delayed) + len(direct) - 1)

        no_input, no_hidden = np.zeros((H, D)), np.zeros((H, H))  # gates look at nothing
        return LSTM(
            input_weight=np.concatenate([no_input, no_input, from_input, no_input]),
            recurrent_weight=np.concatenate([no_hidden, no_hidden, from_hidden, no_hidden]),
            bias=np.concatenate([np.full(H, gains.gate), np.full(H, -gains.gate), bias, np.full(H, gains.gate)]),
            readout_weight=readout_weight,
            readout_bias=readout_bias,
        )


def padded_columns(machine: TapeMachine, configurations: list[Configuration]) -> NDArray[np.uint8]:
    """Return the tokens that the network reads, (B, N + 2, D): the columns between two of padding."""
    code = _column_codes(machine)
    rows = [
        [code[PADDING], *(code[column] for column in columns_of(configuration)), code[PADDING]]
        for configuration in configurations
    ]
    return np.array(rows, dtype=np.uint8)


def _column_codes(machine: TapeMachine) -> dict[Column, tuple[int, ...]]:
    columns = [PADDING, *(Column(s, q) for s in range(machine.symbols) for q in (None, *machine.flags))]
    return {column: one_hot(machine, column) for column in columns}


def forward(lstm: LSTM, tokens_BTD: NDArray[np.uint8], dtype: type[np.floating] = np.float64) -> NDArray[np.floating]:
    """Return what the read-out says for each cell, (B, N, D) or (K, B, N, D), all arithmetic done in `dtype`."""
    input_weight, recurrent_weight, bias, readout_weight, readout_bias = (a.astype(dtype) for a in lstm.arrays)
    x_BTD, one = tokens_BTD.astype(dtype), dtype(1)
    h_BH = c_BH = np.zeros((len(x_BTD), lstm.hidden_size), dtype)
    answers = []
    for x_BD in x_BTD.swapaxes(0, 1):
        z = x_BD @ input_weight.mT + h_BH @ recurrent_weight.mT + bias[..., None, :]
        i, f, g, o = np.split(z, 4, axis=-1)
        i, f, o = (one / (one + np.exp(-gate)) for gate in (i, f, o))
        c_BH = f * c_BH + i * np.tanh(g)
        h_BH = o * np.tanh(c_BH)
        answers.append(h_BH @ readout_weight.mT + readout_bias[..., None, :])
    return np.stack(answers[2:], axis=-2)


def read(answers_BND: NDArray[np.floating], read_out: ReadOut) -> NDArray[np.floating]:
    """Return what the answers are read as: cut off at 0 and 1 (Lemma 4.4), or rounded to bits (Theorem 4.5)."""
    if read_out == "saturated":
        return np.clip(answers_BND, 0, 1)
    return np.where(answers_BND > 0.5, answers_BND.dtype.type(1), answers_BND.dtype.type(0))
