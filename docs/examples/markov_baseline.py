"""The in-context Markov baseline on real bytes: 500 slices, bits over the last 64."""

import numpy as np

from up.data.corpora import EMBEDDED_CORPORA, load_corpus, sample_slices
from up.evaluation.markov import ORDERS, mean_bits

print("data     symbols" + "".join(f"  order {order}" for order in ORDERS))
for name in EMBEDDED_CORPORA:
    corpus = load_corpus(name)
    slices = sample_slices(
        corpus, num_slices=500, length=512, generator=np.random.default_rng(0)
    )
    symbols = np.unique(corpus.data)  # those that occur; each slice as their places
    places = np.searchsorted(symbols, slices)
    for tokens, size in ((places, len(symbols)), (slices, 256)):
        bits = mean_bits(tokens, first_position=448, vocabulary_size=size)
        best_smoothing = bits.min(axis=1)
        row = "".join(f"{each:9.2f}" for each in best_smoothing)
        print(f"{name:<9}{size:>7}{row}")
