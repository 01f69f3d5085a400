"""How deep a buffer is after 150 batches, beside the exact stationary distribution."""

import functools

import torch

from theory.measures.buffer_depth import stationary_depth_probability
from up.evaluation.markov import mean_bits
from up.sources.buffer import Buffer, BufferConfig
from up.sources.recurrent import RecurrentSource

config = BufferConfig()  # the paper's: 138 rows a batch, 40 of them reset, 2760 in all
buffer = Buffer(
    config,
    context_length=64,
    vocabulary_size=256,
    generator=torch.Generator().manual_seed(0),
)
source = RecurrentSource(hidden_size=12)
generate = functools.partial(
    source.generate, generator=torch.Generator().manual_seed(1)
)
for _ in range(150):
    buffer.enrich(generate, seed_length=source.seed_length)

print("depth   rows   share   exact   best Markov model, bits per character")
for depth, rows in enumerate(buffer.depth_histogram()[:9]):
    exact = stationary_depth_probability(
        depth, source_batch=config.source_batch, reset_rows=config.reset_rows
    )
    bits = mean_bits(buffer.rows_CT[buffer.depth_C == depth].numpy()).min()
    share = rows / config.capacity
    print(f"{depth:5}   {rows:4}   {share:.3f}   {float(exact):.3f}   {bits:.2f}")
