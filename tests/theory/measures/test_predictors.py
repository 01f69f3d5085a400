"""Estimators, chains and mixtures of predictors against closed forms and sums over everything unseen."""

from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from math import comb, factorial, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import probabilities
from theory.checks.regret import EIGHTHS, ln_interval, squared_errors
from theory.errors import InputError
from theory.measures.density import Density, bernoulli
from theory.measures.distances import expected_squares
from theory.measures.predictors import bayes, fixed_share, hidden_markov, krichevsky_trofimov, laplace, markov
from theory.numbers.bit_strings import strings, strings_of_length

COUNTS = [(ones, n) for n in range(1, 33) for ones in range(n + 1)]
HALF = Fraction(1, 2)


def best_coin(ones: int, n: int) -> Fraction:
    return Fraction(ones, n) ** ones * Fraction(n - ones, n) ** (n - ones)


def sorted_string(ones: int, n: int) -> str:
    return "1" * ones + "0" * (n - ones)


@given(st.text(alphabet="01", max_size=12))
def test_the_order_of_the_bits_does_not_matter_to_counting_which_has_a_closed_form(x):
    n, ones = len(x), x.count("1")
    assert laplace(12).prefix_mass(x) == Fraction(factorial(ones) * factorial(n - ones), factorial(n + 1))
    halves = prod((Fraction(2 * k + 1, 2) for count in (ones, n - ones) for k in range(count)), start=Fraction(1))
    assert krichevsky_trofimov(12).prefix_mass(x) == halves / factorial(n)


def test_laplace_falls_exactly_log_n_plus_1_bits_behind_the_best_coin_and_never_more():
    ratios = {at: best_coin(*at) / laplace(32).prefix_mass(sorted_string(*at)) for at in COUNTS}
    for (ones, n), ratio in ratios.items():
        assert ratio == (n + 1) * comb(n, ones) * best_coin(ones, n) <= n + 1
        assert (ratio == n + 1) == (ones in (0, n))


def test_krichevsky_trofimov_falls_half_log_n_plus_1_bits_behind_at_most_and_half_log_n_is_too_little():
    ratios = {at: best_coin(*at) / krichevsky_trofimov(32).prefix_mass(sorted_string(*at)) for at in COUNTS}
    assert all(ratio**2 <= 4 * n for (_, n), ratio in ratios.items())
    assert {n for (_, n), ratio in ratios.items() if ratio**2 > n} == set(range(1, 33))


@st.composite
def models(draw):
    states = draw(st.integers(1, 3))

    def row():
        weights = [draw(st.integers(0, 5)) for _ in range(states - 1)] + [draw(st.integers(1, 5))]
        return [Fraction(weight, sum(weights)) for weight in weights]

    return row(), [row() for _ in range(states)], [draw(probabilities) for _ in range(states)]


@given(models(), st.text(alphabet="01", min_size=1, max_size=4))
def test_a_hidden_markov_model_sums_over_all_paths_of_states(model, x):
    start, moves, ones = model
    total = Fraction(0)
    for path in product(range(len(start)), repeat=len(x)):
        p = start[path[0]] * prod(moves[i][j] for i, j in pairwise(path))
        total += p * prod(ones[i] if bit == "1" else 1 - ones[i] for i, bit in zip(path, x, strict=True))
    assert hidden_markov(start, moves, ones, 4).prefix_mass(x) == total


@given(probabilities, probabilities, probabilities)
def test_a_markov_chain_is_the_hidden_one_whose_states_are_seen(first, after_0, after_1):
    chain = markov({"": first, "0": after_0, "1": after_1}, 5)
    hidden = hidden_markov([1 - first, first], [[1 - after_0, after_0], [1 - after_1, after_1]], [0, 1], 5)
    assert chain.measure() == hidden.measure()


def test_the_longest_context_in_the_table_decides():
    chain = markov({"": HALF, "1": Fraction(1, 3), "01": Fraction(1, 5)}, 9)
    ones = {x: str(chain.next_symbol(x)["1"]) for x in ("", "1", "11", "01", "001", "10")}
    assert ones == {"": "1/2", "1": "1/3", "11": "1/3", "01": "1/5", "001": "1/5", "10": "1/2"}


