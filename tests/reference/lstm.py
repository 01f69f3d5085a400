"""An LSTM evaluated one number at a time, from its equations; the slow oracle for `theory.lstm.construction`."""

import math


def logistic(z):
    return 1 / (1 + math.exp(-z))


def answers(lstm, columns):
    """Return what the read-out says after each column, a list of lists."""
    H = lstm.hidden_size
    h, c = [0.0] * H, [0.0] * H
    said = []
    for x in columns:
        z = [
            lstm.bias[row]
            + sum(lstm.input_weight[row][j] * x[j] for j in range(len(x)))
            + sum(lstm.recurrent_weight[row][j] * h[j] for j in range(H))
            for row in range(4 * H)
        ]
        for unit in range(H):
            i, f = logistic(z[unit]), logistic(z[H + unit])
            g, o = math.tanh(z[2 * H + unit]), logistic(z[3 * H + unit])
            c[unit] = f * c[unit] + i * g
            h[unit] = o * math.tanh(c[unit])
        said.append(
            [
                lstm.readout_bias[row] + sum(lstm.readout_weight[row][j] * h[j] for j in range(H))
                for row in range(len(x))
            ]
        )
    return said


def least_margin(lstm, windows, steps, radius, region):
    """Return a lower bound of the margin beyond 1/2 of all networks in the region, by mpmath's interval arithmetic.

    Each interval is one object, each weight an interval of its own; as slow as it is independent of the
    product's `theory.numbers.interval`.
    """
    from mpmath import iv

    H = lstm.hidden_size
    r, one, anything = iv.mpf(radius), iv.mpf(1), iv.mpf([-1, 1])
    logistics, tangents = {}, {}

    def logistic_of(z):
        return logistics.setdefault(z, one / (one + iv.exp(-z)))

    def tanh_of(z):
        def at(end):
            return one - 2 / (iv.exp(2 * iv.mpf(end)) + one)

        return tangents.setdefault(z, iv.mpf([at(z.a).a, at(z.b).b]))

    def reach_of(ones, units):
        """Inputs of 1 (the bias is one) and hidden units: the sum of |inputs| for the box, their norm for the ball."""
        if region == "box":
            return iv.mpf(ones) + sum(abs(unit) for unit in units)
        return iv.sqrt(iv.mpf(ones) + sum(abs(unit) * abs(unit) for unit in units))

    def row_of(weights, bias, inputs, reach):
        """Weights that are 0 move like all others: the sum moves by at most r times the reach."""
        terms = (iv.mpf(float(w)) * v for w, v in zip(weights, inputs, strict=True) if w)
        return sum(terms, iv.mpf(float(bias))) + anything * r * reach

    least = math.inf
    for window, after in zip(windows, steps, strict=True):
        h = [anything] * H
        largest_forget = logistic_of(row_of([], lstm.bias[H : 2 * H].max(), [], reach_of(3, [one] * H))).b
        assert not lstm.recurrent_weight[H : 2 * H].any()
        assert not lstm.input_weight[H : 2 * H].any()
        c = [anything / (one - largest_forget)] * H
        for x in window:
            inputs = [*x, *h]
            reach = reach_of(1 + sum(x), h)
            rows = [
                row_of([*lstm.input_weight[k], *lstm.recurrent_weight[k]], lstm.bias[k], inputs, reach)
                for k in range(4 * H)
            ]
            c = [logistic_of(rows[H + k]) * c[k] + logistic_of(rows[k]) * tanh_of(rows[2 * H + k]) for k in range(H)]
            h = [logistic_of(rows[3 * H + k]) * tanh_of(c[k]) for k in range(H)]
        reach = reach_of(1, h)
        for row, bit in enumerate(after):
            answer = row_of(lstm.readout_weight[row], lstm.readout_bias[row], h, reach)
            least = min(least, float((answer - 0.5).a) if bit else float((0.5 - answer).a))
    return least
