"""`up.evaluate` with any model, from Python."""

import pytest
import torch

import up
from up.model.transformer.config import TransformerConfig
from up.model.transformer.model import Transformer

CONTEXT_LENGTH = 48
SETTINGS = ["samples=4", "tail_positions=16", 'data=["pydoc"]']


def a_model(seed: int) -> Transformer:
    config = TransformerConfig(arch="modern", width=16, base_width=16, depth=1, context_length=CONTEXT_LENGTH)
    return Transformer(config, torch.Generator().manual_seed(seed))


def test_an_untrained_model_is_measured_on_the_same_slices_if_one_is_given():
    trained, untrained = a_model(0), a_model(1)
    (alone,), (before,) = up.evaluate(trained, SETTINGS), up.evaluate(untrained, SETTINGS)
    (row,) = up.evaluate(trained, SETTINGS, untrained=untrained)
    assert (row.bits, row.untrained_bits, row.untrained_tail_bits) == (alone.bits, before.bits, before.tail_bits)
    assert alone.untrained_bits is None


@pytest.mark.parametrize(("length", "read"), [(32, None), (CONTEXT_LENGTH, None), (100, CONTEXT_LENGTH)])
def test_slices_have_the_length_that_is_set_and_the_model_reads_what_it_can(length, read):
    (row,) = up.evaluate(a_model(0), [*SETTINGS, f"context_length={length}"])
    assert (row.context_length, row.model_context_length) == (length, read)
    assert len(row.positions) == (min(length, CONTEXT_LENGTH) - 1).bit_length()
