"""Deep scaled LSTMs as a source: equality with nn.LSTM, the scale of every parameter, richness against the paper's."""

import math

import pytest
import torch

from tests.reference import published as reference
from up.errors import InputError
from up.recipes.presets import configure
from up.sources.published import PublishedSource, draw_weights, generate_sequences
from up.sources.recurrent import RecurrentSource


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def inputs(num_rows, num_tokens, seed=0):
    drawn = generator(seed)
    return {
        "seeds_RS": torch.randint(256, (num_rows, 8), generator=drawn),
        "conditions_RT": torch.randint(256, (num_rows, num_tokens), generator=drawn),
    }


def generate(num_rows=6, num_tokens=40, seed=0, **settings):
    drawn = inputs(num_rows, num_tokens)
    return PublishedSource(**settings).generate(drawn["seeds_RS"], drawn["conditions_RT"], generator(seed))


@pytest.mark.parametrize(
    ("num_models", "num_tokens", "settings"),
    [
        (3, 24, {"hidden_size": 12}),  # the default multiplier; after more steps rounding decides
        (2, 24, {"hidden_size": 12, "embedding_scale": 1.0}),
        (3, 200, {"hidden_size": 13, "max_weight_multiplier": 1.5, "embedding_scale": 1.0}),
        (2, 60, {"hidden_size": 12, "num_layers": 1, "embedding_scale": 1.0}),
        (1, 60, {"hidden_size": 12, "num_layers": 2, "embedding_scale": 0.0}),
    ],
)
def test_equals_a_plain_loop_over_nn_lstm_token_for_token(num_models, num_tokens, settings):
    weights = draw_weights(PublishedSource(**settings), num_models, generator=generator(7), dtype=torch.float64)
    arguments = inputs(3 * num_models, num_tokens)
    expected_RT = reference.generate_sequences(weights, **arguments)
    assert torch.equal(generate_sequences(weights, **arguments), expected_RT)


@pytest.mark.parametrize("num_layers", [1, 2, 4])
def test_the_multiplier_is_applied_once_for_each_layer_to_all_layers_biases_included(num_layers):
    """Twice the multiplier: every parameter of the layers times 2^L, all else as it was."""
    one, two = (
        draw_weights(
            PublishedSource(num_layers=num_layers, min_weight_multiplier=m, max_weight_multiplier=3 * m),
            5,
            generator=generator(11),
        )
        for m in (1.0, 2.0)
    )
    torch.testing.assert_close(two.multiplier_G, 2 * one.multiplier_G)
    assert len(one.layers) == num_layers
    for layer, doubled in zip(one.layers, two.layers, strict=True):
        for name, tensor in vars(layer).items():
            torch.testing.assert_close(getattr(doubled, name), 2**num_layers * tensor, msg=name)
    for name, tensor in vars(one).items():
        if name not in ("layers", "multiplier_G"):
            assert torch.equal(getattr(two, name), tensor), name


def test_weights_have_the_stated_shapes_ranges_and_moments():
    """40 models: entries of 40 x 152 and more, within five standard errors of the moments of their laws."""
    weights = draw_weights(PublishedSource(embedding_scale=0.02), 40, generator=generator(5))
    assert [tuple(layer.weight_GIK.shape) for layer in weights.layers] == [(40, 76, 152)] * 4
    m_G = weights.multiplier_G
    assert 1 <= m_G.min() <= m_G.max() <= 3.5
    assert abs(m_G.mean() - 2.25) < 5 * 2.5 / math.sqrt(12 * 40)
    for layer in weights.layers:
        for tensor in (layer.weight_GIK, layer.bias_ih_GK, layer.bias_hh_GK):
            require_uniform(tensor / (m_G**4).view(-1, *[1] * (tensor.ndim - 1)), 38**-0.5)
    require_uniform(weights.readout_GDV, 38**-0.5)
    require_uniform(weights.readout_bias_GV, 38**-0.5)
    for embedding in (weights.input_embedding_GVE, weights.condition_embedding_GVE):
        assert embedding.shape == (40, 256, 19)
        assert abs(embedding.std() / 0.02 - 1) < 5 / math.sqrt(2 * embedding.numel())


