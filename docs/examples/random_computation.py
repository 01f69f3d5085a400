"""Rows of random computation, each known by its number."""

from torch.utils.data import DataLoader

import up

dataset = up.RandomComputation(seed=0, length=64, block_rows=32)
batches = iter(DataLoader(dataset, batch_size=32))
tokens = next(batches)
print(tuple(tokens.shape), tokens.dtype)
print("rows 0 to 11 passed", *dataset.block_depths(0)[:12], "models")

later = up.RandomComputation(seed=0, length=64, block_rows=32, start=32)
print("the same row 32:", next(batches)[0].equal(next(iter(later))))
