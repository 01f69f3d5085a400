"""Random computation as a data set: each row once, whoever draws it; depths by the law of the buffer; exact resume."""

import dataclasses
import itertools
import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing._internal.distributed.fake_pg import FakeStore
from torch.utils.data import DataLoader

import up
from theory.measures.buffer_depth import stationary_depth_probability
from up.errors import InputError
from up.sources.nesting import all_sources, inner_sources
from up.use.dataset import RandomComputation

LSTM = up.RecurrentSource(hidden_size=6)
CHI_SQUARED_12_999 = 32.91  # the 99.9 % point of chi-squared with 12 degrees of freedom


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counting(up.ConditionalSource):
    """Adds one to the last token of what it reads: the last token less the one before is the number of passes."""

    kind: str = "counting"
    seed_length: int = 2

    def generate(self, seeds_RS, conditions_RT, generator):
        assert len(seeds_RS) == 1  # it does not say that each row has a model of its own, so rows come one by one
        tokens_RT = conditions_RT.clone()
        tokens_RT[:, -1] = (tokens_RT[:, -1] + torch.randint(1, 2, (1,), generator=generator)) % self.vocabulary_size
        return tokens_RT


def numbered(**settings):
    """Cheap rows that are all different: noise of 16 tokens with short chains."""
    given = {"length": 16, "source": Counting(), "block_rows": 4}
    return RandomComputation(**{**given, "buffer": up.BufferConfig(reset_constant=0, reset_noise=120), **settings})


def rows_of(dataset):
    return [tuple(row.tolist()) for row in dataset]


@given(
    start=st.integers(0, 30),
    count=st.integers(0, 30),
    block_rows=st.integers(1, 7),
    world_size=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
)
def test_ranks_share_the_rows_without_one_missing_or_twice(start, count, block_rows, world_size, seed):
    settings = {"start": start, "stop": start + count, "block_rows": block_rows, "seed": seed}
    alone = rows_of(numbered(**settings))
    assert len(alone) == len(set(alone)) == count
    shares = [rows_of(numbered(**settings, rank=rank, world_size=world_size)) for rank in range(world_size)]
    assert sorted(itertools.chain(*shares)) == sorted(alone)


@given(st.data())
def test_a_row_is_that_of_its_number_wherever_one_starts(data):
    start, number = data.draw(st.integers(0, 40)), data.draw(st.integers(0, 20))
    row = next(itertools.islice(iter(numbered(start=start)), number, None))
    block, place = divmod(start + number, 4)
    assert torch.equal(row, numbered().block(block)[place])
    assert row.dtype == torch.int64


@given(st.data())
def test_a_state_is_gone_on_from_at_the_very_next_row(data):
    world_size = data.draw(st.integers(1, 3))
    settings = {"rank": data.draw(st.integers(0, world_size - 1)), "world_size": world_size, "stop": 40}
    settings |= {"start": data.draw(st.integers(0, 9)), "seed": 1}
    expected = rows_of(numbered(**settings))
    taken = data.draw(st.integers(0, len(expected)))
    first = numbered(**settings)
    assert [tuple(row.tolist()) for row in itertools.islice(iter(first), taken)] == expected[:taken]
    second = numbered(**settings)
    second.load_state_dict(first.state_dict())
    assert second.state_dict()["rows"] == taken
    assert rows_of(second) == expected[taken:]
    assert rows_of(second) == expected  # the next time from the beginning


def drawn(start, stop, *, workers, world_size):
    """Batches of 4 rows of real LSTMs from real worker processes, one of each rank in turn."""
    settings = {"seed": 7, "length": 24, "source": LSTM, "block_rows": 4, "start": start, "stop": stop}
    loaders = [
        DataLoader(RandomComputation(**settings, rank=rank, world_size=world_size), batch_size=4, num_workers=workers)
        for rank in range(world_size)
    ]
    return torch.cat([batch for turn in zip(*loaders, strict=True) for batch in turn])


