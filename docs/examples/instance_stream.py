"""The stream that a transformer trains on, in a small setting."""

import torch

from up.sources.buffer import BufferConfig
from up.sources.recurrent import RecurrentSource
from up.sources.stream import CadenceConfig

stream = RecurrentSource(hidden_size=12).stream(
    buffer=BufferConfig(source_batch=16, reset_constant=2, reset_noise=2),
    cadence=CadenceConfig(source_rows_per_instance=2.0),
    context_length=64,
    source_generator=torch.Generator().manual_seed(0),
    buffer_generator=torch.Generator().manual_seed(1),
)
batches = [stream.draw(8) for _ in range(50)]

print(tuple(batches[-1].shape), batches[-1].dtype)
print(
    f"{stream.instances} instances, {stream.source_batches} source batches of 16 rows"
)
print("rows of depth 0, 1, 2, ...:", stream.observations()["depth"])
