"""What a mixing predictor costs, from its configuration alone: parameters and memory. Nothing is allocated."""

from up.model.mixing.config import MixingConfig
from up.model.mixing.inputs import STATES, VOTES, num_inputs
from up.model.mixing.rows import row_slots
from up.model.mixing.vocabulary import digits_of

_FLOAT_BYTES = 4
_WORD_BYTES = 8


def count_parameters(config: MixingConfig) -> int:
    """Return the exact number of the gate's weights.

    >>> count_parameters(MixingConfig())
    26801
    """
    inputs, (first, second), outputs = _inputs(config) - 1, config.hidden, _outputs(config)
    return (inputs + 1) * first + (first + 1) * second + (second + 1) * outputs


def activation_bytes(config: MixingConfig, microbatch: int) -> int:
    """Return the bytes that a forward pass keeps: of each decision inputs, hidden units, and weights."""
    floats = _inputs(config) + 3 * sum(config.hidden) + 2 * _outputs(config)
    decisions = digits_of(config.vocabulary_size) * min(config.learned_bytes, config.context_length) * microbatch
    return _FLOAT_BYTES * decisions * floats


def estimate_training_memory(config: MixingConfig, microbatch: int) -> int:
    """Return about how many bytes a step takes: activations, gate and optimiser, counts, and the slots of a row."""
    contexts, digits = len(config.contexts), digits_of(config.vocabulary_size)
    counted = _WORD_BYTES * (row_slots(config.context_length, contexts, digits) + contexts * 2 * STATES * 4)
    return 2 * activation_bytes(config, microbatch) + 4 * _FLOAT_BYTES * count_parameters(config) + counted


def _inputs(config: MixingConfig) -> int:
    return num_inputs(len(config.contexts), digits_of(config.vocabulary_size))


def _outputs(config: MixingConfig) -> int:
    return 1 + VOTES * len(config.contexts)
