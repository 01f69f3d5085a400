"""A source of one's own: every row tosses a coin with a bias of its own."""

import dataclasses

import torch

import up


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coins(up.RowSource):
    heads: int = 72

    def rows(self, num_rows, num_tokens, generator):
        bias = torch.rand(num_rows, 1, generator=generator)
        tosses = torch.rand(num_rows, num_tokens, generator=generator) < bias
        return torch.where(tosses, self.heads, 84)


if __name__ == "__main__":
    for row in Coins().rows(3, 60, torch.Generator().manual_seed(0)).tolist():
        print(bytes(row).decode())
