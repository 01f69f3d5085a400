"""Class A: programs, densities and the prior."""

from fractions import Fraction

import pytest

from theory.machines.named_sources import SOURCES, prior, sources_class
from theory.measures.measure import enumerate_programs, output_measure
from theory.measures.mixture import Mixture
from theory.numbers.bit_strings import kraft_sum, strings


def test_the_code_has_kraft_sum_seven_eighths_and_the_prior_sums_to_1():
    model_class = sources_class(4)
    assert [len(word) for word in model_class.words] == [2, 3, 3, 4, 3, 4, 5, 5, 5, 5]
    assert kraft_sum(model_class.words) == Fraction(7, 8)
    assert sum(model_class.prior) == 1


@pytest.mark.parametrize(("length", "programs"), [(6, 7875), pytest.param(8, 108_485, marks=pytest.mark.slow)])
def test_the_number_of_programs(length, programs):
    mixture = Mixture(sources_class(length))
    assert mixture.measure().total == 1
    assert mixture.programs_found == programs


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5, 6])
def test_each_density_is_what_the_programs_add_up_to(length):
    model_class = sources_class(length)
    Mixture(model_class).require_sufficient([""])
    for source, machine in zip(SOURCES, model_class.members, strict=True):
        measure = output_measure(machine, "", model_class.bound)
        for x in strings(length + 1):
            assert source.density(length, x) == measure.lower(x), (source.name, x)


def test_dyck_writes_the_nine_balanced_strings_of_at_most_six_brackets():
    model_class = sources_class(6)
    programs = enumerate_programs(model_class.members[5], "", model_class.bound).programs
    assert sorted(output for _, output in programs) == sorted(
        ["", "10", "1010", "1100", "101010", "101100", "110010", "110100", "111000"]
    )


@pytest.mark.parametrize(
    ("name", "program", "output"),
    [
        ("dup", "011", "011011"),
        ("rev", "011", "011110"),
        ("xor", "0111", "011110"),
        ("const", "", "111111"),
        ("b1/4", "1" + "00" + "01" + "111", "010000"),
        ("geo1/4", "01" + "100" + "11", "10"),
        ("geo-b3/4", "000" + "01" + "1", "01"),
        ("sticky", "0" + "1" + "00" + "01" + "11", "001111"),
    ],
)
def test_worked_examples(name, program, output):
    model_class = sources_class(6)
    run = model_class.members[model_class.index(name)].run(program, "", model_class.bound)
    assert (run.output, run.bits_read) == (output, len(program))


def test_the_prior_of_uniform_is_two_sevenths():
    assert prior(SOURCES[0]) == Fraction(2, 7)
