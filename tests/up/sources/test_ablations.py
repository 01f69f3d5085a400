"""The LSTM source without its buffer and without iteration: sizes, depths, conditions, and what they share with it."""

import dataclasses
import math

import pytest
import torch

from theory.measures.buffer_depth import stationary_depth_probability
from up.errors import InputError
from up.recipes.presets import configure
from up.sources.ablations import UnbufferedSource, UniteratedSource
from up.sources.buffer import BufferConfig
from up.sources.recurrent import RecurrentSource
from up.sources.stream import CadenceConfig

CPU = torch.device("cpu")
KINDS = {"lstm-nobuf": UnbufferedSource, "lstm-noit": UniteratedSource}


def stream_of(source_type, *, context_length=9, cadence=None, **buffer):
    return source_type(hidden_size=2).stream(
        context_length=context_length,
        buffer=BufferConfig(**buffer),
        cadence=cadence or CadenceConfig(),
        source_generator=torch.Generator().manual_seed(0),
        buffer_generator=torch.Generator().manual_seed(1),
    )


def record(stream):
    """Keep what the models of a stream are given, and still run them."""
    calls, generate = [], stream._generate

    def recording(seeds_RS, conditions_RT):
        calls.append((seeds_RS.clone(), conditions_RT.clone(), stream.buffer.rows_CT.clone()))
        return generate(seeds_RS, conditions_RT)

    stream._generate = recording
    return calls


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_are_those_of_the_lstm_token_for_token(kind):
    conditions_RT = torch.randint(256, (10, 40), generator=torch.Generator().manual_seed(2))
    drawn = [
        source.generate(conditions_RT[:, :8], conditions_RT, torch.Generator().manual_seed(3))
        for source in (KINDS[kind](hidden_size=9), RecurrentSource(hidden_size=9))
    ]
    assert torch.equal(*drawn)


def test_without_a_buffer_there_is_one_source_batch_and_every_row_of_it_passes_a_model_every_time():
    stream = stream_of(UnbufferedSource)
    assert stream.buffer.config.capacity == len(stream.buffer.rows_CT) == 138
    calls = record(stream)
    stream.draw(69)
    ((_, conditions_RT, before_CT),) = calls
    assert sorted(conditions_RT.tolist()) == sorted(before_CT.tolist())


def test_without_a_buffer_depths_have_the_law_of_a_buffer_whose_rows_all_pass_every_time():
    """After 12 source batches of 2,000 rows, a share r (1 - r)^k of depth k < 12, within five standard errors.

    Rows are reset without replacement, so that the binomial standard error is an upper bound.
    """
    stream = stream_of(UnbufferedSource, source_batch=2_000, reset_constant=290, reset_noise=290)
    stream.draw(12_000)
    assert stream.source_batches == 12
    histogram = stream.observations()["depth"]
    assert len(histogram) == 13
    for depth, count in enumerate(histogram[:12]):
        exact = float(stationary_depth_probability(depth, source_batch=2_000, reset_rows=580))
        assert abs(count / 2_000 - exact) <= 5 * math.sqrt(exact * (1 - exact) / 2_000), depth


@pytest.mark.parametrize(("instances", "batches"), [(69, 1), (70, 1), (500, 7)])
def test_without_a_buffer_no_source_batch_goes_by_unseen(instances, batches):
    """Each piece comes from the buffer as it was when the piece was due, also where a step takes several."""
    stream = stream_of(UnbufferedSource, context_length=24)
    calls = record(stream)
    drawn = stream.draw(instances)
    assert (len(drawn), len(calls), stream.source_batches, stream.instances) == (instances, batches, batches, instances)
    held = [before_CT for _, _, before_CT in calls[1:]]  # as it was after the first batch, the second, ...
    for piece, rows_CT in zip(drawn.split(69), [*held, stream.buffer.rows_CT], strict=False):
        rows = {bytes(row) for row in rows_CT.tolist()}
        assert all(bytes(row) in rows for row in piece.tolist())


