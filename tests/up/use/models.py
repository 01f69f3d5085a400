"""Small causal models of other people, and models with one thing wrong."""

import torch
from torch import nn


class Recurrent(nn.Module):
    """A plain PyTorch module: embedding, GRU, read-out, and dropout where it is asked for."""

    def __init__(self, vocabulary_size=256, width=16, dropout=0.0, seed=0):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(vocabulary_size, width)
            self.layer = nn.GRU(width, width, batch_first=True)
            self.dropout = nn.Dropout(dropout)
            self.head = nn.Linear(width, vocabulary_size)

    def forward(self, tokens_BT):
        return self.head(self.dropout(self.layer(self.embedding(tokens_BT))[0]))


class Fixed(nn.Module):
    """Returns what a function of the tokens says."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, tokens_BT):
        return self.function(tokens_BT)


def uniform(vocabulary_size=256):
    return Fixed(lambda tokens_BT: torch.zeros(*tokens_BT.shape, vocabulary_size))
