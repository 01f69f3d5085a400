"""The gate: a small network that reads what all experts offer and writes the weight of each of their votes.

    h1 = SiLU(W1 x + b1),   h2 = SiLU(W2 h1 + b2),   w = W3 h2 + b3,   log odds = w_0 c + sum over votes v of w_v v

x are the inputs but for certainty c, which is 0 only where no bit is likelier, so that there the log odds are 0. All is
seen from the side of the bit that is expected (`inputs`), which makes the prediction symmetric in 0 and 1. A weighted
sum of log odds is a geometric mixture of experts (Hinton 2002; Mahoney 2005, on PAQ); weights that a network computes
from the experts' confidence and success stand for the posterior p(expert | what was seen).

Two faces that agree: `Gate`, a torch module for training, and `run_gate`, one decision in double precision by exactly
rounded operations whose order is fixed (`exact`). The inner loops go over outputs, so they may be vectorised without
changing the order of any sum; silent inputs are skipped.

No probability of a bit is below `FLOOR` or above 1 - `FLOOR`: whoever uses the log odds cuts it there, so that no token
costs more than 16 bits a digit: 128 for a byte.

Limits: `Gate` in single precision agrees to about 1e-5 bits a token, in double precision to about 1e-12.

Shape suffixes: B decisions, I inputs, O votes and certainty.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from up.model.mixing.exact import sigmoid
from up.model.mixing.inputs import VOTES, num_inputs
from up.model.mixing.vocabulary import BYTES, digits_of

FIRST_WEIGHT = 0.9
FLOOR = 2.0**-16


class Gate(nn.Module):
    """The gate as a torch module.

    Args:
        num_contexts: K.
        hidden: width of the two hidden layers.
        generator: draws the initial weights, those of `nn.Linear`; the last layer's are a hundredth of it around biases
            that give every vote the same weight, `FIRST_WEIGHT` / K.
        digits: of a token.

    """

    def __init__(
        self,
        num_contexts: int,
        hidden: tuple[int, int],
        generator: torch.Generator,
        digits: int = digits_of(BYTES),
    ) -> None:
        super().__init__()
        self.num_weights = 1 + VOTES * num_contexts
        self.first = _linear(num_inputs(num_contexts, digits) - 1, hidden[0])
        self.second = _linear(*hidden)
        self.third = _linear(hidden[1], self.num_weights)
        with torch.no_grad():
            for layer in (self.first, self.second, self.third):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            self.third.weight *= 0.01
            self.third.bias.fill_(FIRST_WEIGHT / num_contexts)
            self.third.bias[0] = 0

    def forward(self, inputs_BI: Tensor) -> Tensor:
        """Return the log odds of the expected bit, of shape (B,)."""
        hidden_BH = nn.functional.silu(self.first(inputs_BI[:, 1:]))
        hidden_BH = nn.functional.silu(self.second(hidden_BH))
        return (self.third(hidden_BH) * inputs_BI[:, : self.num_weights]).sum(1)


def _linear(fan_in: int, fan_out: int) -> nn.Linear:
    """Return a layer whose weights are still to be drawn."""
    layer = nn.utils.skip_init(nn.Linear, fan_in, fan_out)
    assert isinstance(layer, nn.Linear)
    return layer


class GateWeights(NamedTuple):
    """The gate in double precision; matrices map from the left, and all are views of one vector.

    Attributes:
        vector: all parameters.
        first: W1 transposed.
        first_bias: b1.
        second: W2 transposed.
        second_bias: b2.
        third: W3 transposed.
        third_bias: b3.

    """

    vector: NDArray[np.float64]
    first: NDArray[np.float64]
    first_bias: NDArray[np.float64]
    second: NDArray[np.float64]
    second_bias: NDArray[np.float64]
    third: NDArray[np.float64]
    third_bias: NDArray[np.float64]


class Activations(NamedTuple):
    """What `run_gate` computes on its way.

    Attributes:
        first: h1.
        first_slope: derivative of SiLU there.
        second: h2.
        second_slope: derivative of SiLU there.
        weights: w.

    """

    first: NDArray[np.float64]
    first_slope: NDArray[np.float64]
    second: NDArray[np.float64]
    second_slope: NDArray[np.float64]
    weights: NDArray[np.float64]


def empty_weights(gate: Gate) -> GateWeights:
    """Return room for the parameters of a gate of this shape, all 0."""
    shapes = []
    for layer in (gate.first, gate.second, gate.third):
        shapes += [(layer.in_features, layer.out_features), (layer.out_features,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    vector = np.zeros(sum(sizes))
    parts = np.split(vector, np.cumsum(sizes)[:-1])
    return GateWeights(vector, *(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))


def weights_of(gate: Gate) -> GateWeights:
    """Return a copy of the parameters."""
    weights = empty_weights(gate)
    for layer, matrix, bias in zip((gate.first, gate.second, gate.third), weights[1::2], weights[2::2], strict=True):
        matrix[:] = layer.weight.detach().cpu().double().numpy().T
        bias[:] = layer.bias.detach().cpu().double().numpy()
    return weights


def empty_activations(weights: GateWeights) -> Activations:
    """Return room for one decision."""
    sizes = (len(bias) for bias in (weights.first_bias,) * 2 + (weights.second_bias,) * 2 + (weights.third_bias,))
    return Activations(*(np.zeros(size) for size in sizes))


def multiply(inputs: Any, matrix: Any, outputs: Any) -> None:
    """Add to each output the sum over inputs times their row of the matrix, in the order of the rows."""
    for row in range(len(inputs)):
        factor = inputs[row]
        if factor != 0.0:
            for column in range(len(outputs)):
                outputs[column] += factor * matrix[row, column]


def activate(values: Any, slopes: Any) -> None:
    """Replace values by their SiLU, x sigmoid(x), and write its derivative."""
    for index in range(len(values)):
        x = values[index]
        s = sigmoid(x)
        values[index] = x * s
        slopes[index] = s * (1.0 + x * (1.0 - s))


def run_gate(weights: GateWeights, activations: Activations, inputs: Any) -> float:
    """Return the log odds of the expected bit, and leave what was computed on the way in `activations`."""
    activations.first[:] = weights.first_bias
    multiply(inputs[1:], weights.first, activations.first)
    activate(activations.first, activations.first_slope)
    activations.second[:] = weights.second_bias
    multiply(activations.first, weights.second, activations.second)
    activate(activations.second, activations.second_slope)
    activations.weights[:] = weights.third_bias
    multiply(activations.second, weights.third, activations.weights)
    log_odds = 0.0
    for index in range(len(activations.weights)):
        log_odds += activations.weights[index] * inputs[index]
    return log_odds
