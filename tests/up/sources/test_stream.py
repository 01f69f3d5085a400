"""The cadence of the source, and a stream that continues where it was left."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from up.errors import InputError
from up.sources.buffer import BufferConfig
from up.sources.recurrent import RecurrentSource
from up.sources.stream import CadenceConfig


def make_stream(seed=0, **cadence):
    return RecurrentSource(hidden_size=4, sequences_per_model=2).stream(
        buffer=BufferConfig(source_batch=6, capacity_multiple=4, reset_constant=1, reset_noise=1),
        cadence=CadenceConfig(**cadence),
        context_length=24,
        source_generator=torch.Generator().manual_seed(seed),
        buffer_generator=torch.Generator().manual_seed(seed + 1),
    )


def test_the_papers_cadence_is_one_batch_of_138_for_every_69_instances():
    cadence = CadenceConfig()
    assert [cadence.source_batches(i, 138) for i in (0, 68, 69, 137, 138, 690)] == [0, 0, 1, 1, 2, 10]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.floats(0.1, 4))
def test_the_source_runs_as_often_whatever_the_microbatch(microbatches, rate):
    """After the same number of instances the same number of source batches, however they were drawn."""
    stream = make_stream(source_rows_per_instance=rate)
    for size in microbatches:
        stream.draw(size)
    assert stream.source_batches == CadenceConfig(source_rows_per_instance=rate).source_batches(sum(microbatches), 6)
    assert stream.instances == sum(microbatches)


def test_burn_in_comes_before_the_first_instance():
    stream = make_stream(burn_in_batches=5)
    stream.draw(1)
    assert stream.source_batches == 5
    assert stream.buffer.depth_C.max() > 0


def test_a_restored_stream_continues_bit_for_bit():
    stream = make_stream()
    stream.draw(7)
    state = {name: tensor.clone() for name, tensor in stream.state().items()}
    expected = [stream.draw(5) for _ in range(4)]
    other = make_stream(seed=99)
    other.restore(state)
    assert all(torch.equal(other.draw(5), batch) for batch in expected)
    assert other.source_batches == stream.source_batches


def test_the_same_seeds_give_the_same_instances_and_others_do_not():
    assert torch.equal(make_stream(1).draw(20), make_stream(1).draw(20))
    assert not torch.equal(make_stream(1).draw(20), make_stream(2).draw(20))


def test_the_stopwatch_counts_the_source():
    stream = make_stream()
    assert stream.source_seconds() == 0
    stream.draw(12)
    assert stream.source_seconds() > 0


@pytest.mark.parametrize(
    "settings",
    [
        {"source_rows_per_instance": 0.0},
        {"source_rows_per_instance": 1e300},
        {"burn_in_batches": -1},
        {"burn_in_batches": 10**12},
    ],
)
def test_bad_settings_are_refused(settings):
    with pytest.raises(InputError):
        CadenceConfig(**settings)
