"""A network's weights on grids: they come back from files of the length that is reported, and say what they cost."""

import functools
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import up
from up.codes.curvature import curvatures
from up.codes.grid import NAME_BITS, Grid, best_grid
from up.codes.integers import decode, encode
from up.codes.network import (
    _LEVEL_BITS,
    Quantised,
    Variational,
    Weights,
    parameter_bits,
    priors_for,
    weights_of,
    with_weights,
)
from up.coding.arithmetic import LOOKAHEAD, begin, decode_bit, encode_bit, last_bytes, new_ends, share_of
from up.model.base import build_model
from up.model.mixing.config import MixingConfig
from up.model.mixing.predictor import MixingPredictor
from up.model.transformer.config import TransformerConfig

FINENESS = 1 << 22


@functools.cache
def tiny():
    return up.load("builtin:tiny", device="cpu")


def some_weights(*names):
    """Tensors of the model that ships, with one curvature for all."""
    return [Weights(each.name, each.value, 1e-4) for each in weights_of(tiny()) if each.name in names]


def code_levels(levels, probabilities):
    """Encode levels by the probability of each, each a decision against all after it; return file and what is read."""
    order = sorted(probabilities)
    tails = np.cumsum([probabilities[level] for level in order][::-1])[::-1]
    shares = [share_of(min(probabilities[level] / tail, 1.0)) for level, tail in zip(order, tails, strict=True)]
    ends, room, code = new_ends(), bytearray(LOOKAHEAD), bytearray()
    for level in levels:
        for share, each in zip(shares[:-1], order, strict=False):
            code += room[: encode_bit(ends, share, int(level == each), room, 0)]
            if level == each:
                break
    file = bytes(code) + last_bytes(ends)
    ends, padded = new_ends(), file + bytes(2 * LOOKAHEAD)
    place, read = begin(ends, padded), []
    for _ in levels:
        for share, each in zip([*shares[:-1], None], order, strict=True):
            bit = 1
            if share is not None:
                bit, place = decode_bit(ends, share, padded + bytes(LOOKAHEAD), place)
            if bit:
                read.append(each)
                break
    return file, read


@pytest.mark.parametrize("name", ["head.weight", "copying.key.weight", "blocks.1.feedforward.down.weight"])
def test_the_entropy_coded_file_is_within_1_percent_of_what_is_reported_and_brings_the_weights_back(name):
    network = Quantised.of(some_weights(name), FINENESS)
    (levels,), (bits,) = network.integers, network.entropy_bits()
    file = encode(levels)
    assert abs(8 * len(file) + NAME_BITS - bits) < 0.01 * bits
    back = network.grids[0].restored(decode(file, levels.size), torch.float32)
    restored = network.put_into(tiny()).state_dict()[name]
    assert torch.equal(back.view_as(restored), restored)


@pytest.mark.slow
def test_so_are_all_weights_of_both_models_that_ship():
    for label in ("builtin:tiny", "builtin:mixing"):
        tensors = [Weights(each.name, each.value, 1e-4) for each in weights_of(up.load(label, device="cpu"))]
        network = Quantised.of(tensors, FINENESS)
        files = [encode(levels) for levels in network.integers]
        reported = sum(network.entropy_bits())
        assert abs(sum(8 * len(file) + NAME_BITS for file in files) - reported) < 0.01 * reported
        assert all((decode(f, q.size) == q).all() for f, q in zip(files, network.integers, strict=True))


@pytest.mark.parametrize("name", ["copying.gate_hidden.weight", "blocks.0.attention.convolution.weight"])
def test_so_are_the_uniform_code_and_the_mixture(name):
    weights = some_weights(name)
    network, priors = Quantised.of(weights, 1 << 18), priors_for(weights)
    (levels,), (grid,) = network.integers, network.grids
    every = range(int(levels.min()), int(levels.max()) + 1)
    file, read = code_levels(levels.tolist(), dict.fromkeys(every, 1 / len(every)))
    assert read == levels.tolist()
    (uniform,) = network.uniform_bits()
    assert abs(8 * len(file) + NAME_BITS + _LEVEL_BITS - uniform) < 0.01 * uniform
    (mixture,), (parameters,) = network.mixture_bits(priors)
    best = next(each for each in priors[0] if parameter_bits(each) + NAME_BITS == parameters)
    mass = best.log_mass(torch.tensor(every, dtype=torch.float64) * grid.step, grid.step).exp()
    file, read = code_levels(levels.tolist(), dict(zip(every, (mass / mass.sum()).tolist(), strict=True)))
    assert read == levels.tolist()
    assert abs(8 * len(file) + parameters - mixture - parameters) < 0.01 * (mixture + parameters)


