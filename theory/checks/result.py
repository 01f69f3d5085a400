"""What a check returns: a frozen record that can be printed, stored as JSON, or certified, and says what it claims.

Beside the items stand equalities: the same numbers computed in another way (`theory.checks.equalities`). An inequality
that has room to spare holds of wrong numbers as well; an equality does not.

A check goes through every member of a class (or every string, or every step) and reports one `Item` for each. The
slack of an item is how far the statement is from failing, as a ratio (observed / bound, at least 1 when it holds) or,
where logarithms are irrational, only in bits; its sign is then decided exactly by `theory.numbers.exact`, never
from the float.
Limits: floats here are for display, and `holds` depends on none but in the items about networks (`check_lstm`): a
margin in intervals that are rounded outward, which is a lower bound of the true one, and what networks answered when
they were run, which is a fact about floats.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float, number_text

if TYPE_CHECKING:
    from theory.measures.mixture import Mixture


@dataclass(frozen=True, kw_only=True)
class Counterexample:
    """Where a statement fails: `where`, what was `claimed` and `observed` there, and the sentence that says so."""

    where: str
    claimed: Fraction | float
    observed: Fraction | float
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a check.

    Attributes:
        name: the member, string or step that the line is about.
        holds: whether the statement holds here, decided exactly.
        slack_bits: distance from failing in bits, for display; negative when it fails, None when nothing was tested.
        slack: the exact ratio 2^slack_bits where it is rational.
        code_length_bits: length of the member's code word, where it has one.
        witness: the string, or pair of strings, where the slack is least.
        numbers: further columns, by their heading.
        failure: what fails, where the statement does not hold.

    """

    name: str
    holds: bool
    slack_bits: float | None
    slack: Fraction | None = None
    code_length_bits: int | None = None
    witness: str = ""
    numbers: Mapping[str, Fraction | float | int] = field(default_factory=dict)
    failure: Counterexample | None = None


@dataclass(frozen=True, kw_only=True)
class Equality:
    """Numbers that are the same on two ways; where they are not, the items are about something else than they say.

    Attributes:
        name: what is equal.
        holds: whether it is, everywhere.
        places: at how many places both sides were computed.
        failure: the first place where they differ.

    """

    name: str
    holds: bool
    places: int
    failure: Counterexample | None = None


Place = Sequence[tuple[str, str]]
"""Where something is: labels with strings, such as ("x", "01"); without a label it is a name."""
EqualityRow = tuple[Place, Fraction | int, Fraction | int]
"""Where it is, what should be there, and what is."""


def equality(name: str, rows: Iterable[EqualityRow | None]) -> Equality:
    """Compare the two numbers of each row; None stands for a row whose two numbers were seen to be equal.

    >>> equality("one and one", [([("x", "11")], 2, 1 + 2)]).failure.where
    'x = 11'
    """
    places, failure = 0, None
    for row in rows:
        places += 1
        if row is None or failure is not None:
            continue
        where, claimed, observed = row
        if claimed != observed:
            at = ", ".join(f"{label} = {shown(value)}" if label else value for label, value in where)
            one, other = Fraction(claimed), Fraction(observed)
            sentence = f"{name}: {number_text(other)} was found in place of {number_text(one)}"
            failure = Counterexample(where=at, claimed=one, observed=other, sentence=sentence)
    return Equality(name=name, holds=failure is None, places=places, failure=failure)


@dataclass(frozen=True)
class StepCurve:
    """Numbers over steps: `values` over `places`, which are 0, 1, 2, ... unless they are given."""

    name: str
    x_label: str
    values: tuple[float, ...]
    places: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not self.places:
            object.__setattr__(self, "places", tuple(range(len(self.values))))
        assert len(self.places) == len(self.values), f"{self.name}: one place for each value"


