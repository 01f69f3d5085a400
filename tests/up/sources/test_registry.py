"""The sources of the house: each builds its stream, survives JSON, and is left and taken up again bit for bit."""

import dataclasses
import json
import subprocess
import sys

import pytest
import torch

from up.config import from_dict, override, to_dict
from up.errors import InputError
from up.recipes.presets import configure
from up.sources.base import ConditionalSource, Source
from up.sources.buffer import BufferConfig, token_dtype
from up.sources.registry import SOURCES, is_of_a_file, source_type
from up.sources.stream import CadenceConfig

CPU = torch.device("cpu")


def stream_of(kind: str, seed: int = 0):
    source = from_dict(source_type(kind), {"kind": kind})
    return source.stream(
        context_length=48,
        buffer=BufferConfig(source_batch=6, capacity_multiple=4, reset_constant=1, reset_noise=1),
        cadence=CadenceConfig(burn_in_batches=2),
        source_generator=torch.Generator().manual_seed(seed),
        buffer_generator=torch.Generator().manual_seed(seed + 1),
    )


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_knows_its_kind_and_survives_json(kind):
    source = from_dict(source_type(kind), {"kind": kind})
    assert isinstance(source, Source)
    assert source.reads or not isinstance(source, ConditionalSource)
    assert source.kind == kind
    config = configure("tiny", [f"source.kind={kind}"]).resolve(CPU)
    assert from_dict(type(config), json.loads(json.dumps(to_dict(config)))) == config
    assert type(config.source) is type(source)
    assert source.text is None
    assert kind in source.description


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_serves_its_largest_vocabulary_and_refuses_one_token_more(kind):
    largest = source_type(kind).largest_vocabulary
    source = from_dict(source_type(kind), {"kind": kind, "vocabulary_size": largest})
    stream = source.stream(
        context_length=12,
        buffer=BufferConfig(source_batch=4, capacity_multiple=2, reset_constant=1, reset_noise=1),
        cadence=CadenceConfig(burn_in_batches=1),
        source_generator=torch.Generator().manual_seed(0),
        buffer_generator=torch.Generator().manual_seed(1),
    )
    tokens = stream.draw(4)
    assert tokens.dtype == token_dtype(largest)
    assert 0 <= int(tokens.min()) <= int(tokens.max()) < largest
    assert int(tokens.max()) > largest // 2
    with pytest.raises(InputError, match=f"out of range for the source {kind} .received {largest + 1}.: use 2 to"):
        from_dict(source_type(kind), {"kind": kind, "vocabulary_size": largest + 1})


@pytest.mark.parametrize("kind", SOURCES)
def test_every_stream_is_taken_up_again_bit_for_bit(kind):
    stream = stream_of(kind)
    first = stream.draw(7)
    assert first.shape == (7, 48)
    assert first.dtype == torch.uint8
    state = {name: tensor.clone() for name, tensor in stream.state().items()}
    expected = [stream.draw(5) for _ in range(3)]
    other = stream_of(kind, seed=99)
    other.restore(state)
    assert all(torch.equal(other.draw(5), batch) for batch in expected)
    assert other.observations() == stream.observations()


@pytest.mark.parametrize("kind", SOURCES)
def test_the_seed_decides_the_instances_and_the_global_random_numbers_stay(kind):
    before = torch.get_rng_state()
    one, same, other = (stream_of(kind, seed).draw(20) for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", SOURCES)
def test_every_stream_forecasts_more_time_for_more_instances(kind):
    few, many = (stream_of(kind).forecast_seconds(instances) for instances in (100, 1_000_000))
    assert 0 < few < many


@pytest.mark.parametrize("kind", SOURCES)
def test_held_out_instances_are_others(kind):
    config = configure("tiny", [f"source.kind={kind}", "cadence.burn_in_batches=0", "model.context_length=96"])
    config = dataclasses.replace(config, source=config.source.resolve(CPU))
    assert not torch.equal(config.stream(CPU).draw(8), config.stream(CPU, held_out=True).draw(8))


def test_row_sources_have_no_buffer_to_observe_and_buffers_have_depths():
    assert stream_of("noise").observations() == {}
    assert sum(stream_of("lstm").observations()["depth"]) == 24


def test_noise_is_uniform():
    tokens = stream_of("noise").draw(2_000)
    counts = torch.bincount(tokens.flatten().long(), minlength=256).double()
    expected = tokens.numel() / 256
    assert float(((counts - expected) ** 2 / expected).sum()) < 255 + 5 * (2 * 255) ** 0.5  # chi-squared


def test_naming_another_source_resets_its_settings_and_naming_the_other_cell_keeps_them():
    config = configure("small")
    assert (config.source.kind, config.source.hidden_size) == ("lstm", 102)
    gru = override(config, ["source.temperature=0.5", "source.kind=gru"]).source
    assert (gru.kind, gru.hidden_size, gru.temperature) == ("gru", 102, 0.5)
    noise = override(config, ["source.kind=noise"]).source
    assert to_dict(noise) == {"kind": "noise", "vocabulary_size": 256, "symbols": None}
    back = configure("tiny", ["source.kind=noise", "model.width=256"])
    assert override(back, ["source.kind=lstm"]).source.hidden_size == 38


def test_the_width_of_a_recurrent_source_follows_the_model_unless_it_is_given():
    assert configure("paper-512").source.hidden_size == 51
    assert configure("paper-512", ["model.width=640"]).source.hidden_size == 64
    assert configure("paper-512", ["source.hidden_size=7"]).source.hidden_size == 7
    assert configure("paper-512", ["source.kind=gru"]).source.hidden_size == 51


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"kind": "rnn"}, "unknown source"),
        ({"kind": "noise", "vocabulary_size": 257}, "must share the vocabulary of the 256 bytes"),
        ({}, "setting source.kind is missing"),
        ({"kind": 3}, "setting source.kind is missing or no word"),
        ({"kind": "noise", "temperature": 1.0}, "unknown setting source.temperature"),
        ({"kind": "noise", "vocabulary_size": 65_537}, "source.vocabulary_size is out of range"),
        (3, "source has the wrong type"),
    ],
)
def test_a_source_that_does_not_fit_is_refused_in_one_line(values, said):
    config = to_dict(configure("tiny"))
    with pytest.raises(InputError, match=said) as caught:
        from_dict(type(configure("tiny")), {**config, "source": values})
    assert "\n" not in str(caught.value)


def test_kinds_of_files_are_told_by_their_form():
    assert is_of_a_file("a/b.py:C")
    for kind in ("lstm", "b.py", "b.py:", "b:C", "C"):
        assert not is_of_a_file(kind)
    assert issubclass(source_type("a/b.py:C"), Source)


def test_the_names_are_known_without_torch():
    """Help pages list them."""
    program = "import sys, up.sources.registry; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
