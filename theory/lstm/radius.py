"""How far the parameters of the LSTM may move before it computes another function: a certified radius.

Lemma 4.4 needs some ball of parameters in which every network computes the same function. Interval arithmetic finds a
large one. What a cell is told depends on three tokens, so take all windows of three columns (`one_tape.windows`),
start from every hidden state and cell state that any earlier tape could have left, and enclose the answers of all
networks within the radius. If every answer stays beyond 0 or 1, the saturated activation of Lemma 4.4 turns all of them
into the machine's step, on tapes of every length; if it stays on its side of 1/2, the rounding of Theorem 4.5 does, up
to a larger radius. The parameters move a row of weights w, applied to the inputs v (with a 1 for the bias), by e:

    |(w + e) · v - w · v| <= r · (sum of |v_i|)       within the box, where no parameter moves by more than r
    |(w + e) · v - w · v| <= r · sqrt(sum of v_i^2)   within the ball of radius r

Every operation is rounded outward (`theory.numbers.interval`), so the radius is a theorem about real numbers. The
cell state obeys |c_t| <= f |c_{t-1}| + 1, so it is at most 1 / (1 - f) for ever. That bound decides much: with 8 to 10
in its place, the growth by 1 a token of a short tape, the radii of BB(2) fall from 0.0536 and 0.2196 to about 0.049 and
0.203.

Deviation (erratum): the proof of Lemma 4.4 leaves out the products with the gates, |i'g' - ig| <= |g' - g| + |i' - i|,
and the growth of the cell state, |c_t| <= |c_0| + t.

Source: Bloem 2025 (arXiv 2506.20057), Lemma 4.4. Limits: the networks of `theory.lstm.construction`, in exact
arithmetic; the nominal network in floating point is checked by running it. Machines for whose network and windows
`MOST_UNITS` are enough.
"""

from collections.abc import Mapping
from functools import cache, partial
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError
from theory.lstm.construction import LSTM, ReadOut
from theory.machines.one_tape import TapeMachine, next_column, one_hot, windows
from theory.numbers.interval import Interval, down, logistic, matrix_product, tanh, tanh_of_logistic, total, up

# Shapes: W windows of three tokens, D bits of a column, H hidden units.

Region = Literal["box", "ball"]

MOST_UNITS = 400_000  # hidden units over all windows: about fifteen seconds


# How far beyond 1/2 an answer must be.
REQUIRED_MARGIN: Mapping[ReadOut, float] = {"saturated": 0.5, "rounded": 0.0}


def certified_radius(
    lstm: LSTM, machine: TapeMachine, region: Region, *, read_out: ReadOut = "saturated", digits: int = 14
) -> float:
    """Return a radius within which every network computes the machine's step, 0.0 if none is found.

    Bisection between 0 and 1 to so many binary digits; the radius returned is itself certified.

    Raises:
        InputError: a machine that is too large.

    """
    columns, flags = machine.symbols + 1, len(machine.flags)
    units = columns * machine.symbols * columns * (1 + 3 * flags) * lstm.hidden_size
    if units > MOST_UNITS:
        raise InputError(
            f"machine {machine.name} has too many symbols and states for its radius",
            received=f"{machine.symbols} and {len(machine.states)}",
            remedy="take a smaller machine, of 5 symbols and 5 states at most",
        )
    low, high, required = 0, 2**digits, REQUIRED_MARGIN[read_out]
    while high - low > 1:
        middle = (low + high) // 2
        if certified_margin(lstm, machine, middle / 2**digits, region) > required:
            low = middle
        else:
            high = middle
    return low / 2**digits


