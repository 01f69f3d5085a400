import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from up.errors import InputError
from up.evaluation.token_bits import token_bits
from up.model.transformer.convolution import CausalConvolution
from up.model.transformer.copying import LEAST_SINK, CopyHeads
from up.model.transformer.model import Transformer, TransformerConfig

POOLS = ["logarithmic", "linear"]


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def config(**changes: object) -> TransformerConfig:
    settings = {
        "width": 64,
        "depth": 1,
        "context_length": 128,
        "base_width": 64,
        "convolution_taps": 3,
        "copy_heads": 4,
    }
    return TransformerConfig(arch="modern", **{**settings, **changes})


def perturbed(model: Transformer) -> Transformer:
    model = model.double().eval()
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=generator(2))
    return model


PERTURBED = {pool: perturbed(Transformer(config(width=16, vocabulary_size=7, copy_pool=pool))) for pool in POOLS}


@pytest.mark.parametrize("pool", POOLS)
@given(st.lists(st.integers(0, 6), min_size=2, max_size=24), st.data())
def test_a_token_changes_no_prediction_before_it_and_none_of_itself(
    pool: str, tokens: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(tokens) - 1))
    changed = [*tokens[:place], data.draw(st.integers(0, 6)), *tokens[place + 1 :]]
    before_TV, after_TV = (PERTURBED[pool](torch.tensor([row]))[0, :place] for row in (tokens, changed))
    torch.testing.assert_close(after_TV, before_TV, rtol=0, atol=1e-11)


@pytest.mark.parametrize("pool", POOLS)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=24))
def test_every_distribution_is_positive_and_sums_to_one(pool: str, tokens: list[int]) -> None:
    p_TV = PERTURBED[pool](torch.tensor([tokens]))[0].softmax(-1)
    assert bool((p_TV > 0).all())
    torch.testing.assert_close(p_TV.sum(-1), torch.ones(len(tokens), dtype=torch.float64), rtol=0, atol=1e-12)


def votes(model: Transformer, tokens_BT: torch.Tensor) -> torch.Tensor:
    """What the heads of a model say before anything else is asked, p_BHTV."""
    embedding_BTD = model.token_embedding(tokens_BT)
    _, votes_BHTV = model.copying.vote(embedding_BTD, tokens_BT, model.config.vocabulary_size)
    return votes_BHTV


@given(st.integers(0, 2**31), st.integers(2, 20))
def test_each_head_is_a_distribution_with_a_floor(seed: int, length: int) -> None:
    tokens_BT = torch.randint(7, (2, length), generator=generator(seed))
    p_BHTV = votes(PERTURBED["linear"], tokens_BT)
    torch.testing.assert_close(p_BHTV.sum(-1), torch.ones_like(p_BHTV[..., 0]), rtol=0, atol=1e-12)
    assert p_BHTV.min() >= LEAST_SINK / 7 * (1 - 1e-12)


def test_untrained_heads_vote_for_what_followed_the_latest_tokens_when_they_agree() -> None:
    model = Transformer(config(width=512, base_width=512)).eval()  # wide, so that random embeddings hardly overlap
    tokens = [10, 11, 12, 50, 20, 21, 12, 60, 10, 11, 12]
    with torch.no_grad():
        p_HV = votes(model, torch.tensor([tokens]))[0, :, -1]
    one, two, three, _ = p_HV.tolist()  # of orders 1, 2, 3, 4
    assert one[50] == pytest.approx(one[60], rel=0.2)  # 12 was followed by both
    assert two[50] > 5 * two[60]  # 11, 12 by 50 only
    assert three[50] > 0.4
    assert three[50] > 5 * three[60]
    assert p_HV[:, 30].max() < 0.01


