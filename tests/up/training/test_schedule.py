"""Learning rate, batch size and enabled blocks against the instances seen (A.1), as theorems for any settings."""

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.up.runs.cases import small_config
from up.model.transformer.config import TransformerConfig
from up.recipes.config import TrainingConfig
from up.recipes.presets import configure, load_preset
from up.training.schedule import batch_size, enabled_blocks, learning_rate, schedule_curves


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
        enable_every=draw(st.integers(1, 2_000)),
    )


def grouped_models(group):
    return st.builds(TransformerConfig, width=st.just(16), depth=st.integers(1, 40), progressive_group=group)


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


@given(grouped_models(st.integers(1, 12)), schedules(), st.integers(0, 80_000))
def test_a_block_takes_part_once_its_group_has_been_enabled(model, config, instances):
    """Group n, from 0, joins after n times `enable_every` instances; blocks join in their order."""
    takes_part = [
        block // model.progressive_group * config.enable_every <= instances for block in range(model.num_layers)
    ]
    assert takes_part == sorted(takes_part, reverse=True)
    assert enabled_blocks(model, config, instances) == sum(takes_part)


@given(grouped_models(st.integers(1, 12)), schedules())
def test_enabled_blocks_start_with_the_first_group_grow_a_group_at_a_time_and_end_with_the_depth(model, config):
    group, depth, every = model.progressive_group, model.num_layers, config.enable_every
    counts = [enabled_blocks(model, config, at) for n in range(42) for at in (n * every, (n + 1) * every - 1)]
    assert counts == sorted(counts)
    assert counts[0] == counts[1] == min(group, depth)
    assert counts[-1] == depth
    assert counts[::2] == counts[1::2]  # between two multiples of `enable_every` nothing changes
    grown = [after - before for before, after in itertools.pairwise(counts[::2]) if after < depth]
    assert set(grown) <= {group}


@given(grouped_models(st.just(0)), schedules(), st.integers(0, 80_000))
def test_without_groups_all_blocks_take_part_from_the_start(model, config, instances):
    assert enabled_blocks(model, config, instances) == model.num_layers


def test_the_papers_largest_model_is_whole_after_forty_thousand_instances():
    """A.1: 34 blocks in groups of eight, another group every 10,000 instances."""
    config = load_preset("paper-1024")
    places = (0, 9_999, 10_000, 20_000, 30_000, 39_999, 40_000, 19_999_999)
    blocks = [enabled_blocks(config.model.resolve(), config.training, at) for at in places]
    assert blocks == [8, 8, 16, 24, 32, 32, 34, 34]


def test_a_run_of_a_tenth_of_the_length_enables_blocks_ten_times_as_often():
    whole, tenth = configure("paper-512"), configure("paper-512", ["training.instances=2000000"])
    assert tenth.training.enable_every == 1_000
    for at in range(0, 40_000, 500):
        assert enabled_blocks(whole.model, whole.training, at) == enabled_blocks(tenth.model, tenth.training, at // 10)


@given(grouped_models(st.integers(0, 12)), schedules(), st.integers(1, 60))
def test_curves_are_the_schedules_at_rising_places_with_both_ends_and_every_bend(model, training, points):
    config = dataclasses.replace(small_config(), model=dataclasses.replace(model, context_length=32), training=training)
    curves = schedule_curves(config, points=points)
    places, end = curves.instances, training.instances
    assert list(places) == sorted(set(places))
    assert places[0] == 0
    assert places[-1] == end - 1 or points == 1
    assert curves.learning_rate == tuple(learning_rate(training, at) for at in places)
    assert curves.enabled_blocks == tuple(enabled_blocks(model, training, at) for at in places)
    for at, batch in zip(places, curves.batch, strict=True):
        assert batch_size(training, at) == min(batch, end - at)  # only the last step is smaller
    assert list(curves.batch) == sorted(curves.batch)
    bends = [training.warmup_instances, training.batch_warmup_from, training.batch_warmup_to]
    if model.progressive_group:
        bends += [n * training.enable_every for n in range(-(-model.num_layers // model.progressive_group))]
    assert {at for bend in bends for at in (bend, bend - 1) if 0 <= at < end} <= set(places)


def test_the_longest_run_has_curves():
    curves = schedule_curves(configure("tiny", [f"training.instances={10**10}"]))
    assert curves.instances[-1] == 10**10 - 1
    assert curves.batch[-1] == configure("tiny").training.batch
