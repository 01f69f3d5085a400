"""Mixtures, chains and bands: their shares, their order, what they leave out, and that they go on bit for bit."""

import dataclasses
import functools
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from up.config import from_dict, override, to_dict
from up.deflate import deflated_bits
from up.errors import InputError
from up.recipes.presets import configure
from up.sources.band import PATIENCE, BandSource
from up.sources.base import ConditionalSource, RowSource
from up.sources.buffer import BufferConfig
from up.sources.chain import ChainSource
from up.sources.mix import MixSource
from up.sources.nesting import DEEPEST, nesting
from up.sources.noise import NoiseSource
from up.sources.recurrent import RecurrentSource
from up.sources.stream import CadenceConfig

CPU = torch.device("cpu")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Constant(RowSource):
    """Rows of one token."""

    token: int = 0

    def rows(self, num_rows, num_tokens, generator):
        return torch.full((num_rows, num_tokens), self.token, dtype=torch.uint8, device=generator.device)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Adds(ConditionalSource):
    """Adds a number to every token of the condition; it has a seed to honour."""

    number: int = 1
    seed_length: int = 2

    def generate(self, seeds_RS, conditions_RT, generator):  # noqa: ARG002
        added_RT = ((conditions_RT.long() + self.number) % 256).to(torch.uint8)
        added_RT[:, : self.seed_length] = seeds_RS
        return added_RT


def stream_of(source, seed=0, context_length=24):
    return source.stream(
        context_length=context_length,
        buffer=BufferConfig(source_batch=6, capacity_multiple=4, reset_constant=1, reset_noise=1),
        cadence=CadenceConfig(burn_in_batches=1),
        source_generator=torch.Generator().manual_seed(seed),
        buffer_generator=torch.Generator().manual_seed(seed + 1),
    )


LSTM = RecurrentSource(hidden_size=4)
COMBINED = [
    MixSource(members=(LSTM, NoiseSource(), RecurrentSource(kind="gru", hidden_size=4)), weights=(1, 2, 1)),
    ChainSource(members=(NoiseSource(), LSTM)),
    ChainSource(members=(LSTM, RecurrentSource(kind="gru", hidden_size=4))),
    BandSource(source=LSTM, least_bits=1.0, most_bits=20.0),
    BandSource(
        source=MixSource(members=(LSTM, ChainSource(members=(NoiseSource(), LSTM)))), least_bits=0.5, most_bits=9.0
    ),
]


@pytest.mark.parametrize("source", COMBINED, ids=lambda source: source.description)
def test_each_goes_on_bit_for_bit_and_survives_json(source):
    assert from_dict(type(source), json.loads(json.dumps(to_dict(source)))) == source
    stream = stream_of(source)
    stream.draw(7)
    state = {name: tensor.clone() for name, tensor in stream.state().items()}
    expected = [stream.draw(5) for _ in range(4)]
    other = stream_of(source, seed=9)
    other.restore(state)
    assert all(torch.equal(other.draw(5), batch) for batch in expected)
    assert other.observations() == stream.observations()
    assert stream.source_seconds() > 0
    assert stream_of(source).forecast_seconds(1_000) > 0


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any), st.lists(st.integers(1, 9), min_size=1))
def test_a_mixture_draws_as_many_instances_as_it_is_asked_for_from_members_with_a_weight(weights, batches):
    members = tuple(Constant(token=token) for token in range(len(weights)))
    stream = stream_of(MixSource(members=members, weights=tuple(map(float, weights))))
    for batch in batches:
        tokens = stream.draw(batch)
        assert tokens.shape == (batch, 24)
        assert all(weights[token] for token in tokens[:, 0].tolist())
    assert stream.instances == sum(batches)