@pytest.mark.parametrize(("pool", "most"), [("logarithmic", 2.0), ("linear", 3.5)])
def test_an_untrained_model_predicts_what_it_reads_a_second_time(pool: str, most: float) -> None:
    model = Transformer(config(copy_pool=pool), generator()).eval()
    once = np.random.default_rng(0).integers(256, size=(4, 64), dtype=np.uint8)
    bits_BT = token_bits(model, torch.from_numpy(np.tile(once, 2)))
    first, second = bits_BT[:, :63].mean(), bits_BT[:, -56:].mean()
    assert first > 7.5
    assert second < most
    plain = Transformer(config(copy_heads=0), generator()).eval()
    assert token_bits(plain, torch.from_numpy(np.tile(once, 2)))[:, -56:].mean() > 7.5


def test_a_head_that_finds_nothing_leaves_the_logarithmic_pool_as_it_was() -> None:
    model = Transformer(config(), generator()).eval()
    model.copying.sink_H.data.fill_(50.0)
    tokens_BT = torch.randint(256, (2, 40), generator=generator(3))
    with torch.no_grad():
        with_heads = model(tokens_BT).log_softmax(-1)
        model.copying = None
        torch.testing.assert_close(with_heads, model(tokens_BT).log_softmax(-1), rtol=0, atol=1e-5)


def test_a_convolution_starts_as_the_identity() -> None:
    convolution = CausalConvolution(5, 3)
    with torch.no_grad():
        convolution.initialise()
        x_BTC = torch.randn(2, 7, 5, generator=generator())
        assert torch.equal(convolution(x_BTC), x_BTC)


def test_without_copying_the_weights_are_those_of_before_and_with_it_the_rest_is_drawn_alike() -> None:
    plain, filtered = (Transformer(config(copy_heads=0, convolution_taps=taps), generator()) for taps in (0, 3))
    copying = Transformer(config(), generator())
    for name, weight in plain.state_dict().items():
        assert torch.equal(weight, filtered.state_dict()[name]), name
        assert torch.equal(weight, copying.state_dict()[name]), name
    tokens_BT = torch.randint(256, (2, 40), generator=generator(3))
    assert torch.equal(plain(tokens_BT), filtered(tokens_BT))


def test_a_gradient_reaches_every_weight_of_the_heads_once_the_gate_has_opened() -> None:
    model = Transformer(config(), generator())
    tokens_BT = torch.randint(4, (2, 40), generator=generator(3))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(2):
        optimizer.zero_grad()
        functional.cross_entropy(model(tokens_BT[:, :-1]).flatten(0, 1), tokens_BT[:, 1:].flatten()).backward()
        optimizer.step()
    assert isinstance(model.copying, CopyHeads)
    assert all(bool(parameter.grad.any()) for parameter in model.copying.parameters())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"copy_heads": -1}, "model.copy_heads must not be negative"),
        ({"copy_heads": 65}, "model.copy_heads is too large"),
        ({"copy_heads": 2, "copy_pool": "median"}, "model.copy_pool"),
        ({"copy_heads": 2, "copy_head_size": 0}, "model.copy_head_size must be positive"),
        ({"convolution_taps": 65}, "model.convolution_taps is too large"),
        ({"arch": "paper", "copy_heads": 2}, "model.copy_heads is a setting of the modern architecture"),
        ({"arch": "paper", "convolution_taps": 3}, "model.convolution_taps is a setting of the modern architecture"),
        ({"heads": 7}, "not divisible"),
    ],
)
def test_unfit_settings_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        TransformerConfig(**{"arch": "modern", "width": 64, **settings})


def test_a_copy_head_has_a_quarter_of_the_width_unless_told_otherwise() -> None:
    assert TransformerConfig(arch="modern", width=128, copy_heads=3).num_copy_channels == 96
    assert TransformerConfig(arch="modern", width=128, copy_heads=3, copy_head_size=8).num_copy_channels == 24
    assert TransformerConfig(arch="modern", width=32, copy_heads=3).resolve().copy_head_size == 16  # the least there is
    assert math.isclose(TransformerConfig(arch="modern", width=128, copy_heads=3).copy_scale, 1 / 32)
