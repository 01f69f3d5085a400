"""zmap: machine, interpreter and network compute the same logits, for all programs and all inputs."""

from itertools import product

import pytest
import torch

from theory.machines.collisions import programs
from theory.machines.machine import Bound, Status
from theory.machines.prefix_machines import PREFIX_MACHINES
from up.compiler.compile import CompilerConfig
from up.compiler.side_by_side import side_by_side
from up.compiler.zmap import (
    exact_logits,
    interpreted_logits,
    logits_on_all,
    mapping_fn,
    smallest_bound,
    zmap,
)
from up.errors import InputError

AUTOMATON, RATIONAL, TAG = (PREFIX_MACHINES[name] for name in ("automaton", "rational", "tag"))
LONGEST_RUN = Bound(time=53, space=6)


def words(alphabet, length):
    return ["".join(word) for word in product(alphabet, repeat=length)]


def assert_equal(mapped, inputs):
    """Assert that machine, interpreter and network agree on inputs of one length; return how many there were."""
    for given, (fractions, floats) in zip(inputs, logits_on_all(mapped, inputs), strict=True):
        assert exact_logits(mapped, given) == fractions
        assert floats == pytest.approx([float(logit) for logit in fractions], abs=1e-6)
    return len(inputs)


@pytest.mark.parametrize("program", ["0110", "0000", "1001"])
def test_the_automaton_agrees_on_all_inputs_of_up_to_two_symbols(program):
    mapped = zmap(AUTOMATON, LONGEST_RUN, program)
    assert sum(assert_equal(mapped, words("01", length)) for length in range(3)) == 7


@pytest.mark.slow
def test_the_automaton_agrees_on_all_sixteen_programs_and_all_inputs_of_up_to_five_symbols():
    count = sum(
        assert_equal(zmap(AUTOMATON, LONGEST_RUN, program), words("01", length))
        for program in words("01", 4)
        for length in range(6)
    )
    assert count == 1_008


def test_the_rational_machine_agrees_on_its_shortest_programs_and_inputs():
    found = list(programs(RATIONAL, "", Bound(time=99, space=9), 7))
    assert len(found) == 20
    for program in found[::3]:
        mapped = zmap(RATIONAL, Bound(time=16, space=7), program)
        for length in range(3):
            assert_equal(mapped, ["1" * length])


@pytest.mark.slow
def test_the_rational_machine_agrees_on_all_programs_of_up_to_nine_bits():
    found = list(programs(RATIONAL, "", Bound(time=99, space=9), 9))
    assert len(found) > 100
    for program in found:
        mapped = zmap(RATIONAL, Bound(time=20, space=9), program)
        for length in range(3):
            assert_equal(mapped, ["1" * length])


@pytest.mark.parametrize("program", ["11", "0011", "1011", "0010011011"])
def test_the_universal_machine_agrees_on_programs_that_describe_machines(program):
    for given in ("", "1", "01"):
        bound = smallest_bound(TAG, Bound(time=500, space=60), program, given)
        assert_equal(zmap(TAG, bound, program), [given])


@pytest.mark.slow
def test_the_universal_machine_agrees_on_all_programs_of_up_to_six_bits():
    count = 0
    for given in ("", "0", "1", "00", "01", "10", "11"):
        for program in programs(TAG, given, Bound(time=120, space=12), 6):
            count += assert_equal(zmap(TAG, Bound(time=120, space=12), program), [given])
    assert count > 60


def test_the_plain_interpreter_and_the_model_function_agree_too():
    mapped = zmap(RATIONAL, Bound(time=16, space=9), "111010000")
    logits = exact_logits(mapped, "1")
    assert interpreted_logits(mapped, "1") == logits
    assert mapping_fn(mapped)("1") == pytest.approx([float(logit) for logit in logits])


def test_what_prompts_beyond_the_program_hold_changes_nothing():
    """Equation 54: r can be chosen arbitrarily."""
    mapped = zmap(AUTOMATON, Bound(time=53, space=12), "0110")
    inputs = words("01", 3)
    before = [mapping_fn(mapped)(given) for given in inputs]
    bit = mapped.compiled.layout.start["bit"]
    rows = [mapped.compiled.program.vocabulary.index(f"p{place}") for place in range(5, 13)]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        noise = torch.randint(2, (len(rows),), generator=generator) * 2.0 - 1.0
        mapped.compiled.network.embedding.weight[rows, bit] = noise
    assert [mapping_fn(mapped)(given) for given in inputs] == before
    with torch.no_grad():
        mapped.compiled.network.embedding.weight[mapped.compiled.program.vocabulary.index("p2"), bit] *= -1
    assert [mapping_fn(mapped)(given) for given in inputs] != before