@pytest.fixture(scope="module")
def rows_8_to_31():
    dataset = RandomComputation(seed=7, length=24, source=LSTM, block_rows=4)
    return torch.cat([dataset.block(block) for block in range(2, 8)])


of_processes = pytest.mark.filterwarnings(
    "ignore:This DataLoader will create:UserWarning", "ignore:.*use of fork:DeprecationWarning"
)


@pytest.mark.parametrize("world_size", [1, 2, 3])
@pytest.mark.parametrize("workers", [0, 1, 2, 3])
@of_processes
def test_workers_and_ranks_give_the_same_rows_in_the_order_of_their_numbers(workers, world_size, rows_8_to_31):
    assert torch.equal(drawn(8, 32, workers=workers, world_size=world_size), rows_8_to_31)


@pytest.mark.parametrize(("before", "after"), [((3, 1), (1, 3)), ((1, 3), (2, 1)), ((2, 3), (0, 1))])
@of_processes
def test_rows_go_on_after_the_last_one_with_other_numbers_of_workers_and_ranks(before, after, rows_8_to_31):
    parts = [(8, 20, before), (20, 32, after)]
    rows = [drawn(start, stop, workers=workers, world_size=ranks) for start, stop, (workers, ranks) in parts]
    assert torch.equal(torch.cat(rows), rows_8_to_31)


def test_a_data_set_survives_the_way_to_a_spawned_worker():
    dataset = RandomComputation(length=24, source=LSTM, block_rows=4, stop=6, rank=1, world_size=2)
    assert rows_of(pickle.loads(pickle.dumps(dataset))) == rows_of(dataset)


def test_torch_distributed_tells_rank_and_world_size():
    torch.distributed.init_process_group("fake", store=FakeStore(), rank=1, world_size=3)
    try:
        found = rows_of(numbered(stop=24))
    finally:
        torch.distributed.destroy_process_group()
    assert found == rows_of(numbered(stop=24, rank=1, world_size=3)) != rows_of(numbered(stop=24))


def test_depths_follow_the_law_of_the_buffer():
    """Chi-squared over the depths 0 to 11 and all larger ones: 51,200 rows at the paper's settings, seed 0."""
    dataset = RandomComputation(seed=0, block_rows=256)
    depths = torch.tensor([dataset.block_depths(block) for block in range(200)]).flatten()
    counts = torch.bincount(depths.clamp(max=12), minlength=13).tolist()
    law = [float(stationary_depth_probability(k, source_batch=138, reset_rows=40)) for k in range(12)]
    expected = [len(depths) * probability for probability in [*law, 1 - sum(law)]]
    assert min(expected) > 5
    statistic = sum((count - mean) ** 2 / mean for count, mean in zip(counts, expected, strict=True))
    assert statistic < CHI_SQUARED_12_999


def test_a_row_passes_as_many_models_as_its_depth_says():
    buffer = up.BufferConfig(source_batch=10, reset_constant=2, reset_noise=0)
    dataset = numbered(buffer=buffer, block_rows=50)
    tokens_BT = dataset.block(3)
    passes_B = (tokens_BT[:, -1] - tokens_BT[:, -2]) % 256
    assert passes_B.tolist() == list(dataset.block_depths(3))
    assert max(dataset.block_depths(3)) > 8


def test_rows_begin_as_constant_or_noise_in_the_shares_of_the_resets():
    buffer = up.BufferConfig(source_batch=4, reset_constant=1, reset_noise=3)  # every drawn row is reset: depth 0
    tokens_BT = RandomComputation(length=40, source=LSTM, buffer=buffer, block_rows=4_000).block(0)
    is_constant_B = (tokens_BT == tokens_BT[:, :1]).all(1)
    assert abs(float(is_constant_B.double().mean()) - 1 / 4) < 5 * (1 / 4 * 3 / 4 / 4_000) ** 0.5
    assert len(tokens_BT[is_constant_B, 0].unique()) > 200
    assert len(tokens_BT[~is_constant_B].unique()) == 256


