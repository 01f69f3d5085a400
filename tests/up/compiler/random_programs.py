"""A strategy for random rule programs: all kinds of variables, heads, rules and copies, and inputs to run them on."""

from dataclasses import dataclass

from hypothesis import strategies as st

from up.compiler.language import (
    Add,
    Average,
    Copy,
    Kind,
    Match,
    Program,
    Relative,
    Rule,
    Set,
    binary,
    categorical,
    numeric,
    sign,
)

TOKENS = ("a", "b", "c")
ENDS = ("START", "END")
MOST_LAYERS = 4


@dataclass(frozen=True)
class RandomRun:
    program: Program
    inputs: tuple[tuple[str, ...], ...]


@st.composite
def random_runs(draw, tanh: bool = False) -> RandomRun:
    """Draw a program that can be compiled, and inputs of one length."""

    def start(values):
        return {token: draw(st.sampled_from(values)) for token in (*TOKENS, *ENDS)}

    variables = [binary("start", {"START": 1}), binary("end", {"END": 1})]
    for number in range(draw(st.integers(1, 2))):
        size = draw(st.integers(2, 3))
        variables.append(categorical(f"c{number}", size, start(range(size))))
    variables += [binary(f"b{number}", start((0, 1))) for number in range(draw(st.integers(1, 2)))]
    if not tanh:
        if draw(st.booleans()):
            variables.append(sign("s", start((-1, 0, 1))))
        variables += [numeric(f"n{number}", start(range(-2, 3))) for number in range(draw(st.integers(0, 2)))]
    named = {each.name: each for each in variables}
    of = {kind: [each.name for each in variables if each.kind is kind] for kind in Kind}
    heads = tuple(
        draw(_head(f"h{number}", named, of, averages=bool(of[Kind.NUMERIC])))
        for number in range(draw(st.integers(0, 3)))
    )
    readable = {**named, **{head.name: named[head.value] for head in heads}}
    copies = {}
    sources = [name for name, each in readable.items() if each.kind is Kind.NUMERIC]
    if of[Kind.NUMERIC] and draw(st.booleans()):
        target = draw(st.sampled_from(of[Kind.NUMERIC]))
        source = draw(st.sampled_from(sources))
        if source != target:
            copies[target] = Copy(target, source)
    conditions = [name for name, each in readable.items() if each.values]
    fixed = {*copies, *of[Kind.SIGN], "start", "end"}
    settable = [name for name in named if name not in fixed]
    rules: list[Rule] = []
    for _ in range(draw(st.integers(1, 8))):
        asked = draw(st.lists(st.sampled_from(conditions), unique=True, max_size=4))
        when = {name: draw(st.sampled_from(readable[name].values)) for name in asked}
        updates = []
        for variable in map(named.get, draw(st.lists(st.sampled_from(settable), unique=True, min_size=1, max_size=2))):
            if variable.kind is Kind.NUMERIC:
                updates.append(Add(variable.name, draw(st.integers(-2, 2))))
            elif not any(_may_both_set(rule, when, variable.name) for rule in rules):
                updates.append(Set(variable.name, draw(st.sampled_from(variable.values))))
        if updates:
            rules.append(Rule(when, tuple(updates)))
    layers = draw(st.integers(1, MOST_LAYERS))
    program = Program(
        "random",
        alphabet=TOKENS,
        variables=tuple(variables),
        rules=tuple(rules),
        outputs=tuple(named),
        layers=lambda _length: layers,
        heads=heads,
        copies=tuple(copies.values()),
        before=("START",),
        after=("END",),
    )
    length = draw(st.integers(0, 4))
    words = st.lists(st.sampled_from(TOKENS), min_size=length, max_size=length).map(tuple)
    return RandomRun(program, tuple(draw(st.lists(words, min_size=1, max_size=3))))


def _may_both_set(rule: Rule, when: dict[str, int], name: str) -> bool:
    """Whether a rule sets the variable and could fire where `when` holds."""
    sets = any(isinstance(update, Set) and update.variable == name for update in rule.then)
    return sets and all(rule.when.get(asked, value) == value for asked, value in when.items())


@st.composite
def _head(draw, name, named, of, *, averages):
    kind = draw(st.sampled_from(("match", "relative", "average") if averages else ("match", "relative")))
    if kind == "relative":
        return Relative(name, draw(st.sampled_from(sorted(named))), draw(st.sampled_from((-2, -1, 1, 2))))
    binaries = of[Kind.BINARY]
    key = draw(st.sampled_from([*binaries, *of[Kind.CATEGORICAL]]))
    same = [each for each, v in named.items() if (v.kind, v.size) == (named[key].kind, named[key].size)]
    query = draw(st.sampled_from([None, *same] if key in binaries else same))
    if kind == "average":
        return Average(name, draw(st.sampled_from(of[Kind.NUMERIC])), key, query)
    values = [each for each, variable in named.items() if variable.kind is not Kind.NUMERIC]
    return Match(name, draw(st.sampled_from(values)), key, query)
