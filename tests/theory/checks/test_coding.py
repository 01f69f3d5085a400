"""The coding theorem on classes small enough to go through."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.checks.coding import check_coding, class_complexity, decoder_machine, shannon_fano_code
from theory.checks.registry import CODING
from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, FunctionMachine, Tape
from theory.machines.mealy import mealy_class
from theory.machines.universal.machine import universal_class
from theory.measures.measure import output_measure
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import is_prefix_free, kraft_sum


def writes(text: str) -> FunctionMachine:
    def machine(tape: Tape) -> None:
        for bit in text:
            tape.write(bit)

    return FunctionMachine(f"writes {text}", machine, reads_condition=False)


def constants(*texts: str) -> ModelClass:
    return ModelClass.of("constants", [writes(text) for text in texts], bound=Bound(9, 9), max_length=9)


def test_on_class_b_the_converse_fails_by_1_00_to_5_45_bits() -> None:
    result = check_coding(mealy_class())
    assert result.holds
    gaps = [item.numbers["gap in bits"] for item in result.items]
    assert (round(min(gaps), 2), round(max(gaps), 2)) == (1.00, 5.45)


def test_a_decoder_closes_the_gap_to_less_than_2_bits() -> None:
    result = check_coding(mealy_class())
    assert all(item.numbers["gap with decoder"] < 2 for item in result.items)
    assert result.slack_bits is not None
    assert result.slack_bits > 0


def test_where_every_string_has_one_program_the_theorem_is_tight() -> None:
    result = check_coding(constants("0", "1", "01"))
    assert result.holds
    assert result.slack_bits == 0


def test_it_holds_for_semimeasures() -> None:
    assert check_coding(universal_class(), max_length=2).holds


@pytest.mark.parametrize("variant", CODING.variants)
def test_wrong_variants_are_caught(variant: str) -> None:
    result = check_coding(mealy_class(), variant=variant)
    assert not result.holds
    assert result.counterexample is not None
    assert result.counterexample.observed < result.counterexample.claimed


def test_class_complexity_counts_the_machine_and_its_program() -> None:
    assert class_complexity(constants("0", "1", "01")) == {"0": 1, "1": 2, "01": 2}


def test_the_mixture_is_the_sum_over_programs_of_which_the_shortest_is_one_term() -> None:
    mass = Mixture(mealy_class(3)).measure("").mass
    for x, k in class_complexity(mealy_class(3)).items():
        assert mass[x] >= Fraction(1, 2**k)


weights = st.lists(st.integers(1, 1000), min_size=1, max_size=40)


@given(weights)
def test_shannon_fano_words_are_prefix_free_and_as_long_as_the_logarithm_rounded_up(numbers: list[int]) -> None:
    total = sum(numbers) + 1
    mass = {format(i, "b"): Fraction(n, total) for i, n in enumerate(numbers)}
    code = shannon_fano_code(mass)
    words = list(code.values())
    assert is_prefix_free(words)
    assert kraft_sum(words) <= 1
    for x, p in mass.items():
        assert Fraction(1, 2 ** len(code[x])) <= p < Fraction(2, 2 ** len(code[x]))


@given(weights)
def test_the_decoder_writes_each_string_on_its_word(numbers: list[int]) -> None:
    mass = {format(i, "b"): Fraction(n, sum(numbers)) for i, n in enumerate(numbers)}
    code = shannon_fano_code(mass)
    measure = output_measure(decoder_machine(code), "", Bound(time=40, space=20))
    assert measure.mass == {x: Fraction(1, 2 ** len(word)) for x, word in code.items()}


def test_a_class_without_a_code_is_refused() -> None:
    coin = ModelClass.of("mine", [writes("0")], bound=Bound(9, 9), max_length=1, prior=[Fraction(1, 3)])
    with pytest.raises(ValueError, match="has no code"):
        check_coding(coin)
