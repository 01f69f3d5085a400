"""Statistics: all that is remembered of the tokens so far, and the two steps of a decision: look, then learn.

Limits: the table of slots does not grow; what it cannot hold is forgotten (`slots`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.contexts import Context, context_table, name_contexts
from up.model.mixing.inputs import (
    TRAITS,
    VOTES,
    cost_table,
    count_tables,
    learn_tables,
    log_odds_table,
    offer,
)
from up.model.mixing.signals import RING, Memory, forget, length_class, new_memory, read_token
from up.model.mixing.slots import BUCKET, find_slot, give_slot, learn_bit, new_word, slot_key
from up.model.mixing.vocabulary import BYTES, bits_so_far, past_settled

POSITION, PARTIAL = 0, 1
_SILENT = -1


class Statistics(NamedTuple):
    """Arrays that are changed in place.

    Attributes:
        contexts: what they see (`context_table`).
        memory: of the tokens, and the signals.
        clock: tokens read; a one followed by the digits of the present token.
        names: of the contexts for the present token.
        slots: table of words.
        keys: by context, of the present decision; -1 where it is silent.
        places: by context, the slot of the present decision or -1.
        words: by context, what stood there when it was looked at, 0 if there was no slot.
        tables: adaptive probabilities.
        cost: recent costs.
        token_cost: one number, the experts' mean cost of the present token so far, in bits.
        log_odds: constant, as are the three below.
        cost_of: of each class of probabilities.
        log_count: of each count.
        log_total: of each sum of counts.

    """

    contexts: NDArray[np.int64]
    memory: Memory
    clock: NDArray[np.int64]
    names: NDArray[np.int64]
    slots: NDArray[np.int64]
    keys: NDArray[np.int64]
    places: NDArray[np.int64]
    words: NDArray[np.int64]
    tables: NDArray[np.float64]
    cost: NDArray[np.float64]
    token_cost: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    cost_of: NDArray[np.float64]
    log_count: NDArray[np.float64]
    log_total: NDArray[np.float64]


def new_statistics(
    contexts: tuple[Context, ...], tables: NDArray[np.float64], num_slots: int, vocabulary_size: int = BYTES
) -> Statistics:
    """Return statistics of no tokens.

    Args:
        contexts: of the experts.
        tables: start of the adaptive probabilities; a copy is kept.
        num_slots: a power of two, at least 4; a slot takes 8 bytes.
        vocabulary_size: V, number of tokens.

    """
    assert num_slots >= BUCKET
    assert num_slots & (num_slots - 1) == 0
    experts = len(contexts)
    statistics = Statistics(
        contexts=context_table(contexts, vocabulary_size),
        memory=new_memory(vocabulary_size),
        clock=np.zeros(2, np.int64),
        names=np.zeros(experts, np.int64),
        slots=np.zeros(num_slots, np.int64),
        keys=np.zeros(experts, np.int64),
        places=np.zeros(experts, np.int64),
        words=np.zeros(experts, np.int64),
        tables=tables.copy(),
        cost=np.zeros((experts, 2)),
        token_cost=np.zeros(1),
        log_odds=log_odds_table(),
        cost_of=cost_table(),
        log_count=count_tables()[0],
        log_total=count_tables()[1],
    )
    restart(statistics, tables)
    return statistics


def restart(statistics: Statistics, tables: NDArray[np.float64]) -> None:
    """Forget everything, and start from these adaptive probabilities."""
    statistics.slots[:] = 0
    statistics.tables[:] = tables
    statistics.cost[:] = 1.0
    statistics.clock[:] = 0, 1
    statistics.token_cost[:] = 0.0
    forget(statistics.memory)
    name_contexts(statistics.memory, 0, statistics.contexts, statistics.names)


def look(statistics: Statistics, inputs: Any) -> int:
    """Write the inputs of the present decision, and return the bit from whose side they are seen.

    Args:
        statistics: of the tokens so far.
        inputs: receives `num_inputs` numbers; the first is 0 if neither bit is likelier, and 1 otherwise.

    """
    experts, partial = len(statistics.names), int(statistics.clock[PARTIAL])
    votes, traits = inputs[1 : 1 + VOTES * experts], inputs[1 + VOTES * experts : 1 + (VOTES + TRAITS) * experts]
    bits = bits_so_far(partial)
    indirect = 0.0
    for k in range(experts):
        name, matcher = int(statistics.names[k]), int(statistics.contexts[k, statistics.contexts.shape[1] - 1])
        key = slot_key(name, partial)
        if matcher >= 0:
            bit = expected_bit(statistics, matcher)
            key = slot_key(name, bit) if bit >= 0 else _SILENT
        place = find_slot(statistics.slots, key) if key != _SILENT else -1
        word = int(statistics.slots[place]) if place >= 0 else 0
        statistics.keys[k], statistics.places[k], statistics.words[k] = key, place, word
        indirect += offer(
            word,
            k,
            statistics.tables,
            statistics.cost,
            statistics.log_odds,
            statistics.log_count,
            statistics.log_total,
            votes,
            traits,
        )
    inputs[0] = 0.0 if indirect == 0.0 else 1.0
    if indirect < 0.0:
        for index in range(len(votes)):
            votes[index] = -votes[index]
    digits = statistics.memory.digits
    for index in range(digits):
        inputs[len(inputs) - digits + index] = 1.0 if index == bits else 0.0
    return 0 if indirect < 0.0 else 1


def expected_bit(statistics: Statistics, matcher: int) -> int:
    """Return the bit that a match expects next, -1 without a match and once the token has contradicted it."""
    if statistics.memory.lengths[matcher] == 0:
        return -1
    partial = int(statistics.clock[PARTIAL])
    digits, bits = statistics.memory.digits, bits_so_far(partial)
    expected = 1 << digits | int(statistics.memory.past[int(statistics.memory.places[matcher]) & (RING - 1)])
    return (expected >> (digits - 1 - bits)) & 1 if expected >> (digits - bits) == partial else -1


def match_state(statistics: Statistics) -> int:
    """Return twice the length class of the first matcher's match, and the bit that it expects; 0 without one."""
    bit = expected_bit(statistics, 0)
    return 2 * length_class(int(statistics.memory.lengths[0])) + bit if bit >= 0 else 0


def learn(statistics: Statistics, bit: int) -> None:
    """Learn the bit of the decision that was looked at last, and go on to the next that is open."""
    experts, charged = len(statistics.names), 0.0
    for k in range(experts):
        key, place, word = int(statistics.keys[k]), int(statistics.places[k]), int(statistics.words[k])
        charged += learn_tables(word, k, bit, statistics.tables, statistics.cost, statistics.cost_of)
        if key == _SILENT:
            continue
        if place < 0:
            place = give_slot(statistics.slots, key)
            word = new_word(key)
        statistics.slots[place] = learn_bit(word, bit)
    statistics.token_cost[0] += charged / experts
    digits, partial = statistics.memory.digits, 2 * int(statistics.clock[PARTIAL]) + bit
    partial, beyond = past_settled(partial, digits, statistics.memory.vocabulary_size), 1 << digits
    if partial >= beyond:
        position = int(statistics.clock[POSITION])
        read_token(statistics.memory, position, partial - beyond, statistics.token_cost[0])
        statistics.clock[POSITION] = position + 1
        name_contexts(statistics.memory, position + 1, statistics.contexts, statistics.names)
        partial, statistics.token_cost[0] = 1, 0.0
    statistics.clock[PARTIAL] = partial