def certified_margin(lstm: LSTM, machine: TapeMachine, radius: float, region: Region) -> float:
    """Return how far beyond 1/2, on the right side, all answers of all networks within the radius are at least.

    At radius 0 it is the margin of the network itself. A lower bound, rounded down; see `REQUIRED_MARGIN`. It is minus
    infinity at a radius so large that a forget gate may stand open for ever, as nothing then bounds the cell state.
    """
    tokens_W3D, steps_WD = _windows(machine)
    largest_cell = _largest_cell(lstm, tokens_W3D, radius, region)
    if largest_cell == inf:
        return -inf
    answers = _answers(lstm, tokens_W3D, largest_cell, radius, region)
    half = Interval.point(0.5)
    return float(np.where(steps_WD == 1, (answers - half).low, (half - answers).low).min())


def _windows(machine: TapeMachine) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the windows (W, 3, D) and what their middle columns become (W, D)."""
    code, seen = cache(partial(one_hot, machine)), list(windows(machine))
    before = [[code(column) for column in window] for window in seen]
    after = [code(next_column(machine, *window)) for window in seen]
    return np.array(before, dtype=np.uint8), np.array(after, dtype=np.uint8)


def _largest_cell(lstm: LSTM, tokens_W3D: NDArray[np.uint8], radius: float, region: Region) -> float:
    """Return an upper bound of |c_t| for ever, after any columns: 1 / (1 - f), infinite if a forget gate may be 1."""
    columns_CD = np.unique(tokens_W3D.reshape(-1, tokens_W3D.shape[2]), axis=0)
    _, forget, _, _ = _gates(lstm, columns_CD, _anything(len(columns_CD), lstm), radius, region)
    shut = down(1 - forget.high.max())
    return float(up(1 / shut)) if shut > 0 else inf


def _answers(lstm: LSTM, tokens_W3D: NDArray[np.uint8], largest_cell: float, radius: float, region: Region) -> Interval:
    """Enclose the answers (W, D) after three tokens, for every history and every network within the radius."""
    hidden = _anything(len(tokens_W3D), lstm)
    cell = Interval(largest_cell * hidden.low, largest_cell * hidden.high)
    for tokens_WD in tokens_W3D.swapaxes(0, 1):
        i, f, g, o = _gates(lstm, tokens_WD, hidden, radius, region)
        cell = f * cell + i * g
        hidden = o * tanh(cell)
    said = matrix_product(hidden, lstm.readout_weight) + Interval.point(lstm.readout_bias)
    return said.widened(_reach(np.zeros(len(tokens_W3D)), hidden, radius, region))


def _anything(rows: int, lstm: LSTM) -> Interval:
    """Return what is always true of a hidden state, o tanh(c): all units (rows, H) lie in [-1, 1]."""
    ones = np.ones((rows, lstm.hidden_size))
    return Interval(-ones, ones)


def _gates(
    lstm: LSTM, columns_WD: NDArray[np.uint8], hidden: Interval, radius: float, region: Region
) -> tuple[Interval, Interval, Interval, Interval]:
    """Enclose i, f, g and o (W, H) for these columns, these hidden states, and every network within the radius."""
    H = lstm.hidden_size
    z = matrix_product(Interval.point(columns_WD), lstm.input_weight)
    z = z + matrix_product(hidden, lstm.recurrent_weight) + Interval.point(lstm.bias)
    z = z.widened(_reach(columns_WD.sum(axis=1), hidden, radius, region))
    twice = np.repeat([1.0, 1.0, 2.0, 1.0], H)  # tanh g = 2 logistic(2 g) - 1, so that one enclosure serves all four
    opened = logistic(Interval(twice * z.low, twice * z.high))
    i, f, g, o = (opened[:, k * H : (k + 1) * H] for k in range(4))
    return i, f, tanh_of_logistic(g), o


def _reach(ones_W: NDArray[np.number], hidden: Interval, radius: float, region: Region) -> Interval:
    """Enclose how far a row's sum can move (W, 1), over `ones_W` inputs of 1, the hidden units and the bias."""
    moved = Interval.point(hidden.magnitude)
    if region == "box":
        norm = total(moved) + Interval.point(ones_W + 1.0)
    else:
        norm = (total(moved * moved) + Interval.point(ones_W + 1.0)).sqrt()
    return (Interval.point(radius) * norm)[:, None]
