"""The mixture, its prefix masses and its iterates."""

from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.theory.strategies import BOUND, bit_strings, distributions, model_classes, tree_machine
from theory.errors import InputError
from theory.machines.classes import ModelClass
from theory.machines.mealy import mealy_class
from theory.measures.mixture import (
    STRING_END,
    Mixture,
    depth_mixture,
    iterates,
    length_uniform,
    next_symbol,
    prefix_masses,
    push,
)
from theory.numbers.bit_strings import strings


@given(model_classes(sufficient=False), st.sampled_from(["", "0", "11"]))
def test_a_mixture_is_a_semimeasure_and_adds_up_to_the_prior(model_class, condition):
    measure = Mixture(model_class).measure(condition)
    assert all(p > 0 for p in measure.mass.values())
    assert measure.total + measure.unresolved == sum(model_class.prior) <= 1


@given(model_classes(), st.sampled_from(["", "0", "11"]))
def test_a_mixture_is_the_weighted_sum_of_its_members(model_class, condition):
    mixture = Mixture(model_class)
    for x in strings(3):
        expected = sum(prior * mixture.member(i, condition).lower(x) for i, prior in enumerate(model_class.prior))
        assert mixture.measure(condition).lower(x) == expected


@given(distributions())
def test_prefix_masses_are_sums_over_all_extensions(distribution):
    masses = prefix_masses(distribution)
    for x in strings(3):
        assert masses.get(x, 0) == sum(p for y, p in distribution.items() if y.startswith(x))


@given(distributions())
def test_the_next_symbol_with_the_end_sums_to_1_and_the_chain_rule_gives_the_string_back(distribution):
    masses = prefix_masses(distribution)
    for x, p in distribution.items():
        product = Fraction(1)
        for place, symbol in enumerate([*x, STRING_END]):
            outcome = next_symbol(distribution, x[:place], masses)
            assert sum(outcome.values()) == 1
            product *= outcome[symbol]
        assert product == p


def test_without_the_end_symbol_the_two_bits_fall_short_of_1_by_the_chance_to_end():
    outcome = next_symbol({"": Fraction(1, 4), "0": Fraction(3, 4)}, "")
    assert outcome["0"] + outcome["1"] == 1 - Fraction(1, 4)


def test_nothing_is_predicted_after_an_impossible_prefix():
    with pytest.raises(InputError, match="undefined"):
        next_symbol({"0": Fraction(1)}, "1")


@given(st.integers(0, 5))
def test_the_base_is_uniform_over_lengths_and_within_a_length(max_length):
    base = length_uniform(max_length)
    assert sum(base.values()) == 1
    assert len(base) == 2 ** (max_length + 1) - 1
    for length in range(max_length + 1):
        assert {base[x] for x in base if len(x) == length} == {Fraction(1, (max_length + 1) * 2**length)}


@given(model_classes(), distributions(max_length=2))
def test_two_iterations_are_the_kernel_applied_twice(model_class, base):
    mixture = Mixture(model_class)
    zeroth, first, second = islice(iterates(base, mixture), 3)
    assert zeroth == base
    assert first == push(base, mixture)
    for x in second:
        assert second[x] == sum(
            base[u] * mixture.measure(u).lower(v) * mixture.measure(v).lower(x) for u in base for v in first
        )
    assert sum(second.values()) == sum(model_class.prior) ** 2


@given(st.lists(distributions(), min_size=2, max_size=4), bit_strings)
def test_a_depth_mixture_is_the_weighted_sum_of_its_stages(stages, x):
    weights = [Fraction(1, 2 ** (n + 1)) for n in range(len(stages))]
    expected = sum(w * stage.get(x, 0) for w, stage in zip(weights, stages, strict=True))
    assert depth_mixture(stages, weights).get(x, 0) == expected


def test_class_b_keeps_strings_of_at_most_six_bits():
    mixture = Mixture(mealy_class())
    assert max(len(x) for z in ("", "010101", "111") for x in mixture.measure(z).mass) == 6
    assert mixture.measure("0110").total == 1


def test_a_machine_that_is_not_sufficient_is_named_with_its_unresolved_mass():
    model_class = ModelClass.of(
        "two", [tree_machine("a", "0"), tree_machine("b", (None, "1"))], bound=BOUND, max_length=1
    )
    with pytest.raises(InputError, match=r"member b of class two is not sufficient.*mass 1/2"):
        Mixture(model_class).require_sufficient([""])
    Mixture(mealy_class(3)).require_sufficient(["", "0", "01"])
