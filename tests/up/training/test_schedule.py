"""Learning rate and batch size against the instances seen (A.1), as theorems for any settings."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.training.config import TrainingConfig
from up.training.presets import load_preset
from up.training.schedule import batch_size, learning_rate


@st.composite
def schedules(draw):
    batch = draw(st.integers(1, 64))
    start = draw(st.integers(0, 2_000))
    return TrainingConfig(
        instances=draw(st.integers(1, 4_000)),
        learning_rate=draw(st.floats(1e-6, 1)),
        warmup_instances=draw(st.integers(0, 3_000)),
        halving_instances=draw(st.integers(200, 5_000)),
        batch=batch,
        batch_start=draw(st.integers(1, batch)),
        batch_warmup_from=start,
        batch_warmup_to=start + draw(st.integers(0, 2_000)),
    )


def steps(config: TrainingConfig) -> list[tuple[int, int]]:
    """Return instances seen before each step of a run, and its batch."""
    taken, instances = [], 0
    while instances < config.instances:
        taken.append((instances, batch_size(config, instances)))
        instances += taken[-1][1]
    return taken


@given(schedules())
def test_batches_sum_exactly_to_the_run_and_grow_until_its_last_step(config):
    sizes = [size for _, size in steps(config)]
    assert sum(sizes) == config.instances
    assert sizes[:-1] == sorted(sizes[:-1])
    assert all(config.batch_start <= size <= config.batch for size in sizes[:-1])
    assert 1 <= sizes[-1] <= config.batch
    assert batch_size(config, config.instances) == 0


@given(schedules(), st.integers(0, 4_000))
def test_the_batch_is_on_the_line_between_its_two_ends(config, instances):
    low, high = config.batch_warmup_from, config.batch_warmup_to
    share = min(max((instances - low) / (high - low), 0), 1) if high > low else float(instances >= high)
    exact = config.batch_start + share * (config.batch - config.batch_start)
    left = max(0, config.instances - instances)
    assert abs(batch_size(config, instances) - min(exact, left)) <= 1 / 2


@given(schedules())
def test_the_rate_is_positive_rises_to_the_peak_and_then_falls(config):
    rates = [(before + size, learning_rate(config, before)) for before, size in steps(config)]
    assert all(0 < rate <= config.learning_rate for _, rate in rates)
    for (_, one), (end, other) in itertools.pairwise(rates):
        assert (one < other) if end <= config.warmup_instances else True
    falling = [rate for end, rate in rates if end > config.warmup_instances]
    assert falling == sorted(falling, reverse=True)


def test_the_rate_is_the_peak_at_the_end_of_the_warm_up_and_halves_every_halving_length():
    """A run of single instances, so that the rate is read at every count."""
    config = TrainingConfig(
        instances=1_000, learning_rate=0.5, warmup_instances=100, halving_instances=60, batch=1, batch_start=1
    )
    rate_after = {instances + 1: learning_rate(config, instances) for instances in range(1_000)}
    assert rate_after[1] == pytest.approx(0.005)
    assert rate_after[50] == pytest.approx(0.25)
    assert rate_after[100] == 0.5
    assert [rate_after[100 + 60 * n] for n in range(16)] == [0.5 ** (n + 1) for n in range(16)]


@given(schedules(), st.integers(1, 3_999))
def test_the_rate_is_continuous(config, instances):
    """From one count to the next it moves by no more than its steepest slope allows."""
    single = TrainingConfig(**{**vars(config), "instances": 10_000, "batch": 1, "batch_start": 1})
    change = abs(learning_rate(single, instances) - learning_rate(single, instances - 1))
    rise = 1 / single.warmup_instances if single.warmup_instances else 0
    fall = 1 - 0.5 ** (1 / single.halving_instances)
    assert change <= single.learning_rate * max(rise, fall) * (1 + 1e-9)


def test_without_warm_up_the_first_step_is_almost_at_the_peak():
    config = TrainingConfig(instances=100, warmup_instances=0, halving_instances=50, batch=10, batch_start=10)
    assert learning_rate(config, 0) == pytest.approx(config.learning_rate * 0.5 ** (10 / 50))


def test_the_papers_schedule_at_some_places():
    """A.1: peak 3e-4 after 1.6M instances, half of it 10M later; 69 a batch until 0.5M, 500 from 1M."""
    config = load_preset("paper-384").training
    assert [batch_size(config, at) for at in (0, 500_000, 600_000, 1_000_000, 19_999_900)] == [69, 69, 155, 500, 100]
    assert learning_rate(config, 1_600_000 - 500) == 3e-4
    assert learning_rate(config, 11_600_000 - 500) == 1.5e-4
    assert batch_size(config, 799_673) == 327
    assert learning_rate(config, 799_673) == 1.5e-4
