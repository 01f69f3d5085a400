"""Prefix machines: what they do, what tables are refused, and what their programs are."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theory.errors import InputError
from theory.machines.collisions import find_collision, programs, require_prefix_free
from theory.machines.logit_code import decode_logit, encode_logit
from theory.machines.machine import Bound, Status
from theory.machines.prefix import HALT, PrefixMachine, PrefixRule
from theory.machines.prefix_machines import PREFIX_MACHINES, load_prefix_machine

AMPLE = Bound(time=2_000, space=80)


def words(alphabet, most):
    return ["".join(word) for length in range(most + 1) for word in product(alphabet, repeat=length)]


def machine(rules, inputs="01", work="_1", outputs=1):
    return PrefixMachine(name="mine", inputs=inputs, work=work, outputs=outputs, rules=rules)


@given(st.fractions(max_denominator=9, min_value=-9, max_value=9))
def test_a_logit_survives_its_output_tape(logit):
    assert decode_logit(encode_logit(logit)) == logit


@pytest.mark.parametrize("bits", ["", "0", "1", "01", "0100", "10110"])
def test_bits_that_stand_for_no_logit_are_refused(bits):
    """Equation 28: a sign, ones, a zero, ones; the image of the encoding, not its domain (equations 30 and 31)."""
    with pytest.raises(InputError, match="stand for no logit"):
        decode_logit(bits)


def test_the_automaton_gives_the_logit_one_to_the_state_it_ends_in():
    for program in words("01", 4)[-16:]:
        for word in words("01", 5):
            state = 0
            for symbol in word:
                state = int(program[2 * state + int(symbol)])
            run = PREFIX_MACHINES["automaton"].run(program, word, AMPLE)
            assert (run.status, run.bits_read) == (Status.HALTED, 4)
            assert run.logits == (1 - state, state)
            assert run.steps <= 53


def test_the_rational_machine_reads_its_logits_off_the_program():
    for a, b, c, d, signs in product(range(3), range(1, 3), range(2), range(1, 3), ("00", "01", "10", "11")):
        program = f"{signs[0]}{'1' * a}0{'1' * (b - 1)}0{signs[1]}{'1' * c}0{'1' * (d - 1)}0"
        for length in range(3):
            run = PREFIX_MACHINES["rational"].run(program, "1" * length, AMPLE)
            first, second = Fraction(a + length, b), Fraction(c, d)
            assert run.logits == (-first if signs[0] == "1" else first, -second if signs[1] == "1" else second)
            assert run.bits_read == len(program)


def productions(program):
    """What the program of `tag` describes."""
    found = [""]
    for pair in (program[at : at + 2] for at in range(0, len(program), 2)):
        if pair[0] == "0":
            found[-1] += pair[1]
        elif pair == "10":
            found.append("")
    return found


def cyclic_tag(rules, queue, most=60):
    """How many zeros and ones a cyclic tag system takes from its queue until it is empty; None if it goes on."""
    taken, waiting = [0, 0], list(queue)
    for turn in range(most):
        if not waiting:
            return tuple(taken)
        bit = waiting.pop(0)
        taken[int(bit)] += 1
        if bit == "1":
            waiting += rules[turn % len(rules)]
    return None


def test_the_tag_machine_runs_every_cyclic_tag_system_of_up_to_eight_bits():
    count = 0
    for word in ["", "0", "1", "01", "10", "11", "110"]:
        for program in programs(PREFIX_MACHINES["tag"], word, AMPLE, 8):
            run = PREFIX_MACHINES["tag"].run(program, word, AMPLE)
            assert run.logits == cyclic_tag(productions(program), word)
            count += 1
    assert count > 200


def test_the_tag_machine_runs_a_system_that_grows_and_shrinks():
    rules = ("010", "000", "1")
    program = "00010010" + "00000010" + "0111"
    assert productions(program) == list(rules)
    for word in ("1", "01", "001", "1001"):
        expected = cyclic_tag(rules, word)
        run = PREFIX_MACHINES["tag"].run(program, word, Bound(time=4_000, space=200))
        assert (run.logits if run.status is Status.HALTED else None) == expected


@pytest.mark.parametrize("name", PREFIX_MACHINES)
def test_the_programs_of_the_named_machines_are_prefix_free_over_all_inputs(name):
    assert find_collision(PREFIX_MACHINES[name], Bound(time=400, space=60)) is None


ANYTHING = ("start", "*", "*", "*")


def reads_as_much_as_the_input_is_long():
    """The input decides how much program is read, so no program serves all inputs."""
    return machine(
        {
            ANYTHING: PrefixRule("go", program_move=1, emits=((0, "0"),)),
            ("go", "*", "<", "*"): PrefixRule("go", input_move=1),
            ("go", "*", "0", "*"): PrefixRule("go", input_move=1, program_move=1),
            ("go", "*", "1", "*"): PrefixRule("go", input_move=1),
            ("go", "*", ">", "*"): PrefixRule(HALT, emits=((0, "0"),)),
        }
    )


def test_two_colliding_programs_are_found_and_named():
    found = find_collision(reads_as_much_as_the_input_is_long(), AMPLE)
    assert (found.shorter, found.shorter_input, found.longer, found.longer_input) == ("0", "", "00", "0")
    with pytest.raises(InputError, match="not prefix-free: it halts on program 0 given ε, and on 00 given 0"):
        require_prefix_free(reads_as_much_as_the_input_is_long(), AMPLE)


def test_a_run_ends_in_a_status_whatever_happens():
    loops = machine({ANYTHING: PrefixRule("start")})
    reads = machine({ANYTHING: PrefixRule("start", program_move=1)})
    walks = machine({ANYTHING: PrefixRule("start", work_move=1)})
    stuck = machine({("start", "1", "*", "*"): PrefixRule(HALT)})
    bound = Bound(time=9, space=4)
    statuses = [each.run("01", "", bound).status for each in (loops, reads, walks, stuck)]
    assert statuses == [Status.OUT_OF_TIME, Status.NEEDS_INPUT, Status.OUT_OF_SPACE, Status.STUCK]


@pytest.mark.parametrize(
    ("entry", "rule", "reason"),
    [
        (("start", "*", "*", "*"), PrefixRule("nowhere"), "no rule begins in a state"),
        (("start", "2", "*", "*"), PrefixRule(HALT), "a symbol that its tape does not have"),
        (("start", "*", "x", "*"), PrefixRule(HALT), "a symbol that its tape does not have"),
        (("start", "*", "*", "x"), PrefixRule(HALT), "a work symbol that there is not"),
        (("start", "*", "*", "*"), PrefixRule(HALT, program_move=-1), "that of the program to the right only"),
        (("start", "*", "*", "*"), PrefixRule(HALT, input_move=1), "the input head may leave its tape"),
        (("start", "*", "<", "*"), PrefixRule(HALT, input_move=-1), "the input head may leave its tape"),
        (("start", "*", "*", "<"), PrefixRule(HALT, work_move=-1), "the work head may leave its tape"),
        (("start", "*", "*", "<"), PrefixRule(HALT, write="1"), "where the marker may be"),
        (("start", "*", "*", "_"), PrefixRule(HALT, write="0"), "it writes what is no work symbol"),
        (("start", "*", "*", "*"), PrefixRule(HALT, emits=((1, "0"),)), "an output tape that there is not"),
        (("start", "*", "*", "*"), PrefixRule(HALT, emits=((0, "0"), (0, "1"))), "it writes twice"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(entry, rule, reason):
    with pytest.raises(InputError, match=reason):
        machine({entry: rule})


def test_two_entries_that_apply_at_once_are_refused():
    with pytest.raises(InputError, match="two entries apply at once"):
        machine({("start", "0", "*", "*"): PrefixRule(HALT), ("start", "*", "1", "*"): PrefixRule(HALT)})


def test_an_input_symbol_that_the_machine_does_not_have_is_refused():
    with pytest.raises(InputError, match="no such input symbol"):
        PREFIX_MACHINES["rational"].run("01000100", "0", AMPLE)


FILE = """
from theory.machines.prefix import HALT, PrefixMachine, PrefixRule

SIGN = PrefixMachine(name="sign", inputs="1", work="_", outputs=1, rules={
    ("start", "*", "*", "*"): PrefixRule("read", program_move=1),
    ("read", "0", "*", "*"): PrefixRule("end", emits=((0, "0"),)),
    ("read", "1", "*", "*"): PrefixRule("end", emits=((0, "1"),)),
    ("end", "*", "*", "*"): PrefixRule(HALT, emits=((0, "0"),)),
})
"""


def test_a_machine_of_the_users_own_is_loaded(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    assert load_prefix_machine(f"{path}:SIGN").run("1", "11", AMPLE).outputs == ("10",)


def test_an_unknown_machine_is_refused():
    with pytest.raises(InputError, match="take one of rational, automaton, tag"):
        load_prefix_machine("abacus")
