"""The two errors that users see: one line each, and of a kind that callers can catch."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import theory.errors
from up.errors import InputError, RunError


def test_problem_value_and_remedy_stand_in_this_order():
    assert str(InputError("depth must be positive", received=-1, remedy="give 1")) == (
        "depth must be positive (received -1): give 1"
    )


def test_without_a_value_none_is_shown_but_none_itself_is_a_value():
    assert str(InputError("no run", remedy="train one")) == "no run: train one"
    assert str(InputError("no width", received=None, remedy="give one")) == "no width (received None): give one"


@given(st.text(), st.text() | st.integers() | st.lists(st.text()), st.text())
def test_whatever_is_said_it_is_one_line_with_single_spaces(problem, received, remedy):
    line = str(InputError(problem, received=received, remedy=remedy))
    assert len(line.splitlines()) <= 1
    assert "  " not in line


@pytest.mark.parametrize("received", [10**5_000, [10**5_000], Fraction(1, 10**5_000)], ids=type)
def test_a_number_too_long_for_python_to_write_does_not_hide_the_error(received):
    line = str(InputError("depth is too large", received=received, remedy="give 1"))
    assert line == f"depth is too large (received {type(received).__name__} of thousands of digits): give 1"


def test_a_fraction_is_shown_as_one_writes_it():
    assert str(InputError("bad prior", received=Fraction(-1, 3), remedy="x")) == "bad prior (received -1/3): x"


def test_both_packages_share_one_input_error_which_is_a_value_error():
    assert InputError is theory.errors.InputError
    with pytest.raises(ValueError, match="bad"):
        raise InputError("bad", remedy="give good")


def test_a_failed_run_is_no_bad_input():
    assert issubclass(RunError, RuntimeError)
    assert not issubclass(RunError, InputError)