def test_the_shares_of_a_mixture_are_its_weights():
    """20,000 instances, five standard errors."""
    members = tuple(Constant(token=token) for token in range(3))
    tokens = stream_of(MixSource(members=members, weights=(1, 2, 5))).draw(20_000)[:, 0]
    for token, share in enumerate((1 / 8, 2 / 8, 5 / 8)):
        assert abs(float((tokens == token).double().mean()) - share) < 5 * math.sqrt(share * (1 - share) / 20_000)
    assert MixSource(members=members).shares == pytest.approx((1 / 3,) * 3)


def test_the_members_of_a_mixture_have_random_numbers_of_their_own():
    tokens = stream_of(MixSource(members=(NoiseSource(), NoiseSource()))).draw(64)
    assert len({bytes(row) for row in tokens.tolist()}) == 64


def test_a_chain_passes_rows_on_in_its_order():
    chain = ChainSource(members=(Constant(token=5), Adds(number=10), Adds(number=3)))
    tokens = stream_of(chain).draw(4)
    assert (tokens[:, 2:] == 18).all()
    assert not chain.reads
    assert stream_of(chain).observations() == {}


def test_a_chain_whose_first_member_reads_stands_behind_the_buffer():
    chain = ChainSource(members=(Adds(number=10), Adds(number=3)))
    assert chain.reads
    rows_RT = torch.arange(24, dtype=torch.uint8)[None]
    assert (chain.passed(rows_RT, torch.Generator())[0, 4:] == torch.arange(4, 24) + 13).all()
    stream = stream_of(chain)
    stream.draw(20)
    assert sum(stream.observations()["depth"][1:]) > 0


