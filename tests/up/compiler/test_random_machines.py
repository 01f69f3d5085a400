"""Random machines, step by step: tape machines and prefix machines whose tables nobody thought of."""

from dataclasses import replace
from itertools import islice, product

from hypothesis import given, settings
from hypothesis import strategies as st

from theory.machines.machine import Bound
from theory.machines.one_tape import HALTED, LEFT, RIGHT, Configuration, TapeMachine, TapeRule, step
from theory.machines.prefix import ANY, HALT, PrefixMachine, PrefixRule
from up.compiler.checked import read_variables, run_steps
from up.compiler.examples.tape_machine import configuration_at, tape_machine, tape_tokens
from up.compiler.interpreter import states
from up.compiler.side_by_side import tapes_of_machine, tapes_of_transformer
from up.compiler.zmap import zmap

BOUND = Bound(time=12, space=4)
STATES = ("start", "one", "two")


@st.composite
def tape_machines(draw):
    names, symbols = ("A", "B"), draw(st.integers(2, 3))
    rules = {
        entry: TapeRule(
            draw(st.integers(0, symbols - 1)),
            draw(st.sampled_from((LEFT, RIGHT))),
            draw(st.sampled_from((*names, HALTED))),
        )
        for entry in product(names, range(symbols))
    }
    return TapeMachine(name="random", symbols=symbols, states=names, rules=rules)


@given(tape_machines(), st.data())
def test_a_random_tape_machine_is_stepped_as_theory_steps_it(machine, data):
    cells = data.draw(st.integers(1, 5))
    tape = tuple(data.draw(st.integers(0, machine.symbols - 1)) for _ in range(cells))
    configuration = Configuration(tape, data.draw(st.integers(0, cells - 1)), "A")
    program = tape_machine(machine)
    for layer in states(program, tape_tokens(configuration), layers=8):
        assert configuration_at(machine, layer) == configuration
        configuration = step(machine, configuration)


@st.composite
def prefix_machines(draw):
    """Draw tables with a rule for most of what can be seen, and heads that stay on their tapes."""
    rules = {}
    for state, seen, cell in product(STATES, "<01>", "<_1"):
        bits = draw(st.sampled_from(((ANY,), ("0", "1"), ("1",), ())))
        for bit in (ANY,) if state == "start" else bits:
            emitted = draw(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("01")), max_size=2))
            rules[state, bit, seen, cell] = PrefixRule(
                draw(st.sampled_from((*STATES, HALT))),
                None if cell == "<" else draw(st.sampled_from((None, "_", "1"))),
                1 if state == "start" else draw(st.integers(0, 1)),
                draw(st.sampled_from({"<": (0, 1), ">": (-1, 0)}.get(seen, (-1, 0, 1)))),
                draw(st.sampled_from((0, 1) if cell == "<" else (-1, 0, 1))),
                tuple({tape: (tape, bit) for tape, bit in emitted}.values()),
            )
    begun = {entry[0] for entry in rules}
    rules = {entry: rule if rule.state in begun else replace(rule, state=HALT) for entry, rule in rules.items()}
    return PrefixMachine(name="random", inputs="01", work="_1", outputs=2, rules=rules)


@settings(max_examples=40)
@given(prefix_machines(), st.text("01", min_size=0, max_size=4), st.text("01", max_size=3))
def test_the_transformer_of_a_random_prefix_machine_has_its_tapes_after_every_step(machine, program, word):
    within = []
    for now in islice(machine.snapshots(program, word), BOUND.time + 1):
        if now.program_head > len(program) or len(now.work) > BOUND.space:
            break
        within.append(now)
    mapped = zmap(machine, BOUND, program)
    for now, x_BTD in zip(within, run_steps(mapped.compiled, [word]), strict=False):
        exact = tapes_of_machine(mapped, word, now)
        found = tapes_of_transformer(mapped, read_variables(mapped.compiled, x_BTD)[0])
        assert (found.state, found.input, found.work, found.heads) == (
            exact.state,
            exact.input,
            exact.work,
            exact.heads,
        )
        for bits, ours, theirs in zip(now.outputs, found.outputs, exact.outputs, strict=True):
            if bits[1:].count("0") < 2 and len(bits) <= BOUND.space:
                assert ours == theirs