def test_another_seed_or_block_gives_other_rows():
    blocks = [
        RandomComputation(seed=seed, length=24, source=LSTM).block(block) for seed, block in [(0, 0), (0, 1), (1, 0)]
    ]
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(blocks, 2))


def test_more_tokens_than_bytes_are_served():
    source = up.RecurrentSource(hidden_size=4, vocabulary_size=1_000)
    tokens_BT = RandomComputation(length=16, source=source, block_rows=16).block(0)
    assert 255 < int(tokens_BT.max()) < 1_000


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"seed": -1}, "dataset.seed must not be negative"),
        ({"seed": 2**32}, "dataset.seed is too large"),
        ({"start": -1}, "dataset.start must not be negative"),
        ({"start": 5, "stop": 4}, "dataset.stop lies before dataset.start .received 4"),
        ({"block_rows": 0}, "dataset.block_rows must be positive"),
        ({"length": 8}, "must exceed source.seed_length"),
        ({"rank": 1}, "rank and world_size do not fit together"),
        ({"world_size": 2}, "rank and world_size do not fit together"),
        ({"rank": 2, "world_size": 2}, "rank and world_size do not fit together"),
        ({"rank": 0, "world_size": 0}, "rank and world_size do not fit together"),
        ({"source": up.RecurrentSource(sequences_per_model=8)}, "rows that share a model are not independent"),
        ({"buffer": up.BufferConfig(reset_constant=0, reset_noise=0)}, "without resets there is no stationary depth"),
    ],
)
def test_what_does_not_fit_is_one_line(settings, said):
    with pytest.raises(InputError, match=said) as caught:
        RandomComputation(**settings)
    assert "\n" not in str(caught.value)


def test_a_state_of_other_rows_or_of_another_share_is_refused():
    state = numbered(stop=40, rank=0, world_size=2).state_dict()
    with pytest.raises(InputError, match="the state is not one of these rows"):
        numbered(stop=41).load_state_dict(state)
    with pytest.raises(InputError, match="the state is not one of these rows"):
        numbered(stop=40).load_state_dict({})
    saved = numbered(stop=40, rank=0, world_size=2)
    next(iter(saved))
    other = numbered(stop=40, rank=1, world_size=2)
    other.load_state_dict(saved.state_dict())
    with pytest.raises(InputError, match="saved by another share"):
        iter(other)


@pytest.mark.parametrize("kind", ["noise", "restaurant", "mix", "chain", "band"])
def test_every_kind_of_source_has_rows_that_are_known_by_their_number(kind):
    """Those that do not read are drawn afresh; of mixtures some rows are."""
    source = up.make_source(kind)
    settings = {"seed": 5, "length": 48, "source": source, "block_rows": 4}
    rows = rows_of(RandomComputation(**settings, stop=12))
    assert len(set(rows)) > 8
    shares = [rows_of(RandomComputation(**settings, stop=12, rank=rank, world_size=2)) for rank in range(2)]
    assert sorted(itertools.chain(*shares)) == sorted(rows)


@pytest.mark.parametrize(
    "source",
    [
        up.make_source("chain", members=["noise", {"kind": "lstm", "hidden_size": 4}]),
        up.make_source("mix", members=[{"kind": "chain", "members": ["noise", {"kind": "gru", "hidden_size": 4}]}]),
    ],
    ids=["chain", "mix of a chain"],
)
def test_rows_of_sources_within_sources_have_models_of_their_own(source):
    """All rows of a block are drawn at once, and no two of them by the same model."""
    innermost = [each for each in all_sources(RandomComputation(source=source).source) if not inner_sources(each)]
    assert [each.sequences_per_model for each in innermost if hasattr(each, "sequences_per_model")] == [1]
    members = [{"kind": "lstm", "sequences_per_model": 8}, "lstm"]
    with pytest.raises(InputError, match="rows that share a model"):
        RandomComputation(source=up.make_source("chain", members=members))