def test_a_chain_is_what_its_members_give_one_by_one():
    chain = ChainSource(members=(LSTM, RecurrentSource(kind="gru", hidden_size=4)))
    rows_RT = torch.randint(256, (5, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(2)
    expected = rows_RT
    for member in chain.members:
        expected = member.passed(expected, generator)
    assert torch.equal(chain.passed(rows_RT, torch.Generator().manual_seed(2)), expected)


def test_a_band_keeps_the_rows_in_its_range_in_their_order_and_counts_the_others():
    source = MixSource(members=(Constant(), NoiseSource(), LSTM))
    band = BandSource(source=source, least_bits=1.0, most_bits=9.0)
    stream, plain = stream_of(band, context_length=200), stream_of(source, context_length=200)
    kept = stream.draw(40)
    assert all(1.0 <= deflated_bits(bytes(row.tolist())) <= 9.0 for row in kept)
    left_out, count = stream.observations()["band"]
    assert count == 40
    assert left_out > 5
    seen = plain.draw(40)  # its first draw is the band's first
    assert torch.equal(kept[: int(band.keeps(seen).sum())], seen[band.keeps(seen)])


@pytest.mark.parametrize("by_pass", [False, True])
def test_a_band_that_keeps_nothing_says_so_after_a_bounded_effort(by_pass):
    band = BandSource(source=Constant(kind="constant"), least_bits=7.0, most_bits=7.5)
    rows_RT, generator = torch.zeros(2, 24, dtype=torch.uint8), torch.Generator()
    draw = functools.partial(band.passed, rows_RT, generator) if by_pass else functools.partial(stream_of(band).draw, 3)
    with pytest.raises(InputError, match=r"left out the last [\d,]+ rows of constant .*0 of [\d,]+ kept") as caught:
        draw()
    assert "\n" not in str(caught.value)
    assert PATIENCE == 1_000


def test_a_pass_over_given_rows_takes_one_member_for_each_row():
    mixture = MixSource(members=(Constant(token=1), Adds(number=10)))
    assert mixture.reads
    rows_RT = torch.full((200, 24), 50, dtype=torch.uint8)
    passed_RT = mixture.passed(rows_RT, torch.Generator().manual_seed(0))
    assert set(passed_RT[:, -1].tolist()) == {1, 60}


def test_another_alphabet_reaches_all_members():
    source = dataclasses.replace(COMBINED[-1], vocabulary_size=95)
    assert source.source.members[1].members[1].vocabulary_size == 95


def test_members_are_named_by_kind_or_given_in_full():
    members = '["noise", {"kind": "gru", "hidden_size": 7}]'
    source = configure("tiny", ["source.kind=mix", f"source.members={members}", "source.weights=[3, 1]"]).source
    assert [member.kind for member in source.members] == ["noise", "gru"]
    assert source.members[1].hidden_size == 7
    assert source.description == "mix of 75% noise, 25% (gru, 7 units)"
    band = configure("tiny", ["source.source.hidden_size=7", "source.source.kind=gru", "source.kind=band"]).source
    assert band.description == "band of (gru, 7 units), 0.5 to 7.8 zlib bits"


def chain_of(levels):
    source = ChainSource(members=(NoiseSource(), LSTM))
    for _ in range(levels - 1):
        source = ChainSource(members=(source, LSTM))
    return source


def test_the_deepest_nesting_is_accepted_and_one_more_is_not():
    assert nesting(chain_of(DEEPEST)) == DEEPEST
    with pytest.raises(InputError, match="too deep within each other"):
        chain_of(DEEPEST + 1)


@pytest.mark.parametrize(
    ("assignments", "said"),
    [
        (["source.kind=mix", 'source.members=["noise"]', "source.weights=[-1]"], "weights must not be negative .*-1"),
        (["source.kind=mix", 'source.members=["noise", "lstm"]', "source.weights=[0, 0]"], "weights are all zero"),
        (["source.kind=mix", 'source.members=["noise", "lstm"]', "source.weights=[1]"], "must be as many .*received 1"),
        (["source.kind=mix", "source.weights=[1e308, 1e308]"], "weights are too large"),
        (["source.kind=lstm", "source.max_weight_multiplier=1e300"], "max_weight_multiplier is too large"),
        (["source.kind=mix", "source.members=[]"], "members of a mix must be 1 to 64 .*received 0"),
        (["source.kind=mix", 'source.members=["abacus"]'], "unknown source .*'abacus'"),
        (["source.kind=mix", "source.members=[3]"], "members has the wrong type"),
        (["source.kind=chain", 'source.members=["lstm"]'], "members of a chain must be 2 to 64 .*received 1"),
        (["source.kind=band", "source.least_bits=9"], "least_bits exceeds source.most_bits .*9"),
        (
            ["source.kind=band", "source.source.kind=noise", "source.source.temperature=1"],
            "unknown setting source.source",
        ),
        (["source.kind=band", "source.source.kind=abacus"], "unknown source .*'abacus'"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(assignments, said):
    with pytest.raises(InputError, match=said) as caught:
        configure("tiny", assignments)
    assert "\n" not in str(caught.value)


def test_a_source_is_of_its_own_kind():
    with pytest.raises(InputError, match=r"a MixSource is no source of this kind .*'chain'"):
        MixSource(kind="chain")
    with pytest.raises(InputError, match="the kind cannot be set here"):
        override(MixSource(), ["kind=chain"])


def test_a_source_that_reads_nothing_can_only_be_the_first_of_a_chain():
    chain = ChainSource(members=(LSTM, NoiseSource()))
    with pytest.raises(InputError, match=r"can only be the first of a chain .*'noise'"):
        chain.opened()


def test_what_a_member_refuses_is_refused():
    buffer = BufferConfig(source_batch=6, capacity_multiple=1, reset_constant=0, reset_noise=0)
    for source in (COMBINED[0], COMBINED[2], COMBINED[3]):
        with pytest.raises(InputError, match=r"must exceed source\.seed_length"):
            source.require_fit(context_length=8, batch=1, buffer=buffer)
        with pytest.raises(InputError, match="exceeds the buffer"):
            source.require_fit(context_length=80, batch=7, buffer=buffer)
    COMBINED[1].require_fit(context_length=80, batch=7, buffer=buffer)  # no buffer
