"""What the multiplier does: 512 random LSTMs read noise, grouped by the m they drew."""

import torch

from up.evaluation.markov import mean_bits
from up.sources.recurrent import RecurrentSource, draw_weights
from up.sources.recurrent_kernel import generate_sequences

NUM_MODELS, LENGTH = 512, 512
source = RecurrentSource(hidden_size=38)
generator = torch.Generator().manual_seed(0)
weights = draw_weights(source, NUM_MODELS, generator=generator)
tokens = generate_sequences(
    weights,
    cell=source.kind,
    temperature=source.temperature,
    seeds_RS=torch.randint(256, (NUM_MODELS, source.seed_length), generator=generator),
    conditions_RT=torch.randint(256, (NUM_MODELS, LENGTH), generator=generator),
    uniforms_TR=torch.rand(
        LENGTH - source.seed_length,
        NUM_MODELS,
        generator=generator,
        dtype=torch.float64,
    ),
)

print("multiplier    models   distinct tokens   best Markov model, bits per character")
for low in (0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0):
    high = {0.0: 0.1, 0.1: 0.2, 1.0: 1.1}.get(low, low + 0.2)
    group = tokens[(weights.multiplier_G >= low) & (weights.multiplier_G < high)]
    distinct = sum(len(row.unique()) for row in group) / len(group)
    bits = mean_bits(group.numpy()).min()
    print(f"{low:.1f} to {high:.1f}    {len(group):6}   {distinct:15.1f}   {bits:.2f}")
