"""The posterior, learned: a gate that weighs the five experts by what it sees."""

import math
import random

import torch

from bayes_mixture import posteriors
from counting_experts import ORDERS, draw, read


class Gate(torch.nn.Module):
    """Weights are the softmax of trust * (log posterior) + (what a network says)."""

    def __init__(self, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.trust = torch.nn.Parameter(torch.ones(()))
        self.first = torch.nn.Linear(3 * len(ORDERS), 32)
        self.second = torch.nn.Linear(32, len(ORDERS))
        torch.nn.init.xavier_uniform_(self.first.weight, generator=generator)
        for part in (self.first.bias, self.second.weight, self.second.bias):
            torch.nn.init.zeros_(part)  # so the network says nothing yet

    def forward(self, evidence, traits):
        says = self.second(torch.nn.functional.silu(self.first(traits)))
        return (self.trust * evidence + says).log_softmax(-1)

    def bits(self, evidence, traits, costs):
        """Return what each symbol costs the mixture."""
        log_p = self(evidence, traits) - costs * math.log(2)
        return -log_p.logsumexp(-1) / math.log(2)


def look(strings, num_symbols):
    """Return what the gate sees before each symbol, and what that costs each expert."""
    costs, met = zip(*(read(x, num_symbols) for x in strings), strict=True)
    costs, met = torch.tensor(costs, dtype=torch.float64), torch.tensor(met)
    evidence = (costs - costs.cumsum(1)) * math.log(2)  # log p_c of what was seen
    evidence -= evidence.max(-1, keepdim=True).values
    recent = torch.ones(2, *costs.shape)  # averages that forget; 1: like a uniform code
    for t in range(1, costs.shape[1]):
        for average, rate in zip(recent, (1 / 16, 1 / 128), strict=True):
            now = costs[:, t - 1] / math.log2(num_symbols)
            average[:, t] = average[:, t - 1] + rate * (now - average[:, t - 1])
    traits = torch.cat([*recent, torch.log(met + 1) / 4], -1)
    return evidence.float(), traits, costs.float()


def pretrain(looks, steps=500, batch=2048):
    """Return a gate trained to predict the symbols that were looked at."""
    generator = torch.Generator().manual_seed(1)
    gate, looks = Gate(), [part.flatten(0, 1) for part in looks]
    optimiser = torch.optim.Adam(gate.parameters(), lr=0.01)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        chosen = torch.randint(len(looks[0]), (batch,), generator=generator)
        optimiser.zero_grad()
        gate.bits(*(part[chosen] for part in looks)).mean().backward()
        optimiser.step()
        cosine.step()
    return gate


if __name__ == "__main__":
    symbols = draw([(4, 0)[t // 128 % 2] for t in range(1024)], 4, random.Random(0))
    evidence, traits, costs = look([symbols], 4)
    bayes = torch.tensor(list(posteriors(costs[0].tolist())))
    apart = (Gate()(evidence, traits).exp()[0] - bayes).abs().max()
    print(f"the untrained gate's weights lie within {apart:.0e} of Bayes' posterior")
