import dataclasses
import itertools
import json

import pytest

from up.errors import InputError
from up.experiments import enrichment
from up.experiments.enrichment import EnrichmentConfig, enrich, enrich_passes
from up.experiments.measures import measure
from up.sources.recurrent import RecurrentSource

SMALL = EnrichmentConfig(depth=2, length=128, width=120)


@pytest.mark.parametrize("printable", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_each_pass_starts_with_eight_characters_sliced_from_the_one_before(printable, seed):
    passes = enrich(dataclasses.replace(SMALL, printable=printable, seed=seed)).passes
    assert [one.depth for one in passes] == [0, 1, 2]
    for before, after in itertools.pairwise(passes):
        assert after.text[:8] in before.text
        assert after.text != before.text


def test_each_pass_conditions_a_fresh_lstm_on_the_one_before(monkeypatch):
    calls = []
    generate = RecurrentSource.generate

    def recorded(self, seeds_RS, conditions_RT):
        tokens_RT = generate(self, seeds_RS, conditions_RT)
        calls.append((conditions_RT.flatten().tolist(), tokens_RT.flatten().tolist()))
        return tokens_RT

    monkeypatch.setattr(RecurrentSource, "generate", recorded)
    passes = enrich(SMALL).passes
    strings = [list(one.text.encode("latin-1")) for one in passes]
    assert calls == [(strings[0], strings[1]), (strings[1], strings[2])]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_random_lstms_make_random_strings_predictable(cell):
    first, enriched = [], []
    for seed in range(6):
        before, *after = enrich(EnrichmentConfig(depth=2, length=256, width=200, cell=cell, seed=seed)).passes
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


def test_the_iterator_yields_the_random_string_before_any_lstm_runs(monkeypatch):
    expected = enrich(SMALL).passes[0]

    def fail(*_):
        raise AssertionError("ran")

    monkeypatch.setattr(enrichment.RecurrentSource, "generate", fail)
    passes = enrich_passes(SMALL)
    assert next(passes) == expected
    with pytest.raises(AssertionError, match="ran"):
        next(passes)


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


def test_the_lstm_has_a_tenth_of_the_width():
    assert EnrichmentConfig(width=384).source.hidden_size == 38
    assert EnrichmentConfig(width=1024).source.hidden_size == 102


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"depth": -1}, r"enrichment\.depth must not be negative"),
        ({"depth": 1001}, r"enrichment\.depth is too large"),
        ({"length": 8}, r"enrichment\.length is out of range \(received 8\): use 9 to 100,000"),
        ({"length": 10**9}, r"enrichment\.length is out of range"),
        ({"width": 19}, r"enrichment\.width is out of range \(received 19\): use 20"),
        ({"width": -384}, r"enrichment\.width is out of range"),
        ({"seed": -1}, r"enrichment\.seed must not be negative"),
        ({"seed": 1 << 63}, r"enrichment\.seed is too large"),
        ({"temperature": 0.0}, r"temperature must be positive"),
        ({"cell": "rnn"}, r"unknown source\.cell"),
    ],
)
def test_bad_settings_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        EnrichmentConfig(**fields)
