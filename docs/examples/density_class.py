"""A class given by probabilities: coins, a Markov chain, and a model of one's own."""

from fractions import Fraction

from theory import Density, Mixture, bernoulli, density_class, markov


def no_two_ones(x: str) -> dict[str, Fraction]:
    """Predict a 0 after a 1, and otherwise a fair bit."""
    return {"0": Fraction(1)} if x.endswith("1") else {b: Fraction(1, 2) for b in "01"}


third, quarter = Fraction(1, 3), Fraction(1, 4)
MEMBERS = [
    bernoulli(third, 6),
    bernoulli(1 - third, 6),
    markov({"": Fraction(1, 2), "0": quarter, "1": 1 - quarter}, 6, name="sticky"),
    Density("no two ones", no_two_ones, length=6),
]
MODELS = density_class("models", MEMBERS)

if __name__ == "__main__":
    mixture = Mixture(MODELS).measure()
    assert mixture.total == 1
    for x in ("111111", "000111", "010010"):
        print(f"m_C({x}) = {mixture.lower(x)}")