def writers(length):
    ends = Density("ends", lambda _: {"1": HALF, "$": HALF}, length)
    return [bernoulli(Fraction(1, 3), length), ends, Density("zeros", lambda _: {"0": 1}, length - 1)]


def test_a_mixture_of_predictors_is_the_mixture_of_their_measures():
    prior = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    mixed = bayes(writers(4), prior).measure()
    assert mixed.total == 1
    for x in strings(4):
        assert mixed.lower(x) == sum(p * w.measure().lower(x) for p, w in zip(prior, writers(4), strict=True))


@pytest.mark.parametrize("share", [Fraction(0), Fraction(1, 5), Fraction(2, 3), Fraction(1)])
def test_fixed_share_sums_over_all_sequences_of_writers_and_so_loses_to_none_more_than_its_prior(share):
    coins = [bernoulli(theta, 5) for theta in (Fraction(1, 9), Fraction(1, 2), Fraction(7, 9))]
    mixed, K = fixed_share(coins, share), len(coins)
    for x in strings_of_length(5):
        terms = []
        for path in product(range(K), repeat=5):
            prior = Fraction(1, K) * prod(share / K + (1 - share) * (i == j) for i, j in pairwise(path))
            terms.append(prior * prod(coins[i].next_symbol(x[:t])[x[t]] for t, i in enumerate(path)))
        assert mixed.prefix_mass(x) == sum(terms)
    if share == 0:
        assert mixed.measure() == bayes(coins).measure()


@given(st.lists(probabilities, min_size=1, max_size=4), st.data())
def test_solomonoffs_bound_holds_for_each_writer_of_a_mixture(ones, data):
    coins = [bernoulli(one, 4) for one in ones[:-1]]
    chain = markov({"": ones[0], "1": ones[-1]}, 4)
    members = [*coins, chain]
    truth = data.draw(st.sampled_from(members))
    errors = expected_squares(truth, bayes(members), 4)
    assert 2 * sum(errors) <= ln_interval(len(members))[0]


def test_squared_errors_of_coins_are_those_that_counts_alone_give():
    coins = [bernoulli(theta, 8) for theta in EIGHTHS]
    errors = expected_squares(coins[5], bayes(coins), 8)
    for error, (low, high) in zip(errors, squared_errors(EIGHTHS, 5, 7), strict=True):
        assert low <= error <= high


def test_what_is_remembered_of_many_strings_does_not_change_what_is_said():
    coins = [bernoulli(Fraction(k, 4), 14) for k in (1, 3)]
    asked, fresh = fixed_share(coins, Fraction(1, 9)), partial(fixed_share, coins, Fraction(1, 9))
    for x in strings_of_length(13):
        asked.next_symbol(x)
    for x in ("0110101001011", "1" * 13, "00"):
        assert asked.next_symbol(x) == fresh().next_symbol(x)


REFUSED = {
    "no members": lambda: bayes([]),
    "a weight too few": lambda: bayes([laplace(3)], []),
    "a mixture of densities reads no condition": lambda: bayes([Density("d", lambda *_: {}, 3, reads_condition=True)]),
    "a share is a probability": lambda: fixed_share([laplace(3)], Fraction(3, 2)),
    "the tables do not have the same states": lambda: hidden_markov([HALF, HALF], [[1]], [1], 3),
    "a row is no distribution": lambda: hidden_markov([HALF], [[1]], [1], 3),
    "a string begins without a context": lambda: markov({"0": HALF}, 3),
    "at 0 is no exact probability": lambda: markov({"": HALF, "0": 0.5}, 3),
    "only the characters 0 and 1": lambda: markov({"": HALF, "a": HALF}, 3),
    "says nothing after what cannot occur": lambda: bayes([bernoulli(Fraction(0), 3)]).next_symbol("1"),
    "probability from 0 to 1": lambda: bernoulli(Fraction(9, 8), 3),
}


@pytest.mark.parametrize("problem", REFUSED)
def test_what_makes_no_sense_is_refused(problem):
    said = "a mixture has members, each with a weight" if problem in ("no members", "a weight too few") else problem
    with pytest.raises(InputError, match=said):
        REFUSED[problem]()
