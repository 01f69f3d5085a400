"""The buffer: Algorithm 1 step by step, and its depths against the exact theory."""

import functools
import math
from fractions import Fraction
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from theory.measures.buffer_depth import depth_distributions, stationary_depth_probability
from up.errors import InputError
from up.sources.buffer import Buffer, BufferConfig
from up.sources.recurrent import RecurrentSource


class RecordingSource:
    """Returns rows of one marker token and keeps what it was given."""

    def __init__(self, marker=7):
        self.marker = marker
        self.seeds_RS = self.conditions_RT = None

    def generate(self, seeds_RS, conditions_RT):
        self.seeds_RS, self.conditions_RT = seeds_RS, conditions_RT.clone()
        return torch.full_like(conditions_RT, self.marker)


def make_buffer(seed=0, context_length=16, **settings):
    return Buffer(
        BufferConfig(**settings),
        context_length=context_length,
        vocabulary_size=256,
        generator=torch.Generator().manual_seed(seed),
    )


def test_starts_half_constant_half_noise_each_constant_row_its_own_token():
    buffer = make_buffer(context_length=64)
    constant_C = (buffer.rows_CT == buffer.rows_CT[:, :1]).all(1)
    assert constant_C.sum() == buffer.config.capacity // 2 == 1380
    assert len(buffer.rows_CT[constant_C, 0].unique()) == 256
    assert buffer.depth_C.sum() == 0
    halves = constant_C[:1380].sum(), constant_C[1380:].sum()
    assert min(halves) > 500  # shuffled


def test_enrich_changes_the_buffer_itself_in_exactly_one_source_batch():
    buffer = make_buffer()
    before_CT = buffer.rows_CT.clone()
    source = RecordingSource()
    buffer.enrich(source.generate, seed_length=8)
    changed_C = (buffer.rows_CT != before_CT).any(1)
    assert 130 <= changed_C.sum() <= 138  # a row can be reset to what it was only by chance
    marked_C = (buffer.rows_CT == 7).all(1) & (before_CT != 7).any(1)
    assert 90 <= marked_C.sum() <= 99
    assert (buffer.depth_C == 1).sum() == 98
    assert (buffer.depth_C == 0).sum() == buffer.config.capacity - 98


def test_the_source_sees_distinct_rows_as_conditions_and_slices_of_rows_as_seeds():
    buffer = make_buffer()
    before_CT = buffer.rows_CT.clone()
    source = RecordingSource()
    buffer.enrich(source.generate, seed_length=8)
    assert source.conditions_RT.shape == (138, 16)
    rows = {bytes(row.tolist()) for row in before_CT}
    assert all(bytes(row.tolist()) in rows for row in source.conditions_RT)
    slices = {bytes(row[i : i + 8]) for row in before_CT.tolist() for i in range(9)}
    assert all(bytes(seed.tolist()) in slices for seed in source.seeds_RS)
    noise = [seed for seed in source.seeds_RS if len(seed.unique()) > 1]
    starts = {next(i for row in before_CT.tolist() for i in range(9) if row[i : i + 8] == s.tolist()) for s in noise}
    assert len(starts) > 3  # from random places, not only from the start


def test_resets_are_half_constant_half_noise_with_depth_zero():
    buffer = make_buffer(capacity_multiple=1, context_length=32)
    buffer.enrich(RecordingSource(marker=1).generate, seed_length=8)
    reset_CT = buffer.rows_CT[buffer.depth_C == 0]
    constant_R = (reset_CT == reset_CT[:, :1]).all(1)
    assert (len(reset_CT), int(constant_R.sum())) == (40, 20)
    assert len(reset_CT[constant_R, 0].unique()) > 10


def test_sample_returns_distinct_rows_and_copies():
    buffer = make_buffer(context_length=64, capacity_multiple=2)
    buffer.rows_CT = torch.arange(276)[:, None].expand(-1, 64).clone()
    drawn_RT = buffer.sample(200)
    assert len(drawn_RT[:, 0].unique()) == 200
    drawn_RT.zero_()
    assert buffer.rows_CT.sum() > 0


