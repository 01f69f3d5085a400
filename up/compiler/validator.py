"""What cannot be compiled, found before work starts: for every problem the line that it comes from and the reason.

>>> from up.compiler.language import Program, Rule, Set, numeric
>>> broken = Program("broken", ("a",), (numeric("sum"),), (Rule({"sum": 1}, (Set("sum", 2),)),), ("sum",), len)
>>> [problem.reason for problem in problems(broken)]
['a rule reads the numeric variable sum, which can be no condition', 'a rule sets sum, which is numeric']
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from up.compiler.language import Add, Average, Copy, Head, Kind, Match, Program, Relative, Rule, Variable
from up.compiler.source_line import SourceLine
from up.errors import InputError

MOST_OFFSET = 8
_DISCRETE = (Kind.CATEGORICAL, Kind.BINARY, Kind.SIGN)


@dataclass(frozen=True)
class Problem:
    """A reason why a program cannot be compiled, and the line that it comes from (None: the program as a whole)."""

    reason: str
    where: SourceLine | None


def validate(program: Program, *, tanh: bool = False) -> None:
    """Refuse a program that cannot be compiled.

    Args:
        program: which one.
        tanh: whether the network has tanh normalisation, where every value is -1 or 1.

    Raises:
        InputError: the first problem.

    """
    for problem in problems(program, tanh=tanh):
        shown = str(problem.where) if problem.where is not None else program.name
        raise InputError(
            f"program {program.name} cannot be compiled: {problem.reason}", received=shown, remedy="correct that line"
        )


def problems(program: Program, *, tanh: bool = False) -> Iterator[Problem]:
    """Yield every reason why a program cannot be compiled; later ones may follow from earlier ones."""
    names = Counter([each.name for each in (*program.variables, *program.heads)])
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        yield Problem(f"two variables or heads have the name {twice[0]}", None)
    for variable in program.variables:
        yield from _of_variable(program, variable)
    unsound = False
    for head in program.heads:
        for problem in _of_head(program, head):
            unsound = True
            yield problem
    if unsound:
        return
    for rule in program.rules:
        yield from _of_rule(program, rule)
    for copy in program.copies:
        yield from _of_copy(program, copy)
    yield from _clashes(program)
    for output in program.outputs:
        if output not in program.variable:
            yield Problem(f"the output {output} is not a variable", None)
    if tanh:
        for variable in program.variables:
            if variable.kind not in (Kind.CATEGORICAL, Kind.BINARY):
                yield Problem(
                    f"{variable.name} is {variable.kind.value}: under tanh there are only categorical and binary ones",
                    variable.where,
                )


def _of_variable(program: Program, variable: Variable) -> Iterator[Problem]:
    if variable.kind is Kind.CATEGORICAL and variable.size < 1:
        yield Problem(f"{variable.name} has no values", variable.where)
    allowed = {*variable.values, *([0] if variable.kind is Kind.SIGN else [])}
    for value in (*variable.initial.values(), variable.default):
        if variable.kind is not Kind.NUMERIC and value not in allowed:
            yield Problem(f"{variable.name} cannot begin with {value}", variable.where)
    for token in variable.initial:
        if token not in program.vocabulary:
            yield Problem(f"{variable.name} has a value for {token!r}, which is no token", variable.where)


def _of_head(program: Program, head: Head) -> Iterator[Problem]:
    named = (head.value,) if isinstance(head, Relative) else (head.value, head.key, head.query)
    missing = [name for name in named if name is not None and name not in program.variable]
    if missing:
        yield Problem(f"head {head.name} reads {missing[0]}, which is not a variable", head.where)
        return
    value = program.variable[head.value]
    if isinstance(head, Relative):
        if not 1 <= abs(head.offset) <= MOST_OFFSET:
            yield Problem(f"head {head.name} has an offset of {head.offset}, not of 1 to {MOST_OFFSET}", head.where)
        return
    if isinstance(head, Match) and value.kind not in _DISCRETE:
        yield Problem(f"head {head.name} matches for the numeric {head.value}: average it instead", head.where)
    if isinstance(head, Average) and value.kind is not Kind.NUMERIC:
        yield Problem(f"head {head.name} averages {head.value}, which is {value.kind.value}", head.where)
    key = program.variable[head.key]
    query = key if head.query is None else program.variable[head.query]
    if (key.kind, key.size) != (query.kind, query.size) or key.kind not in (Kind.CATEGORICAL, Kind.BINARY):
        yield Problem(
            f"head {head.name} needs a key and a query that are categorical of one size, or binary", head.where
        )
    elif head.query is None and key.kind is not Kind.BINARY:
        yield Problem(f"head {head.name} has no query, so its key must be binary", head.where)


def _of_rule(program: Program, rule: Rule) -> Iterator[Problem]:
    for name, value in rule.when.items():
        if name not in program.variable and name not in program.head:
            yield Problem(f"a rule reads {name}, which is neither a variable nor a head", rule.where)
        elif program.read(name).kind is Kind.NUMERIC:
            yield Problem(f"a rule reads the numeric variable {name}, which can be no condition", rule.where)
        elif value not in program.read(name).values:
            yield Problem(f"a rule asks for {name} = {value}, which it never is or which no rule can ask", rule.where)
    for name, count in Counter(update.variable for update in rule.then).items():
        if count > 1:
            yield Problem(f"a rule changes {name} twice", rule.where)
    for update in rule.then:
        if update.variable not in program.variable:
            yield Problem(f"a rule changes {update.variable}, which is not a variable", rule.where)
            continue
        variable = program.variable[update.variable]
        if isinstance(update, Add):
            if variable.kind is not Kind.NUMERIC:
                yield Problem(f"a rule adds to {variable.name}, which is {variable.kind.value}", rule.where)
        elif variable.kind in (Kind.NUMERIC, Kind.SIGN):
            yield Problem(f"a rule sets {variable.name}, which is {variable.kind.value}", rule.where)
        elif update.value not in variable.values:
            yield Problem(f"a rule sets {variable.name} to {update.value}, which it has not", rule.where)


def _of_copy(program: Program, copy: Copy) -> Iterator[Problem]:
    for name in (copy.variable, copy.source):
        if name not in program.variable and name not in program.head:
            yield Problem(f"a copy names {name}, which is neither a variable nor a head", copy.where)
        elif program.read(name).kind is not Kind.NUMERIC:
            yield Problem(f"a copy names {name}, which is not numeric", copy.where)
    if copy.variable in program.head or copy.variable == copy.source:
        yield Problem(f"{copy.variable} cannot take a copy of {copy.source}", copy.where)
    if sum(other.variable == copy.variable for other in program.copies) > 1:
        yield Problem(f"{copy.variable} takes two copies", copy.where)
    for rule in program.rules:
        if any(update.variable == copy.variable for update in rule.then):
            yield Problem(f"a rule changes {copy.variable}, which takes a copy in every layer", rule.where)


def _clashes(program: Program) -> Iterator[Problem]:
    """Yield a problem for each variable that two rules may set at once: in the weights both changes would add up."""
    for variable in program.variables:
        setting = [
            rule
            for rule in program.rules
            if any(update.variable == variable.name and not isinstance(update, Add) for update in rule.then)
        ]
        clash = _clash(setting)
        if clash is not None:
            first, second = clash
            yield Problem(
                f"two rules may set {variable.name} at once, this one and that of {first.where}", second.where
            )


def _clash(rules: Sequence[Rule]) -> tuple[Rule, Rule] | None:
    """Return two rules that can fire together, or None.

    The rules are divided by the name that most of them ask about; where no name divides them, all go together.
    """
    if len(rules) < 2:
        return None
    asked = Counter(name for rule in rules for name in rule.when)
    for name, _ in asked.most_common():
        values = {rule.when[name] for rule in rules if name in rule.when}
        if len(values) > 1:
            parts = ([rule for rule in rules if rule.when.get(name, value) == value] for value in sorted(values))
            return next((found for part in parts if (found := _clash(part)) is not None), None)
    return rules[0], rules[1]