@pytest.mark.parametrize("rate", [0.5, 2.0, 300.0])
def test_without_a_buffer_any_batch_is_served_at_any_cadence(rate):
    stream = stream_of(UnbufferedSource, cadence=CadenceConfig(source_rows_per_instance=rate), source_batch=40)
    assert stream.draw(90).shape == (90, 9)
    assert stream.draw(0).shape == (0, 9)
    configure("paper-384", ["source.kind=lstm-nobuf"])  # steps of 500 instances


def test_without_iteration_conditions_are_half_constant_half_noise_whatever_the_buffer_holds():
    stream = stream_of(UniteratedSource, context_length=32)
    calls = record(stream)
    stream.draw(69 * 30)
    assert len(calls) == 30
    for _, conditions_RT, _ in calls:
        constant_R = (conditions_RT == conditions_RT[:, :1]).all(1)
        assert constant_R.sum() == 69
        assert conditions_RT[~constant_R].double().std() == pytest.approx(73.9, abs=2.5)  # uniform on 0 to 255
    mixed = [int((rows_RT[:69] == rows_RT[:69, :1]).all(1).sum()) for _, rows_RT, _ in calls]
    assert min(mixed) > 10  # shuffled, so that no model reads constant rows only
    assert max(mixed) < 59


def test_without_iteration_seeds_still_come_from_the_buffer():
    stream = stream_of(UniteratedSource, context_length=12)
    stream.draw(1_000)
    before_CT = stream.buffer.rows_CT.clone()
    calls = record(stream)
    stream._enrich()
    ((seeds_RS, _, _),) = calls
    slices = {bytes(row[i : i + 8]) for row in before_CT.tolist() for i in range(5)}
    assert all(bytes(seed) in slices for seed in seeds_RS.tolist())


def test_without_iteration_depth_is_0_or_1_and_the_share_of_0_tends_to_that_of_the_resets():
    """40/138 of 2,760 rows, each pass independent of the row: within five standard errors after 300 batches."""
    stream = stream_of(UniteratedSource)
    for _ in range(300):
        stream._enrich()
    fresh, passed = stream.observations()["depth"]
    exact = 40 / 138
    assert fresh + passed == 2_760
    assert abs(fresh / 2_760 - exact) < 5 * math.sqrt(exact * (1 - exact) / 2_760)


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_follows_the_width_of_the_target_as_for_the_lstm(kind):
    assert configure("paper-512", [f"source.kind={kind}"]).source.hidden_size == 51
    source = configure("paper-512", [f"source.kind={kind}", "source.hidden_size=7"]).source
    assert (source.hidden_size, source.noun, source.description) == (7, "LSTM", f"{kind}, 7 units")
    resolved = source.resolve(CPU)
    assert type(resolved) is KINDS[kind]
    assert resolved == dataclasses.replace(source, sequences_per_model=8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("settings", [{"kind": "lstm"}, {"kind": "lstm-no"}, {"hidden_size": 1}, {"temperature": 0.0}])
def test_bad_settings_are_refused_with_their_value(kind, settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        KINDS[kind](**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_context_no_longer_than_the_seed_is_refused(kind):
    with pytest.raises(InputError, match=r"must exceed source\.seed_length"):
        KINDS[kind]().require_fit(context_length=8, batch=1, buffer=BufferConfig())


def test_a_pass_without_iteration_does_not_depend_on_the_rows_that_it_is_given():
    """The same random numbers, other rows; a pass with iteration does depend on them."""
    rows = [torch.randint(256, (6, 40), generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    for source_class, depends in ((UniteratedSource, False), (RecurrentSource, True)):
        source = source_class(max_weight_multiplier=3.0)
        one, other = (source.passed(each, torch.Generator().manual_seed(3)) for each in rows)
        assert torch.equal(one, other) != depends
