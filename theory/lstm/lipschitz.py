"""The radius that the proof of Lemma 4.4 gives, with its steps corrected: a product of norms, token after token.

The proof follows a perturbation through the network by norms alone: the logistic function is 1/4-Lipschitz and tanh
1-Lipschitz, and a matrix W with inputs of norm at most m passes on W e + E x + E e. Let every block of parameters move
by at most r, and write h_t and c_t for how far the hidden and the cell state have moved after t tokens. Then

    z_k <= |W_k| h_{t-1} + r (sqrt H + sqrt D + 1)                          for each of the gates k = i, f, g, o
    c_t <= f c_{t-1} + t z_f / 4 + z_i / 4 + z_g                 by |c_{t-1}| < t and the rule for products with gates
    h_t <= c_t + z_o / 4             y_T <= |W_y| h_T + r (sqrt H + 1)

with Frobenius norms. All are linear in r, so the radius is the margin divided by what r = 1 leads to. It shrinks with
every token by the norm of the recurrent weights, about 15 for the busy beaver, where intervals lose nothing.

Deviation (erratum): for a matrix multiplication the proof restricts the *output* tolerance to p < 1 / (m + |W| + 1) and
allows parameters and inputs to move by p as well. With |W| = 2, m = 1 and p = 0.2475 the output then moves by
0.804 > p. What is needed is that they move by at most d = min(1, p / (m + |W| + 1)): the product then moves by at most
|W| d + d m + d^2 <= d (|W| + m + 1) <= p, since d <= 1. The check has one example of this.

Source: Bloem 2025 (arXiv 2506.20057), section 4.4, proof of Lemma 4.4.
"""

from fractions import Fraction

import numpy as np

from theory.lstm.construction import LSTM
from theory.numbers.interval import Interval, down, logistic


def lipschitz_radius(lstm: LSTM, *, tokens: int, margin: float) -> float:
    """Return a radius within which no answer moves by as much as `margin` on tapes of at most `tokens` tokens."""
    H, D = lstm.hidden_size, lstm.input_weight.shape[1]
    blocks = [lstm.recurrent_weight[k * H : (k + 1) * H] for k in range(4)]
    i_norm, f_norm, g_norm, o_norm = (_norm(block) for block in blocks)
    inputs_bound = _sqrt(H) + _sqrt(D) + Interval.point(1.0)
    forget, quarter = _largest_forget_gate(lstm), Interval.point(0.25)

    hidden = cell = Interval.point(0.0)
    for t in range(1, tokens + 1):
        z_i, z_f, z_g, z_o = (norm * hidden + inputs_bound for norm in (i_norm, f_norm, g_norm, o_norm))
        cell = forget * cell + quarter * (Interval.point(float(t)) * z_f + z_i) + z_g
        hidden = cell + quarter * z_o
    answer = _norm(lstm.readout_weight) * hidden + _sqrt(H) + Interval.point(1.0)
    return float(down(margin / answer.high))


def matrix_step(
    *, weight_norm: Fraction, input_bound: Fraction, tolerance: Fraction, as_printed: bool = False
) -> tuple[Fraction, Fraction]:
    """Return how far parameters and inputs may move, and how far the product W x can move then.

    >>> matrix_step(weight_norm=Fraction(2), input_bound=Fraction(1), tolerance=Fraction(99, 400), as_printed=True)
    (Fraction(99, 400), Fraction(128601, 160000))
    """
    allowed = tolerance if as_printed else min(Fraction(1), tolerance / (input_bound + weight_norm + 1))
    return allowed, weight_norm * allowed + allowed * input_bound + allowed * allowed


def _largest_forget_gate(lstm: LSTM) -> Interval:
    """Return an upper bound of the forget gates of the network itself: one unit's, whatever it reads."""
    rows = slice(lstm.hidden_size, 2 * lstm.hidden_size)
    driven = [Interval.point(lstm.bias[rows])]
    driven += [Interval.point(np.abs(array[rows, k])) for array in lstm.arrays[:2] for k in range(array.shape[1])]
    total = driven[0]
    for term in driven[1:]:
        total = total + term
    most = logistic(total).high.max()
    return Interval.point(most)


def _norm(matrix: np.ndarray) -> Interval:
    """Enclose a Frobenius norm."""
    squares = Interval.point(0.0)
    for entry in matrix[matrix != 0]:
        squares = squares + Interval.point(entry) * Interval.point(entry)
    return squares.sqrt()


def _sqrt(number: int) -> Interval:
    return Interval.point(float(number)).sqrt()
