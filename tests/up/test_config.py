"""Configurations as dictionaries and back, `a.b=c` overrides, and what is said when they do not fit."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from up.config import (
    from_dict,
    override,
    require_not_negative,
    require_one_of,
    require_positive,
    to_dict,
)
from up.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    size: int = 3
    rate: float = 0.5
    limit: int | None = None

    def __post_init__(self) -> None:
        require_positive("inner", size=self.size)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    flag: bool = False
    words: tuple[str, ...] = ("a", "b")
    ends: tuple[float, float] = (0.0, 1.0)
    inner: Inner = dataclasses.field(default_factory=Inner)
    other: Inner = dataclasses.field(default_factory=Inner)


inners = st.builds(
    Inner,
    size=st.integers(1, 10**12),
    rate=st.floats(allow_nan=False, allow_infinity=False),
    limit=st.none() | st.integers(),
)
outers = st.builds(
    Outer, name=st.text(), flag=st.booleans(), words=st.lists(st.text()).map(tuple), inner=inners, other=inners
)


def refusal(call, *arguments) -> str:
    """Return what an `InputError` says, which is one line."""
    with pytest.raises(InputError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@given(outers)
def test_a_configuration_survives_json(config):
    assert from_dict(Outer, json.loads(json.dumps(to_dict(config)))) == config


@given(outers, inners)
def test_overriding_every_field_of_a_group_gives_the_other_group_and_leaves_the_rest(config, inner):
    assignments = [f"inner.{name}={json.dumps(value)}" for name, value in to_dict(inner).items()]
    assert override(config, assignments) == dataclasses.replace(config, inner=inner)


def test_missing_fields_take_their_defaults_and_ints_widen_to_floats():
    config = from_dict(Outer, {"name": "x", "inner": {"rate": 2}})
    assert config == Outer(name="x", inner=Inner(rate=2.0))
    assert isinstance(config.inner.rate, float)


@pytest.mark.parametrize(
    ("assignment", "changed"),
    [
        ("name=paper", {"name": "paper"}),
        ("name=a=b", {"name": "a=b"}),
        ("name=", {"name": ""}),
        (" name =x", {"name": "x"}),
        ("flag=true", {"flag": True}),
        ('words=["x", "y"]', {"words": ("x", "y")}),
        ("inner.limit=7", {"inner": Inner(limit=7)}),
        ("inner.limit=null", {"inner": Inner()}),
        ("inner.rate=3e-4", {"inner": Inner(rate=3e-4)}),
    ],
)
def test_an_assignment_changes_its_field_and_no_other(assignment, changed):
    base = Outer(name="n")
    assert override(base, [assignment]) == dataclasses.replace(base, **changed)


def test_of_two_assignments_to_one_setting_the_later_wins():
    assert override(Outer(name="n"), ["inner.size=4", "name=m", "inner.size=5"]).inner.size == 5


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("inner.size", ("must look like name=value", "'inner.size'")),
        ("=3", ("must look like name=value", "'=3'")),
        ("", ("must look like name=value", "''")),
        ("inner.sise=3", ("unknown setting inner.sise", "received 3", "size, rate, limit")),
        ("nme=x", ("unknown setting nme", "'x'", "name, flag, words, ends, inner, other")),
        ("innr.size=3", ("unknown group of settings innr", "'innr.size=3'", "inner, other")),
        ("inner.size.x=3", ("unknown group of settings inner.size", "inner.size.x=3")),
        ("inner=3", ("inner is a group of settings", "'inner=3'", "size, rate, limit")),
        ("inner.size=large", ("inner.size has the wrong type", "'large'", "a whole number")),
        ("inner.size=2.5", ("inner.size has the wrong type", "2.5", "a whole number")),
        ("inner.size=true", ("inner.size has the wrong type", "True", "a whole number")),
        ("inner.rate=false", ("inner.rate has the wrong type", "False", "a number")),
        (f"inner.rate={'9' * 400}", ("inner.rate is too large", "999")),
        ("inner.limit=x", ("inner.limit has the wrong type", "'x'", "a whole number or null")),
        ("name=3", ("name has the wrong type", "3", "a word")),
        ("words=[1]", ("words has the wrong type", "1", "a word")),
        ("words=one", ("words has the wrong type", "'one'", 'a list such as ["one", "two"]')),
        ("ends=3", ("ends has the wrong type", "3", "a list such as [0.5, 2]")),
        ("inner.size=0", ("inner.size must be positive", "0")),
        ("name=[\n1]", ("name has the wrong type", "[1]")),
    ],
)
def test_an_assignment_that_does_not_fit_is_refused_in_one_line_that_names_it(assignment, said):
    line = refusal(override, Outer(name="n"), [assignment])
    for each in said:
        assert each in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, ("setting name is missing",)),
        ({"name": "x", "colour": 3}, ("unknown setting colour", "3")),
        ({"name": "x", "inner": 3}, ("inner has the wrong type", "3", "a group of settings")),
        ({"name": "x", "inner": {"size": None}}, ("inner.size has the wrong type", "None")),
        ({"name": "x", "inner": {"sise": 1}}, ("unknown setting inner.sise",)),
        ({"name": None}, ("name has the wrong type", "None")),
    ],
)
def test_a_dictionary_that_does_not_fit_is_refused_in_one_line_that_names_it(values, said):
    line = refusal(from_dict, Outer, values)
    for each in said:
        assert each in line


def test_a_huge_whole_number_is_no_overflow():
    require_positive("owner", name=10**400)
    with pytest.raises(InputError, match="must not be negative"):
        require_not_negative("owner", name=-(10**400))


@given(st.floats() | st.integers())
def test_positive_and_not_negative_accept_exactly_the_finite_numbers_above(value):
    finite = value == value and abs(value) != float("inf")
    for require, accepted in ((require_positive, value > 0), (require_not_negative, value >= 0)):
        if finite and accepted:
            require("owner", name=value)
        else:
            assert "owner.name" in refusal(lambda require=require: require("owner", name=value))


def test_one_of_names_the_choices():
    require_one_of("owner", "name", "a", ("a", "b"))
    assert refusal(require_one_of, "owner", "name", "c", iter(("a", "b"))) == (
        "unknown owner.name (received 'c'): use one of a, b"
    )
