"""Restaurants: the law of their rows exactly, the kernel against its oracle, and the stated shares of everything."""

import dataclasses
import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import restaurant as oracle
from up.errors import InputError
from up.sources.restaurant import Process, RestaurantSource, RowPlan, RowWriter, compiled_kernel, deflate_bits, uniform

MODES = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(compiled_kernel() is None, reason="needs numba")),
]
BARE = {"lag_share": 0.0, "copy_share": 0.0, "switch_share": 0.0, "outside_share": 1.0}
words = st.lists(st.integers(1, 4_294_944_442), min_size=6, max_size=6)
shares = st.sampled_from([0.0, 0.5, 1.0])
settings = st.fixed_dictionaries(
    {
        "vocabulary_size": st.sampled_from([2, 3, 256]),
        "max_depth": st.integers(0, 10),
        "max_discount": shares,
        "lag_share": shares,
        "copy_share": shares,
        "copy_start": st.sampled_from([(0.002, 0.2), (1.0, 1.0)]),
        "copy_length": st.sampled_from([(1.0, 1.0), (4.0, 200.0)]),
        "mutated_share": shares,
        "max_mutation": st.sampled_from([0.0, 0.1, 1.0]),
        "switch_share": shares,
        "shortest_stretch": st.sampled_from([1.0, 5.0, 20.0]),
    }
)


def rows_of(num_rows, num_tokens, *, seed=0, **changed):
    return RestaurantSource(**changed).rows(num_rows, num_tokens, torch.Generator().manual_seed(seed))


def plans_of(number, *, num_tokens=512, **changed):
    source, state = RestaurantSource(**changed), [12345] * 6
    return [source.plan(num_tokens, state) for _ in range(number)]


def process_of(discounts, concentrations, *, alphabet=(0, 1), lags=None):
    lags = tuple(range(1, len(discounts))) if lags is None else lags
    return Process(alphabet=alphabet, lags=lags, discounts=discounts, concentrations=concentrations)


def frequencies(plan, num_tokens, number, *, compiled=None):
    """How often each string was written in so many rows."""
    writer = RowWriter(num_tokens, max_depth=len(plan.processes[0].lags), compiled=compiled)
    state, counts = [12345] * 6, dict.fromkeys(itertools.product(plan.processes[0].alphabet, repeat=num_tokens), 0)
    for _ in range(number):
        counts[tuple(writer.write(plan, state))] += 1
    return counts


def assert_drawn_from(counts, probabilities):
    """Pearson's chi-squared lies within five standard deviations of its mean."""
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-12)
    number = sum(counts.values())
    expected = {each: number * float(probability) for each, probability in probabilities.items()}
    assert min(expected.values()) > 5
    chi_squared = sum((counts[each] - mean) ** 2 / mean for each, mean in expected.items())
    freedom = len(expected) - 1
    assert abs(chi_squared - freedom) < 5 * math.sqrt(2 * freedom)


def assert_share(hits, number, share):
    assert abs(hits / number - share) <= 5 * math.sqrt(share * (1 - share) / number) + 1e-12


# The random numbers.


def test_the_random_numbers_are_those_of_the_published_generator():
    """MRG32k3a from the state 12345 six times, as in the author's own listing."""
    state = [12345] * 6
    numbers = [uniform(state) for _ in range(5)]
    assert numbers == pytest.approx([0.1270111220, 0.3185275654, 0.3091860156, 0.8258468629, 0.2216299158], abs=5e-11)


# The kernel and its oracle.


@pytest.mark.parametrize("compiled", MODES)
@given(settings, words, st.integers(1, 90))
def test_the_kernel_writes_the_oracles_row_token_for_token(compiled, changed, state, num_tokens):
    source = RestaurantSource(**changed)
    plan = source.plan(num_tokens, state)
    copy = list(state)
    row = RowWriter(num_tokens, max_depth=source.max_depth, compiled=compiled).write(plan, state)
    assert list(row) == oracle.write_row(plan, num_tokens, lambda: uniform(copy))
    assert state == copy  # as many random numbers


