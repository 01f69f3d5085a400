"""What a mixing predictor costs, from its configuration alone: parameters and memory. Nothing is allocated."""

from up.model.mixing.config import MixingConfig
from up.model.mixing.inputs import STATES, VOTES, num_inputs
from up.model.mixing.rows import row_slots

_FLOAT_BYTES = 4
_WORD_BYTES = 8


def count_parameters(config: MixingConfig) -> int:
    """Return the exact number of the gate's weights.

    >>> count_parameters(MixingConfig())
    26801
    """
    inputs, (first, second), outputs = num_inputs(len(config.contexts)) - 1, config.hidden, _outputs(config)
    return (inputs + 1) * first + (first + 1) * second + (second + 1) * outputs


def activation_bytes(config: MixingConfig, microbatch: int) -> int:
    """Return the bytes that a forward pass keeps: of each decision inputs, hidden units, and weights."""
    floats = num_inputs(len(config.contexts)) + 3 * sum(config.hidden) + 2 * _outputs(config)
    return _FLOAT_BYTES * 8 * min(config.learned_bytes, config.context_length) * microbatch * floats


def estimate_training_memory(config: MixingConfig, microbatch: int) -> int:
    """Return about how many bytes a step takes: activations, gate and optimiser, counts, and the slots of a row."""
    contexts = len(config.contexts)
    counted = _WORD_BYTES * (row_slots(config.context_length, contexts) + contexts * 2 * STATES * 4)
    return 2 * activation_bytes(config, microbatch) + 4 * _FLOAT_BYTES * count_parameters(config) + counted


def _outputs(config: MixingConfig) -> int:
    return 1 + VOTES * len(config.contexts)
