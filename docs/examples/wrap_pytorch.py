"""A plain PyTorch module, pre-trained on random LSTMs."""

from torch import nn

import up


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(256, 32), nn.Linear(32, 256)
        self.read = nn.GRU(32, 32, batch_first=True)

    def forward(self, tokens):
        return self.head(self.read(self.embed(tokens))[0])


pretraining = up.wrap(Reader(), length=64)
losses = pretraining.fit(60, batch_size=8, learning_rate=3e-3)
print(f"{losses[0]:.2f} bits per token at first, {losses[-1]:.2f} at last")
print("rows of depth 0, 1, 2, ...:", pretraining.observations()["depth"])
