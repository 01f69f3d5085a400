"""Solomonoff's bound: a mixture's squared errors sum to (ln 1/p(c)) / 2 at most."""

from fractions import Fraction

from theory import bayes, bernoulli, markov
from theory.checks.regret import ln_interval
from theory.measures.distances import expected_squares

STEPS = 10
half, eighth = Fraction(1, 2), Fraction(1, 8)
WRITERS = [
    bernoulli(half, STEPS),
    bernoulli(eighth, STEPS),
    markov({"": half, "0": eighth, "1": 1 - eighth}, STEPS, name="sticky"),
    markov({"": half, "0": 1 - eighth, "1": eighth}, STEPS, name="restless"),
]
mixture = bayes(WRITERS)
bound = ln_interval(len(WRITERS))[0] / 2  # p(c) = 1/4; rounded down

print(f"{'written by':<12}{'first error':>12}{'last error':>12}{'sum':>8}{'bound':>8}")
for writer in WRITERS:
    errors = expected_squares(writer, mixture, STEPS)
    assert sum(errors) <= bound
    first, last, total = float(errors[0]), float(errors[-1]), float(sum(errors))
    print(f"{writer.name:<12}{first:12.4f}{last:12.6f}{total:8.4f}{float(bound):8.4f}")
