"""Looped programs: variables at every position of a sequence, heads that look around, rules that change variables.

A program runs in layers, all alike. In each, every head reads a variable at some positions; then, at each position, the
rules whose literals all hold change variables there, all at once. What a head has read is forgotten after the layer.

    >>> flag = binary("flag", initial={"1": 1})
    >>> Program("invert", alphabet=("0", "1"), variables=(flag,), rules=(
    ...     Rule({"flag": 0}, (Set("flag", 1),)), Rule({"flag": 1}, (Set("flag", 0),)),
    ... ), outputs=("flag",), layers=lambda length: 1).tokens("01")
    ('0', '1')

A head with a discrete value is defined at a position where it selects exactly one position, an average where it selects
at least one. It is an error (`up.compiler.undefined`) if a rule that would change something reads what is undefined,
while its other literals all hold; and so is a copy of it.

Source: Shaw et al. 2025 (arXiv 2509.22445), B.5, which extends the language ALTA (Shaw et al. 2024): binary variables,
numeric ones that are no condition, increments. Limits: no absolute positions; no numeric conditions.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from theory.words import number_of
from up.compiler.source_line import SourceLine, calling_line
from up.errors import InputError


class Kind(enum.Enum):
    """What a variable holds, and in how many dimensions."""

    CATEGORICAL = "categorical"
    """0 to size - 1, one dimension for each value."""
    BINARY = "binary"
    """0 or 1, in one dimension."""
    SIGN = "sign"
    """-1 or 1, or 0 where there is none, in one dimension; set by the tokens alone, such as a bit of a program."""
    NUMERIC = "numeric"
    """Any rational number, in one dimension."""


@dataclass(frozen=True)
class Variable:
    """A variable that every position has.

    Attributes:
        name: what heads and rules call it.
        kind: what it holds.
        size: number of values of a categorical variable; otherwise 2, which nothing reads.
        initial: value before the first layer, by token.
        default: that of all other tokens.

    """

    name: str
    kind: Kind
    size: int = 2
    initial: Mapping[str, int] = field(default_factory=dict)
    default: int = 0
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)

    @property
    def values(self) -> tuple[int, ...]:
        """All values that a literal can name; none for a numeric variable."""
        if self.kind is Kind.CATEGORICAL:
            return tuple(range(self.size))
        return {Kind.BINARY: (0, 1), Kind.SIGN: (-1, 1), Kind.NUMERIC: ()}[self.kind]

    def start(self, token: str) -> int:
        """Return the value before the first layer."""
        return self.initial.get(token, self.default)


def categorical(name: str, size: int, initial: Mapping[str, int] | None = None, default: int = 0) -> Variable:
    """Return a variable with values 0 to size - 1."""
    return Variable(name, Kind.CATEGORICAL, size, initial or {}, default)


def binary(name: str, initial: Mapping[str, int] | None = None, default: int = 0) -> Variable:
    """Return a variable that is 0 or 1."""
    return Variable(name, Kind.BINARY, 2, initial or {}, default)


def sign(name: str, initial: Mapping[str, int] | None = None) -> Variable:
    """Return a variable that is -1 or 1, or 0 where no token says so."""
    return Variable(name, Kind.SIGN, 2, initial or {})


def numeric(name: str, initial: Mapping[str, int] | None = None, default: int = 0) -> Variable:
    """Return a variable that is a rational number."""
    return Variable(name, Kind.NUMERIC, 2, initial or {}, default)


@dataclass(frozen=True)
class Match:
    """Reads `value` where `key` equals this position's `query`.

    Both are categorical variables of one size, or binary ones of which both must be 1. Without a query it reads where
    the binary key is 1.
    """

    name: str
    value: str
    key: str
    query: str | None = None
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Relative:
    """Reads `value` so many positions to the right; to the left if the offset is negative."""

    name: str
    value: str
    offset: int
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Average:
    """Averages a numeric `value` over all positions that `Match` would select."""

    name: str
    value: str
    key: str
    query: str | None = None
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)


Head = Match | Relative | Average


@dataclass(frozen=True)
class Set:
    """Give a categorical or binary variable a value."""

    variable: str
    value: int


@dataclass(frozen=True)
class Add:
    """Add a constant to a numeric variable; several rules may do so at once."""

    variable: str
    amount: int


Update = Set | Add


@dataclass(frozen=True)
class Rule:
    """Where every literal `name: value` holds, of variables and heads, make all updates."""

    when: Mapping[str, int]
    then: tuple[Update, ...]
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Copy:
    """In every layer and at every position, a numeric variable takes the value of a numeric head or variable."""

    variable: str
    source: str
    where: SourceLine = field(default_factory=calling_line, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True)
class Program:
    """A looped program.

    Attributes:
        name: how results refer to it.
        alphabet: the tokens that inputs are made of.
        variables: what every position has.
        rules: what changes variables; no two that can fire together set the same one.
        outputs: the variables that are its result.
        layers: how many to run on an input of so many tokens.
        heads: what looks around.
        copies: numeric variables that follow another one.
        before: tokens put before every input.
        after: tokens put after it.
        longest: the most tokens that an input may have; None: any number.

    """

    name: str
    alphabet: tuple[str, ...]
    variables: tuple[Variable, ...]
    rules: tuple[Rule, ...]
    outputs: tuple[str, ...]
    layers: Callable[[int], int]
    heads: tuple[Head, ...] = ()
    copies: tuple[Copy, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    longest: int | None = None

    @cached_property
    def variable(self) -> Mapping[str, Variable]:
        """Variables by their name."""
        return {each.name: each for each in self.variables}

    @cached_property
    def head(self) -> Mapping[str, Head]:
        """Heads by their name."""
        return {each.name: each for each in self.heads}

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """Every token that a sequence can hold, each once."""
        return tuple(dict.fromkeys((*self.before, *self.alphabet, *self.after)))

    def read(self, name: str) -> Variable:
        """Return the variable that a name reads, itself or through a head."""
        return self.variable[self.head[name].value if name in self.head else name]

    def tokens(self, given: Sequence[str]) -> tuple[str, ...]:
        """Return an input with what stands before and after it.

        Raises:
            InputError: a token that is not of the alphabet, or too many of them.

        """
        if self.longest is not None and len(given) > self.longest:
            raise InputError(
                f"program {self.name} was built for inputs of at most {number_of(self.longest, 'token')}",
                received=len(given),
                remedy="give a shorter one, or build it for longer ones",
            )
        for token in given:
            if token not in self.alphabet:
                raise InputError(
                    f"program {self.name} does not know a symbol of its input",
                    received=token,
                    remedy=f"take {', '.join(self.alphabet)}" if self.alphabet else "give no input",
                )
        return (*self.before, *given, *self.after)
