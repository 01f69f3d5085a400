"""The second stage: mixing online by small contexts, after the gate.

The gate's log odds and, times 0.3, the counts' and indirect votes are mixed once more, by weights from four sets, one
row of each being chosen by

    the bits of the present byte     these and the last byte
    how many experts know their context, and which of the eight decisions it is     the byte before last, and which

Each row learns from its own error at rate 0.02; the mean of the four log odds goes on. Two maps then look at a context,
the last byte or a hash of the last two with the bits of the present byte, and at that log odds, between two of 33
points in -8 to 8, and say how often a 1 really came; the result is half the mixed probability and a quarter of each.
Mixing in the logistic domain by selected weights, and adaptive probability maps: Mahoney, Data compression explained,
sections 4.3.2 and 4.3.3.

It starts as the gate alone: a row of zeros stands for the weights 1, 0, 0, ..., and a point that was never used gives
the probability back that it was asked about. So before it learned anything, it changes nothing.

Limits: contexts of the maps share rows where their 16-bit hashes are equal. Memory: 8 bytes for each of about 70,000
rows times 2 K + 1 weights, and for 2^17 rows times 33 points; it is taken as rows are used.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.exact import sigmoid
from up.model.mixing.inputs import VOTES

SETS, MAPS = 4, 2
RATE, MAP_RATE = 0.02, 0.02
_SCALE = 0.3
_POINTS, _EDGE, _PER_UNIT = 33, 8.0, 2.0
_ROWS = 1 << 16
_BY_BYTE, _BY_KNOWN = 256, 256 + (1 << 16)


class SecondStage(NamedTuple):
    """Arrays that are changed in place.

    Attributes:
        weights: differences from `gate alone`, of shape (rows of all sets, 2 K + 1).
        rows: of each set, the row that was chosen.
        inputs: what is mixed, 2 K + 1 numbers.
        mixed: log odds of each set.
        maps: probabilities of a 1, 0 where never used, of shape (maps, rows, points).
        cells: of each map, the row that was chosen.
        place: the lower point, in whole numbers; how far towards the upper one.

    """

    weights: NDArray[np.float64]
    rows: NDArray[np.int64]
    inputs: NDArray[np.float64]
    mixed: NDArray[np.float64]
    maps: NDArray[np.float64]
    cells: NDArray[np.int64]
    place: NDArray[np.float64]


def new_second_stage(num_contexts: int) -> SecondStage:
    """Return one that changes nothing."""
    num_inputs = 1 + 2 * num_contexts
    return SecondStage(
        weights=np.zeros((_BY_KNOWN + 8 * (num_contexts + 1) + 8 * 256, num_inputs)),
        rows=np.zeros(SETS, np.int64),
        inputs=np.zeros(num_inputs),
        mixed=np.zeros(SETS),
        maps=np.zeros((MAPS, _ROWS, _POINTS)),
        cells=np.zeros(MAPS, np.int64),
        place=np.zeros(2),
    )


def refine(
    second: SecondStage, votes: Any, log_odds: float, expected: int, known: int, partial: int, last: int, before: int
) -> float:
    """Return the probability of a 1.

    Args:
        second: what was learned so far; receives what `learn_refining` needs.
        votes: of all experts, seen from the expected bit.
        log_odds: the gate's, of the expected bit.
        expected: which bit that is.
        known: number of experts whose context has a slot.
        partial: a one, then the bits of the present byte.
        last: byte, 0 if there is none.
        before: byte before that one, 0 if there is none.

    """
    inputs, rows, mixed, weights = second.inputs, second.rows, second.mixed, second.weights
    experts, bits = len(votes) // VOTES, 0
    while partial >> (bits + 1) != 0:
        bits += 1
    inputs[0] = log_odds
    for k in range(experts):
        inputs[1 + 2 * k] = _SCALE * votes[VOTES * k]
        inputs[2 + 2 * k] = _SCALE * votes[VOTES * k + 2]
    rows[0] = partial
    rows[1] = _BY_BYTE + 256 * last + partial
    rows[2] = _BY_KNOWN + 8 * known + bits
    rows[3] = _BY_KNOWN + 8 * (experts + 1) + 8 * before + bits
    mixed[:] = log_odds
    for index in range(len(inputs)):
        value = inputs[index]
        for chosen in range(SETS):
            mixed[chosen] += weights[rows[chosen], index] * value
    mean = (mixed[0] + mixed[1] + mixed[2] + mixed[3]) * 0.25
    if expected == 0:
        mean = -mean
    probability = sigmoid(mean)

    point = (min(max(mean, -_EDGE), _EDGE) + _EDGE) * _PER_UNIT
    lower = min(int(point), _POINTS - 2)
    share = point - lower
    second.place[0], second.place[1] = lower, share
    second.cells[0] = 256 * last + partial
    second.cells[1] = ((256 * before + last) * 40_503 + partial * 12_829) >> 3 & (_ROWS - 1)
    result = 0.5 * probability
    for chosen in range(MAPS):
        low, high = (
            second.maps[chosen, second.cells[chosen], lower],
            second.maps[chosen, second.cells[chosen], lower + 1],
        )
        low, high = low if low > 0.0 else probability, high if high > 0.0 else probability
        result += 0.25 * ((1.0 - share) * low + share * high)
    return result


def learn_refining(second: SecondStage, expected: int, bit: int) -> None:
    """Learn the bit of the decision that was refined last."""
    for chosen in range(SETS):
        step = RATE * ((1.0 if bit == expected else 0.0) - sigmoid(second.mixed[chosen]))
        row = second.rows[chosen]
        for index in range(len(second.inputs)):
            second.weights[row, index] += step * second.inputs[index]
    lower, share = int(second.place[0]), second.place[1]
    for chosen in range(MAPS):
        row = second.cells[chosen]
        for side in range(2):
            weight = share if side == 1 else 1.0 - share
            known = second.maps[chosen, row, lower + side]
            if known == 0.0:
                known = sigmoid((lower + side) / _PER_UNIT - _EDGE)
            second.maps[chosen, row, lower + side] = known + (bit - known) * MAP_RATE * weight
