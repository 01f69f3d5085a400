"""Adaptation: the gate learns while it predicts, by one step of Adam after each `STEP_DECISIONS` decisions, 64 bytes.

The gradient is that of the code length in nats, averaged over the decisions since the last step (Kingma and Ba 2015,
Adam, algorithm 1, with its defaults but for the rate). Matrices are kept transposed as well, so that errors travel back
through loops that go over outputs, too (`gate`).

Limits: such a step costs twice the multiplications of a prediction for every decision before it.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from up.model.mixing.gate import Activations, GateWeights, multiply

RATE = 2e-4
STEP_DECISIONS = 512
_DECAY, _SQUARE_DECAY, _EPSILON = 0.9, 0.999, 1e-8
POWER, SQUARE_POWER, DECISIONS = 0, 1, 2


class Learner(NamedTuple):
    """State of Adam and of the gradient.

    Attributes:
        gradient: a vector like that of the weights ...
        first: ... and its parts, as in `GateWeights`.
        first_bias: part of it.
        second: part of it.
        second_bias: part of it.
        third: part of it.
        third_bias: part of it.
        mean: average gradient.
        square: average squared gradient.
        second_transposed: a copy of the weights' `second`, transposed.
        third_transposed: of their `third`.
        first_error: scratch, derivative by h1.
        second_error: scratch, by h2.
        weights_error: scratch, by w.
        clock: the two decays to the power of the steps made; decisions since the last step.

    """

    gradient: NDArray[np.float64]
    first: NDArray[np.float64]
    first_bias: NDArray[np.float64]
    second: NDArray[np.float64]
    second_bias: NDArray[np.float64]
    third: NDArray[np.float64]
    third_bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    square: NDArray[np.float64]
    second_transposed: NDArray[np.float64]
    third_transposed: NDArray[np.float64]
    first_error: NDArray[np.float64]
    second_error: NDArray[np.float64]
    weights_error: NDArray[np.float64]
    clock: NDArray[np.float64]


def new_learner(weights: GateWeights, gradient: GateWeights) -> Learner:
    """Return a learner before its first step; `gradient` is room of the weights' shape (`empty_weights`)."""
    return Learner(
        *gradient,
        mean=np.zeros_like(weights.vector),
        square=np.zeros_like(weights.vector),
        second_transposed=weights.second.T.copy(),
        third_transposed=weights.third.T.copy(),
        first_error=np.zeros_like(weights.first_bias),
        second_error=np.zeros_like(weights.second_bias),
        weights_error=np.zeros_like(weights.third_bias),
        clock=np.array([1.0, 1.0, 0.0]),
    )


def add_outer(left: Any, right: Any, matrix: Any) -> None:
    """Add the outer product to the matrix."""
    for row in range(len(left)):
        factor = left[row]
        if factor != 0.0:
            for column in range(len(right)):
                matrix[row, column] += factor * right[column]


def add_gradient(learner: Learner, activations: Activations, inputs: Any, error: float) -> None:
    """Add the gradient of one decision; `error` is the expected bit's probability less 1 if it came, less 0 if not."""
    for index in range(len(learner.weights_error)):
        learner.weights_error[index] = error * inputs[index]
        learner.third_bias[index] += learner.weights_error[index]
    add_outer(activations.second, learner.weights_error, learner.third)
    learner.second_error[:] = 0.0
    multiply(learner.weights_error, learner.third_transposed, learner.second_error)
    for index in range(len(learner.second_error)):
        learner.second_error[index] *= activations.second_slope[index]
        learner.second_bias[index] += learner.second_error[index]
    add_outer(activations.first, learner.second_error, learner.second)
    learner.first_error[:] = 0.0
    multiply(learner.second_error, learner.second_transposed, learner.first_error)
    for index in range(len(learner.first_error)):
        learner.first_error[index] *= activations.first_slope[index]
        learner.first_bias[index] += learner.first_error[index]
    add_outer(inputs[1:], learner.first_error, learner.first)
    learner.clock[DECISIONS] += 1.0


def step(learner: Learner, weights: GateWeights) -> None:
    """Move the weights by one step of Adam, and begin a new gradient."""
    learner.clock[POWER] *= _DECAY
    learner.clock[SQUARE_POWER] *= _SQUARE_DECAY
    mean_scale, square_scale = 1.0 / (1.0 - learner.clock[POWER]), 1.0 / (1.0 - learner.clock[SQUARE_POWER])
    scale = 1.0 / learner.clock[DECISIONS]
    vector, gradient, mean, square = weights.vector, learner.gradient, learner.mean, learner.square
    for index in range(len(vector)):
        slope = gradient[index] * scale
        mean[index] += (slope - mean[index]) * (1.0 - _DECAY)
        square[index] += (slope * slope - square[index]) * (1.0 - _SQUARE_DECAY)
        vector[index] -= RATE * (mean[index] * mean_scale) / (math.sqrt(square[index] * square_scale) + _EPSILON)
        gradient[index] = 0.0
    for row in range(len(weights.second)):
        for column in range(len(weights.second_bias)):
            learner.second_transposed[column, row] = weights.second[row, column]
    for row in range(len(weights.third)):
        for column in range(len(weights.third_bias)):
            learner.third_transposed[column, row] = weights.third[row, column]
    learner.clock[DECISIONS] = 0.0
