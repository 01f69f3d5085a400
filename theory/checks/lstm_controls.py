"""What the check of Lemma 4.4 must be able to see: that its attacks find something, and that its numbers are no larger.

An attack that finds nothing within the radius says something only if it finds something outside of it. So each attack
must break the network at some multiple of the radius, 64 at most. The probability of a region is compared with one from
above, in floats: at most its volume times the greatest density in it, that at the point of it that is nearest to the
origin; a box has such a point in each coordinate. Source: Bloem 2025 (arXiv 2506.20057), Lemma 4.4.
Limits: an attack on a few cells; the greatest density is a few bits above the mean one.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import inf, lgamma, log, pi

import numpy as np

from theory.checks.result import Equality, EqualityRow, Item, equality
from theory.lstm.attack import Tapes, gradient_attack, sampled_failures
from theory.lstm.construction import LSTM
from theory.lstm.lipschitz import matrix_step
from theory.lstm.probability import log2_probability
from theory.lstm.radius import Region

FAR = (8, 16, 32, 64)
_SAMPLES = 8
_FLOAT_ERROR = 1e-9


def lstm_equalities(
    lstm: LSTM,
    tapes: Tapes,
    radii: Mapping[Region, float],
    attacked: Mapping[str, Item],
    example: Mapping[str, Fraction],
    seed: int,
) -> Iterator[Equality]:
    """Yield that attacks succeed where they should, that p(f) is not too large, and how far a product moves.

    Args:
        lstm: the network.
        tapes: those that are attacked.
        radii: the certified ones; all positive.
        attacked: the items of the attacks within the radii, by name.
        example: the matrix step that is checked.
        seed: of the networks that are drawn.

    """
    yield equality("an attack breaks the network far outside the radius", _attacks(lstm, tapes, radii, attacked, seed))
    yield equality("log2 p(f) is at most log2 of the volume times the greatest density", _probabilities(lstm, radii))
    weight, bound = example["weight_norm"], example["input_bound"]
    allowed, change = matrix_step(weight_norm=weight, input_bound=bound, tolerance=example["tolerance"])
    moved = (weight + allowed) * (bound + allowed) - weight * bound
    yield equality("W x moves by (W + p) (x + p) - W x", [((("p", str(allowed)),), moved, change)])


def _attacks(
    lstm: LSTM, tapes: Tapes, radii: Mapping[Region, float], attacked: Mapping[str, Item], seed: int
) -> Iterator[EqualityRow]:
    generator = np.random.default_rng(seed)
    samples = (
        sampled_failures(
            lstm, tapes, radius=far * radii["box"], read_out="saturated", samples=_SAMPLES, generator=generator
        )
        for far in FAR
    )
    yield (("", "sampled in the box"),), 1, int(any(samples))
    for region, radius in radii.items():
        name = f"attacked in the {region}"
        found = attacked[name].numbers["multiple"] < inf or any(
            gradient_attack(lstm, tapes, radius=far * radius, region=region, read_out="saturated") is not None
            for far in FAR
        )
        yield (("", name),), 1, int(found)


def _probabilities(lstm: LSTM, radii: Mapping[Region, float]) -> Iterator[EqualityRow]:
    """Yield 1, and whether the lower bound of each region's probability is below the upper one."""
    for region, radius in radii.items():
        claimed = float(log2_probability(lstm, radius=radius, region=region))
        most = greatest_log2_probability(lstm, radius, region)
        yield (("", region), ("log2 p(f)", f"{claimed:.4g}"), ("at most", f"{most:.4g}")), 1, int(claimed <= most)


def greatest_log2_probability(lstm: LSTM, radius: float, region: Region) -> float:
    """Return log2 of the volume of a region times the greatest density in it, an upper bound, as a float.

    >>> from theory.lstm.construction import step_lstm
    >>> from theory.machines.one_tape import load_machine
    >>> lstm = step_lstm(load_machine("flip"))
    >>> least = float(log2_probability(lstm, radius=0.05, region="ball"))
    >>> least < greatest_log2_probability(lstm, 0.05, "ball") < least + 5
    True
    """
    n, vector = lstm.parameter_count, lstm.vector
    if region == "box":
        log_volume = n * log(2 * radius)
        square = float((np.maximum(np.abs(vector) - radius, 0.0) ** 2).sum())
    else:
        log_volume = n / 2 * log(pi) + n * log(radius) - lgamma(n / 2 + 1)
        square = max(float(np.linalg.norm(vector)) - radius, 0.0) ** 2
    nats = log_volume - n / 2 * log(2 * pi) - square / 2
    return nats / log(2) + _FLOAT_ERROR * abs(nats)
