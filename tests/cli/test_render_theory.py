"""What the pages of `up theory` draw: numbers, bars, and tables that fit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render.check import CheckPage
from cli.render.exact import cell, exact
from cli.render.steps import MARK, StepBars
from cli.render.theory import AllTable, BreakTable
from tests.cli.drawing import drawn
from theory.checks.registry import CHECKS
from theory.checks.result import (
    CheckResult,
    Counterexample,
    Item,
    Picture,
    StepCurve,
    nearness,
    ratio_item,
    tightest_item,
)
from theory.numbers.exact import log2_float

FRACTIONS = st.fractions(min_value=0)


def a_result(items, **fields):
    tightest = tightest_item(items)
    given = {
        "check": "domination",
        "statement": "A statement.",
        "formula": "a >= b",
        "class_name": "a class",
        "bound": "a bound",
        "items": tuple(items),
        "holds": all(item.holds for item in items),
        "slack_bits": tightest.slack_bits,
        "tightest": tightest.name,
        "counterexample": None,
        "seconds": 1.25,
    }
    return CheckResult(**(given | fields))


def some_items(count):
    return [ratio_item(f"item {i}", 1 + Fraction(i % 7, 8), witness=f"x = {i:b}") for i in range(count)]


class TestNumbers:
    @given(FRACTIONS)
    def test_what_claims_to_be_equal_is(self, value):
        """`p/q = decimal` only if the decimal is the fraction."""
        text = exact(value)
        if " = " in text:
            fraction, decimal = text.split(" = ")
            assert Fraction(decimal) == value
            if "…" not in fraction:
                assert Fraction(fraction) == value

    @given(FRACTIONS)
    def test_a_cell_is_exact_or_says_that_it_is_rounded(self, value):
        text = cell(value)
        if text.startswith("≈"):
            assert float(text[1:]) == pytest.approx(float(value), rel=1e-3)
        elif not text.startswith("2^"):
            assert Fraction(text.replace(",", "")) == value

    def test_long_fractions_are_shortened_and_say_how_long_they_are(self):
        assert exact(Fraction(10**30 + 1, 10**30)) == "1000…0001/1000…0000 (31 digits each) ≈ 1"
        assert exact(Fraction(1, 3**40)) == "1/1215…8801 (1 over 20 digits) ≈ 8.225e-20"

    @pytest.mark.parametrize(
        ("number", "text"),
        [(-10784.6, "-10,785"), (0.05359, "0.05359"), (999.96, "1000"), (8.53e-30, "8.53e-30"), (2e15, "2e+15")],
    )
    def test_floats_are_written_out_unless_they_are_tiny_or_huge(self, number, text):
        assert exact(number) == text

    def test_integers_of_any_length_are_exact(self):
        assert exact(10**400).count("0") == 400

    def test_powers_of_two_beyond_floats_keep_their_size(self):
        assert cell(Fraction(1, 2**5000)) == "2^-5000"
        assert exact(Fraction(1, 2**1500)).endswith("≈ 2^-1500")
        assert exact(Fraction(3, 2**1500)).endswith("≈ 2^-1498")


def bars_of(title, values, marks=(), mark_name=""):
    return StepBars(Picture(StepCurve(title, "n", values), marks, mark_name))


class TestBars:
    def test_lengths_are_in_proportion_and_the_largest_fills_the_line(self):
        bars = bars_of("t", (1.0, 2.0, 4.0))
        lines = drawn(bars, width=80).splitlines()[2:]
        lengths = [line.count("█") for line in lines]
        assert lengths == [round(lengths[2] / 4), round(lengths[2] / 2), lengths[2]]
        assert max(map(len, lines)) <= 80

    def test_a_mark_stands_beyond_what_is_less_and_within_what_is_more(self):
        bars = bars_of("t", (1.0, 3.0), (2.0, 2.0), "bound")
        first, second = drawn(bars, width=60).splitlines()[2:]
        assert first.index(MARK) == second.index(MARK)
        assert first.rindex("█") < first.index(MARK)
        assert second.rindex("█") > second.index(MARK)

    def test_many_steps_are_thinned_with_both_ends_kept(self):
        bars = bars_of("t", tuple(map(float, range(100))))
        lines = drawn(bars).splitlines()[2:]
        assert len(lines) == 13
        assert [lines[0].split()[0], lines[-1].split()[0]] == ["0", "99"]

    @pytest.mark.parametrize(("width", "rows"), [(60, 1), (40, 2)])
    def test_what_the_mark_is_goes_to_a_line_of_its_own_where_the_title_leaves_no_room(self, width, rows):
        title, mark = "a title of some length", "what it is compared with"
        bars = bars_of(title, (1.0,), (2.0,), mark)
        lines = drawn(bars, width=width).splitlines()
        assert lines[rows - 1].endswith(f"{MARK} {mark}")
        assert [line.strip() for line in lines].index("n") == rows

    @pytest.mark.parametrize("values", [(0.0, 0.0), (0.0,)])
    def test_nothing_at_all_is_drawn_as_nothing(self, values):
        assert "█" not in drawn(bars_of("t", values))


class TestPage:
    @pytest.mark.parametrize("width", [60, 80, 120])
    @pytest.mark.parametrize("count", [1, 10, 11, 300])
    def test_it_fits_and_shows_the_tightest_ten(self, width, count):
        items = some_items(count)
        page = drawn(CheckPage(check=CHECKS["domination"], result=a_result(items)), width=width)
        assert max(map(len, page.splitlines())) <= width
        shown = sum(f"\nitem {i} " in page for i in range(count))
        assert shown == min(count, 10)
        assert ("more with at least this slack" in page) == (count > 10)
        everything = drawn(CheckPage(check=CHECKS["domination"], result=a_result(items), show_all=True), width=width)
        assert sum(f"\nitem {i} " in everything for i in range(count)) == count

    def test_the_first_of_the_sorted_is_the_tightest(self):
        items = [*some_items(9), Item(name="nothing", holds=True, slack_bits=None)]
        assert sorted(items, key=nearness)[0] is tightest_item(items)
        failing = Item(name="altogether", holds=False, slack_bits=None)
        assert sorted([*items, failing], key=nearness)[0] is tightest_item([*items, failing]) is failing

    def test_a_failure_is_told_without_colour(self):
        items = [*some_items(3), ratio_item("bad", Fraction(1, 2), witness="x = 1")]
        counterexample = Counterexample(
            where="x = 1", claimed=Fraction(1, 4), observed=Fraction(1, 8), sentence="it is less"
        )
        page = drawn(CheckPage(check=CHECKS["domination"], result=a_result(items, counterexample=counterexample)))
        assert "✗ bad -1.000 x = 1" in " ".join(page.split())
        assert "FAILS for 1 of 4 items; 1.25 s" in page
        assert "observed        1/8 = 0.125" in page

    def test_what_was_not_tested_has_no_slack(self):
        page = drawn(
            CheckPage(check=CHECKS["domination"], result=a_result([Item(name="nothing", holds=True, slack_bits=None)]))
        )
        assert "slack  nothing to compare" in page

    def test_columns_that_do_not_fit_are_left_out_of_the_table_and_kept_below(self):
        numbers = {f"a rather long heading {i}": Fraction(i, 7) for i in range(6)}
        item = ratio_item("item", Fraction(2), witness="x = 1", numbers=numbers)
        page = drawn(CheckPage(check=CHECKS["domination"], result=a_result([item])))
        assert page.count("a rather long heading 0") == 2
        assert page.count("a rather long heading 5") == 1


class TestPictures:
    def test_the_running_sum_stays_under_the_bound(self):
        result = CHECKS["prediction"].run({"max_length": 4})
        terms, sums = result.pictures
        assert list(sums.curve.values) == pytest.approx(
            [sum(terms.curve.values[: n + 1]) for n in range(len(terms.curve.values))]
        )
        assert list(sums.curve.values) == sorted(sums.curve.values)
        assert max(sums.curve.values) <= sums.marks[0]
        assert sums.curve.values[-1] == pytest.approx(float(tightest_item(result.items).numbers["sum D_n"]))

    def test_iterates_lose_no_more_than_allowed(self):
        result = CHECKS["iteration"].run({"max_length": 3, "steps": 4})
        entropy, lost, approach = result.pictures
        assert len(entropy.curve.values) == len(lost.curve.values) == 5
        assert list(approach.curve.places) == [1, 2, 3, 4]
        assert list(approach.curve.values) == sorted(approach.curve.values)
        assert lost.marks[1] == -log2_float(result.constants["p(i)"])
        assert all(value <= mark for value, mark in zip(lost.curve.values, lost.marks, strict=True))

    def test_curves_of_which_nothing_is_told_are_drawn_alone(self):
        curves = StepCurve("c", "n", (1.0, 2.0)), StepCurve("d", "n", (3.0,))
        result = CHECKS["regret"].result(some_items(1), class_name="", bound="", variant=None, curves=curves)
        assert result.pictures == (Picture(curves[0]), Picture(curves[1]))

    def test_a_page_draws_the_pictures_of_its_result_whatever_the_check(self):
        picture = Picture(StepCurve("something new", "n", (1.0, 2.0)), (2.0, 2.0), "a bound")
        result = a_result(some_items(1), pictures=(picture,))
        for check in CHECKS.values():
            assert drawn(StepBars(picture)) in drawn(CheckPage(check=check, result=result))


def test_tables_of_all_fit_and_count():
    good = a_result(some_items(3))
    bad = a_result([ratio_item("bad", Fraction(1, 2), witness="x")], check="other", variant="twice")
    table = drawn(AllTable([good, bad]))
    assert max(map(len, table.splitlines())) <= 80
    assert "1 of 2 hold; 2.5 s" in table
    assert "FAILS" in table
    broken = drawn(BreakTable([bad, a_result(some_items(1), variant="harmless")]))
    assert "1 of 2 wrong variants caught" in broken
    assert "NOT CAUGHT" in broken
