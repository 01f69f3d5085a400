"""Rows of the sources without a buffer, measured: constant ones, entropy, Markov."""

import numpy as np
import torch

import up
from up.evaluation.markov import mean_bits

print("source     constant rows  entropy of order 0  best Markov model, bits")
for kind in ("noise", "pointwise", "automaton", "tree", "dyck", "nca"):
    source = up.configure("tiny", [f"source.kind={kind}"]).source
    tokens = source.rows(200, 512, torch.Generator().manual_seed(0)).numpy()
    constant = np.mean((tokens == tokens[:, :1]).all(axis=1))
    shares = np.stack([np.bincount(row, minlength=256) / 512 for row in tokens])
    entropy = -np.sum(shares * np.log2(np.where(shares, shares, 1)), axis=1).mean()
    bits = mean_bits(tokens, first_position=448, vocabulary_size=256)
    order, smoothing = np.unravel_index(bits.argmin(), bits.shape)
    best = f"{bits.min():.2f} (order {order})"
    print(f"{kind:<11}{constant:>13.1%}{entropy:>20.2f}{best:>25}")
