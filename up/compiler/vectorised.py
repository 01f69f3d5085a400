"""What a program computes on many inputs at once, exactly: integers and fractions as arrays.

Equal to `interpreter`, which is one input at a time, and much faster (a test holds it to twenty times as fast).

Shape suffixes: B inputs of one length, T positions (the second one, S, is looked at), H heads.

A numeric variable is a pair of int64 arrays, numerator and denominator in lowest terms. Limits: what does not fit in 62
bits is refused; take `interpreter` then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from up.compiler.language import Add, Average, Head, Kind, Match, Program, Relative, Rule
from up.compiler.undefined import UndefinedValueError, undefined_value
from up.errors import InputError

_MOST = 2.0**62


@dataclass(frozen=True)
class Rational:
    """Fractions of one shape, in lowest terms with positive denominators."""

    top_BT: np.ndarray
    bottom_BT: np.ndarray

    @classmethod
    def whole(cls, top_BT: np.ndarray) -> "Rational":
        """Return integers."""
        return cls(top_BT, np.ones_like(top_BT))

    def __getitem__(self, place: tuple[int, int]) -> Fraction:
        return Fraction(int(self.top_BT[place]), int(self.bottom_BT[place]))

    @property
    def floats(self) -> np.ndarray:
        """The nearest floats, (B, T)."""
        return self.top_BT / self.bottom_BT


Values = np.ndarray | Rational
Columns = dict[str, Values]
"""Variables by name, each (B, T)."""


@dataclass(frozen=True)
class Batch:
    """What a program does on inputs of one length.

    Attributes:
        columns: the variables after the last layer; of rows with an error they mean nothing.
        errors: for each input the error that it ends in, or None.

    """

    columns: Columns
    errors: tuple[UndefinedValueError | None, ...]


def interpret_all(program: Program, inputs: Sequence[Sequence[str]], layers: int | None = None) -> Batch:
    """Return the variables after the last layer, for inputs of one length.

    Raises:
        InputError: a token that the program does not know, or inputs of several lengths.

    """
    errors: list[UndefinedValueError | None] = [None] * len(inputs)
    *_, columns = steps(program, inputs, layers, errors)
    return Batch(columns, tuple(errors))


def steps(
    program: Program,
    inputs: Sequence[Sequence[str]],
    layers: int | None = None,
    errors: list[UndefinedValueError | None] | None = None,
) -> Iterator[Columns]:
    """Yield the variables before the first layer and after each; the first error of each input goes into `errors`."""
    if not inputs or len({len(given) for given in inputs}) != 1:
        raise InputError("a batch holds inputs of one length", received=len(inputs), remedy="group them by length")
    numbers = {token: number for number, token in enumerate(program.vocabulary)}
    tokens_BT = np.array([[numbers[token] for token in program.tokens(given)] for given in inputs], dtype=np.int64)
    here: Columns = {}
    for each in program.variables:
        start = np.array([each.start(token) for token in program.vocabulary], dtype=np.int64)[tokens_BT]
        here[each.name] = Rational.whole(start) if each.kind is Kind.NUMERIC else start
    yield here
    found: list[UndefinedValueError | None] = [None] * len(inputs) if errors is None else errors
    for layer in range(1, (program.layers(len(inputs[0])) if layers is None else layers) + 1):
        here = _layer(program, here, tokens_BT.shape, layer, found)
        yield here


def _layer(
    program: Program,
    here: Columns,
    shape: tuple[int, ...],
    layer: int,
    errors: list[UndefinedValueError | None],
) -> Columns:
    values: Columns = dict(here)
    selected_BT: dict[str, np.ndarray] = {}
    for head in program.heads:
        values[head.name], selected_BT[head.name] = _look(program, head, here)
    undefined_BT = {
        head.name: count == 0 if isinstance(head, Average) else count != 1
        for head in program.heads
        for count in (np.broadcast_to(selected_BT[head.name], shape),)
    }
    needed_BT = {name: np.zeros(shape, dtype=bool) for name, at_BT in undefined_BT.items() if at_BT.any()}
    after: Columns = {
        name: Rational(column.top_BT.copy(), column.bottom_BT) if isinstance(column, Rational) else column.copy()
        for name, column in here.items()
    }
    known: dict[tuple[str, int], np.ndarray] = {}
    for rule in program.rules:
        fires_BT = np.ones(shape, dtype=bool)
        for literal in rule.when.items():
            if literal not in known:
                column = values[literal[0]]
                assert isinstance(column, np.ndarray)
                holds = np.equal(column, literal[1])
                known[literal] = holds | undefined_BT[literal[0]] if literal[0] in needed_BT else holds
            fires_BT = fires_BT & known[literal]
        if not fires_BT.any():
            continue
        open_names = rule.when.keys() & needed_BT.keys()
        if open_names:
            changes_BT = fires_BT & _changes(rule, here, shape)
            for name in open_names:
                needed_BT[name] |= changes_BT
        for update in rule.then:
            column = after[update.variable]
            if isinstance(update, Add):
                assert isinstance(column, Rational)
                column.top_BT[fires_BT] += update.amount * column.bottom_BT[fires_BT]
            else:
                assert isinstance(column, np.ndarray)
                column[fires_BT] = update.value
    for copy in program.copies:
        source = values[copy.source]
        assert isinstance(source, Rational)
        after[copy.variable] = Rational(
            np.broadcast_to(source.top_BT, shape).copy(), np.broadcast_to(source.bottom_BT, shape).copy()
        )
        if copy.source in needed_BT:
            needed_BT[copy.source][:] = True
    _record(program, layer, {n: a & undefined_BT[n] for n, a in needed_BT.items()}, selected_BT, shape, errors)
    return after


def _changes(rule: Rule, here: Columns, shape: tuple[int, ...]) -> np.ndarray:
    """Return where a rule would change anything, (B, T)."""
    changes_BT = np.zeros(shape, dtype=bool)
    for update in rule.then:
        changes_BT |= update.amount != 0 if isinstance(update, Add) else here[update.variable] != update.value
    return changes_BT


def _record(
    program: Program,
    layer: int,
    wrong_BT: dict[str, np.ndarray],
    selected_BT: dict[str, np.ndarray],
    shape: tuple[int, ...],
    errors: list[UndefinedValueError | None],
) -> None:
    """Note the first error of each row that has none yet: the leftmost position, there the first head."""
    if not any(at_BT.any() for at_BT in wrong_BT.values()):
        return
    names = [head.name for head in program.heads if head.name in wrong_BT]
    numbers = [number for number, head in enumerate(program.heads) if head.name in wrong_BT]
    stacked_BTH = np.stack([wrong_BT[name] for name in names], axis=-1)
    for row in np.flatnonzero(stacked_BTH.any(axis=(1, 2))):
        if errors[row] is None:
            position, place = divmod(int(np.flatnonzero(stacked_BTH[row].ravel())[0]), len(names))
            count = np.broadcast_to(selected_BT[names[place]], shape)[row, position]
            errors[row] = undefined_value(program, numbers[place], layer=layer, position=position, selected=int(count))


def _look(program: Program, head: Head, here: Columns) -> tuple[Values, np.ndarray]:
    """Return what a head reads and how many positions it selects, each (B, T), or (B, 1) where all read the same."""
    value = here[head.value]
    if isinstance(head, Relative):
        there_BT = np.ones_like(value.top_BT if isinstance(value, Rational) else value)
        inside = slice(-head.offset, None) if head.offset < 0 else slice(0, -head.offset)
        selected_BT = np.zeros_like(there_BT)
        selected_BT[:, inside] = 1
        if isinstance(value, Rational):
            return Rational(
                np.roll(value.top_BT, -head.offset, axis=1), np.roll(value.bottom_BT, -head.offset, axis=1)
            ), selected_BT
        return np.roll(value, -head.offset, axis=1), selected_BT
    selects_BTS = _selects(program, head, here)
    count_BT = selects_BTS.sum(axis=-1)
    if isinstance(value, Rational):
        return _average(value, selects_BTS, count_BT), count_BT
    place_BT = selects_BTS.argmax(axis=-1)
    return np.take_along_axis(value, place_BT, axis=1), count_BT


def _selects(program: Program, head: Match | Average, here: Columns) -> np.ndarray:
    """Return where a head looks, (B, T, S), or (B, 1, S) without a query."""
    key_BS = here[head.key]
    assert isinstance(key_BS, np.ndarray)
    if head.query is None:
        return (key_BS == 1)[:, None, :]
    query_BT = here[head.query]
    assert isinstance(query_BT, np.ndarray)
    equal_BTS = query_BT[:, :, None] == key_BS[:, None, :]
    if program.variable[head.key].kind is Kind.BINARY:
        return equal_BTS & (key_BS == 1)[:, None, :]
    return equal_BTS


def _average(value: Rational, selects_BTS: np.ndarray, count_BT: np.ndarray) -> Rational:
    """Return the mean over what is selected; where that is nothing, it means nothing."""
    if (value.bottom_BT == 1).all():
        top_BT, common_BT = (selects_BTS * value.top_BT[:, None, :]).sum(axis=-1), np.ones_like(count_BT)
        largest = np.abs(value.top_BT).max(initial=0) * float(value.top_BT.shape[1])
    else:
        common_BT = np.lcm.reduce(np.where(selects_BTS, value.bottom_BT[:, None, :], 1), axis=-1)
        parts_BTS = value.top_BT[:, None, :] * (common_BT[:, :, None] // value.bottom_BT[:, None, :])
        top_BT = np.where(selects_BTS, parts_BTS, 0).sum(axis=-1)
        bottoms = np.where(selects_BTS, value.bottom_BT[:, None, :].astype(np.float64), 1.0).prod(axis=-1)
        largest = (np.abs(value.top_BT).max(initial=1) + 1.0) * bottoms.max() * value.top_BT.shape[1]
    if largest >= _MOST:
        raise InputError(
            "fractions grow beyond 62 bits", received=f"{largest:.1e}", remedy="interpret one input at a time"
        )
    bottom_BT = common_BT * np.maximum(count_BT, 1)
    shared_BT = np.gcd(top_BT, bottom_BT)
    return Rational(top_BT // shared_BT, bottom_BT // shared_BT)