@pytest.mark.skipif(compiled_kernel() is None, reason="needs numba")
def test_compiled_and_plain_write_the_same_rows():
    source, states = RestaurantSource(), [[seed + 1, 2, 3, 4, 5, 6] for seed in range(40)]
    plain, compiled = (
        [source.row(RowWriter(600, max_depth=8, compiled=mode), list(state)) for state in states]
        for mode in (False, True)
    )
    assert plain == compiled


def test_a_writer_forgets_the_row_before():
    source = RestaurantSource()
    writer = RowWriter(200, max_depth=8)
    for seed in range(20):
        state = [seed + 1, 2, 3, 4, 5, 6]
        assert source.row(writer, list(state)) == source.row(RowWriter(200, max_depth=8), list(state))


@pytest.mark.skipif(compiled_kernel() is None, reason="needs numba")
def test_where_numba_is_switched_off_the_rows_are_the_same_and_nothing_is_imported_before_it_is_needed():
    program = (
        "import sys, torch\n"
        "from up.sources.restaurant import RestaurantSource, compiled_kernel\n"
        "assert 'numba' not in sys.modules\n"
        "print(RestaurantSource().rows(3, 50, torch.Generator().manual_seed(0)).tolist())\n"
        "assert compiled_kernel() is None\n"
    )
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert said.stdout.strip() == str(rows_of(3, 50).tolist()), said.stderr


# The law of the rows.

LAWS = {
    "Pitman and Yor": RowPlan(processes=(process_of((0.5,), (0.75,)),)),
    "three symbols": RowPlan(processes=(process_of((0.25,), (3.0,), alphabet=(0, 1, 7)),)),
    "depth 1": RowPlan(processes=(process_of((0.5, 0.75), (1.0, 0.5)),)),
    "depth 2": RowPlan(processes=(process_of((0.25, 0.5, 0.125), (1.0, 0.5, 0.25)),)),
    "lags": RowPlan(processes=(process_of((0.25, 0.5, 0.125), (1.0, 0.5, 0.25), lags=(3, 1)),)),
    "copies": RowPlan(processes=(process_of((0.5,), (2.0,)),), copy_start=0.5, copy_stop=0.5),
    "mutated copies": RowPlan(
        processes=(process_of((0.5, 0.25), (2.0, 1.0)),), copy_start=0.5, copy_stop=0.25, mutation=0.5
    ),
    "all but the first copied": RowPlan(processes=(process_of((0.5,), (1.0,)),), copy_start=1.0, mutation=0.75),
}


@pytest.mark.parametrize("compiled", MODES)
@pytest.mark.parametrize("name", LAWS)
def test_strings_are_as_frequent_as_their_exact_probability(name, compiled):
    """20,000 rows of four tokens (five for `lags`)."""
    plan = LAWS[name]
    counts = frequencies(plan, 4 + (name == "lags"), 20_000, compiled=compiled)
    assert_drawn_from(counts, {string: oracle.row_probability(string, plan) for string in counts})


def test_the_exact_probability_of_a_short_string_by_hand():
    """a = 1/2, b = 1: aa costs 1/2 x (1/2 + 3/2 x 1/2) / 2, as p(a) = (1 - a + (1 + a) / 2) / 2 after one a."""
    plan = RowPlan(processes=(process_of((0.5,), (1.0,)),))
    assert oracle.row_probability((0, 0), plan) == Fraction(1, 2) * Fraction(5, 8)
    assert oracle.row_probability((0, 1), plan) == Fraction(1, 2) * Fraction(3, 8)


def test_order_does_not_matter_at_depth_0():
    plan = LAWS["Pitman and Yor"]
    assert oracle.row_probability((0, 1, 0, 1), plan) == oracle.row_probability((0, 0, 1, 1), plan)
    counts = frequencies(plan, 4, 20_000)
    one, other = counts[0, 1, 0, 1], counts[0, 0, 1, 1]
    assert abs(one - other) < 5 * math.sqrt(one + other)


