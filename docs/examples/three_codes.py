"""Four coins as hypotheses: two-part, Bayesian and variational codes of 12 tosses."""

from fractions import Fraction

from theory.measures.codes import (
    FiniteCode,
    bayesian,
    mean_inside,
    posterior,
    shortest_two_part,
    variational,
)

coins = [Fraction(1, 5), Fraction(2, 5), Fraction(3, 5), Fraction(4, 5)]
code = FiniteCode(
    prior=(Fraction(1, 4),) * 4, functions=tuple(((1 - p, p),) for p in coins)
)
tosses = [(0, int(bit)) for bit in "110111011101"]  # the one input, and the label

exact = posterior(code, tosses)
rough = {2: Fraction(1, 2), 3: Fraction(1, 2)}
described = {
    "two-part, the best coin": shortest_two_part(code, tosses),
    "variational, two coins alike": variational(code, rough, tosses),
    "variational, the posterior": variational(code, exact, tosses),
    "Bayesian": bayesian(code, tosses),
    "eq. 10, which is no code": mean_inside(code, exact, tosses),
}
print(f"{'':30}{'hypothesis':>10}{'data':>8}{'total':>8}")
for name, parts in described.items():
    print(
        f"{name:30}{float(parts.hypothesis):10.3f}{float(parts.data):8.3f}{float(parts.total):8.3f}"
    )
