"""The synthetic sets: each string is in its language, as often as the definition says; a corpus is always the same."""

import collections
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import chi_squared
from tests.reference import synthetic as reference
from up.data import synthetic
from up.data.corpora import load_corpus
from up.data.synthetic import CORPUS_BYTES, SYNTHETIC_SETS, VARIANTS, synthetic_text

NAMES = tuple(SYNTHETIC_SETS)
LENGTHS = {"aut": 512, "bits": 30, "bitsflip": 12, "bitsrep": 9}

SHA256 = {
    "aut": "32f317ff03d43f0842c20f95ca07608ed7174c00b9e300042c8e39529a0d0e89",
    "bits": "f7ed10665e63c717f92ed26ad4ea1dc29e4014a16c8423e170df5839ef75bcdf",
    "bitsflip": "2a84597b290c12fc1b9861582b302ec553a75b3a3b2b5aa70bdca56d87209f1e",
    "bitsrep": "82df592331a23afb6c14ceb5741a2848513eba9b21d9d9bfdb210cf1d0ebad1d",
    "champ": "56ca9b2d37649e9bafe2e0e596f20803f8bda13516c27a8f297b1dd26491e611",
    "dyck": "1a893a49291ad2dd7a54e4d737256ed7183d313402fdd540c57d42a987865431",
    "ndfa": "3ad0623e1ecdce1fc9b0c37cc491cbd34e5f70e0c8b22df35bb48fdebe4c877c",
    "toy": "969cb851763b093954a4f1305cfbde5df6628e49cc47789ca1a05de91302ea51",
    "toy2": "722fbaf17cc1939756d97c1588c381230abfe13360f202c96b2a86effbca4132",
}


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**64))
def test_every_string_is_in_its_language(name, seed):
    string = SYNTHETIC_SETS[name].draw(np.random.default_rng(seed))
    assert getattr(reference, name)(string) > reference.NEVER
    assert len(string) == LENGTHS.get(name, len(string))
    assert "|" not in string


@given(name=st.sampled_from(NAMES), seed=st.integers(0, 2**64))
def test_a_string_depends_on_nothing_but_the_generator(name, seed):
    draw = SYNTHETIC_SETS[name].draw
    first, second = np.random.default_rng(seed), np.random.default_rng(seed)
    assert [draw(first) for _ in range(3)] == [draw(second) for _ in range(3)]


def assert_counts_fit(found, probabilities, *, num_cells):
    """Compare with the means, one cell for each of what is to come ten times or more, and one for all the rest."""
    num_draws = found.total()
    cells = [each for each, probability in probabilities.items() if num_draws * probability >= 10]
    assert len(cells) >= num_cells
    counts = [found[each] for each in cells]
    means = [num_draws * probabilities[each] for each in cells]
    if num_draws - sum(means) >= 10:
        counts.append(num_draws - sum(counts))
        means.append(num_draws - sum(means))
    assert chi_squared.statistic(counts, means) < chi_squared.limit(len(counts) - 1)


@pytest.mark.parametrize(
    ("name", "num_cells", "characters"),
    [
        ("aut", 20, 5),  # the first five characters: all that can occur often enough
        ("bits", 1024, None),
        ("bitsflip", 64, None),
        ("bitsrep", 8, None),
        ("dyck", 30, None),
        ("ndfa", 30, None),
        ("toy2", 50, None),
    ],
)
def test_strings_come_as_often_as_the_definition_says(name, num_cells, characters):
    num_draws, generator = 20_000, np.random.default_rng(2025)
    draw, log2_probability = SYNTHETIC_SETS[name].draw, getattr(reference, name)
    found = collections.Counter(draw(generator)[:characters] for _ in range(num_draws))
    assert_counts_fit(found, {text: 2.0 ** log2_probability(text) for text in found}, num_cells=num_cells)


def test_toy_sentences_come_as_often_as_the_grammar_says():
    found, sentence_of = collections.Counter(), {}
    words = collections.defaultdict(collections.Counter)
    generator = np.random.default_rng(2025)
    for _ in range(20_000):
        sentence = synthetic.toy(generator)
        skeleton = reference.toy_skeleton(sentence)
        found[skeleton] += 1
        sentence_of[skeleton] = sentence
        for kind, word in zip(skeleton[0].split(" "), sentence.split(" "), strict=True):
            words[kind][word] += 1
    often = {skeleton: count for skeleton, count in found.items() if count >= 3}  # the chart takes its time
    probabilities = {skeleton: skeleton[1] * 2 ** reference.toy(sentence_of[skeleton]) for skeleton in often}
    assert_counts_fit(found, probabilities, num_cells=100)
    sizes = {"ART": 2, "NOUN": 7, "VP": 6, "ADV": 3, "ADJ": 5, "PREP": 3, "CON": 2, "(": 1, ")": 1}
    assert {kind: len(counts) for kind, counts in words.items()} == sizes
    for kind, counts in words.items():
        expected = [counts.total() / sizes[kind]] * sizes[kind]
        assert chi_squared.statistic(counts.values(), expected) < chi_squared.limit(max(sizes[kind] - 1, 1))


