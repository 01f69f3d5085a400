"""The synthetic sets: what they look like and what the best predictor needs."""

from up.data.corpora import load_corpus
from up.data.entropy_rates import entropy_rate_bits
from up.data.synthetic import SYNTHETIC_SETS

print("set       choose on it  bits per character  begins with")
for name, synthetic_set in SYNTHETIC_SETS.items():
    choose = "yes" if synthetic_set.selection else "no"
    text = load_corpus(name).data.tobytes().decode("latin-1")
    print(f"{name:<10}{choose:>12}{entropy_rate_bits(name):>20.4f}  {text[:36]}")
