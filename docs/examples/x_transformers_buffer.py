"""How many rows of the buffer five steps change: with our wrapper, and with theirs."""

import torch
from x_transformers import Decoder, TransformerWrapper
from x_transformers.up_wrapper import UniversalPretrainWrapper

import up

torch.compiler.set_stance("force_eager")  # theirs compiles its generator
layers = Decoder(dim=32, depth=1, heads=2)
model = TransformerWrapper(num_tokens=256, max_seq_len=64, attn_layers=layers)

size = up.BufferConfig(
    source_batch=8, capacity_multiple=8, reset_constant=2, reset_noise=2
)
ours = up.wrap(model, length=64, buffer=size)
theirs = UniversalPretrainWrapper(
    model, buffer_size=64, batch_size=8, num_reset=4, seq_len=64
)
before = ours.stream.buffer.rows_CT.clone(), theirs.synth_data_buffer.clone()
for _ in range(5):
    ours.loss(8)
    theirs()
after = ours.stream.buffer.rows_CT, theirs.synth_data_buffer
for name, old, new in zip(("ours", "theirs"), before, after, strict=True):
    print(f"{name}: {int((old != new).any(1).sum())} of {len(new)} rows changed")
