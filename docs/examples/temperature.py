"""What the temperature does: 32 random LSTMs read noise, at four temperatures."""

import torch

from up.evaluation.markov import mean_bits
from up.sources.recurrent import RecurrentSource

generator = torch.Generator().manual_seed(0)
noise = torch.randint(256, (32, 512), generator=generator)
seeds = torch.randint(256, (32, 8), generator=generator)

print("temperature   best Markov model, bits per character")
for temperature in (1.0, 0.1, 0.01, 0.0001):
    source = RecurrentSource(
        hidden_size=38, temperature=temperature, sequences_per_model=1
    )
    tokens = source.generate(seeds, noise, generator)
    bits = mean_bits(tokens.numpy()).min()
    print(f"{temperature:<11g}   {bits:.2f}")