def test_champ_starts_anywhere_alike():
    num_draws, generator = 16_000, np.random.default_rng(2025)
    # The start is what the first digits say: six for all starts from 100000 on, which 15 of 16 are, and few have less.
    starts = [string[:6] for string in (synthetic.champ(generator) for _ in range(num_draws)) if len(string) == 6 * 256]
    for place, digits in ((0, "123456789abcdef"), (5, "0123456789abcdef")):
        found = collections.Counter(start[place] for start in starts)
        expected = [num_draws * 15 / 16 / len(digits)] * len(digits)
        assert chi_squared.statistic([found[digit] for digit in digits], expected) < chi_squared.limit(len(digits))


@pytest.mark.parametrize(("uniform", "first", "last"), [(0.0, "0", "ff"), (1 - 2**-53, "fffeff", "fffffe")])
def test_champ_reaches_its_first_and_its_last_start(uniform, first, last):
    class Fixed(np.random.Generator):
        def random(self, *_args, **_kwargs):
            return uniform

    string = synthetic.champ(Fixed(np.random.PCG64(0)))
    assert string.startswith(first)
    assert string.endswith(last)
    assert reference.champ(string) > reference.NEVER


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_has_the_same_bytes_everywhere(name):
    corpus = load_corpus(name)
    assert corpus.name == name
    assert corpus.size_bytes == CORPUS_BYTES == 1_000_000
    assert hashlib.sha256(corpus.data.tobytes()).hexdigest() == SHA256[name]
    assert corpus.source == f"synthetic set {name} (Bloem 2025)"


@pytest.mark.parametrize("name", NAMES)
def test_a_corpus_is_strings_of_its_language_one_after_the_other(name):
    assert ("|" in SYNTHETIC_SETS[name].delimiter) == (name not in {"aut", "bitsrep", "bitsflip"})
    text = synthetic_text(name).decode("latin-1")
    if SYNTHETIC_SETS[name].delimiter:
        strings = text.split("|")[:-1]
    else:
        length = LENGTHS[name]
        strings = [text[i : i + length] for i in range(0, len(text) - length + 1, length)]
    assert len(strings) > 600
    assert len(set(strings)) > 7
    step = len(strings) // 600
    assert all(getattr(reference, name)(string) > reference.NEVER for string in strings[::step])


def test_choices_are_made_on_the_validation_sets_of_the_paper_only():
    assert {name for name in NAMES if SYNTHETIC_SETS[name].selection} == {"champ", "dyck", "ndfa", "toy"}


def test_a_name_wins_over_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").write_text("mine")
    assert load_corpus("toy").size_bytes == CORPUS_BYTES
    assert load_corpus("./toy").data.tobytes() == b"mine"


@pytest.mark.parametrize("name", ["dyck-plain", "toy2-plain", "aut-delimited", "bitsflip-delimited"])
def test_a_variant_is_the_same_strings_with_or_without_delimiters(name):
    set_name, _, kind = name.partition("-")
    varied, published = load_corpus(name), load_corpus(set_name)
    assert varied.size_bytes == CORPUS_BYTES
    assert (b"|" in varied.data.tobytes()) == (kind == "delimited")
    joined = [text.data.tobytes().replace(b"|", b"") for text in (varied, published)]
    shorter = min(map(len, joined))
    assert joined[0][:shorter] == joined[1][:shorter]
    assert load_corpus(f"{name}:test").entropy_rate_bits == varied.entropy_rate_bits != published.entropy_rate_bits


def test_every_set_has_its_delimiters_the_other_way_in_a_variant():
    assert {name.partition("-")[0] for name in VARIANTS} == set(SYNTHETIC_SETS)
    for name, variant in VARIANTS.items():
        assert {variant.delimiter, SYNTHETIC_SETS[name.partition("-")[0]].delimiter} == {"", "|"}
