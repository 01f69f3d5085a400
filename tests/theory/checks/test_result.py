"""What a check returns: items, and the tightest of them."""

import math
from fractions import Fraction

from theory.checks.result import Item, ratio_item, tightest_item


def test_an_item_of_ratios_holds_from_1_on():
    assert ratio_item("a", Fraction(1), witness="x").holds
    assert ratio_item("a", Fraction(1), witness="x").slack_bits == 0
    assert not ratio_item("a", Fraction(10**30 - 1, 10**30), witness="x").holds  # a float could not tell it from 1
    assert ratio_item("a", Fraction(8), witness="x").slack_bits == 3


def test_a_ratio_of_zero_fails_and_has_no_slack_in_bits():
    item = ratio_item("a", Fraction(0), witness="x")
    assert not item.holds
    assert item.slack_bits is None


def test_the_tightest_item_is_one_that_fails_and_an_infinite_failure_comes_first():
    fine = ratio_item("fine", Fraction(2), witness="x")
    close = ratio_item("close", Fraction(3, 2), witness="x")
    untested = Item(name="untested", holds=True, slack_bits=None)
    failing = ratio_item("failing", Fraction(1, 2), witness="x")
    hopeless = ratio_item("hopeless", Fraction(0), witness="x")
    assert tightest_item([fine, untested, close]) is close
    assert tightest_item([fine, close, failing]) is failing
    assert tightest_item([failing, hopeless, fine]) is hopeless
    assert tightest_item([untested]) is untested


def test_display_values_are_finite_or_absent_so_that_json_can_carry_them():
    for slack in (Fraction(0), Fraction(1, 2**3000), Fraction(2**3000)):
        bits = ratio_item("a", slack, witness="x").slack_bits
        assert bits is None or math.isfinite(bits)
