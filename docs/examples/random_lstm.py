"""Four random LSTMs, one for each row, read four rows of noise."""

import torch

from up.sources.recurrent import RecurrentSource

generator = torch.Generator().manual_seed(7)
source = RecurrentSource(hidden_size=38, sequences_per_model=1)

noise = torch.randint(256, (4, 512), generator=generator)
sequences = source.generate(noise[:, :8], noise, generator)

print(tuple(sequences.shape), sequences.dtype)
for row in sequences:
    print(f"{len(row.unique()):3} distinct tokens, the last ten: {row[-10:].tolist()}")
