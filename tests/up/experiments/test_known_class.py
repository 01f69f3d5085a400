"""known_class: the mixtures, members and priors are what programs add up to, one by one, in fractions."""

import itertools
import random
from fractions import Fraction

import pytest

from tests.reference.chi_squared import limit, statistic
from theory.machines.classes import load_class
from theory.machines.machine import Bound, Status
from theory.machines.mealy import mealy_class
from theory.machines.universal.machine import UniversalMachine
from theory.measures.measure import ONE, Measure
from theory.measures.mixture import length_uniform, next_symbol, prefix_masses
from theory.numbers.bit_strings import strings
from up.experiments.known_class import CLASS_A, CLASS_B, UNIVERSAL, known_class, of_class, universal

NAMES = (CLASS_A, CLASS_B, UNIVERSAL)


def by_all_inputs(machine, condition, bound):
    """Run a machine on every input of as many bits as it has time for, each as likely as any other."""
    found = {}
    for bits in itertools.product("01", repeat=bound.time):
        run = machine.run("".join(bits), condition, bound)
        if run.status is Status.HALTED:
            found[run.output] = found.get(run.output, 0) + Fraction(1, 2**bound.time)
    return found


def test_class_b_on_every_condition_is_the_sum_over_all_machines_and_all_inputs():
    bits = 3
    found = of_class(CLASS_B, mealy_class(bits), length_uniform(bits), Measure({"": ONE}))
    model_class = mealy_class(bits)
    for z in strings(bits):
        mixed = {}
        for machine, prior in zip(model_class.members, model_class.prior, strict=True):
            for x, p in by_all_inputs(machine, z, model_class.bound).items():
                mixed[x] = mixed.get(x, 0) + prior * p
        assert found.mixture[z].mass == mixed
        assert sum(next_symbol(mixed, "0").values()) == 1
        copied = {x: p for x, p in found.members["mealy 0.1.h"][z].mass.items() if p}
        assert copied == {z: 1}


def test_a_string_is_likelier_on_itself_than_on_its_opposite_as_the_copy_machine_has_a_word_of_7_bits_not_8():
    known = known_class(CLASS_B, "laptop")
    for z in known.conditions:
        opposite = z.translate(str.maketrans("01", "10"))
        assert known.mixture[z].lower(z) - known.mixture[opposite].lower(z) == (Fraction(1, 2**8) if z else 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", ["smoke", "laptop"])
def test_what_is_drawn_and_its_controls_are_distributions_and_the_mixture_dominates_its_members(name, scale):
    known = known_class(name, scale)
    assert sum(known.conditions.values()) == 1
    for kernel in (known.mixture, known.noise, known.other, *known.members.values()):
        assert set(kernel) == set(known.conditions)
        assert all(measure.total == 1 for measure in kernel.values())
    for member, kernel in known.members.items():
        for z, measure in kernel.items():
            assert all(known.mixture[z].lower(x) >= known.prior[member] * p for x, p in measure.mass.items())
    assert any(known.noise[z].mass != known.mixture[z].mass for z in known.conditions)
    assert any(known.other[z].mass != known.mixture[z].mass for z in known.conditions)


@pytest.mark.parametrize("name", NAMES)
def test_strings_to_be_compared_are_all_that_can_occur(name):
    known = known_class(name, "smoke")
    pairs = set(known.pairs())
    for kernel in (known.mixture, *known.members.values()):
        assert pairs >= {(z, x) for z, measure in kernel.items() for x, p in measure.mass.items() if p}


BOUND = Bound(13, 13)


def test_the_universal_machine_given_that_it_halts_is_what_all_its_inputs_write():
    known = universal(BOUND, Measure({"": ONE}))
    written = by_all_inputs(UniversalMachine(), "", BOUND)
    omega = sum(written.values())
    assert known.under_bound is not None
    assert known.under_bound.mass == written
    assert known.under_bound.unresolved == 1 - omega
    assert known.mixture[""].mass == {x: p / omega for x, p in written.items()}


def test_members_of_the_universal_machine_are_shortest_programs():
    known = universal(Bound(15, 15), Measure({"": ONE}))
    assert known.prior["ε"] == Fraction(1, 2**3)  # !
    assert known.prior["0"] == Fraction(1, 2**6)  # .!
    assert known.prior["1"] == known.prior["00"] == Fraction(1, 2**9)  # +.! and ..!
    assert known.members["00"][""].mass == {"00": 1}


def test_programs_drawn_by_coin_flips_that_halt_write_strings_as_often_as_the_exact_distribution_says():
    known, generator = universal(Bound(15, 15), Measure({"": ONE})), random.Random(7)
    machine, counts, halted = UniversalMachine(), dict.fromkeys(known.mixture[""].mass, 0), 0
    while halted < 2_000:
        run = machine.run(format(generator.getrandbits(16), "016b"), "", Bound(15, 15))
        if run.status is Status.HALTED:
            counts[run.output] += 1
            halted += 1
    expected = [2_000 * p for p in known.mixture[""].mass.values()]
    common = [place for place, each in enumerate(expected) if each >= 5]
    rare = [sum(each) - sum(each[place] for place in common) for each in ([*counts.values()], expected)]
    found = [[*counts.values()][place] for place in common], [expected[place] for place in common]
    assert statistic([*found[0], rare[0]], [*found[1], rare[1]]) < limit(len(common))


def test_prefixes_of_the_mixture_of_class_a_have_masses_that_are_sums():
    known = known_class(CLASS_A, "smoke")
    masses = prefix_masses(known.mixture[""].mass)
    for x in ("", "0", "01", "110"):
        assert masses[x] == sum(p for y, p in known.mixture[""].mass.items() if y.startswith(x))
    assert len(known.members) == len(load_class("sources", 6).members)
