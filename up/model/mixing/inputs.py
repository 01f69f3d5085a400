"""Inputs: what an expert offers the gate. To add one, write it in `offer` and raise `VOTES` or `TRAITS`.

An expert is a context and the slot that it finds. Of the next bit it says, in log odds (its votes),

    counts      log (n1 + 0.3) / (n0 + 0.3)
    recency     of the average that forgets
    indirect    of an adaptive probability for this context and the slot's history
    run         of another for this context, the length of the run, its bit, and whether there was ever another bit

and of itself (its traits)

    log(n0 + n1 + 1), whether only one of the bits was ever seen, and its recent cost in bits a decision: averages of
    what the indirect vote charged, at the rates 1/16 and 1/128.

An expert whose context is new votes 0 and charges 1 bit. Adaptive probabilities have a count n, and move by 1/(n + 1.5)
of their error; they start from tables that pre-training found, with a count that is capped (`start_tables`).

Symmetry: the gate sees everything from the side of the bit that the sum of the indirect votes calls likelier: all votes
change their sign where that is 0. So exchanging 0 and 1 exchanges the prediction.

Limits: log odds of probabilities are those of 4,096 classes, at most 9.01.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.exact import LOG_2, logarithm
from up.model.mixing.slots import MAX_COUNT, SHARES
from up.model.mixing.vocabulary import BYTES, digits_of

VOTES, TRAITS = 4, 4
STATES = 256
CLASSES = 4096
MAX_SEEN = 255.0
_PRIOR = 0.3
_LONGEST_RUN = 63
_FAST, _SLOW = 1.0 / 16.0, 1.0 / 128.0


def num_inputs(num_contexts: int, digits: int = digits_of(BYTES)) -> int:
    """Return the inputs of a decision: certainty, votes, traits, and which of the token's digits it decides."""
    return 1 + (VOTES + TRAITS) * num_contexts + digits


def log_odds_table() -> NDArray[np.float64]:
    """Return log p / (1 - p) in the middle of each of the `CLASSES` classes of probabilities."""
    logs = [logarithm(index + 0.5) for index in range(CLASSES)]
    return np.array([one - zero for one, zero in zip(logs, reversed(logs), strict=True)])


def cost_table() -> NDArray[np.float64]:
    """Return -log2 p in the middle of each class."""
    return np.array([-logarithm((index + 0.5) / CLASSES) / LOG_2 for index in range(CLASSES)])


def count_tables() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log(n + 0.3) for each count and log(n + 1) for each sum of two."""
    counts = np.array([logarithm(count + _PRIOR) for count in range(MAX_COUNT + 1)])
    return counts, np.array([logarithm(count + 1.0) for count in range(2 * MAX_COUNT + 1)])


def empty_tables(num_contexts: int) -> NDArray[np.float64]:
    """Return adaptive probabilities that know nothing, float64 of shape (contexts, 2, STATES, 2).

    The second index is 0 for histories and 1 for runs; the last is 0 for the probability and 1 for the count.
    """
    tables_KFSC = np.zeros((num_contexts, 2, STATES, 2))
    tables_KFSC[..., 0] = 0.5
    return tables_KFSC


def run_state(word: int) -> int:
    """Return the index of the run's adaptive probability."""
    run, alone = min((word >> 24) & 255, _LONGEST_RUN), ((word >> 8) & 255) == 0 or ((word >> 16) & 255) == 0
    return 4 * run + 2 * int(alone) + (word & 1)


def offer(
    word: int, k: int, tables: Any, cost: Any, log_odds: Any, log_count: Any, log_total: Any, votes: Any, traits: Any
) -> float:
    """Write what expert k offers, and return its indirect vote.

    Args:
        word: of its slot, 0 if there is none.
        k: which context.
        tables: adaptive probabilities.
        cost: recent costs of shape (contexts, 2).
        log_odds: of `log_odds_table`.
        log_count: of `count_tables`.
        log_total: of `count_tables`.
        votes: receives `VOTES` numbers from VOTES k on.
        traits: receives `TRAITS` numbers from TRAITS k on.

    """
    vote, trait = VOTES * k, TRAITS * k
    traits[trait + 2], traits[trait + 3] = cost[k, 0], cost[k, 1]
    if word == 0:
        for index in range(VOTES):
            votes[vote + index] = 0.0
        traits[trait] = traits[trait + 1] = 0.0
        return 0.0
    zeros, ones = (word >> 8) & 255, (word >> 16) & 255
    votes[vote] = log_count[ones] - log_count[zeros]
    votes[vote + 1] = log_odds[((word >> 32) & (SHARES - 1)) * CLASSES // SHARES]
    indirect = log_odds[int(tables[k, 0, word & 255, 0] * CLASSES)]
    votes[vote + 2] = indirect
    votes[vote + 3] = log_odds[int(tables[k, 1, run_state(word), 0] * CLASSES)]
    traits[trait] = log_total[zeros + ones]
    traits[trait + 1] = 1.0 if zeros == 0 or ones == 0 else 0.0
    return indirect


def learn_tables(word: int, k: int, bit: int, tables: Any, cost: Any, cost_of: Any) -> float:
    """Let expert k's recent costs and adaptive probabilities learn a bit, and return what it charged for it, in bits.

    The word is that of before the bit.
    """
    bits = 1.0
    if word != 0:
        chosen = int(tables[k, 0, word & 255, 0] * CLASSES)
        bits = cost_of[chosen if bit else CLASSES - 1 - chosen]
        for family in range(2):
            state = word & 255 if family == 0 else run_state(word)
            seen = tables[k, family, state, 1]
            tables[k, family, state, 0] += (bit - tables[k, family, state, 0]) / (seen + 1.5)
            tables[k, family, state, 1] = min(seen + 1.0, MAX_SEEN)
    cost[k, 0] += (bits - cost[k, 0]) * _FAST
    cost[k, 1] += (bits - cost[k, 1]) * _SLOW
    return bits
