"""The second stage: mixing online by small contexts, after the gate.

The gate's log odds and, times 0.3, all votes are mixed once more, by weights from six sets, one row of each being
chosen by

    bits        the digits of the present token so far
    last        these and the last token
    known       how many experts know their context, and which digit it is
    before      the token before last, and which digit
    match       how long the first matcher's match is, and the bit that it expects
    certain     how many experts saw only one bit in their context, and which digit

Each row learns from its own error at rate 0.01. The six log odds are mixed by weights of their own, chosen by the
digits so far and learned at rate 0.0005 (the final mixer of the PAQ family). Two maps then look at a context, the
last token or a hash of the last two with the digits so far, and at that log odds, between two of 33 points in
-8 to 8, and say how often a 1 really came; the result is half the mixed probability and a quarter of each. Mixing in
the logistic domain by selected weights, and adaptive probability maps: Mahoney, Data compression explained, sections
4.3.2 and 4.3.3.

It starts as the gate alone: a row of zeros stands for the weights 1, 0, 0, ..., the six are averaged, and a point that
was never used gives the probability back that it was asked about. So before it learned anything, it changes nothing.

Limits: contexts of the maps share rows where their 16-bit hashes are equal, as do those of the sets `last` and `before`
where tokens have more than 8 and 12 digits. Memory, for bytes: 8 bytes for each of about 70,000
rows times 4 K + 1 weights, and for 2^17 rows times 33 points; it is taken as rows are used.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.exact import sigmoid
from up.model.mixing.hashing import hash_of_two
from up.model.mixing.signals import LENGTH_CLASSES
from up.model.mixing.vocabulary import BYTES, bits_so_far, digits_of

SETS, MAPS = 6, 2
RATE, FINAL_RATE, MAP_RATE = 0.01, 0.0005, 0.02
_SCALE, _LARGEST = 0.3, 8.0
_POINTS, _EDGE, _PER_UNIT = 33, 8.0, 2.0
_ROWS = 1 << 16
_BY_LAST, _BY_BEFORE, _BY_MATCH, _BY_EXPERTS = 0, 1, 2, 3


class SecondStage(NamedTuple):
    """Arrays that are changed in place.

    Attributes:
        digits: of a token.
        starts: first row of the sets but that of `bits`: last, before, match, and both of experts.
        weights: differences from `gate alone`, of shape (rows of all sets, 4 K + 1).
        rows: of each set, the row that was chosen.
        inputs: what is mixed, 4 K + 1 numbers.
        mixed: log odds of each set.
        final: weights of the sets, of shape (2^digits, sets).
        mean: log odds after these.
        maps: probabilities of a 1, 0 where never used, of shape (maps, rows, points).
        cells: of each map, the row that was chosen.
        place: the lower point, in whole numbers; how far towards the upper one.

    """

    digits: int
    starts: NDArray[np.int64]
    weights: NDArray[np.float64]
    rows: NDArray[np.int64]
    inputs: NDArray[np.float64]
    mixed: NDArray[np.float64]
    final: NDArray[np.float64]
    mean: NDArray[np.float64]
    maps: NDArray[np.float64]
    cells: NDArray[np.int64]
    place: NDArray[np.float64]


def new_second_stage(num_contexts: int, num_votes: int, digits: int = digits_of(BYTES)) -> SecondStage:
    """Return one that changes nothing."""
    by_token = (min(1 << 2 * digits, _ROWS), min(digits << digits, _ROWS))
    sizes = (1 << digits, *by_token, 2 * LENGTH_CLASSES, 2 * digits * (num_contexts + 1))
    return SecondStage(
        digits=digits,
        starts=np.cumsum(sizes[:-1]),
        weights=np.zeros((sum(sizes), 1 + num_votes)),
        rows=np.zeros(SETS, np.int64),
        inputs=np.zeros(1 + num_votes),
        mixed=np.zeros(SETS),
        final=np.full((1 << digits, SETS), 1.0 / SETS),
        mean=np.zeros(1),
        maps=np.zeros((MAPS, _ROWS, _POINTS)),
        cells=np.zeros(MAPS, np.int64),
        place=np.zeros(2),
    )


def choose_rows(
    second: SecondStage, experts: int, known: int, certain: int, match: int, partial: int, last: int, before: int
) -> None:
    """Choose a row of each set, and of each map.

    Args:
        second: receives the choice.
        experts: their number, K.
        known: number of experts whose context has a slot.
        certain: number of those that saw only one bit in it.
        match: of `statistics.match_state`.
        partial: a one, then the digits of the present token.
        last: token, 0 if there is none.
        before: token before that one, 0 if there is none.

    """
    rows, starts, digits, bits = second.rows, second.starts, second.digits, bits_so_far(partial)
    begun = (last << digits) + partial if 2 * digits <= 16 else hash_of_two(last, partial)
    earlier = digits * before + bits if digits << digits <= _ROWS else hash_of_two(before, bits)
    rows[0] = partial
    rows[1] = starts[_BY_LAST] + begun
    rows[2] = starts[_BY_EXPERTS] + digits * known + bits
    rows[3] = starts[_BY_BEFORE] + earlier
    rows[4] = starts[_BY_MATCH] + match
    rows[5] = starts[_BY_EXPERTS] + digits * (experts + 1 + certain) + bits
    second.cells[0] = begun
    second.cells[1] = (((before << digits) + last) * 40_503 + partial * 12_829) >> 3 & (_ROWS - 1)


def refine(second: SecondStage, votes: Any, log_odds: float, expected: int) -> float:
    """Return the probability of a 1; the rows have been chosen (`choose_rows`).

    Args:
        second: what was learned so far; receives what `learn_refining` needs.
        votes: of all experts, seen from the expected bit.
        log_odds: the gate's, of the expected bit.
        expected: which bit that is.

    """
    inputs, rows, mixed, weights = second.inputs, second.rows, second.mixed, second.weights
    inputs[0] = log_odds
    for index in range(len(votes)):
        inputs[1 + index] = _SCALE * votes[index]
    mixed[:] = log_odds
    for index in range(len(inputs)):
        value = inputs[index]
        for chosen in range(SETS):
            mixed[chosen] += weights[rows[chosen], index] * value
    mean = 0.0
    for chosen in range(SETS):
        mean += mixed[chosen] * second.final[rows[0], chosen]
    second.mean[0] = mean
    if expected == 0:
        mean = -mean
    probability = sigmoid(mean)

    point = (min(max(mean, -_EDGE), _EDGE) + _EDGE) * _PER_UNIT
    lower = min(int(point), _POINTS - 2)
    share = point - lower
    second.place[0], second.place[1] = lower, share
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
    came = 1.0 if bit == expected else 0.0
    step = FINAL_RATE * (came - sigmoid(second.mean[0]))
    for chosen in range(SETS):
        second.final[second.rows[0], chosen] += step * min(max(second.mixed[chosen], -_LARGEST), _LARGEST)
    for chosen in range(SETS):
        step = RATE * (came - sigmoid(second.mixed[chosen]))
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
