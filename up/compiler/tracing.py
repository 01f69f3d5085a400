"""A plain Python function, traced into rules.

The function gets the variables and heads of one position as a mapping, and assigns new values to it. It is run once for
every path: each name that it reads splits the paths by the values that it can have. What it read becomes the literals
of a rule, what it assigned the updates. So the rules exclude each other, and a name that is not read on a path may be
undefined there.

    >>> from up.compiler.language import binary
    >>> def flip(x):
    ...     if x["bit"]:
    ...         x["flag"] = 1 - x["flag"]
    >>> for rule in trace(flip, (binary("bit"), binary("flag"))).rules:
    ...     print(dict(rule.when), rule.then)
    {'bit': 1, 'flag': 0} (Set(variable='flag', value=1),)
    {'bit': 1, 'flag': 1} (Set(variable='flag', value=0),)

A numeric variable takes `+=` and `-=` of whole numbers, or, on every path alike, the value of another numeric variable
or head. Source: Shaw et al. 2024 (ALTA), whose MLP functions are expanded over all inputs; here only over what is read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from up.compiler.language import Add, Copy, Head, Kind, Rule, Set, Update, Variable
from up.compiler.source_line import SourceLine, calling_line
from up.errors import InputError

_MOST_PATHS = 20_000


@dataclass(frozen=True)
class Traced:
    """What a function does: rules that exclude each other, and copies."""

    rules: tuple[Rule, ...]
    copies: tuple[Copy, ...]


class Amount:
    """A numeric value that is not known: it can be added to and assigned, and nothing can depend on it."""

    def __init__(self, name: str, added: int = 0) -> None:
        self.name, self.added = name, added

    def __add__(self, amount: int) -> "Amount":
        if not isinstance(amount, int):
            raise _refused("a numeric variable takes whole constants only")
        return Amount(self.name, self.added + amount)

    def __sub__(self, amount: int) -> "Amount":
        return self + (-amount)

    def _is_no_condition(self, *_: Any) -> Any:
        raise _refused(f"a rule reads the numeric variable {self.name}, which can be no condition")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __index__ = __int__ = _is_no_condition  # pyright: ignore
    __hash__ = None  # pyright: ignore


class Position:
    """The variables and heads of one position, as the function sees them."""

    def __init__(self, variables: dict[str, Variable], heads: dict[str, Variable], choices: list[int]) -> None:
        self._variables, self._readable, self._choices = variables, {**heads, **variables}, choices
        self.read: dict[str, int] = {}
        self.assigned: dict[str, int | Amount] = {}
        self.lines: dict[str, SourceLine] = {}
        self.options: list[tuple[int, ...]] = []

    def __getitem__(self, name: str) -> Any:
        if name in self.assigned:
            return self.assigned[name]
        if name not in self._readable:
            raise _refused(f"there is no variable or head {name}")
        if self._readable[name].kind is Kind.NUMERIC:
            return Amount(name)
        if name not in self.read:
            options = self._readable[name].values
            at = len(self.options)
            self.options.append(options)
            if at == len(self._choices):
                self._choices.append(0)
            self.read[name] = options[self._choices[at]]
        return self.read[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._variables:
            raise _refused(f"{name} is not a variable, so nothing can be assigned to it")
        self.assigned[name] = value if isinstance(value, Amount) else int(value)
        self.lines[name] = calling_line()


def trace(function: Callable[[Any], None], variables: Sequence[Variable], heads: Sequence[Head] = ()) -> Traced:
    """Return the rules of a function.

    Args:
        function: takes a mapping from names to values and assigns to it; it must depend on nothing else.
        variables: what it may read and assign.
        heads: what it may read.

    Raises:
        InputError: it does what no rule can do, or has too many paths; the line is shown.

    """
    known = {each.name: each for each in variables}
    through = {head.name: known[head.value] for head in heads if head.value in known}
    rules: list[Rule] = []
    copies: dict[str, tuple[str, SourceLine]] | None = None
    choices: list[int] = []
    for _ in range(_MOST_PATHS):
        position = Position(known, through, choices)
        function(position)
        found: dict[str, tuple[str, SourceLine]] = {}
        updates: list[Update] = []
        for name, value in position.assigned.items():
            if isinstance(value, Amount) and value.name != name:
                if value.added:
                    raise _refused("a copy of a numeric variable adds nothing", position.lines[name])
                found[name] = value.name, position.lines[name]
            elif isinstance(value, Amount):
                updates += [Add(name, value.added)] if value.added else []
            elif position.read.get(name) != value:
                updates.append(Set(name, value))
        if copies is not None and {k: v[0] for k, v in copies.items()} != {k: v[0] for k, v in found.items()}:
            line = next(iter({**copies, **found}.values()))[1]
            raise _refused("a numeric variable is copied on some paths and not on others", line)
        copies = found
        if updates:
            where = next(iter(position.lines.values()))
            rules.append(Rule(dict(position.read), tuple(updates), where=where))
        del choices[len(position.options) :]
        while choices and choices[-1] == len(position.options[len(choices) - 1]) - 1:
            choices.pop()
        if not choices:
            return Traced(tuple(rules), tuple(Copy(k, name, where=line) for k, (name, line) in copies.items()))
        choices[-1] += 1
    raise InputError(
        "the function has too many paths",
        received=f"more than {_MOST_PATHS:,}",
        remedy="read fewer names on each path, or give rules",
    )


def _refused(problem: str, where: SourceLine | None = None) -> InputError:
    line = where or calling_line()
    return InputError(problem, received=str(line), remedy="write it without, or change the kind of the variable")