def require_uniform(tensor, bound):
    """U(-b, b): variance b^2 / 3, variance of the square 4 b^4 / 45."""
    count = tensor.numel()
    assert tensor.abs().max() <= bound * (1 + 1e-5)
    assert abs(tensor.mean()) < 5 * bound / math.sqrt(3 * count)
    assert abs(tensor.square().mean() - bound**2 / 3) < 5 * bound**2 * math.sqrt(4 / 45 / count)


def test_rows_are_richer_than_those_of_the_papers_lstm():
    """The observable difference: over 80 models each, the median row of 512 has more than twice as many tokens."""
    arguments = inputs(80, 512)
    distinct = [
        torch.tensor(
            [
                len(row.unique())
                for row in source.generate(arguments["seeds_RS"], arguments["conditions_RT"], generator(1))
            ]
        )
        for source in (PublishedSource(sequences_per_model=1), RecurrentSource(sequences_per_model=1))
    ]
    assert distinct[0].median() > 2 * distinct[1].median()


def test_the_largest_settings_stay_in_the_range_of_the_numbers():
    source = PublishedSource(num_layers=16, min_weight_multiplier=100.0, max_weight_multiplier=100.0)
    weights = draw_weights(source, 2, generator=generator())
    assert weights.layers[0].weight_GIK.isfinite().all()
    drawn = generate(num_layers=16, min_weight_multiplier=100.0, max_weight_multiplier=100.0, embedding_scale=1e3)
    assert len(drawn[:, 8:].unique()) > 1


def test_nothing_is_sampled():
    """The generator is drawn from for the weights and for nothing else."""
    source, after = PublishedSource(sequences_per_model=6), generator(3)
    draw_weights(source, 1, generator=after)
    used = generator(3)
    source.generate(**inputs(6, 24), generator=used)
    assert torch.equal(used.get_state(), after.get_state())


def test_sequences_start_with_their_seed_and_any_number_of_rows_is_served():
    for rows in (1, 8, 11):
        tokens_RT = generate(rows)
        assert (tokens_RT.shape, tokens_RT.dtype) == ((rows, 40), torch.uint8)
        assert torch.equal(tokens_RT[:, :8].long(), inputs(rows, 40)["seeds_RS"])
    assert torch.equal(generate(seed=4), generate(seed=4))
    assert not torch.equal(generate(seed=4), generate(seed=5))


def test_its_size_follows_the_target_as_for_the_lstm():
    source = configure("paper-512", ["source.kind=lstm-published"]).source
    assert (source.hidden_size, source.noun) == (51, "LSTM")
    assert source.description == "lstm-published, 4 layers of 51 units"
    assert configure("paper-512", ["source.kind=lstm-published", "source.hidden_size=7"]).source.hidden_size == 7


@pytest.mark.parametrize(
    ("settings", "received"),
    [
        ({"kind": "lstm"}, "lstm"),
        ({"hidden_size": 1}, "1"),
        ({"num_layers": 0}, "0"),
        ({"num_layers": 17}, "17"),
        ({"embedding_scale": -0.5}, "-0.5"),
        ({"embedding_scale": 1e6}, "1000000"),
        ({"min_weight_multiplier": -1.0}, "-1.0"),
        ({"min_weight_multiplier": 4.0}, "4.0"),
        ({"max_weight_multiplier": 1e9}, "1000000000"),
        ({"sequences_per_model": 0}, "0"),
        ({"seed_length": 0}, "0"),
    ],
)
def test_bad_settings_are_refused_with_their_value(settings, received):
    with pytest.raises(InputError, match=received) as caught:
        PublishedSource(**settings)
    assert "\n" not in str(caught.value)
