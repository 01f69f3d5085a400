import dataclasses
import itertools
import json

import pytest
import torch

from up.errors import InputError
from up.evaluation.measures import measure
from up.experiments.enrichment import EnrichmentConfig, enrich, enrich_passes, source_for
from up.sources.base import ConditionalSource
from up.sources.noise import NoiseSource

SMALL = EnrichmentConfig(depth=2, length=128, source=source_for("lstm", width=120))


@pytest.mark.parametrize("printable", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_each_pass_starts_with_eight_characters_sliced_from_the_one_before(printable, seed):
    passes = enrich(dataclasses.replace(SMALL, printable=printable, seed=seed)).passes
    assert [one.depth for one in passes] == [0, 1, 2]
    for before, after in itertools.pairwise(passes):
        assert after.text[:8] in before.text
        assert after.text != before.text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorder(ConditionalSource):
    """Adds one to every character of its condition behind the seed, and keeps what it was given."""

    calls: list = dataclasses.field(default_factory=list)

    def generate(self, seeds_RS, conditions_RT, generator):  # noqa: ARG002
        self.calls.append((seeds_RS, conditions_RT))
        return torch.cat([seeds_RS, (conditions_RT[:, seeds_RS.shape[1] :] + 1) % self.vocabulary_size], dim=1)


def test_each_pass_conditions_the_source_on_the_one_before():
    recorder = Recorder()
    passes = enrich(dataclasses.replace(SMALL, source=recorder)).passes
    strings = [list(one.text.encode("latin-1")) for one in passes]
    assert [conditions_RT.tolist() for _, conditions_RT in recorder.calls] == [[strings[0]], [strings[1]]]
    assert strings[2][8:] == [(character + 2) % 256 for character in strings[0][8:]][: len(strings[2]) - 8]


def test_a_source_that_reads_no_condition_is_drawn_from():
    result = enrich(EnrichmentConfig(depth=3, length=4096, source=source_for("noise"), printable=True))
    assert not result.conditional
    assert enrich(SMALL).conditional
    assert [one.depth for one in result.passes] == [0, 1, 2, 3]
    assert len({one.text for one in result.passes}) == 4
    assert all(one.distinct_symbols == 95 for one in result.passes)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_random_lstms_make_random_strings_predictable(cell):
    first, enriched = [], []
    for seed in range(6):
        before, *after = enrich(
            EnrichmentConfig(depth=2, length=256, source=source_for(cell, width=200), seed=seed)
        ).passes
        first.append(before.markov_bits)
        enriched += [one.markov_bits for one in after]
        assert before.entropy_bits > 7
        assert before.zlib_bits > 8
    assert min(first) > 7.9
    assert sum(enriched) / len(enriched) < 5


def test_the_random_string_is_uniform_over_its_alphabet():
    (string,) = enrich(EnrichmentConfig(depth=0, length=50_000, printable=True)).passes
    assert string.distinct_symbols == 95
    assert set(string.text) == {chr(code) for code in range(32, 127)}
    counts = [string.text.count(chr(code)) for code in range(32, 127)]
    expected = 50_000 / 95
    assert sum((count - expected) ** 2 / expected for count in counts) < 94 + 5 * (2 * 94) ** 0.5  # chi-squared


def test_same_seed_same_strings_other_seed_other_strings_and_more_passes_continue():
    assert enrich(SMALL) == enrich(SMALL)
    other = enrich(dataclasses.replace(SMALL, seed=1))
    assert all(a.text != b.text for a, b in zip(enrich(SMALL).passes, other.passes, strict=True))
    longer = enrich(dataclasses.replace(SMALL, depth=3))
    assert longer.passes[:3] == enrich(SMALL).passes


def test_the_iterator_yields_the_random_string_before_the_source_runs():
    recorder = Recorder()
    passes = enrich_passes(dataclasses.replace(SMALL, source=recorder))
    assert next(passes) == enrich(SMALL).passes[0]
    assert not recorder.calls
    next(passes)
    assert len(recorder.calls) == 1


@pytest.mark.parametrize("printable", [False, True])
def test_measures_are_of_the_text_over_its_own_alphabet(printable):
    result = enrich(dataclasses.replace(SMALL, printable=printable))
    assert result.alphabet_size == (95 if printable else 256)
    for one in result.passes:
        expected = measure(
            one.text.encode("latin-1"),
            vocabulary_size=result.alphabet_size,
            first_symbol=32 if printable else 0,
        )
        assert {name: getattr(one, name) for name in vars(expected)} == vars(expected)


def test_the_result_is_plain_json_with_the_promised_names():
    fields = json.loads(json.dumps(dataclasses.asdict(enrich(SMALL))))
    assert len(fields["passes"]) == 3
    assert {"text", "entropy_bits", "markov_bits", "zlib_bits", "lzma_bits"} <= fields["passes"][0].keys()
    assert len(fields["passes"][0]["text"].encode("latin-1")) == SMALL.length


def test_a_recurrent_source_has_a_tenth_of_the_width_and_a_model_for_each_string():
    assert source_for("lstm", width=384) == source_for("lstm") == EnrichmentConfig().source
    assert source_for("gru", width=1024).hidden_size == 102
    assert source_for("lstm").sequences_per_model == 1
    assert source_for("lstm", temperature=0.5).temperature == 0.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": -1}, r"enrichment\.depth must not be negative"),
        ({"depth": 1001}, r"enrichment\.depth is too large"),
        ({"length": 8}, r"enrichment\.length is out of range \(received 8\): use 9 to 100,000"),
        (
            {"length": 0, "source": NoiseSource()},
            r"enrichment\.length is out of range \(received 0\): use 1 to 100,000",
        ),
        ({"length": 10**9}, r"enrichment\.length is out of range"),
        ({"seed": -1}, r"enrichment\.seed must not be negative"),
        ({"seed": 1 << 63}, r"enrichment\.seed is too large"),
    ],
)
def test_bad_settings_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        EnrichmentConfig(**fields)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("lstm", {"width": 19}, r"enrichment\.width is out of range \(received 19\): use 20"),
        ("lstm", {"width": -384}, r"enrichment\.width is out of range"),
        ("lstm", {"temperature": 0.0}, r"temperature must be positive"),
        ("rnn", {}, r"unknown source \(received 'rnn'\): use one of lstm, gru, "),
        ("noise", {"width": 384}, r"the source noise has no width \(received 384\): leave --width out"),
        ("noise", {"temperature": 1.0}, r"the source noise has no temperature"),
        ("no/such.py:Coins", {}, r"cannot read the file of the source"),
    ],
)
def test_a_source_that_cannot_be_is_refused(kind, settings, message):
    with pytest.raises(InputError, match=message):
        enrich(EnrichmentConfig(source=source_for(kind, **settings)))
