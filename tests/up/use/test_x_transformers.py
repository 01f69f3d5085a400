"""Beside the wrapper of x-transformers, with the same model and sizes: our buffer is enriched, theirs stays noise."""

import importlib
import warnings

import pytest
import torch

import up


@pytest.fixture
def x_transformers():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses torch.jit.script, which is deprecated
        pytest.importorskip("x_transformers.up_wrapper", reason="needs the extra x-transformers")
    return importlib.import_module("x_transformers")


@pytest.fixture
def model(x_transformers):
    layers = x_transformers.Decoder(dim=16, depth=1, heads=2)
    return x_transformers.TransformerWrapper(num_tokens=256, max_seq_len=64, attn_layers=layers)


def is_beginning(rows_CT):
    """Whether a row is as rows begin in either buffer: constant, or as many-coloured as uniform noise of 64 tokens."""
    colours_C = torch.tensor([len(row_T.unique()) for row_T in rows_CT])
    return (colours_C == 1) | (colours_C >= 45)  # 57 on average; 45 lies more than four standard deviations below


def test_five_steps_enrich_our_buffer_and_change_no_row_of_theirs(x_transformers, model):
    size = up.BufferConfig(source_batch=8, capacity_multiple=8, reset_constant=2, reset_noise=2)
    ours = up.wrap(model, length=64, buffer=size)
    torch.manual_seed(0)
    theirs = x_transformers.up_wrapper.UniversalPretrainWrapper(
        model, buffer_size=64, batch_size=8, num_reset=4, seq_len=64
    )
    before = ours.stream.buffer.rows_CT.clone(), theirs.synth_data_buffer.clone()
    assert all(is_beginning(rows_CT).all() for rows_CT in before)
    stance = torch.compiler.set_stance("force_eager")  # theirs compiles its generator
    with warnings.catch_warnings(), stance:
        warnings.simplefilter("ignore")  # of what compiling imports
        for _ in range(5):
            ours.loss(8)
            assert theirs().requires_grad
    assert int((ours.stream.buffer.rows_CT != before[0]).any(1).sum()) >= 40
    assert int((theirs.synth_data_buffer != before[1]).any(1).sum()) == 0
    assert not is_beginning(ours.stream.buffer.rows_CT).all()
    assert sum(ours.observations()["depth"][1:]) >= 16


def test_a_model_of_theirs_learns(model):
    losses = up.wrap(model, length=65, source=lambda rows, tokens, _: torch.full((rows, tokens), 7)).fit(
        20, batch_size=2, learning_rate=0.01
    )
    assert losses[-1] < losses[0] / 2


def test_a_model_of_theirs_that_is_not_causal_is_refused(x_transformers):
    layers = x_transformers.Encoder(dim=16, depth=1, heads=2)
    model = x_transformers.TransformerWrapper(num_tokens=256, max_seq_len=64, attn_layers=layers)
    with pytest.raises(up.InputError, match="sees the tokens that it is to predict"):
        up.wrap(model, length=64)
