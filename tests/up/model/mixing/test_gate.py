import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from up.model.mixing.adaptation import RATE, add_gradient, new_learner, step
from up.model.mixing.compiled import kernel
from up.model.mixing.gate import Gate, empty_activations, empty_weights, run_gate, weights_of
from up.model.mixing.inputs import num_inputs

CONTEXTS = 3


def small_gate(seed: int) -> Gate:
    """A gate whose last layer is not small, so that all of it counts."""
    gate = Gate(CONTEXTS, (9, 7), torch.Generator().manual_seed(seed)).double()
    with torch.no_grad():
        gate.third.weight *= 100
    return gate


def some_inputs(seed: int, decisions: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    inputs_BI = generator.normal(0, 2, (decisions, num_inputs(CONTEXTS)))
    inputs_BI[:, 0] = 1
    inputs_BI[generator.random(inputs_BI.shape) < 0.3] = 0  # silent
    return inputs_BI


@given(st.integers(0, 2**32 - 1))
def test_one_decision_equals_the_torch_module(seed):
    gate, inputs_BI = small_gate(seed), some_inputs(seed, 5)
    weights = weights_of(gate)
    activations = empty_activations(weights)
    log_odds_B = [kernel(run_gate)(weights, activations, inputs_I) for inputs_I in inputs_BI]
    np.testing.assert_allclose(log_odds_B, gate(torch.from_numpy(inputs_BI)).detach(), rtol=1e-11, atol=1e-11)


def test_adapting_equals_adam_on_the_mean_code_length():
    gate, inputs_BI = small_gate(0), some_inputs(0, 48)
    came_B = np.random.default_rng(1).integers(2, size=48).astype(np.float64)
    weights = weights_of(gate)
    activations, learner = empty_activations(weights), new_learner(weights, empty_weights(gate))
    optimiser = torch.optim.Adam(gate.parameters(), lr=RATE)
    for batch in np.arange(48).reshape(4, 12):
        for index in batch:
            log_odds = kernel(run_gate)(weights, activations, inputs_BI[index])
            kernel(add_gradient)(learner, activations, inputs_BI[index], 1 / (1 + np.exp(-log_odds)) - came_B[index])
        kernel(step)(learner, weights)
        optimiser.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(
            gate(torch.from_numpy(inputs_BI[batch])), torch.from_numpy(came_B[batch])
        ).backward()
        optimiser.step()
        np.testing.assert_allclose(weights.vector, weights_of(gate).vector, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("inputs_are", [-1, 1])
def test_exchanging_all_votes_exchanges_the_prediction_where_neither_bit_is_expected(inputs_are):
    gate, inputs_BI = small_gate(0), some_inputs(0, 4)
    inputs_BI[:, : gate.num_weights] = 0
    assert (gate(torch.from_numpy(inputs_are * inputs_BI)) == 0).all()


def test_before_training_all_votes_have_nearly_the_same_weight():
    gate = Gate(CONTEXTS, (9, 7), torch.Generator().manual_seed(0)).double()
    inputs_BI = some_inputs(0, 100)
    votes_B = inputs_BI[:, 1 : gate.num_weights].sum(1)
    np.testing.assert_allclose(gate(torch.from_numpy(inputs_BI)).detach(), 0.3 * votes_B, atol=0.5)
