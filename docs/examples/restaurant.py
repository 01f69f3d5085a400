"""What the parts of the source `restaurant` do: a row of each, and 64 rows measured."""

import torch

from up.evaluation.markov import mean_bits
from up.sources.restaurant import RestaurantSource, deflate_bits

LETTERS = {"vocabulary_size": 26, "outside_share": 1.0}
BARE = {"lag_share": 0.0, "copy_share": 0.0, "switch_share": 0.0}
SOURCES = {
    "depth 0": {**LETTERS, **BARE, "max_depth": 0},
    "depth 0 to 8": {**LETTERS, **BARE},
    "with lags": {**LETTERS, **BARE, "lag_share": 1.0},
    "with copies": {**LETTERS, **BARE, "copy_share": 1.0},
    "switching": {**LETTERS, **BARE, "switch_share": 1.0},
    "everything": {"vocabulary_size": 26},
}

for name, settings in SOURCES.items():
    source = RestaurantSource(**settings)
    rows = source.rows(64, 512, torch.Generator().manual_seed(7))
    first = bytes(97 + token for token in rows[0, -60:].tolist()).decode()
    markov = mean_bits(rows.numpy(), vocabulary_size=26).min()
    deflate = sum(deflate_bits(bytes(row)) for row in rows.tolist()) / 64
    print(f"{name:<13} Markov {markov:.2f}  deflate {deflate:.2f} bits a token")
    print(f"  {first}")
