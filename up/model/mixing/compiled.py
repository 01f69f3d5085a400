"""The room's loops, compiled by numba where that is possible and plain elsewhere, with the same results.

Limits: a function that a loop calls must stand here or be given with it.
"""

import functools
from collections.abc import Callable
from typing import Any

from theory.compiling import can_compile, compile_function, is_switched_off
from up.model.mixing import (
    adaptation,
    contexts,
    exact,
    gate,
    hashing,
    inputs,
    second,
    signals,
    slots,
    statistics,
    vocabulary,
)

_HELPERS = (
    *(exact.exponential, exact.sigmoid, exact.logarithm),
    *(
        hashing.scramble,
        hashing.hash_of_two,
        contexts.name_contexts,
        signals.length_class,
        signals.pair_of,
        signals.follow,
        signals.read_token,
    ),
    *(vocabulary.is_open, vocabulary.bits_so_far, vocabulary.past_settled),
    *(slots.slot_key, slots.find_slot, slots.give_slot, slots.new_word, slots.learn_bit),
    *(inputs.run_state, inputs.offer, inputs.learn_tables),
    *(statistics.expected_bit, statistics.match_state, statistics.look, statistics.learn),
    *(gate.multiply, gate.activate, gate.run_gate),
    *(adaptation.add_outer, adaptation.add_gradient, adaptation.step),
    *(second.choose_rows, second.refine, second.learn_refining),
)


@functools.cache
def kernel(function: Callable[..., Any], *helpers: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function compiled, or as it is where numba is missing, unfit or switched off.

    Args:
        function: to compile.
        helpers: functions of its own file that it calls.

    """
    return compile_function(function, *_HELPERS, *helpers) if can_compile() and not is_switched_off() else function