def test_the_predictions_of_the_seated_add_up_to_the_exact_law():
    """With discount 0 it does not matter who sits where: Polya's urn, b = 2 over two symbols."""
    franchise = oracle.Franchise(process_of((Fraction(0),), (Fraction(2),)))
    state = [12345] * 6
    for length in range(6):
        (root,) = franchise.line([0] * length)
        assert root.predict(0, Fraction(1, 2)) == Fraction(1 + length, 2 + length)
        franchise.take([0] * length, 0, lambda: uniform(state))


SEATED_COPIES = {
    "depth 0": RowPlan(processes=(process_of((0.875,), (0.125,)),), copy_start=0.5),
    "depth 1": RowPlan(processes=(process_of((0.25, 0.25), (0.25, 0.5)),), copy_start=0.75),
    "mutated at depth 1": RowPlan(processes=(process_of((0.75, 0.75), (0.125, 2.0)),), copy_start=0.75, mutation=0.25),
    "longer copies": RowPlan(processes=(process_of((0.875,), (0.125,)),), copy_start=0.5, copy_stop=0.5),
}


@pytest.mark.skipif(compiled_kernel() is None, reason="needs numba")
@pytest.mark.parametrize("name", SEATED_COPIES)
def test_copies_are_seated_by_the_exact_law(name):
    """200,000 rows of six tokens, so many and with such discounts that a wrong seat of a copied token shows."""
    plan = SEATED_COPIES[name]
    counts = frequencies(plan, 6, 200_000, compiled=True)
    assert_drawn_from(counts, {string: oracle.row_probability(string, plan) for string in counts})


def test_without_a_discount_depth_0_is_polyas_urn():
    """Of six tokens, the number of ones is uniform on 0 to 6 for b = 2 over two symbols (20,000 rows)."""
    counts = frequencies(RowPlan(processes=(process_of((0.0,), (2.0,)),)), 6, 20_000)
    ones = {k: sum(count for string, count in counts.items() if sum(string) == k) for k in range(7)}
    assert_drawn_from(ones, dict.fromkeys(range(7), Fraction(1, 7)))


def test_a_token_of_the_other_process_is_written_but_nobody_is_seated():
    franchise = oracle.Franchise(process_of((0.5,), (1.0,)))
    franchise.take([], 2, lambda: 0.5)
    assert franchise.restaurants == {}


# The distribution of what is drawn before the tokens.


def test_the_alphabets_size_is_log_uniform_and_its_symbols_lie_in_the_vocabulary():
    """3,000 plans; sizes below 2 r lie in the lower half for r = (257 / 2)^(1/2)."""
    alphabets = [plan.processes[0].alphabet for plan in plans_of(3_000)]
    sizes = [len(alphabet) for alphabet in alphabets]
    assert (min(sizes), max(sizes)) == (2, 256)
    for bound in (3, 6, 23, 100, 256):
        assert_share(sum(size < bound for size in sizes), len(sizes), math.log(bound / 2) / math.log(257 / 2))
    assert all(len(set(alphabet)) == len(alphabet) for alphabet in alphabets)
    symbols = torch.bincount(torch.tensor([alphabet[0] for alphabet in alphabets]), minlength=256).double()
    assert float(((symbols - 3_000 / 256) ** 2 / (3_000 / 256)).sum()) < 255 + 5 * math.sqrt(2 * 255)
    assert {max(plan.processes[0].alphabet) < 5 for plan in plans_of(50, vocabulary_size=5)} == {True}


def test_depths_discounts_and_concentrations_are_drawn_as_stated():
    """3,000 plans: depths uniform; half of the values below the middle of their range, or its geometric mean."""
    processes = [plan.processes[0] for plan in plans_of(3_000)]
    for depth in range(9):
        assert_share(sum(len(process.lags) == depth for process in processes), 3_000, 1 / 9)
    discounts = [each for process in processes for each in process.discounts]
    above = [each for process in processes for each in process.concentrations[1:]]
    at_root = [process.concentrations[0] for process in processes]
    for values, low, middle, high in (
        (discounts, 0, 0.5, 1),
        (above, 0.02, math.sqrt(0.4), 20),
        (at_root, 0.5, 10, 200),
    ):
        assert low < min(values)
        assert max(values) < high
        assert_share(sum(value < middle for value in values), len(values), 0.5)


