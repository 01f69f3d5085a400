"""Whole rows: the inputs of all their decisions at once, for training and for evaluation; and surveys of many rows.

Every row starts from nothing: an empty table of slots and the start of the adaptive probabilities. A frozen stream
whose table has as many slots (`row_slots`) sees the same inputs.

Shape suffixes: N rows, T bytes of a row, J inputs with certainty, K contexts, F families, S states.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.compiled import kernel
from up.model.mixing.contexts import Context
from up.model.mixing.inputs import STATES, empty_tables, num_inputs, run_state
from up.model.mixing.statistics import Statistics, learn, look, new_statistics, restart

MAX_START = 30.0


def row_slots(num_bytes: int, num_contexts: int) -> int:
    """Return a number of slots, a power of two, that the decisions of a row fill to a quarter at most."""
    return 1 << (4 * 8 * num_bytes * num_contexts).bit_length()


class RowReader:
    """Reads rows of one length; the same arrays serve all of them.

    Args:
        contexts: of the experts.
        tables: start of the adaptive probabilities.
        num_bytes: T.

    """

    def __init__(self, contexts: tuple[Context, ...], tables: NDArray[np.float64], num_bytes: int) -> None:
        self.tables = tables
        self.num_inputs = num_inputs(len(contexts))
        self._statistics = new_statistics(contexts, tables, row_slots(num_bytes, len(contexts)))

    def read(
        self, row_T: NDArray[np.uint8], kept_T: NDArray[np.bool_], dtype: type[np.floating[Any]] = np.float64
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the inputs of the decisions of the kept bytes, (8 bytes, J), and whether the expected bit came.

        Args:
            row_T: bytes.
            kept_T: which bytes to return the decisions of; all are read.
            dtype: of both results.

        """
        decisions = 8 * int(kept_T.sum())
        inputs, came = np.empty((decisions, self.num_inputs), dtype), np.empty(decisions, dtype)
        restart(self._statistics, self.tables)
        kernel(read_row)(self._statistics, row_T, kept_T, np.empty(self.num_inputs), inputs, came)
        return inputs, came

    def survey(self, row_T: NDArray[np.uint8], totals_KFSB: NDArray[np.float64]) -> None:
        """Count which bit came in each state of the adaptive probabilities."""
        restart(self._statistics, self.tables)
        kernel(survey_row)(self._statistics, row_T, np.empty(self.num_inputs), totals_KFSB)


def start_tables(contexts: tuple[Context, ...], rows_NT: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the adaptive probabilities to start from: frequencies over all rows, with counts of at most `MAX_START`.

    A state and the one in which all bits are exchanged share their frequencies, so that neither bit is favoured.
    """
    tables_KFSC = empty_tables(len(contexts))
    reader, totals_KFSB = RowReader(contexts, tables_KFSC, rows_NT.shape[1]), np.zeros((*tables_KFSC.shape[:3], 2))
    for row_T in rows_NT:
        reader.survey(row_T, totals_KFSB)
    totals_KFSB = totals_KFSB + np.stack(
        [totals_KFSB[:, family, opposite][..., ::-1] for family, opposite in enumerate(_opposite_states())], axis=1
    )
    seen_KFS = totals_KFSB.sum(-1)
    tables_KFSC[..., 0] = (totals_KFSB[..., 1] + 0.4) / (seen_KFS + 0.8)
    tables_KFSC[..., 1] = np.minimum(seen_KFS, MAX_START)
    return tables_KFSC


def _opposite_states() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the state with 0 and 1 exchanged, of histories (all bits below the leading one) and of runs (the last)."""
    states = np.arange(STATES)
    leading = np.array([1 << max(int(state).bit_length() - 1, 0) for state in states])
    return states ^ (leading - 1), states ^ 1


def read_row(statistics: Statistics, row: Any, kept: Any, scratch: Any, inputs: Any, came: Any) -> None:
    """Fill `inputs` and `came`, see `RowReader.read`."""
    decision = 0
    for t in range(len(row)):
        for shift in range(7, -1, -1):
            bit = (int(row[t]) >> shift) & 1
            expected = look(statistics, scratch)
            if kept[t]:
                for index in range(len(scratch)):
                    inputs[decision, index] = scratch[index]
                came[decision] = 1.0 if bit == expected else 0.0
                decision += 1
            learn(statistics, bit)


def survey_row(statistics: Statistics, row: Any, scratch: Any, totals: Any) -> None:
    """Add to `totals`, see `RowReader.survey`."""
    for t in range(len(row)):
        for shift in range(7, -1, -1):
            bit = (int(row[t]) >> shift) & 1
            look(statistics, scratch)
            for k in range(len(statistics.words)):
                word = int(statistics.words[k])
                if word != 0:
                    totals[k, 0, word & 255, bit] += 1.0
                    totals[k, 1, run_state(word), bit] += 1.0
            learn(statistics, bit)
