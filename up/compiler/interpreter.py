"""What a program computes, exactly: the plain interpreter, position by position, in integers and fractions.

It is the meaning of the language. `vectorised` computes the same for many inputs at once, `network` in weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from up.compiler.language import Add, Average, Head, Kind, Match, Program, Relative, Rule
from up.compiler.undefined import undefined_value

Value = int | Fraction
State = dict[str, Value]
"""The variables of one position."""


@dataclass(frozen=True)
class _Undefined:
    """What a head has read where it selects so many positions."""

    selected: int


def interpret(program: Program, given: Sequence[str], layers: int | None = None) -> list[State]:
    """Return the variables at every position after the last layer.

    Args:
        program: which one.
        given: the input, without the tokens that stand before and after it.
        layers: how many; by default what the program asks for.

    Raises:
        InputError: a token that the program does not know.
        UndefinedValueError: something undefined is read.

    """
    *_, last = states(program, given, layers)
    return last


def states(program: Program, given: Sequence[str], layers: int | None = None) -> Iterator[list[State]]:
    """Yield the variables at every position before the first layer and after each; see `interpret`."""
    tokens = program.tokens(given)
    kinds = {each.name: each.kind for each in program.variables}
    here: list[State] = [
        {
            each.name: Fraction(each.start(token)) if kinds[each.name] is Kind.NUMERIC else each.start(token)
            for each in program.variables
        }
        for token in tokens
    ]
    yield here
    for layer in range(1, (program.layers(len(given)) if layers is None else layers) + 1):
        here = [_changed(program, here, position, layer) for position in range(len(here))]
        yield here


def _changed(program: Program, here: list[State], position: int, layer: int) -> State:
    """Return the variables of one position after one layer."""
    read = {head.name: _look(program, head, here, position) for head in program.heads}
    values = {**here[position], **read}
    fired = [rule for rule in program.rules if _may_fire(rule, values) and _changes(rule, here[position])]
    needed = {name for rule in fired for name in rule.when} | {copy.source for copy in program.copies}
    for number, head in enumerate(program.heads):
        found = values[head.name]
        if head.name in needed and isinstance(found, _Undefined):
            raise undefined_value(program, number, layer=layer, position=position, selected=found.selected)
    after = dict(here[position])
    for rule in fired:
        for update in rule.then:
            if isinstance(update, Add):
                after[update.variable] += update.amount
            else:
                after[update.variable] = update.value
    for copy in program.copies:
        source = values[copy.source]
        assert not isinstance(source, _Undefined)
        after[copy.variable] = source
    return after


def _may_fire(rule: Rule, values: dict[str, Value | _Undefined]) -> bool:
    """Say whether every literal holds, those of undefined heads left open."""
    return all(isinstance(values[name], _Undefined) or values[name] == value for name, value in rule.when.items())


def _changes(rule: Rule, state: State) -> bool:
    """Say whether a rule would change anything."""
    return any(
        update.amount != 0 if isinstance(update, Add) else state[update.variable] != update.value
        for update in rule.then
    )


def _look(program: Program, head: Head, here: list[State], position: int) -> Value | _Undefined:
    """Return what a head reads at a position."""
    if isinstance(head, Relative):
        place = position + head.offset
        return here[place][head.value] if 0 <= place < len(here) else _Undefined(0)
    selected = [state[head.value] for state in here if _selects(program, head, here[position], state)]
    if isinstance(head, Average):
        return Fraction(sum(selected)) / len(selected) if selected else _Undefined(0)
    return selected[0] if len(selected) == 1 else _Undefined(len(selected))


def _selects(program: Program, head: Match | Average, here: State, there: State) -> bool:
    if head.query is None:
        return there[head.key] == 1
    equal = here[head.query] == there[head.key]
    return equal and (there[head.key] == 1 or program.variable[head.key].kind is Kind.CATEGORICAL)
