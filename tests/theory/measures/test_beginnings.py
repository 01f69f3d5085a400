"""beginnings: the chain rule, and the set of distributions that a measure with open mass allows."""

import itertools
from fractions import Fraction

import pytest

from theory.errors import InputError
from theory.machines.machine import Bound
from theory.machines.universal.machine import UniversalMachine
from theory.measures.beginnings import beginning, beginnings, corners, halting, of_beginnings
from theory.measures.measure import Measure, output_measure

BOUNDS = [Bound(time, time) for time in (7, 12, 15)]


@pytest.mark.parametrize("symbols", [1, 2, 3])
def test_every_string_has_one_beginning_and_no_beginning_continues_another_that_has_ended(symbols):
    found = list(beginnings(symbols))
    assert len(found) == len(set(found)) == 2 ** (symbols + 1) - 1
    for bits in itertools.product("01", repeat=5):
        for length in range(6):
            x = "".join(bits[:length])
            assert [y for y in found if (x + "$").startswith(y)] == [beginning(x, symbols)]


def test_the_first_symbols_have_the_masses_of_all_strings_that_begin_so():
    measure = output_measure(UniversalMachine(), "", BOUNDS[-1])
    first = of_beginnings(measure, 2)
    assert first.total == measure.total
    assert first.unresolved == measure.unresolved == 1 - measure.total
    assert first.lower("00") == sum(p for x, p in measure.mass.items() if x.startswith("00"))
    assert first.lower("0$") == measure.lower("0")


@pytest.mark.parametrize(("tight", "loose"), [(2, 1), (2, 0), (1, 0)])
def test_what_halts_under_a_later_bound_is_among_the_distributions_that_an_earlier_one_allows(tight, loose):
    known = of_beginnings(output_measure(UniversalMachine(), "", BOUNDS[loose]), 2)
    later = of_beginnings(halting(output_measure(UniversalMachine(), "", BOUNDS[tight])), 2)
    assert all(later.lower(y) >= known.lower(y) for y in beginnings(2))
    assert later.total == 1


def test_corners_are_distributions_above_the_lower_bound_and_what_halts_is_a_mean_of_them():
    known = Measure({"0$": Fraction(1, 2), "1$": Fraction(1, 4)}, Fraction(1, 4))
    found = list(corners(known, 2))
    assert len(found) == 7
    for corner in found:
        assert sum(corner.values()) == 1
        assert all(corner.get(y, 0) >= known.lower(y) for y in beginnings(2))
    ended = dict(zip(beginnings(2), found, strict=True))
    weights = halting(known).mass
    for y in beginnings(2):
        assert sum(p * ended[z].get(y, 0) for z, p in weights.items()) == halting(known).lower(y)


def test_what_does_not_halt_at_all_has_no_distribution():
    with pytest.raises(InputError, match="nothing halts"):
        halting(Measure({}, Fraction(1)))
    with pytest.raises(InputError, match="a beginning has a symbol"):
        list(beginnings(0))