@dataclass(frozen=True)
class Picture:
    """A curve as it is to be drawn, its name being the title; `marks` are what its values are compared with."""

    curve: StepCurve
    marks: tuple[float, ...] = ()
    mark_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a certificate is written from: what the check has run, and the numbers that it has found.

    Attributes:
        mixture: the class, with all runs of its members.
        conditions: all conditions of up to so many bits, or a list of those that occur.
        claims: returns what is claimed, as lists and dictionaries of numbers, strings and runs.
        power: a number and an exponent whose power is computed when the certificate is verified.

    """

    mixture: "Mixture"
    conditions: "int | Sequence[BitString]"
    claims: Callable[[], Any]
    power: tuple[Fraction, int] = (Fraction(1), 1)


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        check: its name, such as `domination`.
        statement: what is claimed, in words.
        formula: the same in symbols, plain text.
        class_name: the model class.
        bound: what bounds the search, in words (time, space, lengths).
        constants: the exact constants of the statement.
        items: one line for each thing that was checked.
        equalities: what the items are computed from, found again in another way; none for a wrong variant.
        holds: whether the statement held everywhere, and every equality.
        slack_bits: the least slack, for display.
        tightest: where the slack is least.
        counterexample: the first equality that fails, otherwise the worst failure of an item, or None.
        counts: how much was checked, by name.
        curves: numbers over steps.
        remarks: facts worth saying beside the verdict.
        variant: the deliberately wrong variant that was run, or None.
        seconds: filled in by whoever timed the check.
        pictures: what to draw.
        evidence: what a certificate is written from, for a check that has one.

    """

    check: str
    statement: str
    formula: str
    class_name: str
    bound: str
    constants: Mapping[str, Fraction] = field(default_factory=dict)
    items: tuple[Item, ...]
    equalities: tuple[Equality, ...] = ()
    holds: bool
    slack_bits: float | None
    tightest: str
    counterexample: Counterexample | None
    counts: Mapping[str, int] = field(default_factory=dict)
    curves: tuple[StepCurve, ...] = ()
    remarks: tuple[str, ...] = ()
    variant: str | None = None
    seconds: float | None = None
    pictures: tuple[Picture, ...] = ()
    evidence: Evidence | None = field(default=None, compare=False, repr=False)


Advance = Callable[[int, int], None]
"""Is told how much is done, and of how much."""


def counted(advance: Advance | None, total: int) -> Callable[[int], None] | None:
    """Return a function of what is done alone, for a total that is known; what comes on top is not told."""
    return None if advance is None else lambda done: advance(min(done, total), total)


def ratio_item(
    name: str,
    slack: Fraction,
    *,
    witness: str,
    code_length_bits: int | None = None,
    numbers: Mapping[str, Fraction | float | int] | None = None,
    failure: Callable[[], Counterexample] | None = None,
) -> Item:
    """Return the item of a statement `observed / bound >= 1` whose least ratio is `slack`.

    `failure` says what fails; it is asked if the ratio is less than 1.
    """
    return Item(
        name=name,
        holds=slack >= 1,
        slack_bits=log2_float(slack) if slack else None,
        slack=slack,
        code_length_bits=code_length_bits,
        witness=witness,
        numbers=numbers or {},
        failure=failure() if failure is not None and slack < 1 else None,
    )


def nearness(item: Item) -> tuple[bool, float]:
    """Return the key by which items are sorted from the one that fails most to the one with most slack.

    One that fails altogether (slack 0) comes first, one where nothing was tested last; equals stay in order.
    """
    if item.slack_bits is None:
        return item.holds, math.inf if item.holds else -math.inf
    return item.holds, item.slack_bits


def tightest_item(items: Sequence[Item]) -> Item:
    """Return the item that is nearest to failing, the first of equals."""
    return min(items, key=nearness)


def first_least(rows: Iterable[tuple[Fraction, BitString, BitString]]) -> dict[str, Any] | None:
    """Return the least ratio and the first (z, x) that attains it, in order of length, then lexicographic."""
    first = min(rows, key=lambda row: (row[0], len(row[1]), row[1], len(row[2]), row[2]), default=None)
    return None if first is None else {"ratio": first[0], "z": first[1], "x": first[2]}