def test_the_shares_of_lags_copies_mutations_and_switches():
    """4,000 plans; a mutation's probability is below 0.1, half of them below 0.05."""
    plans = plans_of(4_000)
    deep = [plan for plan in plans if len(plan.processes[0].lags) == 8]
    assert_share(sum(plan.processes[0].lags != tuple(range(1, 9)) for plan in deep), len(deep), 0.4 * (1 - 1 / 40_320))
    assert all(sorted(plan.processes[0].lags) == list(range(1, 9)) for plan in deep)
    copying = [plan for plan in plans if plan.copy_start]
    mutated = [plan.mutation for plan in copying if plan.mutation]
    assert_share(len(copying), len(plans), 0.5)
    assert_share(len(mutated), len(copying), 0.5)
    assert_share(sum(mutation < 0.05 for mutation in mutated), len(mutated), 0.5)
    assert max(mutated) < 0.1
    switching = [plan for plan in plans if len(plan.processes) == 2]
    assert_share(len(switching), len(plans), 0.25)
    assert all((plan.switch > 0) == (len(plan.processes) == 2) for plan in plans)
    for values, low, high in (
        ([plan.copy_start for plan in copying], 0.002, 0.2),
        ([1 / plan.copy_stop for plan in copying], 4, 200),
        ([1 / plan.switch for plan in switching], 20, 256),
    ):
        assert low <= min(values) <= max(values) <= high
        assert_share(sum(value < math.sqrt(low * high) for value in values), len(values), 0.5)


def test_lags_reach_up_to_the_largest_depth():
    lags = {plan.processes[0].lags for plan in plans_of(2_000, lag_share=1.0, max_depth=3)}
    assert {pair for pair in lags if len(pair) == 2} == set(itertools.permutations((1, 2, 3), 2))


def test_each_can_be_turned_off():
    for plan in plans_of(300, **BARE):
        (process,) = plan.processes
        assert process.lags == tuple(range(1, len(process.lags) + 1))
        assert plan == RowPlan(processes=(process,))


# What can be seen in the rows.


def mean_match(rows_RT):
    """The mean over all places of the longest string before a place that also stands earlier, up to 40 tokens."""
    total = count = 0
    for row in rows_RT.tolist():
        text = bytes(row)
        for t in range(1, len(text)):
            longest = 0
            while longest < min(t - 1, 40) and text[t - longest - 1 : t] in text[: t - 1]:
                longest += 1
            total, count = total + longest, count + 1
    return total / count


def test_copies_make_longer_repeats():
    """Rows at depth 0 over 64 symbols or more, where hardly anything repeats of itself."""
    many = {**BARE, "smallest_alphabet": 64, "max_depth": 0, "root_concentration": (100.0, 200.0), "max_discount": 0.5}
    without, copied = (mean_match(rows_of(20, 256, **{**many, "copy_share": share})) for share in (0.0, 1.0))
    assert without < 2
    assert copied > 3 * without


def test_mutations_replace_the_stated_share_of_copied_tokens():
    """After one token only copies, of whatever is there: over many symbols, those that are new are the mutations."""
    process = process_of((0.5,), (1.0,), alphabet=tuple(range(256)))
    writer, state, changed, number = RowWriter(2, max_depth=0), [12345] * 6, 0, 20_000
    plan = RowPlan(processes=(process,), copy_start=1.0, mutation=0.3)
    for _ in range(number):
        first, second = writer.write(plan, state)
        changed += first != second
    assert_share(changed, number, 0.3 * 255 / 256)


def test_two_processes_take_turns_of_the_stated_mean_length():
    """Alphabets 0 and 1 apart; 100 rows of 500 tokens, 1 in 25 of which change the process."""
    process = process_of((0.5,), (1.0,))
    plan = RowPlan(processes=(process, dataclasses.replace(process, alphabet=(8, 9))), switch=1 / 25)
    writer, state = RowWriter(500, max_depth=0), [12345] * 6
    rows = torch.tensor([list(writer.write(plan, state)) for _ in range(100)]) >= 8
    assert not rows[:, 0].any()
    assert_share(int((rows[:, 1:] != rows[:, :-1]).sum()), 100 * 499, 1 / 25)


