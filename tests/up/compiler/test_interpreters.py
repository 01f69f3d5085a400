"""What the language means: undefined values, fractions, and speed."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from up.compiler.agreement import compare
from up.compiler.cases import load_program
from up.compiler.compile import compile_program
from up.compiler.interpreter import interpret
from up.compiler.language import Add, Average, Copy, Match, Program, Relative, Rule, Set, binary, numeric
from up.compiler.undefined import UndefinedValueError
from up.compiler.vectorised import interpret_all
from up.errors import InputError


def reading(head, when=None, **more):
    """A program with one head, which a rule reads where `when` holds, and two numbers."""
    variables = (
        binary("bit", {"1": 1}),
        binary("one", {"0": 1, "1": 1}),
        binary("seen"),
        numeric("number", {"0": 3, "1": 5}),
        numeric("mean"),
    )
    rules = (Rule({**(when or {}), "seen": 0, head.name: 1}, (Set("seen", 1),)),) if not more else ()
    return Program(
        "reading", ("0", "1"), variables, rules, ("seen",), lambda _: 1, heads=(head,), before=("START",), **more
    )


@pytest.mark.parametrize(
    ("given", "selected"), [("00", 0), ("11", 2), ("111", 3)], ids=["no position", "two positions", "three positions"]
)
def test_a_match_that_does_not_select_exactly_one_position_is_an_error_in_both(given, selected):
    program = reading(Match("found", "bit", key="bit"))
    with pytest.raises(UndefinedValueError, match=f"layer 1, position 0: head found selects {selected} position"):
        interpret(program, given)
    agreement = compare(compile_program(program), [given, "01"])
    assert agreement.agree
    assert agreement.errors == 1


def test_what_is_not_read_may_be_undefined():
    """START has no left neighbour, and its rule does not ask for it."""
    program = reading(Relative("left", "bit", -1), when={"one": 1})
    assert [state["seen"] for state in interpret(program, "10")] == [0, 0, 1]
    assert compare(compile_program(program), ["10", "11"]).errors == 0
    unguarded = reading(Relative("left", "bit", -1))
    with pytest.raises(UndefinedValueError, match="position 0: head left selects 0 positions"):
        interpret(unguarded, "10")


def test_an_average_is_an_exact_fraction_and_over_nothing_an_error():
    program = reading(Average("average", "number", key="one"), copies=(Copy("mean", "average"),))
    assert interpret(program, "011")[0]["mean"] == Fraction(13, 3)
    assert interpret_all(program, ["011"]).columns["mean"][0, 0] == Fraction(13, 3)
    with pytest.raises(UndefinedValueError, match="selects 0 positions where at least one is needed"):
        interpret(program, "")


def test_fractions_of_fractions_stay_exact_in_the_vectorised_interpreter():
    """Every layer averages what the last one left, and adds to it where the bit is 1."""
    variables = (binary("bit", {"1": 1}), binary("one", {"0": 1, "1": 1}), numeric("x", {"0": 2, "1": 3}), numeric("y"))
    program = Program(
        "fractions",
        ("0", "1"),
        variables,
        (Rule({"bit": 1}, (Add("x", 1),)),),
        ("y",),
        lambda _: 5,
        heads=(Average("mean", "y", key="one"), Average("of_x", "x", key="bit")),
        copies=(Copy("y", "of_x"),),
    )
    deeper = Program(
        "deeper",
        ("0", "1"),
        variables,
        (),
        ("y",),
        lambda _: 4,
        heads=(Average("all", "x", key="one"), Average("ones", "y", key="bit")),
        copies=(Copy("y", "all"), Copy("x", "ones")),
    )
    for each in (program, deeper):
        for given in ("1", "011", "1101", "00111"):
            plain = interpret(each, given)
            assert [interpret_all(each, [given]).columns["y"][0, at] for at in range(len(given))] == [
                state["y"] for state in plain
            ]


def test_fractions_beyond_62_bits_are_refused_by_the_vectorised_interpreter():
    variables = (binary("one", {"0": 1}), numeric("x", {"0": 2**61}), numeric("y"))
    program = Program(
        "large",
        ("0",),
        variables,
        (),
        ("y",),
        lambda _: 1,
        heads=(Average("mean", "x", key="one"),),
        copies=(Copy("y", "mean"),),
    )
    assert interpret(program, "000")[0]["y"] == 2**61
    with pytest.raises(InputError, match="interpret one input at a time"):
        interpret_all(program, ["000"])


def test_inputs_of_several_lengths_are_no_batch():
    with pytest.raises(InputError, match="group them by length"):
        interpret_all(load_program("parity"), ["0", "01"])


def test_parity_agrees_on_all_inputs_of_length_eight_by_the_interpreters_and_the_network():
    program, inputs = load_program("parity"), list(product("01", repeat=8))
    batch = interpret_all(program, inputs)
    assert np.array_equal(batch.columns["parity"][:, 0], [given.count("1") % 2 for given in inputs])
    assert compare(compile_program(program), inputs).agree
