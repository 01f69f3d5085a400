"""The in-context Markov baseline on real bytes: 500 slices, bits over the last 64."""

import numpy as np

from up.data.corpora import EMBEDDED_CORPORA, load_corpus, sample_slices
from up.evaluation.markov import ORDERS, mean_bits

print("data     " + "".join(f"  order {order}" for order in ORDERS))
for name in EMBEDDED_CORPORA:
    corpus = load_corpus(name)
    slices = sample_slices(
        corpus, num_slices=500, length=512, generator=np.random.default_rng(0)
    )
    best_smoothing = mean_bits(slices, first_position=448).min(axis=1)
    print(f"{name:<9}" + "".join(f"{bits:9.2f}" for bits in best_smoothing))
