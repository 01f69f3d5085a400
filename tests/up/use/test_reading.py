"""What a model charges for a file: every byte once, each with half a context before it."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from up.model.base import build_model
from up.model.mixing.config import MixingConfig
from up.model.mixing.predictor import MixingPredictor
from up.model.transformer.config import TransformerConfig
from up.recipes.config import RunConfig, TrainingConfig
from up.use.reading import _windows, read_file, read_prequentially

DATA = bytes(range(97, 117)) * 6


class Repeats(nn.Module):
    """Gives the byte that came one before a share of 1/2, all others the rest."""

    def forward(self, tokens_BT):
        share = torch.full((*tokens_BT.shape, 256), 0.5 / 255)
        return share.scatter(2, tokens_BT[..., None], 0.5).log()


@pytest.mark.parametrize("size", [2, 7, 8, 9, 13, 100])
def test_windows_charge_every_byte_but_the_first_once_and_leave_half_a_context_before_it(size):
    windows = list(_windows(bytes(size), 8))
    charged = [byte for _, first, end in windows for byte in range(first, end)]
    assert charged == list(range(1, size))
    assert all(end - start <= 8 for start, _, end in windows)
    assert all(first - start >= 4 for start, first, _ in windows[1:])


@pytest.mark.parametrize("size", [1, 2, 8, 50])
def test_a_file_costs_what_its_bytes_cost(size):
    data = b"aab" * 20
    expected = [8.0] + [1.0 if one == other else np.log2(510) for one, other in pairwise(data)]
    told = []
    assert read_file(Repeats(), 8, data[:size], told.append) == pytest.approx(expected[:size], abs=1e-4)
    assert sum(told) == size - 1


def test_a_transformer_is_charged_with_its_whole_context():
    model = build_model(TransformerConfig(arch="modern", width=16, depth=1, context_length=32))
    with torch.inference_mode():
        logits = model(torch.tensor([list(DATA[:31])]))[0]
        expected = nn.functional.cross_entropy(logits, torch.tensor(list(DATA[1:32])), reduction="none") / np.log(2)
    assert read_file(model, 32, DATA)[1:32] == pytest.approx(expected.numpy(), abs=1e-4)


def test_prequentially_a_network_learns_the_file_and_the_given_one_is_left_alone():
    config = RunConfig(
        model=TransformerConfig(arch="modern", width=16, depth=1, context_length=96),
        training=TrainingConfig(instances=1, learning_rate=3e-3),
    )
    model = build_model(config.model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    bits_N = read_prequentially(model, config, b"abcd" * 400)
    assert len(bits_N) == 1600
    assert bits_N[-200:].mean() < bits_N[:200].mean() - 1
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_mixing_predictor_reads_a_file_as_a_stream_and_prequentially_from_random_weights():
    config = RunConfig(model=MixingConfig(), training=TrainingConfig(instances=1))
    model = MixingPredictor(MixingConfig(), torch.Generator().manual_seed(5))
    assert (read_file(model, 2048, DATA) == model.score(DATA)).all()
    fresh = MixingPredictor(MixingConfig(), torch.Generator().manual_seed(0))
    assert (read_prequentially(model, config, DATA) == fresh.score(DATA)).all()
