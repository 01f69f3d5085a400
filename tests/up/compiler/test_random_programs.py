"""Random rule programs: the plain interpreter, the vectorised one and the weights say the same, errors included."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, event, given, settings

from tests.up.compiler.random_programs import random_runs
from up.compiler.agreement import compare
from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.interpreter import interpret
from up.compiler.undefined import UndefinedValueError
from up.compiler.vectorised import interpret_all

QUICK = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
FULL = settings(max_examples=10_000, suppress_health_check=list(HealthCheck))


def plain(program, given_tokens):
    """What the plain interpreter says on an input: values, or the error."""
    try:
        return interpret(program, given_tokens)
    except UndefinedValueError as error:
        return str(error)


def assert_both_interpreters_agree(run):
    batch = interpret_all(run.program, run.inputs)
    for row, tokens in enumerate(run.inputs):
        expected = plain(run.program, tokens)
        event("undefined" if isinstance(expected, str) else "defined")
        if isinstance(expected, str):
            assert str(batch.errors[row]) == expected
            continue
        assert batch.errors[row] is None
        for at, state in enumerate(expected):
            assert {name: column[row, at] for name, column in batch.columns.items()} == state


def assert_weights_agree(run, **config):
    compiled = compile_program(run.program, CompilerConfig(**config))
    for dtype in (torch.float32, torch.float64):
        compiled.network.to(dtype)
        agreement = compare(compiled, run.inputs)
        assert agreement.agree, agreement
        assert agreement.distance < 1e-5


@QUICK
@given(random_runs())
def test_interpreters_and_weights_agree_on_random_programs(run):
    assert_both_interpreters_agree(run)
    assert_weights_agree(run)


@QUICK
@given(random_runs(tanh=True))
def test_they_agree_under_tanh_normalisation(run):
    assert_weights_agree(run, tanh=True)


@pytest.mark.slow
@FULL
@given(random_runs())
def test_interpreters_and_weights_agree_on_ten_thousand_random_programs(run):
    assert_both_interpreters_agree(run)
    assert_weights_agree(run)


def test_a_wrong_weight_is_noticed():
    """So that agreement says something: any rule whose bias is raised fires where it should not."""
    from up.compiler.cases import CASES

    case = CASES["increment"]
    compiled = compile_program(case.build())
    with torch.no_grad():
        compiled.network.mlp_in.bias[0] += 1
    assert not compare(compiled, case.all_inputs()).agree
    assert np.isfinite(compare(compiled, case.all_inputs()).distance)
