"""Random recurrent sources: equality with torch.nn, and how their weights are drawn."""

import math

import pytest
import torch

from tests.reference import recurrent as reference
from up.errors import InputError
from up.sources.recurrent import RecurrentSource, draw_weights
from up.sources.recurrent_kernel import generate_sequences


def inputs(num_rows, num_tokens, seed_length=8, seed=0, vocabulary=256):
    generator = torch.Generator().manual_seed(seed)
    return {
        "seeds_RS": torch.randint(vocabulary, (num_rows, seed_length), generator=generator),
        "conditions_RT": torch.randint(vocabulary, (num_rows, num_tokens), generator=generator),
        "uniforms_TR": torch.rand(num_tokens - seed_length, num_rows, generator=generator, dtype=torch.float64),
    }


@pytest.mark.parametrize("temperature", [1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("num_models", [1, 3, 8])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_equals_a_plain_loop_over_torch_nn_token_for_token(cell, num_models, temperature):
    config = RecurrentSource(kind=cell, hidden_size=13)
    weights = draw_weights(config, num_models, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    arguments = {"cell": cell, "temperature": temperature, **inputs(3 * num_models, 40)}
    expected_RT = reference.generate_sequences(weights, **arguments)
    assert torch.equal(generate_sequences(weights, **arguments).long(), expected_RT)
    assert len(expected_RT[:, 8:].unique()) > 1


def test_equals_the_plain_loop_at_the_papers_sizes():
    config = RecurrentSource(hidden_size=38)
    weights = draw_weights(config, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    arguments = {"cell": "lstm", "temperature": 1e-4, **inputs(3, 512)}
    tokens_RT = generate_sequences(weights, **arguments)
    assert torch.equal(tokens_RT.long(), reference.generate_sequences(weights, **arguments))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_equals_the_plain_loop_over_a_vocabulary_beyond_bytes(cell):
    source = RecurrentSource(kind=cell, hidden_size=13, vocabulary_size=1_000)
    weights = draw_weights(source, 2, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    arguments = {"cell": cell, "temperature": 1e-2, **inputs(6, 40, vocabulary=1_000)}
    tokens_RT = generate_sequences(weights, **arguments)
    assert tokens_RT.dtype == torch.int32
    assert torch.equal(tokens_RT.long(), reference.generate_sequences(weights, **arguments))
    assert int(tokens_RT[:, 8:].max()) > 255


def test_more_than_bytes_take_fewer_models_so_that_the_tables_stay_as_large():
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    rows_per_model = {
        size: [RecurrentSource(vocabulary_size=size).resolve(device).sequences_per_model for device in (cpu, gpu)]
        for size in (2, 256, 257, 512, 65_536)
    }
    assert rows_per_model == {2: [8, 1], 256: [8, 1], 257: [16, 2], 512: [16, 2], 65_536: [2048, 256]}


def draw_pair(max_weight_multiplier, **settings):
    """The same random numbers with two different ranges of the multiplier."""
    config = RecurrentSource(max_weight_multiplier=max_weight_multiplier, **settings)
    return draw_weights(config, 5, generator=torch.Generator().manual_seed(11))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_multiplier_scales_the_two_recurrent_matrices_once_and_nothing_else(cell):
    one, two = draw_pair(1.1, kind=cell), draw_pair(2.2, kind=cell)
    torch.testing.assert_close(two.multiplier_G, 2 * one.multiplier_G)
    torch.testing.assert_close(two.weight_ih_GKI, 2 * one.weight_ih_GKI)
    torch.testing.assert_close(two.weight_hh_GKD, 2 * one.weight_hh_GKD)
    for untouched in ("bias_ih_GK", "bias_hh_GK", "input_embedding_GVE", "condition_embedding_GVE"):
        assert torch.equal(getattr(one, untouched), getattr(two, untouched))
    assert torch.equal(one.readout_weight_GVD, two.readout_weight_GVD)
    assert torch.equal(one.readout_bias_GV, two.readout_bias_GV)


def test_weights_have_the_stated_shapes_ranges_and_moments():
    config = RecurrentSource(hidden_size=51)
    weights = draw_weights(config, 40, generator=torch.Generator().manual_seed(5))
    assert weights.input_embedding_GVE.shape == (40, 256, 25)
    assert weights.weight_ih_GKI.shape == (40, 204, 50)
    assert weights.weight_hh_GKD.shape == (40, 204, 51)
    bound = 51**-0.5
    for name in ("bias_ih_GK", "bias_hh_GK", "readout_weight_GVD", "readout_bias_GV"):
        values = getattr(weights, name)
        assert values.abs().max() <= bound
        assert abs(values.std() - bound / math.sqrt(3)) < 0.02 * bound
    unscaled = weights.weight_hh_GKD / weights.multiplier_G[:, None, None]
    assert unscaled.abs().max() <= bound * (1 + 1e-5)
    assert abs(weights.condition_embedding_GVE.std() - 1) < 0.01
    assert not torch.equal(weights.input_embedding_GVE, weights.condition_embedding_GVE)
    assert 0 <= weights.multiplier_G.min() <= weights.multiplier_G.max() <= 1.1
    assert weights.multiplier_G.max() > 0.9


def test_shared_embedding_uses_one_table():
    weights = draw_weights(RecurrentSource(shared_embedding=True), 2, generator=torch.Generator())
    assert weights.condition_embedding_GVE is weights.input_embedding_GVE


def generate(seeds_RS, conditions_RT, seed=0, **settings):
    return RecurrentSource(**settings).generate(seeds_RS, conditions_RT, torch.Generator().manual_seed(seed))


def test_sequences_start_with_their_seed_and_depend_on_the_condition():
    given_inputs = inputs(6, 64)
    seeds_RS, conditions_RT = given_inputs["seeds_RS"], given_inputs["conditions_RT"]
    tokens_RT = generate(seeds_RS, conditions_RT)
    assert tokens_RT.dtype == torch.uint8
    assert torch.equal(tokens_RT[:, :8].long(), seeds_RS)
    assert not torch.equal(tokens_RT, generate(seeds_RS, conditions_RT.flip(1)))


def test_the_same_seed_gives_the_same_sequences_and_leaves_the_global_generator_alone():
    given_inputs = inputs(6, 64)
    before = torch.get_rng_state()
    one = generate(given_inputs["seeds_RS"], given_inputs["conditions_RT"], seed=4)
    two = generate(given_inputs["seeds_RS"], given_inputs["conditions_RT"], seed=4)
    other = generate(given_inputs["seeds_RS"], given_inputs["conditions_RT"], seed=5)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert torch.equal(before, torch.get_rng_state())


def test_the_last_condition_token_has_no_step_and_every_other_one_may_matter():
    """Condition token t enters at step t, so a change at t leaves tokens 0 to t as they were."""
    given_inputs = inputs(64, 40)
    seeds_RS, conditions_RT = given_inputs["seeds_RS"], given_inputs["conditions_RT"]
    original = generate(seeds_RS, conditions_RT, max_weight_multiplier=3.0)
    changed_RT = conditions_RT.clone()
    changed_RT[:, -1] += 1
    assert torch.equal(original, generate(seeds_RS, changed_RT % 256, max_weight_multiplier=3.0))
    changed_RT[:, 20] += 1
    changed = generate(seeds_RS, changed_RT % 256, max_weight_multiplier=3.0)
    assert torch.equal(original[:, :21], changed[:, :21])
    assert not torch.equal(original[:, 21:], changed[:, 21:])


@pytest.mark.parametrize(("rows", "sequences_per_model"), [(10, 4), (10, 10), (10, 1), (3, 8)])
def test_any_number_of_rows_is_served(rows, sequences_per_model):
    given_inputs = inputs(rows, 24)
    tokens_RT = generate(
        given_inputs["seeds_RS"], given_inputs["conditions_RT"], sequences_per_model=sequences_per_model
    )
    assert tokens_RT.shape == (rows, 24)
    assert torch.equal(tokens_RT[:, :8].long(), given_inputs["seeds_RS"])


def test_rows_of_one_model_agree_on_equal_input_and_models_differ():
    """At a temperature near 0, equal seeds and conditions give equal rows within a model; two models disagree."""
    given_inputs = inputs(1, 64)
    seeds_RS = given_inputs["seeds_RS"].expand(8, -1)
    conditions_RT = given_inputs["conditions_RT"].expand(8, -1)
    tokens_RT = generate(seeds_RS, conditions_RT, sequences_per_model=4, temperature=1e-9)
    assert (tokens_RT[:4] == tokens_RT[0]).all()
    assert (tokens_RT[4:] == tokens_RT[4]).all()
    assert not torch.equal(tokens_RT[0], tokens_RT[4])


def test_default_is_one_model_per_sequence_on_a_gpu_and_a_few_sequences_on_a_cpu():
    config = RecurrentSource()
    assert config.resolve(torch.device("cuda")).sequences_per_model == 1
    assert config.resolve(torch.device("cpu")).sequences_per_model == 8


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "rnn"},
        {"hidden_size": 1},
        {"hidden_size": 10**6},
        {"temperature": 0.0},
        {"temperature": math.nan},
        {"max_weight_multiplier": -1.0},
        {"seed_length": 0},
        {"vocabulary_size": 65_537},
        {"sequences_per_model": 0},
    ],
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))):
        RecurrentSource(**settings)


def test_sequences_no_longer_than_their_seed_are_refused():
    with pytest.raises(InputError, match="longer than their seed"):
        generate(torch.zeros(2, 8), torch.zeros(2, 8))