def test_a_batch_larger_than_the_buffer_is_refused():
    with pytest.raises(InputError, match="fit into the buffer"):
        make_buffer(capacity_multiple=1).sample(139)


@pytest.mark.parametrize(
    "settings",
    [
        {"source_batch": 0},
        {"capacity_multiple": -1},
        {"reset_noise": -1},
        {"reset_noise": 119},
        {"source_batch": 39},
        {"source_batch": 10**12},
    ],
)
def test_bad_settings_are_refused(settings):
    with pytest.raises(InputError):
        BufferConfig(**settings)


def test_depths_follow_the_exact_stationary_distribution():
    """Frequencies pooled over 12 well separated moments lie within five standard errors of r (1 - r)^k."""
    buffer = make_buffer(seed=3, context_length=9)
    source = RecordingSource()
    counts = torch.zeros(40)
    moments, apart = 12, 60
    for _ in range(moments):
        for _ in range(apart):
            buffer.enrich(source.generate, seed_length=8)
        histogram = torch.tensor(buffer.depth_histogram())[:40]
        counts[: len(histogram)] += histogram
    total = moments * buffer.config.capacity
    for depth in range(12):
        exact = float(stationary_depth_probability(depth, source_batch=138, reset_rows=40))
        assert abs(counts[depth] / total - exact) < 5 * math.sqrt(exact * (1 - exact) / total), depth


def test_depths_follow_the_exact_distribution_while_the_buffer_warms_up():
    """After t batches, averaged over 60 buffers, against the recursion in `theory.measures.buffer_depth`."""
    buffers = [make_buffer(seed, context_length=9, source_batch=8, reset_constant=1, reset_noise=1, capacity_multiple=3)
               for seed in range(60)]  # fmt: skip
    source = RecordingSource()
    exact = list(islice(depth_distributions(buffer_rows=24, source_batch=8, reset_rows=2), 11))
    for distribution in exact:
        histogram = torch.stack([torch.bincount(b.depth_C, minlength=12)[:12] for b in buffers]).double().sum(0)
        total = 60 * 24
        for depth, probability in enumerate(distribution):
            p = float(probability)
            assert abs(histogram[depth] / total - p) <= 5 * math.sqrt(p * (1 - p) / total) + 1e-12
        for buffer in buffers:
            buffer.enrich(source.generate, seed_length=8)


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12))
def test_warm_up_sums_to_one_and_tends_to_the_stationary_distribution(source_batch, reset_rows, spare):
    reset_rows = min(reset_rows, source_batch)
    steps = depth_distributions(buffer_rows=source_batch + spare, source_batch=source_batch, reset_rows=reset_rows)
    for t, distribution in enumerate(islice(steps, 8)):
        assert sum(distribution) == 1
        assert len(distribution) == t + 1
        if reset_rows == 0:
            mean = sum(depth * probability for depth, probability in enumerate(distribution))
            assert mean == t * Fraction(source_batch, source_batch + spare)
        elif t and not spare:  # every row is drawn every time: stationary below depth t from the first batch on
            for depth in range(t):
                assert distribution[depth] == stationary_depth_probability(
                    depth, source_batch=source_batch, reset_rows=reset_rows
                )


def test_enrichment_lowers_the_entropy_of_noise_rows():
    """The observable change that the x-transformers wrapper misses: rows of the buffer gain structure."""
    buffer = make_buffer(context_length=128)
    generate = functools.partial(RecurrentSource(hidden_size=12).generate, generator=torch.Generator().manual_seed(0))
    for _ in range(40):
        buffer.enrich(generate, seed_length=8)
    distinct_C = torch.tensor([len(row.unique()) for row in buffer.rows_CT]).double()
    noise = make_buffer(context_length=128)
    noise_distinct = max(len(row.unique()) for row in noise.rows_CT)
    deep = distinct_C[buffer.depth_C >= 2]
    assert deep.mean() < 0.5 * noise_distinct
    assert deep.max() > 1
