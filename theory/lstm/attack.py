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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from theory.errors import InputError
from theory.lstm.construction import LSTM, ReadOut, forward, padded_columns, read
from theory.lstm.radius import Region
from theory.machines.one_tape import TapeMachine, configurations, step

# Shapes: B configurations, T tokens, N cells, D bits of a column, H hidden units, P parameters, K networks, A answers.

MAX_CONFIGURATIONS = 200_000  # about a minute and a gigabyte
_TOGETHER = 20_000  # configurations, or answers times 32, that go through arithmetic at once

At = tuple[int, int, int]
"""An answer: the configuration, the cell, and the bit of its column."""


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

    def broken(self, lstm: LSTM, read_out: ReadOut) -> NDArray[np.bool_]:
        """Return whether the network steps some configuration wrongly, (), or which of a stack do, (K,)."""
        return (read(forward(lstm, self.tokens_BTD), read_out) != self.steps_BND).any(axis=(-3, -2, -1))

    def broken_among(self, lstm: LSTM, shifts_KP: NDArray[np.float64], read_out: ReadOut) -> NDArray[np.bool_]:
        """Return which of these shifts of the network break it, (K,)."""
        at_once = max(1, _TOGETHER // len(self.tokens_BTD))
        parts = (shifts_KP[k : k + at_once] for k in range(0, len(shifts_KP), at_once))
        return np.concatenate([self.broken(lstm.shifted(part), read_out) for part in parts])


@dataclass(frozen=True)
class Answers:
    """Answers that an attack may turn, each of another window, with how far they are from turning.

    Attributes:
        ats: which answers.
        margins_A: how far beyond 1/2 each is.
        slopes_A: by region, how fast each can fall with the radius: the norm of its gradient dual to the region's.

    """

    ats: list[At]
    margins_A: NDArray[np.float64]
    slopes_A: Mapping[Region, NDArray[np.float64]]

    @classmethod
    def of(cls, lstm: LSTM, tapes: Tapes) -> "Answers":
        """Return the answers of a network. Of those to the same three columns only the first is taken.

        What came before them matters little.
        """
        kinds: dict[bytes, At] = {}
        for configuration, cell, bit in np.ndindex(*tapes.steps_BND.shape):
            seen = tapes.tokens_BTD[configuration, cell : cell + 3].tobytes() + bytes([bit])
            kinds.setdefault(seen, (configuration, cell, bit))
        ats, margins, box, ball = list(kinds.values()), [], [], []
        for k in range(0, len(ats), _TOGETHER // 32):
            margins_A, gradients_AP = margin_gradients(lstm, tapes, ats[k : k + _TOGETHER // 32])
            margins.append(margins_A)
            box.append(np.abs(gradients_AP).sum(axis=1))
            ball.append(np.linalg.norm(gradients_AP, axis=1))
        return cls(ats, np.concatenate(margins), {"box": np.concatenate(box), "ball": np.concatenate(ball)})

    def promising(self, radius: float, region: Region) -> list[At]:
        """Return the answers by the margin that a first-order step would leave, least first."""
        left = self.margins_A - radius * self.slopes_A[region]
        return [self.ats[k] for k in np.argsort(left, kind="stable")]


def sampled_failures(
    lstm: LSTM, tapes: Tapes, *, radius: float, read_out: ReadOut, samples: int, generator: np.random.Generator
) -> int:
    """Return how many of so many networks, uniform in the box of this radius, step some configuration wrongly."""
    failures = 0
    for drawn in range(0, samples, 64):
        shifts_KP = generator.uniform(-radius, radius, (min(64, samples - drawn), lstm.parameter_count))
        failures += int(tapes.broken_among(lstm, shifts_KP, read_out).sum())
    return failures


def gradient_attack(
    lstm: LSTM,
    tapes: Tapes,
    *,
    radius: float,
    region: Region,
    read_out: ReadOut,
    targets: int = 8,
    walk: int = 12,
    answers: Answers | None = None,
) -> NDArray[np.float64] | None:
    """Return a shift of the parameters, within the radius, that breaks the network, or None if none was found.

    Args:
        lstm: the network.
        tapes: the configurations that it may fail on.
        radius: of the region.
        region: `box` or `ball`.
        read_out: what a wrong step means.
        targets: how many answers to attack, the most promising first; what the first of them finds is returned.
        walk: gradient steps for each.
        answers: those of this network on these tapes, which are otherwise looked for.

    """
    ats = (answers or Answers.of(lstm, tapes)).promising(radius, region)[:targets]
    shifts_KP, found = np.zeros((len(ats), lstm.parameter_count)), None
    for _ in range(walk):
        _, gradients_KP = margin_gradients(lstm.shifted(shifts_KP), tapes, ats)
        before_KP, shifts_KP = shifts_KP, _furthest(-gradients_KP, radius, region)
        going = np.flatnonzero((shifts_KP != before_KP).any(axis=1))  # the others stand still, in a corner of the box
        ats, shifts_KP = [ats[k] for k in going], shifts_KP[going]
        if not ats:
            break
        broken = np.flatnonzero(tapes.broken_among(lstm, shifts_KP, read_out))
        if broken.size:  # only an answer that is more promising can still be of interest
            first = int(broken[0])
            found, ats, shifts_KP = shifts_KP[first], ats[:first], shifts_KP[:first]
        if not ats:
            break
    return found


def margin_gradient(lstm: LSTM, tapes: Tapes, at: At) -> tuple[float, NDArray[np.float64]]:
    """Return how far beyond 1/2 one answer is, and the derivative of that by all parameters, (P,)."""
    margins_A, gradients_AP = margin_gradients(lstm, tapes, [at])
    return float(margins_A[0]), gradients_AP[0]


def margin_gradients(lstm: LSTM, tapes: Tapes, ats: Sequence[At]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far beyond 1/2 answers are, (A,), and the derivatives of that by all parameters, (A, P).

    Args:
        lstm: one network that gives all the answers, or a stack with one for each.
        tapes: the configurations.
        ats: the answers.

    """
    configurations_A, cells_A, bits_A = np.array(ats).T
    A, T, H = len(ats), int(cells_A.max()) + 3, lstm.hidden_size
    starts_A = T - 3 - cells_A  # the tokens are aligned at the last one, and nothing is before the first
    tokens_TAD = np.zeros((T, A, tapes.tokens_BTD.shape[2]))
    for start in np.unique(starts_A):
        rows = np.flatnonzero(starts_A == start)
        tokens_TAD[start:, rows] = tapes.tokens_BTD[configurations_A[rows], : T - start].swapaxes(0, 1)
    signs_A = np.where(tapes.steps_BND[configurations_A, cells_A, bits_A] == 1, 1.0, -1.0)
    readout_AH, offset_A = lstm.readout_weight[..., bits_A, :], lstm.readout_bias[..., bits_A]
    if lstm.bias.ndim == 2:  # each answer is that of its own network
        readout_AH, offset_A = lstm.readout_weight[np.arange(A), bits_A], lstm.readout_bias[np.arange(A), bits_A]

    h = c = np.zeros((A, H))
    memory, hidden = [], []
    for t, x in enumerate(tokens_TAD):
        z = _rows_times(x, lstm.input_weight.mT) + _rows_times(h, lstm.recurrent_weight.mT) + lstm.bias
        i, f, o = (1 / (1 + np.exp(-z[:, k * H : (k + 1) * H])) for k in (0, 1, 3))
        g, begun_A1 = np.tanh(z[:, 2 * H : 3 * H]), (t >= starts_A)[:, None]
        after = np.where(begun_A1, f * c + i * g, 0)
        hidden.append(h)
        memory.append((begun_A1, c, i, f, g, o, np.tanh(after)))
        h, c = np.where(begun_A1, o * np.tanh(after), 0), after
    margins_A = signs_A * (np.einsum("ah,ah->a", readout_AH, h) + offset_A - 0.5)

    by_readout, by_readout_bias = (
        np.zeros((A, *lstm.readout_weight.shape[-2:])),
        np.zeros((A, lstm.readout_bias.shape[-1])),
    )
    by_readout[np.arange(A), bits_A], by_readout_bias[np.arange(A), bits_A] = signs_A[:, None] * h, signs_A
    by_h, by_c, by_z = signs_A[:, None] * readout_AH, np.zeros((A, H)), []
    for begun_A1, c_before, i, f, g, o, squashed in reversed(memory):
        by_c = by_c + by_h * o * (1 - squashed**2)
        parts = (
            by_c * g * i * (1 - i),
            by_c * c_before * f * (1 - f),
            by_c * i * (1 - g**2),
            by_h * squashed * o * (1 - o),
        )
        by_z.append(np.where(begun_A1, np.concatenate(parts, axis=1), 0))
        by_h, by_c = _rows_times(by_z[-1], lstm.recurrent_weight), by_c * f
    by_z_AIT = np.stack(by_z[::-1], axis=2)
    by_input, by_recurrent = by_z_AIT @ tokens_TAD.swapaxes(0, 1), by_z_AIT @ np.stack(hidden, axis=1)
    gradients = (by_input, by_recurrent, by_z_AIT.sum(axis=2), by_readout, by_readout_bias)
    return margins_A, np.concatenate([part.reshape(A, -1) for part in gradients], axis=1)


def _rows_times(rows_AI: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each row times the matrix (I, J), or times its own of the matrices (A, I, J): (A, J)."""
    return rows_AI @ weight if weight.ndim == 2 else (rows_AI[:, None, :] @ weight)[:, 0]


def _furthest(directions_KP: NDArray[np.float64], radius: float, region: Region) -> NDArray[np.float64]:
    """Return for each direction the point of the region that lies furthest in it, (K, P)."""
    if region == "box":
        return radius * np.sign(directions_KP)
    return radius * (directions_KP / np.linalg.norm(directions_KP, axis=1, keepdims=True))
