"""A loop and a generator of one's own: counting upwards from a random token."""

import torch
from torch import nn

import up


def counting(num_rows, num_tokens, generator):
    """Return rows that count upwards."""
    start = torch.randint(1_000, (num_rows, 1), generator=generator)
    return (start + torch.arange(num_tokens)) % 1_000


model = nn.Sequential(nn.Embedding(1_000, 32), nn.Linear(32, 1_000))
pretraining = up.wrap(model, vocabulary_size=1_000, length=64, source=counting)
optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
for _ in range(60):
    optimizer.zero_grad()
    loss = pretraining.loss(batch_size=32)
    loss.backward()
    optimizer.step()
print(f"{loss.item():.2f} nats per token")
