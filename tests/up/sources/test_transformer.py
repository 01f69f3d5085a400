"""Random transformers as a source: equality with torch.nn, how their weights are drawn, what a row depends on."""

import math

import pytest
import torch

from tests.reference import random_transformer as reference
from up.errors import InputError
from up.recipes.presets import configure
from up.sources import transformer
from up.sources.transformer import TransformerSource, draw_weights
from up.sources.transformer_kernel import generate_sequences


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def inputs(num_rows, num_tokens, seed_length=8, seed=0):
    drawn = generator(seed)
    return {
        "seeds_RS": torch.randint(256, (num_rows, seed_length), generator=drawn),
        "conditions_RT": torch.randint(256, (num_rows, num_tokens), generator=drawn),
        "uniforms_TR": torch.rand(num_tokens - seed_length, num_rows, generator=drawn, dtype=torch.float64),
    }


def generate(num_rows=6, num_tokens=40, seed=0, conditions_RT=None, **settings):
    drawn = inputs(num_rows, num_tokens)
    conditions_RT = drawn["conditions_RT"] if conditions_RT is None else conditions_RT
    return TransformerSource(**settings).generate(drawn["seeds_RS"], conditions_RT, generator(seed))


@pytest.mark.parametrize("temperature", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize(
    ("num_models", "settings"),
    [
        (3, {"width": 12, "num_heads": 3, "num_layers": 1}),
        (1, {"width": 8, "num_heads": 1, "num_layers": 3}),
        (2, {"width": 16, "num_heads": 4, "max_weight_multiplier": 8.0}),
    ],
)
def test_equals_torch_nn_without_a_cache_token_for_token(num_models, settings, temperature):
    source = TransformerSource(**settings)
    weights = draw_weights(source, num_models, 39, generator=generator(7), dtype=torch.float64)
    arguments = {"num_heads": source.num_heads, "temperature": temperature, **inputs(3 * num_models, 40)}
    expected_RT = reference.generate_sequences(weights, **arguments)
    assert torch.equal(generate_sequences(weights, **arguments), expected_RT)
    assert len(expected_RT[:, 8:].unique()) > 1


def test_equals_torch_nn_at_the_default_size():
    source = TransformerSource()
    weights = draw_weights(source, 1, 159, generator=generator(3), dtype=torch.float64)
    arguments = {"num_heads": source.num_heads, "temperature": source.temperature, **inputs(2, 160)}
    assert torch.equal(generate_sequences(weights, **arguments), reference.generate_sequences(weights, **arguments))


def test_the_multiplier_scales_the_matrices_of_the_blocks_once_and_nothing_else():
    one, two = (
        draw_weights(TransformerSource(max_weight_multiplier=m), 5, 16, generator=generator(11)) for m in (1.1, 2.2)
    )
    torch.testing.assert_close(two.multiplier_G, 2 * one.multiplier_G)
    for block, doubled in zip(one.blocks, two.blocks, strict=True):
        for name, tensor in vars(block).items():
            factor = 1 if "bias" in name else 2
            torch.testing.assert_close(getattr(doubled, name), factor * tensor, msg=name)
    for name, tensor in vars(one).items():
        if name not in ("blocks", "multiplier_G"):
            assert torch.equal(getattr(two, name), tensor), name


def test_weights_have_the_stated_shapes_ranges_and_moments():
    """Moments of at least 40 x 64 entries each, within five standard errors of those of the stated law."""
    weights = draw_weights(TransformerSource(max_weight_multiplier=1.1), 40, 31, generator=generator(5))
    assert weights.position_embedding_GTD.shape == (40, 31, 64)
    embeddings = (weights.input_embedding_GVD, weights.condition_embedding_GVD, weights.position_embedding_GTD)
    for embedding in embeddings:
        assert abs(embedding.std() - 1) < 5 / math.sqrt(2 * embedding.numel())
        assert abs(embedding.mean()) < 5 / math.sqrt(embedding.numel())
    assert 0 <= weights.multiplier_G.min() <= weights.multiplier_G.max() <= 1.1
    assert abs(weights.multiplier_G.mean() - 0.55) < 5 * 1.1 / math.sqrt(12 * 40)
    assert len(weights.blocks) == 2
    m_G11 = weights.multiplier_G[:, None, None]
    for block in weights.blocks:
        assert block.query_key_value_GDP.shape == (40, 64, 192)
        assert block.up_GDF.shape == (40, 64, 256)
        laws = [
            (block.query_key_value_GDP / m_G11, 64), (block.output_GDD / m_G11, 64), (block.up_GDF / m_G11, 64),
            (block.down_GFD / m_G11, 256), (block.query_key_value_bias_GP, 64), (block.output_bias_GD, 64),
            (block.up_bias_GF, 64), (block.down_bias_GD, 256),
        ]  # fmt: skip
        for tensor, num_inputs in laws:
            require_uniform(tensor, 1 / math.sqrt(num_inputs))
    require_uniform(weights.readout_GDV, 1 / 8)
    require_uniform(weights.readout_bias_GV, 1 / 8)


def require_uniform(tensor, bound):
    """U(-b, b): variance b^2 / 3, variance of the square 4 b^4 / 45."""
    count = tensor.numel()
    assert tensor.abs().max() <= bound * (1 + 1e-5)
    assert abs(tensor.mean()) < 5 * bound / math.sqrt(3 * count)
    assert abs(tensor.square().mean() - bound**2 / 3) < 5 * bound**2 * math.sqrt(4 / 45 / count)


def test_sequences_start_with_their_seed_and_depend_on_the_condition_up_to_each_step():
    """Condition token t enters at step t, so a change at t leaves tokens 0 to t as they were."""
    drawn = inputs(24, 40)
    original = generate(24)
    assert original.dtype == torch.uint8
    assert torch.equal(original[:, :8].long(), drawn["seeds_RS"])
    changed_RT = drawn["conditions_RT"].clone()
    changed_RT[:, -1] += 1
    assert torch.equal(original, generate(24, conditions_RT=changed_RT % 256))
    changed_RT[:, 20] += 1
    changed = generate(24, conditions_RT=changed_RT % 256)
    assert torch.equal(original[:, :21], changed[:, :21])
    assert not torch.equal(original[:, 21:], changed[:, 21:])


def test_rows_of_one_model_agree_on_equal_input_and_models_differ():
    """At a temperature near 0, equal seeds and conditions give equal rows within a model; two models disagree."""
    drawn = inputs(1, 48)
    source = TransformerSource(sequences_per_model=4, temperature=1e-9)
    tokens_RT = source.generate(drawn["seeds_RS"].expand(8, -1), drawn["conditions_RT"].expand(8, -1), generator())
    assert (tokens_RT[:4] == tokens_RT[0]).all()
    assert (tokens_RT[4:] == tokens_RT[4]).all()
    assert not torch.equal(tokens_RT[0], tokens_RT[4])


@pytest.mark.parametrize(("rows", "sequences_per_model"), [(10, 4), (70, 8), (70, 70), (3, 8), (33, 1)])
def test_any_number_of_rows_is_served_in_pieces_of_whole_models(rows, sequences_per_model, monkeypatch):
    sizes = []

    def counting(source, num_models, num_positions, **options):
        sizes.append(num_models)
        return draw_weights(source, num_models, num_positions, **options)

    monkeypatch.setattr(transformer, "draw_weights", counting)
    tokens_RT = generate(rows, 12, width=4, num_heads=2, sequences_per_model=sequences_per_model)
    assert tokens_RT.shape == (rows, 12)
    assert sum(sizes) == -(-rows // min(rows, sequences_per_model))
    assert max(sizes) * sequences_per_model <= max(32, sequences_per_model)


def test_the_largest_multiplier_and_the_least_temperature_stay_in_the_range_of_the_numbers():
    weights = draw_weights(TransformerSource(max_weight_multiplier=1e6), 4, 39, generator=generator())
    arguments = {"num_heads": 4, "temperature": 1e-30, **inputs(8, 40)}
    assert len(generate_sequences(weights, **arguments)[:, 8:].unique()) > 1
    assert len(generate(max_weight_multiplier=1e6, temperature=1e-30)[:, 8:].unique()) > 1


def test_the_same_seed_gives_the_same_sequences_and_another_does_not():
    assert torch.equal(generate(seed=4), generate(seed=4))
    assert not torch.equal(generate(seed=4), generate(seed=5))


def test_its_size_does_not_follow_the_target_and_it_says_it():
    source = configure("paper-1024", ["source.kind=transformer"]).source
    assert source == TransformerSource()
    assert (source.noun, source.description) == ("transformer", "transformer, 2 blocks of width 64")
    assert TransformerSource(num_layers=1).description == "transformer, 1 block of width 64"


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"kind": "lstm"}, "lstm"),
        ({"width": 0}, "0"),
        ({"width": 10**6}, "1000000"),
        ({"num_layers": -1}, "-1"),
        ({"num_layers": 65}, "65"),
        ({"num_heads": 0}, "0"),
        ({"num_heads": 5}, "5"),
        ({"temperature": 0.0}, "0.0"),
        ({"temperature": 1e-40}, "1e-40"),
        ({"max_weight_multiplier": -1.0}, "-1.0"),
        ({"max_weight_multiplier": 1e7}, "10000000"),
        ({"seed_length": 0}, "0"),
        ({"sequences_per_model": 0}, "0"),
    ],
)
def test_bad_settings_are_refused_with_their_value(settings, received):
    with pytest.raises(InputError, match=received) as caught:
        TransformerSource(**settings)
    assert "\n" not in str(caught.value)
