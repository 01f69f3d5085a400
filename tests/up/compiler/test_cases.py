"""The case table: expectation, interpreters and weights agree on every input up to a length."""

import pytest
import torch

from theory.machines.one_tape import HALTED, MACHINES, RIGHT, Configuration
from up.compiler.agreement import compare
from up.compiler.cases import CASES, load_program
from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.examples.tape_machine import tape_machine, tape_tokens
from up.compiler.interpreter import interpret, states
from up.compiler.language import Match, Program, Relative, binary, categorical
from up.compiler.tracing import trace
from up.compiler.undefined import UndefinedValueError
from up.errors import InputError

WITHOUT_NUMBERS = [name for name, case in CASES.items() if not case.numeric]


@pytest.mark.parametrize("name", CASES)
def test_the_interpreter_computes_what_is_expected_on_all_inputs(name):
    case, program = CASES[name], load_program(name)
    assert len(case.all_inputs()) > 50
    wrong = [given for given in case.all_inputs() if case.answer(interpret(program, given)) != case.expected(given)]
    assert wrong == []


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_the_weights_agree_with_the_interpreter_on_all_inputs(name, dtype):
    compiled = compile_program(load_program(name))
    compiled.network.to(dtype)
    rounded = dtype is torch.bfloat16 and CASES[name].numeric  # 1/3 has 8 bits there
    agreement = compare(compiled, CASES[name].all_inputs(), tolerance=0.01 if rounded else 1e-6)
    assert agreement.agree, agreement
    assert agreement.errors == 0


@pytest.mark.parametrize("name", WITHOUT_NUMBERS)
def test_they_agree_under_tanh_normalisation(name):
    compiled = compile_program(load_program(name), CompilerConfig(tanh=True))
    assert compare(compiled, CASES[name].all_inputs(), tolerance=1e-6).agree


def test_parity_under_tanh_fits_the_network_of_the_paper_and_is_right_at_length_forty():
    """C.1: width 128, 2 heads, MLP 512, 42 layers."""
    config = CompilerConfig(tanh=True, width=128, hidden=512, heads=2, key_size=64, value_size=64)
    compiled = compile_program(load_program("parity"), config)
    inputs = ["1" * 40, "0" * 39 + "1", "01" * 20]
    agreement = compare(compiled, inputs, layers=42)
    assert agreement.agree
    answers = [interpret(compiled.program, given, 42)[0]["parity"] for given in inputs]
    assert answers == [0, 1, 0]


def test_a_small_scale_of_attention_is_not_enough():
    """Notes: the error of attention is about n e^(-c^2)."""
    distances = [
        compare(compile_program(load_program("sort"), CompilerConfig(scale=scale)), ["3210", "0123"]).distance
        for scale in (10.0, 3.0, 2.0)
    ]
    assert distances[0] < 1e-12
    assert distances == sorted(distances)
    assert distances[2] > 0.1


def test_a_program_longer_than_it_was_built_for_is_refused():
    with pytest.raises(InputError, match="built for inputs of at most 8 tokens"):
        interpret(load_program("reverse"), "0" * 9)


def test_a_symbol_outside_the_alphabet_is_refused():
    with pytest.raises(InputError, match="does not know a symbol of its input"):
        compare(compile_program(load_program("parity")), ["012"])


def test_an_unknown_program_is_refused():
    with pytest.raises(InputError, match="take one of parity"):
        load_program("primality")


def test_a_program_that_does_not_fit_a_network_is_refused():
    with pytest.raises(InputError, match="does not fit a network of width 2"):
        compile_program(load_program("parity"), CompilerConfig(width=2))


def printed_tape_machine(machine):
    """Figure 5 as printed, but for the values of `symbol` at START and END: the move is guarded by `x["head"]`."""
    edge = machine.symbols
    plain = {str(symbol): symbol for symbol in range(machine.symbols)}
    variables = (
        categorical("state", len(machine.flags)),
        categorical("symbol", machine.symbols + 1, {**plain, "0^": 0, "1^": 1}, edge),
        binary("head", {"0^": 1, "1^": 1}),
    )
    heads = (
        Match("head_symbol", "symbol", key="head"),
        Relative("head_left", "head", -1),
        Relative("head_right", "head", 1),
    )

    def step(x):
        state = machine.flags[x["state"]]
        if state == HALTED:
            return
        seen = x["head_symbol"]
        if seen == edge:
            return
        rule = machine.rules[state, seen]
        x["state"] = machine.flags.index(rule.state)
        if x["head"]:
            x["symbol"] = rule.write
        if x["head"]:
            x["head"] = 0
            beside = "head_left" if rule.move == RIGHT else "head_right"
            if x["symbol"] != edge and x[beside]:
                x["head"] = 1

    return Program(
        "figure 5",
        alphabet=(*plain, "0^", "1^"),
        variables=variables,
        heads=heads,
        rules=trace(step, variables, heads).rules,
        outputs=("symbol",),
        layers=lambda _length: 3,
        before=("START",),
        after=("END",),
    )


def test_figure_5_as_printed_loses_its_head_in_the_first_step():
    """Erratum: no cell has the head after one layer, so that the next one reads what is undefined."""
    machine = MACHINES["bb2"]
    given = tape_tokens(Configuration((0, 1, 0), 1, "A"))
    after = interpret(printed_tape_machine(machine), given, layers=1)
    assert [cell["head"] for cell in after] == [0, 0, 0, 0, 0]
    with pytest.raises(UndefinedValueError, match="layer 2, position 0: head head_symbol selects 0 positions"):
        interpret(printed_tape_machine(machine), given, layers=2)
    corrected = list(states(tape_machine(machine), given, layers=2))
    assert [sum(cell["head"] for cell in cells) for cells in corrected] == [1, 1, 1]


def test_the_weights_of_figure_5_as_printed_end_in_the_same_error():
    compiled = compile_program(printed_tape_machine(MACHINES["bb2"]))
    agreement = compare(compiled, [("0", "1^", "0"), ("1^", "1", "1")])
    assert agreement.agree
    assert agreement.errors == 2
