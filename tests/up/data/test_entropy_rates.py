"""Entropy rates: what the definition charges for strings that were drawn, and sums over all strings where possible."""

import itertools
import math
import statistics

import numpy as np
import pytest

from tests.reference import synthetic as reference
from up.data.automaton_rate import automaton_rate_bounds_bits
from up.data.entropy_rates import entropy_rate_bits, toy_rate_bits
from up.data.grammars import TOY, TOY2, derivation_bits, draw_sentence, mean_length
from up.data.synthetic import SYNTHETIC_SETS, VARIANTS


def rate_of(name: str) -> float:
    rate = entropy_rate_bits(name)
    assert rate is not None
    return rate


def assert_mean_is_zero(values: list[float]) -> None:
    """Five standard errors, and a little for values that are all alike."""
    assert abs(statistics.fmean(values)) <= 5 * statistics.stdev(values) / math.sqrt(len(values)) + 1e-9


def test_every_synthetic_set_has_a_rate_and_no_other_corpus_has():
    assert all(0 < rate_of(name) < 2 for name in SYNTHETIC_SETS)
    assert [entropy_rate_bits(name) for name in ("stdlib", "pydoc", "./toy", "")] == [None] * 4


def test_the_paper_s_own_figures():
    assert rate_of("bits") == 10 / 31  # section 6.1
    assert rate_of("bitsflip") == 0.5


@pytest.mark.parametrize(
    ("name", "num_draws"),
    [
        ("aut", 400),
        ("bits", 1_000),
        ("bitsflip", 1_000),
        ("bitsrep", 1_000),
        ("champ", 2_000),
        ("dyck", 40_000),
        ("ndfa", 40_000),
        ("toy", 2_000),
        ("toy2", 20_000),
    ],
)
def test_the_definition_charges_the_rate_for_each_character(name, num_draws):
    # -log2 p(string) - rate * (length and delimiter) has the mean 0 if and only if the rate is right.
    chosen, generator = SYNTHETIC_SETS[name], np.random.default_rng(7)
    strings = [chosen.draw(generator) for _ in range(num_draws)]
    rate, log2_probability = rate_of(name), getattr(reference, name)
    assert_mean_is_zero([-log2_probability(text) - rate * len(text + chosen.delimiter) for text in strings])


@pytest.mark.parametrize("name", sorted(set(SYNTHETIC_SETS) - {"champ"}))
def test_with_and_without_delimiters_a_string_has_the_same_entropy(name):
    (variant,) = (other for other in VARIANTS if other.partition("-")[0] == name)
    chosen, generator = SYNTHETIC_SETS[name], np.random.default_rng(17)
    lengths = [len(chosen.draw(generator)) for _ in range(2_000)]
    of_set = [rate_of(name) * (length + len(chosen.delimiter)) for length in lengths]
    of_variant = [rate_of(variant) * (length + len(VARIANTS[variant].delimiter)) for length in lengths]
    assert_mean_is_zero([one - other for one, other in zip(of_set, of_variant, strict=True)])


def test_of_champ_without_delimiters_no_rate_is_known():
    assert entropy_rate_bits("champ-plain") is None
    assert entropy_rate_bits("champ-delimited") is None


def test_champ_costs_its_start_over_the_mean_length_of_all_starts():
    starts = 16777216 - 256

    def digits_below(limit: int) -> int:
        """Count the digits of all integers below a limit: those of one digit, of two, and so on."""
        return sum(d * (min(limit, 16**d) - min(limit, 16 ** (d - 1) if d > 1 else 0)) for d in range(1, 7))

    digits = sum(digits_below(starts + i) - digits_below(i) for i in range(256))  # s + i over all starts s
    assert rate_of("champ") == pytest.approx(math.log2(starts) / (digits / starts + 1), rel=1e-12)


def test_dyck_is_the_sum_over_all_dyck_words():
    # n pairs: Catalan(n - 1) words whose first return is their last, each with n - 1 more openings and n closings.
    share, log2_probability, total, entropy, length = 9 / 16, math.log2(9 / 16), 0.0, 0.0, 0.0
    for n in range(1, 3_000):
        total += share
        entropy -= share * log2_probability
        length += share * (2 * n + 1)
        share *= (7 * 9 / 256) * 2 * (2 * n - 1) / (n + 1)
        log2_probability += math.log2(7 * 9 / 256)
    assert total == pytest.approx(1, rel=1e-9)
    assert rate_of("dyck") == pytest.approx(entropy / length, rel=1e-9)


def test_ndfa_is_the_sum_over_all_its_strings():
    strings = ["ss", *(f"s{word * times}s" for word in ("abc!", "uvw!", "klm!") for times in range(1, 200))]
    log2s = [reference.ndfa(text) for text in strings]
    assert sum(2**log2 for log2 in log2s) == pytest.approx(1)
    entropy = -sum(2**log2 * log2 for log2 in log2s)
    length = sum(2**log2 * len(f"{text}|") for log2, text in zip(log2s, strings, strict=True))
    assert rate_of("ndfa") == pytest.approx(entropy / length)


def test_a_toy_sentence_hides_as_much_of_its_derivation_as_the_chart_finds():
    # Per sentence, log2 of the number of its derivations, which are equally probable, is what it does not tell.
    generator = np.random.default_rng(11)
    hidden = derivation_bits(TOY) - toy_rate_bits() * (mean_length(TOY) + 1)
    assert hidden > 0.1
    derivations = [reference.toy_derivations(draw_sentence(TOY, generator))[0] for _ in range(2_000)]
    assert max(derivations) > 2
    assert_mean_is_zero([math.log2(ways) - hidden for ways in derivations])


@pytest.mark.parametrize("grammar", [TOY, TOY2])
def test_sentences_have_the_mean_length_of_the_grammar(grammar):
    generator = np.random.default_rng(13)
    expected = mean_length(grammar)
    assert_mean_is_zero([len(draw_sentence(grammar, generator)) - expected for _ in range(20_000)])


@pytest.mark.parametrize("length", [1, 4, 9])
def test_the_bounds_of_aut_hold_the_entropy_of_short_strings_summed_over_all_of_them(length):
    log2s = [reference.aut("".join(text)) for text in itertools.product("zàø", repeat=length)]
    exact = -sum(2**log2 * log2 for log2 in log2s if log2 > reference.NEVER) / length
    for window in (1, 3, 16):
        lower, upper = automaton_rate_bounds_bits(length=length, window=window)
        assert lower <= exact + 1e-9
        assert exact <= upper + 1e-9
    assert lower == pytest.approx(exact, abs=1e-9)  # a window longer than the string changes nothing
    assert upper == pytest.approx(exact, abs=1e-3)


def test_the_bounds_of_aut_are_close():
    lower, upper = automaton_rate_bounds_bits()
    assert 0 < upper - lower < 1.1e-4
    assert lower < rate_of("aut") < upper
