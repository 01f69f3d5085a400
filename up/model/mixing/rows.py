"""Whole rows: the inputs of all their decisions at once, for training and for evaluation.

Every row starts from nothing: an empty table of slots and the start of the adaptive probabilities. A frozen stream
whose table has as many slots (`row_slots`) sees the same inputs.

Shape suffixes: T tokens of a row, D decisions, J inputs with certainty, K contexts, F families of states, S states, B
bit, C probability and count.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.compiled import kernel
from up.model.mixing.contexts import Context
from up.model.mixing.inputs import STATES, empty_tables, num_inputs, run_state
from up.model.mixing.statistics import Statistics, learn, look, new_statistics, restart
from up.model.mixing.vocabulary import BYTES, digits_of, is_open, open_digits

MAX_START = 30.0


def row_slots(num_tokens: int, num_contexts: int, digits: int = digits_of(BYTES)) -> int:
    """Return a number of slots, a power of two, that the decisions of a row fill to a quarter at most."""
    return 1 << (4 * digits * num_tokens * num_contexts).bit_length()


class RowReader:
    """Reads rows of one length; the same arrays serve all of them.

    Args:
        contexts: of the experts.
        num_tokens: T.
        vocabulary_size: V.

    """

    def __init__(self, contexts: tuple[Context, ...], num_tokens: int, vocabulary_size: int = BYTES) -> None:
        self.num_tokens, digits = num_tokens, digits_of(vocabulary_size)
        self._vocabulary_size, self._num_inputs = vocabulary_size, num_inputs(len(contexts), digits)
        slots = row_slots(num_tokens, len(contexts), digits)
        self._statistics = new_statistics(contexts, empty_tables(len(contexts)), slots, vocabulary_size)
        self._unused = np.zeros((0, 0, 0, 0), np.int64)

    def read(
        self,
        row_T: NDArray[Any],
        kept_T: NDArray[np.bool_],
        tables_KFSC: NDArray[np.float64],
        *,
        totals_KFSB: NDArray[np.int64] | None = None,
        dtype: type[np.floating[Any]] = np.float64,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the inputs of the decisions of the kept tokens, (D, J), and whether the expected bit came.

        Args:
            row_T: tokens (`vocabulary.as_tokens`).
            kept_T: which tokens to return the decisions of; all are read.
            tables_KFSC: start of the adaptive probabilities.
            totals_KFSB: to which is added how often each bit came in each of their states, in all decisions.
            dtype: of both results.

        """
        decisions = int(open_digits(row_T[kept_T], self._vocabulary_size).sum())
        inputs, came = np.empty((decisions, self._num_inputs), dtype), np.empty(decisions, dtype)
        restart(self._statistics, tables_KFSC)
        totals = self._unused if totals_KFSB is None else totals_KFSB
        kernel(read_row)(self._statistics, row_T, kept_T, np.empty(self._num_inputs), inputs, came, totals)
        return inputs, came


def start_tables(totals_KFSB: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the adaptive probabilities to start from: frequencies, with counts of at most `MAX_START`.

    A state and the one in which all bits are exchanged share their frequencies, so that neither bit is favoured. Where
    nothing was counted they know nothing (`empty_tables`).

    Args:
        totals_KFSB: how often each bit came in each state (`RowReader.read`).

    """
    opposite_KFSB = np.stack(
        [totals_KFSB[:, family, states][..., ::-1] for family, states in enumerate(_opposite_states())], axis=1
    )
    both_KFSB = totals_KFSB + opposite_KFSB
    seen_KFS = both_KFSB.sum(-1)
    tables_KFSC = np.empty(totals_KFSB.shape)
    tables_KFSC[..., 0] = (both_KFSB[..., 1] + 0.4) / (seen_KFS + 0.8)
    tables_KFSC[..., 1] = np.minimum(seen_KFS, MAX_START)
    return tables_KFSC


def _opposite_states() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the state with 0 and 1 exchanged, of histories (all bits below the leading one) and of runs (the last)."""
    states = np.arange(STATES)
    leading = np.array([1 << max(int(state).bit_length() - 1, 0) for state in states])
    return states ^ (leading - 1), states ^ 1


def read_row(statistics: Statistics, row: Any, kept: Any, scratch: Any, inputs: Any, came: Any, totals: Any) -> None:
    """Fill `inputs` and `came`, and add to `totals` unless it is empty; see `RowReader.read`."""
    decision, counting = 0, len(totals) > 0
    for t in range(len(row)):
        for shift in range(statistics.memory.digits - 1, -1, -1):
            if not is_open(int(row[t]), shift, statistics.memory.vocabulary_size):
                continue
            bit = (int(row[t]) >> shift) & 1
            expected = look(statistics, scratch)
            if kept[t]:
                for index in range(len(scratch)):
                    inputs[decision, index] = scratch[index]
                came[decision] = 1.0 if bit == expected else 0.0
                decision += 1
            if counting:
                for k in range(len(statistics.words)):
                    word = int(statistics.words[k])
                    if word != 0:
                        totals[k, 0, word & 255, bit] += 1
                        totals[k, 1, run_state(word), bit] += 1
            learn(statistics, bit)
