"""Theorem 2 of Shaw et al. 2025, end to end: from a program to a variational code of as many bits for its network.

All weights of the network but the bits of its prompt are the machine's and the bound's, the same for every program: the
constant. The prompt is sent by the mixtures of B.10, whose divergence is the length of the program, and whatever they
leave to chance does not change the function.
"""

import itertools
import math

import pytest
import torch

from theory.machines.machine import Bound
from theory.machines.prefix_machines import PREFIX_MACHINES
from theory.measures.codes import tape_divergence
from up.codes.mixture import divergence, tape_code
from up.compiler.zmap import exact_logits, mapping_fn, zmap

MACHINE, BOUND = PREFIX_MACHINES["rational"], Bound(time=20, space=10)
PROGRAMS = ["01000100", "010011010"]
INPUTS = ["", "1", "11"]
SIGMA = 1e-5


def tape_of(mapped):
    """The weights that hold the program: one of each prompt token."""
    vocabulary = mapped.compiled.program.vocabulary
    rows = [vocabulary.index(f"p{place}") for place in range(1, mapped.bound.space + 1)]
    return mapped.compiled.network.embedding.weight.data, rows, mapped.compiled.layout.start["bit"]


def code_of(program, registers):
    return tape_code([int(bit) for bit in program], registers, sigma=SIGMA)


@pytest.mark.parametrize("program", PROGRAMS)
class TestProgram:
    def test_every_draw_of_the_posterior_computes_its_function(self, program):
        mapped = zmap(MACHINE, BOUND, program)
        weight, rows, column = tape_of(mapped)
        posterior = code_of(program, BOUND.space).posterior
        drawn = posterior.sample(6, torch.Generator().manual_seed(0))
        assert len(drawn[:, len(program) :].sign().unique(dim=0)) > 1  # the rest of the tape differs
        for tape in drawn:
            weight[rows, column] = tape.to(weight.dtype)
            for given in INPUTS:
                expected = [float(logit) for logit in exact_logits(mapped, given)]
                assert mapping_fn(mapped)(given) == pytest.approx(expected, abs=1e-2)

    def test_its_weights_cost_its_length_and_the_data_what_the_function_charges(self, program):
        mapped, code = zmap(MACHINE, BOUND, program), code_of(program, BOUND.space)
        bits = divergence(code.posterior, code.prior, samples=32, generator=torch.Generator().manual_seed(1))
        assert bits.value == pytest.approx(len(program), abs=1e-6)
        assert bits.value == pytest.approx(float(tape_divergence(len(program), BOUND.space)), abs=1e-6)
        charged = [-torch.tensor(mapping_fn(mapped)(given)).log_softmax(0)[0] / math.log(2) for given in INPUTS]
        exact = []
        for given in INPUTS:
            logits = torch.tensor([float(logit) for logit in exact_logits(mapped, given)], dtype=torch.float64)
            exact.append(-logits.log_softmax(0)[0] / math.log(2))
        assert float(sum(charged)) == pytest.approx(float(sum(exact)), abs=1e-2)

    def test_with_other_bits_in_the_prompt_it_is_another_function(self, program):
        mapped = zmap(MACHINE, BOUND, program)
        weight, rows, column = tape_of(mapped)
        before = torch.tensor([mapping_fn(mapped)(given) for given in INPUTS])
        weight[rows[2], column] *= -1
        after = torch.tensor([mapping_fn(mapped)(given) for given in INPUTS])
        assert float((after - before).abs().max()) > 0.4


def test_nothing_but_the_prompt_depends_on_the_program():
    one, other = (zmap(MACHINE, BOUND, program) for program in PROGRAMS)
    (_, rows, column), _ = tape_of(one), tape_of(other)
    pairs = zip(one.compiled.network.state_dict().items(), other.compiled.network.state_dict().values(), strict=True)
    for (name, mine), yours in pairs:
        differing = (mine != yours).nonzero().tolist()
        allowed = set(itertools.product(rows, [column])) if name == "embedding.weight" else set()
        assert {tuple(place) for place in differing} <= allowed
