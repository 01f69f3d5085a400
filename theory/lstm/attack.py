"""How near to tight the certified radius is: attacks that look for a network just outside it that steps wrongly.

Two kinds. Sampling moves all parameters at random, as an initialisation would, and counts how often a step goes wrong.
The gradient attack picks the answers that are nearest to turning, differentiates each by all parameters through the
tokens (backpropagation through time, written out below), and walks to the edge of the box or the ball in the direction
in which that answer moves fastest. A network counts as broken only once it has been run and what was read from it was
wrong, so an attack gives an upper bound on the true radius where the certificate gives a lower one.

Source: after the projected gradient steps of Madry et al. 2018 (arXiv 1706.06083); here on parameters instead of
inputs, and each step goes all the way to the point of the region that lies furthest in the direction. Limits: tapes of
a few cells; a failed attack proves nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError
from theory.lstm.construction import LSTM, ReadOut, forward, padded_columns, read
from theory.lstm.radius import Region
from theory.machines.one_tape import TapeMachine, configurations, step

# Shapes: B configurations, T tokens, N cells, D bits of a column, H hidden units.

MAX_CONFIGURATIONS = 200_000  # about a minute and a gigabyte


@dataclass(frozen=True)
class Tapes:
    """Every configuration of a few cells as the network reads it, and the bits that each cell has one step later."""

    tokens_BTD: NDArray[np.uint8]
    steps_BND: NDArray[np.uint8]

    @classmethod
    def of(cls, machine: TapeMachine, cells: int) -> "Tapes":
        """Return all configurations of so many cells.

        Raises:
            InputError: more than `MAX_CONFIGURATIONS` of them.

        """
        tapes = machine.symbols ** min(cells, 64)  # no power without end
        if tapes * (1 + cells * len(machine.flags)) > MAX_CONFIGURATIONS:
            raise InputError(
                f"the tape has over {MAX_CONFIGURATIONS:,} configurations", received=cells, remedy="give fewer cells"
            )
        before = list(configurations(machine, cells))
        after = padded_columns(machine, [step(machine, configuration) for configuration in before])
        return cls(padded_columns(machine, before), after[:, 1:-1])

    def broken(self, lstm: LSTM, read_out: ReadOut) -> bool:
        """Return whether the network steps some configuration wrongly."""
        return bool((read(forward(lstm, self.tokens_BTD), read_out) != self.steps_BND).any())


def sampled_failures(
    lstm: LSTM, tapes: Tapes, *, radius: float, read_out: ReadOut, samples: int, generator: np.random.Generator
) -> int:
    """Return how many of so many networks, uniform in the box of this radius, step some configuration wrongly."""
    shifts = (generator.uniform(-radius, radius, lstm.parameter_count) for _ in range(samples))
    return sum(tapes.broken(lstm.shifted(shift), read_out) for shift in shifts)


def gradient_attack(
    lstm: LSTM,
    tapes: Tapes,
    *,
    radius: float,
    region: Region,
    read_out: ReadOut,
    targets: int = 8,
    walk: int = 12,
) -> NDArray[np.float64] | None:
    """Return a shift of the parameters, within the radius, that breaks the network, or None if none was found.

    Args:
        lstm: the network.
        tapes: the configurations that it may fail on.
        radius: of the region.
        region: `box` or `ball`.
        read_out: what a wrong step means.
        targets: how many answers to attack, one after another, the most promising first.
        walk: gradient steps for each.

    """
    for at in _promising(lstm, tapes, radius, region)[:targets]:
        shift = np.zeros(lstm.parameter_count)
        for _ in range(walk):
            _, gradient = margin_gradient(lstm.shifted(shift), tapes, at)
            shift = _furthest(-gradient, radius, region)
            if tapes.broken(lstm.shifted(shift), read_out):
                return shift
    return None


def margin_gradient(lstm: LSTM, tapes: Tapes, at: tuple[int, int, int]) -> tuple[float, NDArray[np.float64]]:
    """Return how far beyond 1/2 one answer is, and the derivative of that by all parameters.

    `at` is the configuration, the cell, and the bit of its column.
    """
    configuration, cell, bit = at
    H = lstm.hidden_size
    tokens = tapes.tokens_BTD[configuration, : cell + 3].astype(np.float64)
    sign = 1.0 if tapes.steps_BND[configuration, cell, bit] else -1.0

    h, c, memory = np.zeros(H), np.zeros(H), []
    for x in tokens:
        z = lstm.input_weight @ x + lstm.recurrent_weight @ h + lstm.bias
        i, f, o = (1 / (1 + np.exp(-z[k * H : (k + 1) * H])) for k in (0, 1, 3))
        g = np.tanh(z[2 * H : 3 * H])
        after = f * c + i * g
        memory.append((x, h, c, i, f, g, o, np.tanh(after)))
        h, c = o * np.tanh(after), after
    margin = sign * (lstm.readout_weight[bit] @ h + lstm.readout_bias[bit] - 0.5)

    by_input, by_recurrent, by_bias, by_readout, by_readout_bias = (np.zeros_like(array) for array in lstm.arrays)
    by_readout[bit], by_readout_bias[bit] = sign * h, sign
    by_h, by_c = sign * lstm.readout_weight[bit], np.zeros(H)
    for x, h_before, c_before, i, f, g, o, squashed in reversed(memory):
        by_c = by_c + by_h * o * (1 - squashed**2)
        by_z = np.concatenate(
            [
                by_c * g * i * (1 - i),
                by_c * c_before * f * (1 - f),
                by_c * i * (1 - g**2),
                by_h * squashed * o * (1 - o),
            ]
        )
        by_input += np.outer(by_z, x)
        by_recurrent += np.outer(by_z, h_before)
        by_bias += by_z
        by_h, by_c = lstm.recurrent_weight.T @ by_z, by_c * f
    parts = (by_input, by_recurrent, by_bias, by_readout, by_readout_bias)
    return float(margin), np.concatenate([part.ravel() for part in parts])


def _promising(lstm: LSTM, tapes: Tapes, radius: float, region: Region) -> list[tuple[int, int, int]]:
    """Return the answers by the margin that a first-order step would leave, least first.

    Of the answers to the same three columns only the first is taken: what came before them matters little.
    """
    kinds: dict[bytes, tuple[int, int, int]] = {}
    for configuration, cell, bit in np.ndindex(*tapes.steps_BND.shape):
        seen = tapes.tokens_BTD[configuration, cell : cell + 3].tobytes() + bytes([bit])
        kinds.setdefault(seen, (configuration, cell, bit))
    left = {}
    for at in kinds.values():
        margin, gradient = margin_gradient(lstm, tapes, at)
        left[at] = margin + gradient @ _furthest(-gradient, radius, region)
    return sorted(left, key=lambda at: left[at])


def _furthest(direction: NDArray[np.float64], radius: float, region: Region) -> NDArray[np.float64]:
    """Return the point of the region that lies furthest in a direction."""
    return radius * (np.sign(direction) if region == "box" else direction / np.linalg.norm(direction))