@given(st.lists(st.floats(-8, 8), min_size=1, max_size=20), st.integers(0, 12))
def test_a_linear_grid_moves_weights_by_half_a_step_at_most(values, exponent):
    grid, x_N = Grid(exponent), torch.tensor(values, dtype=torch.float64)
    back = grid.restored(grid.rounded(x_N), torch.float64)
    assert float((back - x_N).abs().max()) <= grid.step / 2
    assert (grid.rounded(back) == grid.rounded(x_N)).all()


@given(st.lists(st.integers(0, 2**29), min_size=1, max_size=20), st.integers(0, 4))
def test_a_logarithmic_grid_keeps_the_first_bits_of_counts_and_their_order(values, kept):
    grid, x_N = Grid(kept, logarithmic=True), torch.tensor(sorted(values))
    levels = grid.rounded(x_N)
    back_N = grid.restored(levels, torch.int64)
    assert bool(((back_N - x_N).abs() <= x_N * 2.0 ** -(kept + 1) + 1).all())
    assert all(one <= other for one, other in pairwise(levels.tolist()))
    assert (grid.rounded(back_N) == levels).all()
    assert ((levels == 0) == (x_N == 0).numpy()).all()


def test_the_best_step_halves_when_the_file_is_four_times_as_long_and_is_never_wider_than_the_tensor():
    x_N = torch.linspace(-1, 1, 101)
    assert best_grid(x_N, 1.0, 1 << 12).exponent + 1 == best_grid(x_N, 1.0, 1 << 14).exponent
    assert best_grid(x_N, 0.0, 1 << 40).step <= 4
    assert best_grid(torch.zeros(3), 0.0, 1).rounded(torch.zeros(3)).tolist() == [0, 0, 0]


def test_rounding_changes_the_network_and_not_the_original():
    model = build_model(TransformerConfig(arch="modern", width=16, depth=1, context_length=32))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    coarse = Quantised.of(weights_of(model), 1 << 10).put_into(model)
    assert not torch.equal(coarse.state_dict()["head.weight"], before["head.weight"])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_shared_weights_are_sent_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3, bias=False)
            self.second = nn.Linear(3, 3, bias=False)
            self.second.weight = self.first.weight

    tied = Tied()
    assert [each.name for each in weights_of(tied)] == ["first.weight"]
    changed = with_weights(tied, {"first.weight": torch.zeros(3, 3)})
    assert bool((changed.state_dict()["second.weight"] == 0).all())


def test_counts_of_a_mixing_predictor_are_weights_too():
    (counts,) = [each for each in weights_of(MixingPredictor(MixingConfig())) if each.are_counts]
    assert counts.grid(FINENESS).logarithmic
    assert priors_for([counts]) == ((),)


def test_a_finer_variational_code_costs_a_bit_a_weight_for_each_half_of_the_spread():
    """With a prior much wider than the posterior; and a quarter of a bit below a grid, whose levels are learned."""
    x_N = torch.randn(2000, generator=torch.Generator().manual_seed(1))
    weights = [Weights("w", x_N, 1.0)]
    coarse, fine = (Variational.of(weights, size, priors_for(weights)) for size in (1 << 14, 1 << 16))
    assert fine.sigmas[0] == coarse.sigmas[0] / 2
    few, many = (each.weight_bits(4, torch.Generator().manual_seed(2))[0].value / 2000 for each in (coarse, fine))
    assert many - few == pytest.approx(1, abs=0.01)
    exact = Quantised.of(weights, 1 << 16).entropy_bits()[0] / 2000
    assert exact - many == pytest.approx(math.log2(2 * math.pi * math.e / 12) / 2, abs=0.1)


def test_curvature_is_the_second_derivative_of_a_model_that_is_right():
    """Bytes with one learned logit: F = p (1 - p) for the weight of a fair coin, per byte."""

    class Coin(nn.Module):
        def __init__(self):
            super().__init__()
            self.logit = nn.Parameter(torch.zeros(1))

        def loss(self, tokens_BT):
            return nn.functional.binary_cross_entropy_with_logits(self.logit.expand(tokens_BT.shape), tokens_BT.float())

    flips = torch.randint(2, (400, 64), generator=torch.Generator().manual_seed(0))
    assert curvatures(Coin(), flips)["logit"] == pytest.approx(0.25, rel=0.15)