def test_the_band_keeps_one_in_four_of_the_rows_outside():
    """Of rows of which a share f lies outside, f / 4 in 1 - f + f / 4 are kept (2,000 rows of 128 tokens)."""
    band = (2.0, 6.0)
    outside = {}
    for share in (1.0, 0.25, 0.0):
        rows = rows_of(2_000, 128, band=band, outside_share=share, max_redraws=100)
        bits = [deflate_bits(bytes(row)) for row in rows.tolist()]
        outside[share] = sum(not band[0] <= each <= band[1] for each in bits)
    natural = outside[1.0] / 2_000
    assert 0.2 < natural < 0.8
    kept = natural / 4 / (1 - natural + natural / 4)
    assert abs(outside[0.25] / 2_000 - kept) < 5 * math.sqrt(2 * natural * (1 - natural) / 2_000)
    assert outside[0.0] == 0


def test_redraws_are_bounded():
    """No row reaches an empty band; the last draw is kept, the first one where nothing is drawn again."""
    nowhere = {"band": (0.0, 0.0), "outside_share": 0.0}
    never, off = rows_of(5, 64, max_redraws=0, **nowhere), rows_of(5, 64, outside_share=1.0)
    assert torch.equal(never, off)
    assert rows_of(5, 64, max_redraws=3, **nowhere).shape == (5, 64)


def test_the_rows_do_not_depend_on_how_they_are_batched():
    generator = torch.Generator().manual_seed(5)
    source = RestaurantSource()
    batches = torch.cat([source.rows(size, 40, generator) for size in (3, 1, 4)])
    assert torch.equal(batches, rows_of(8, 40, seed=5))


def test_short_rows_and_small_vocabularies():
    for num_tokens in (1, 2, 3):
        assert rows_of(50, num_tokens).shape == (50, num_tokens)
    assert set(rows_of(50, 60, vocabulary_size=2).flatten().tolist()) == {0, 1}
    assert set(rows_of(50, 60, vocabulary_size=9, smallest_alphabet=9).flatten().tolist()) == set(range(9))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"smallest_alphabet": 1}, r"source.smallest_alphabet is out of range \(received 1\)"),
        ({"vocabulary_size": 95, "smallest_alphabet": 96}, r"source.smallest_alphabet .*received 96.*95"),
        ({"max_depth": -1}, r"source.max_depth must not be negative \(received -1\)"),
        ({"max_depth": 65}, r"source.max_depth is too large \(received 65\)"),
        ({"max_redraws": -1}, r"source.max_redraws must not be negative"),
        ({"max_redraws": 10**9}, r"source.max_redraws is too large"),
        ({"max_discount": 1.5}, r"source.max_discount is too large \(received 1.5\)"),
        ({"copy_share": -0.5}, r"source.copy_share must not be negative \(received -0.5\)"),
        ({"lag_share": math.nan}, r"source.lag_share must be finite \(received nan\)"),
        ({"outside_share": 2.0}, r"source.outside_share is too large"),
        ({"band": (3.0, 1.0)}, r"source.band is no range \(received \(3.0, 1.0\)\)"),
        ({"band": (3.0,)}, r"source.band is no range"),
        ({"concentration": (0.02, math.inf)}, r"source.concentration is no range"),
        ({"root_concentration": (0.0, 1.0)}, r"source.root_concentration must be positive \(received 0.0\)"),
        ({"copy_start": (0.1, 1.5)}, r"source.copy_start is too large \(received 1.5\)"),
        ({"copy_length": (0.5, 2.0)}, r"means of one token or more \(received \(0.5, 20.0\)\)"),
        ({"shortest_stretch": 0.0}, r"source.shortest_stretch must be positive"),
        ({"shortest_stretch": 0.5}, r"means of one token or more"),
    ],
)
def test_settings_that_make_no_sense_are_refused_in_one_line(changed, said):
    with pytest.raises(InputError, match=said) as caught:
        RestaurantSource(**changed)
    assert "\n" not in str(caught.value)
