"""What cannot be compiled is refused before work starts, with the reason and a line of source."""

import re

import pytest

from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.language import (
    Add,
    Average,
    Copy,
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
from up.compiler.tracing import trace
from up.compiler.validator import problems, validate
from up.errors import InputError

VARIABLES = (
    categorical("colour", 3),
    categorical("size", 2),
    binary("flag"),
    sign("bit"),
    numeric("sum"),
    numeric("mean"),
)


def program(*rules, heads=(), copies=(), variables=VARIABLES, outputs=("flag",)):
    return Program("mine", ("a",), variables, rules, outputs, len, heads=heads, copies=copies)


def reasons(candidate, **more):
    return [problem.reason for problem in problems(candidate, **more)]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (Rule({"sum": 1}, (Set("flag", 1),)), "numeric variable sum, which can be no condition"),
        (Rule({"shape": 1}, (Set("flag", 1),)), "shape, which is neither a variable nor a head"),
        (Rule({"colour": 3}, (Set("flag", 1),)), "colour = 3, which it never is"),
        (Rule({"bit": 0}, (Set("flag", 1),)), "bit = 0, which it never is or which no rule can ask"),
        (Rule({}, (Set("shape", 1),)), "changes shape, which is not a variable"),
        (Rule({}, (Set("sum", 1),)), "sets sum, which is numeric"),
        (Rule({}, (Set("bit", 1),)), "sets bit, which is sign"),
        (Rule({}, (Set("colour", 7),)), "sets colour to 7, which it has not"),
        (Rule({}, (Add("flag", 1),)), "adds to flag, which is binary"),
        (Rule({}, (Set("flag", 1), Set("flag", 1))), "changes flag twice"),
    ],
)
def test_a_rule_that_cannot_be_compiled_is_refused(rule, reason):
    assert reason in reasons(program(rule))[0]


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (Match("h", "shape", key="flag"), "reads shape, which is not a variable"),
        (Match("h", "sum", key="flag"), "matches for the numeric sum: average it instead"),
        (Average("h", "flag", key="flag"), "averages flag, which is binary"),
        (Match("h", "flag", key="colour"), "no query, so its key must be binary"),
        (Match("h", "flag", key="colour", query="size"), "categorical of one size, or binary"),
        (Match("h", "flag", key="sum", query="sum"), "categorical of one size, or binary"),
        (Relative("h", "flag", 0), "an offset of 0"),
        (Relative("h", "flag", 9), "an offset of 9"),
    ],
)
def test_a_head_that_cannot_be_compiled_is_refused(head, reason):
    assert reason in reasons(program(heads=(head,)))[0]


@pytest.mark.parametrize(
    ("variable", "reason"),
    [
        (categorical("colour", 3, {"a": 3}), "cannot begin with 3"),
        (categorical("colour", 0), "has no values"),
        (binary("colour", {"z": 1}), "has a value for 'z', which is no token"),
    ],
)
def test_a_variable_that_cannot_be_compiled_is_refused(variable, reason):
    assert any(reason in each for each in reasons(program(variables=(variable,), outputs=())))


@pytest.mark.parametrize(
    ("copies", "rules", "reason"),
    [
        ([Copy("sum", "flag")], [], "names flag, which is not numeric"),
        ([Copy("sum", "nothing")], [], "neither a variable nor a head"),
        ([Copy("sum", "sum")], [], "cannot take a copy of sum"),
        ([Copy("sum", "mean"), Copy("sum", "mean")], [], "takes two copies"),
        ([Copy("sum", "mean")], [Rule({}, (Add("sum", 1),))], "which takes a copy in every layer"),
    ],
)
def test_a_copy_that_cannot_be_compiled_is_refused(copies, rules, reason):
    assert any(reason in each for each in reasons(program(*rules, copies=tuple(copies))))


def test_names_are_distinct_and_outputs_exist():
    twice = reasons(program(heads=(Match("flag", "colour", key="flag"),)))
    assert "two variables or heads have the name flag" in twice[0]
    assert reasons(program(outputs=("shape",))) == ["the output shape is not a variable"]


def test_two_rules_that_may_set_a_variable_at_once_are_refused():
    """In the weights both changes would add up."""
    one, other = Rule({"colour": 1}, (Set("flag", 1),)), Rule({"size": 1}, (Set("flag", 1),))
    assert "two rules may set flag at once" in reasons(program(one, other))[0]
    apart = Rule({"size": 1, "colour": 2}, (Set("flag", 1),))
    assert reasons(program(one, apart)) == []
    assert reasons(program(Rule({}, (Add("sum", 1),)), Rule({}, (Add("sum", 1),)))) == []


def test_clashes_among_many_rules_are_found_by_dividing_them():
    table = [Rule({"colour": c, "size": s, "flag": 0}, (Set("flag", 1),)) for c in range(3) for s in range(2)]
    assert reasons(program(*table)) == []
    assert len(reasons(program(*table, Rule({"size": 1, "flag": 0}, (Set("flag", 1),))))) == 1


def test_under_tanh_there_are_no_numbers():
    said = reasons(program(), tanh=True)
    assert "sum is numeric: under tanh there are only categorical and binary ones" in said
    with pytest.raises(InputError, match="under tanh"):
        compile_program(program(), CompilerConfig(tanh=True))


def test_the_line_of_source_is_shown():
    broken = program(Rule({"sum": 1}, (Set("flag", 1),)))  # this line
    with pytest.raises(InputError) as refused:
        validate(broken)
    shown = str(refused.value)
    assert re.search(r"test_validator\.py line \d+: broken = program\(Rule", shown)
    assert "can be no condition" in shown
    assert "\n" not in shown


def test_a_traced_function_that_compares_a_number_is_refused_with_its_line():
    def step(x):
        if x["sum"] > 2:
            x["flag"] = 1

    with pytest.raises(InputError, match=r'test_validator\.py line \d+: if x\["sum"\] > 2'):
        trace(step, VARIABLES)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x["shape"], "there is no variable or head shape"),
        (lambda x: x.__setitem__("shape", 1), "shape is not a variable"),
        (lambda x: x.__setitem__("sum", x["sum"] + 0.5), "takes whole constants only"),
        (lambda x: x.__setitem__("sum", x["mean"] + 1), "a copy of a numeric variable adds nothing"),
        (lambda x: x.__setitem__("sum", x["mean"]) if x["flag"] else None, "copied on some paths and not on others"),
        (lambda x: bool(x["sum"]), "can be no condition"),
    ],
)
def test_a_function_that_does_what_no_rule_can_is_refused(function, reason):
    with pytest.raises(InputError, match=reason):
        trace(function, VARIABLES)


def test_a_function_with_too_many_paths_is_refused():
    many = [categorical(f"v{number}", 9) for number in range(5)]
    with pytest.raises(InputError, match="too many paths"):
        trace(lambda x: [x[each.name] for each in many], many)


def test_what_a_function_does_is_what_its_rules_do():
    """A copy and an increment, and a name that is read on one path only."""

    def step(x):
        x["mean"] = x["sum"]
        if x["flag"] and x["colour"] == 2:
            x["sum"] += 3
            x["colour"] = 0

    traced = trace(step, VARIABLES)
    assert [(rule.when, rule.then) for rule in traced.rules] == [
        ({"flag": 1, "colour": 2}, (Add("sum", 3), Set("colour", 0)))
    ]
    assert traced.copies == (Copy("mean", "sum"),)