@pytest.mark.parametrize("name", PREFIX_MACHINES)
def test_the_sizes_are_those_of_the_table_alone(name):
    """B.5.5: they grow with neither bound, but for a row of embeddings for each register, and not with the program."""
    machine = PREFIX_MACHINES[name]
    states, inputs, work, outputs = len(machine.states), len(machine.inputs), len(machine.work), machine.outputs
    small, large = (
        zmap(machine, Bound(time=time, space=space), "1" * bits).compiled.network.sizes
        for time, space, bits in ((9, 4, 0), (99, 40, 8))
    )
    assert small.width == states + 2 * inputs + 2 * work + 18 + 9 * outputs
    assert small.heads == 8 + 2 * outputs
    assert small.hidden <= inputs + work + 10 + 5 * outputs + sum(
        1 + 2 + 2 + 2 + sum(4 if bit == "1" else 2 for _, bit in rule.emits) for rule in machine.rules.values()
    )
    assert (small.width, small.heads, small.hidden) == (large.width, large.heads, large.hidden)
    assert large.vocabulary - small.vocabulary == 36


def test_program_bits_are_one_weight_each_and_all_else_is_shared():
    """Equation 53."""
    one, other = (zmap(AUTOMATON, LONGEST_RUN, program).compiled for program in ("0110", "0111"))
    different = [int((a != b).sum()) for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True)]
    assert sum(different) == 1


def test_the_literal_of_a_binary_zero_on_a_bit_of_minus_one_breaks_the_machine():
    """Erratum: the literals of B.5.4 on the bits of equation 54 let a rule fire where another literal fails."""
    mapped = zmap(AUTOMATON, LONGEST_RUN, "0110")
    compiled = mapped.compiled
    with torch.no_grad():
        for number, unit in enumerate(compiled.units):
            if unit.literals is not None and unit.literals.get("bit_read") == -1:
                compiled.network.mlp_in.bias[number] += 1  # the -1 is there, and no longer counted
    assert mapping_fn(mapped)("101") != pytest.approx((1.0, 0.0), abs=0.1)


@pytest.mark.parametrize(("given", "breaks"), [("", False), ("10110", True)], ids=["12 steps", "45 steps"])
def test_noise_in_the_weights_breaks_long_runs_first(given, breaks):
    """What a posterior may blur depends on the bound on time: nothing rounds between the layers."""
    mapped = zmap(AUTOMATON, smallest_bound(AUTOMATON, Bound(time=99, space=9), "0110", given), "0110")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in mapped.compiled.network.parameters():
            parameter += 1e-4 * torch.randn(parameter.shape, generator=generator)
    exact = [float(logit) for logit in exact_logits(mapped, given)]
    near = mapping_fn(mapped)(given) == pytest.approx(exact, abs=0.2)
    assert near is not breaks


def test_under_no_bound_does_a_program_serve_all_inputs_if_its_run_time_grows():
    """Equation 31 then has no program, and K_{T,R} is infinite."""
    for time in (40, 80, 160):
        runs = [AUTOMATON.run("0110", "1" * length, Bound(time=time, space=9)).status for length in range(30)]
        assert runs[0] is Status.HALTED
        assert runs[-1] is Status.OUT_OF_TIME


def test_both_sides_agree_in_every_layer():
    mapped = zmap(AUTOMATON, Bound(time=33, space=4), "0110")
    both = side_by_side(mapped, "101")
    assert both.agree
    assert len(both.layers) == 35
    nothing, one = ((0, 1), (0, 1)), ((1, 1), (0, 1))
    assert [layer.machine.outputs for layer in both.layers[31:34]] == [nothing, one, one]


def test_a_weight_that_is_wrong_is_seen_in_the_layer_in_which_it_acts():
    mapped = zmap(AUTOMATON, Bound(time=33, space=4), "0110")
    with torch.no_grad():
        row = mapped.compiled.program.vocabulary.index("p3")
        mapped.compiled.network.embedding.weight[row, mapped.compiled.layout.start["bit"]] *= -1
    both = side_by_side(mapped, "101")
    assert not both.agree
    assert not both.layers[0].agree
    assert both.layers[20].machine.work != both.layers[20].transformer.work


def test_a_larger_scale_than_needed_changes_nothing():
    mapped = zmap(RATIONAL, Bound(time=16, space=8), "01000100", CompilerConfig(scale=30.0))
    assert mapping_fn(mapped)("1") == pytest.approx((2.0, 1.0))


@pytest.mark.parametrize(
    ("program", "given", "bound", "reason"),
    [
        ("0110", "101", Bound(time=33, space=3), "the program does not fit a bound of so many registers"),
        ("0110", "101", Bound(time=32, space=4), "out of time"),
        ("011", "101", Bound(time=99, space=9), "needs another bit of program"),
        ("01101", "101", Bound(time=99, space=9), "give 0110"),
        ("01x0", "101", Bound(time=99, space=9), "only the characters 0 and 1"),
        ("0110", "102", Bound(time=99, space=9), "no such input symbol"),
    ],
)
def test_what_is_not_a_program_within_the_bound_is_refused(program, given, bound, reason):
    with pytest.raises(InputError, match=reason):
        exact_logits(zmap(AUTOMATON, bound, program), given)
