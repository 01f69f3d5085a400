"""Five experts, mixed by Bayes and by gates that were trained on different strings."""

import random

import numpy as np
import torch

import up
from bayes_mixture import bar, mixture_bits, posteriors
from counting_experts import ORDERS, draw
from learned_posterior import Gate, look, pretrain
from up.data.corpora import load_corpus, sample_slices

LENGTH, TAIL = 1024, 64


def writers(random, changes):
    """Return an order for each symbol, drawn anew with this probability."""
    orders = [random.choice(ORDERS)]
    for _ in range(LENGTH - 1):
        changed = random.random() < changes
        orders.append(random.choice(ORDERS) if changed else orders[-1])
    return orders


def strings(seed, changes, number=16):
    """Return strings over four letters, each with experts as its writers."""
    r = random.Random(seed)
    return [draw(writers(r, changes), 4, r) for _ in range(number)]


def slices(name):
    """Return slices of a corpus."""
    generator = np.random.default_rng(0)
    return sample_slices(
        load_corpus(name), num_slices=40, length=512, generator=generator
    ).tolist()


def rows(source):
    """Return strings of bytes that a source writes."""
    generator = torch.Generator().manual_seed(1)
    return up.make_source(source).rows(24, LENGTH, generator).tolist()


def mixed(looks, share):
    """Return what Bayes' mixture pays, see `posteriors`."""
    return torch.tensor(
        [
            [mixture_bits(*pair) for pair in zip(posteriors(c, share), c, strict=True)]
            for c in looks[2].tolist()
        ]
    )


def blind(looks):
    """Hide from the gate how often each expert has met its context."""
    evidence, traits, costs = looks
    return evidence, torch.cat([traits[..., :10], 0 * traits[..., 10:]], -1), costs


def best(looks):
    """Return what the expert pays that was the best of each string, seen afterwards."""
    choice = looks[2].sum(1).argmin(-1)
    return torch.stack([costs[:, k] for costs, k in zip(looks[2], choice, strict=True)])


if __name__ == "__main__":
    read_on = {
        "member": look(strings(1, 0), 4),
        "switches": look(strings(2, 1 / 128), 4),
        "stdlib": look(slices("stdlib"), 256),
        "pydoc": look(slices("pydoc"), 256),
    }
    trained_on = {
        "noise": look(rows("noise"), 256),
        "one member each": look(strings(3, 0), 4),
        "members that switch": look(strings(4, 1 / 128), 4),
        "restaurant": look(rows("restaurant"), 256),
    }
    gates = {"nothing": Gate()} | {name: pretrain(x) for name, x in trained_on.items()}
    blind_gate = pretrain(blind(trained_on["restaurant"]))

    def line(label, pay):
        """Print the mean of what is paid, on text for the last symbols only."""
        bits = [pay(looks) for looks in read_on.values()]
        tails = [*bits[:2], *(b[:, -TAIL:] for b in bits[2:])]
        print(f"{label:<36}" + "".join(f"{tail.mean():10.3f}" for tail in tails))

    print(" " * 36 + "".join(f"{name:>10}" for name in read_on))
    line("best expert, seen afterwards", best)
    line("Bayes", lambda looks: mixed(looks, 0))
    line("Bayes, switching (1/128)", lambda looks: mixed(looks, 1 / 128))
    with torch.no_grad():
        for name, gate in gates.items():
            line(f"gate trained on {name}", lambda looks, gate=gate: gate.bits(*looks))
        line("... and blind to counts", lambda looks: blind_gate.bits(*blind(looks)))
    print("\ntrust in the whole past:")
    for name, gate in gates.items():
        print(f"  {name:<20} {gate.trust.item():6.3f}")

    orders = [(4, 0)[t // 128 % 2] for t in range(512)]
    evidence, traits, costs = look([draw(orders, 4, random.Random(0))], 4)
    with torch.no_grad():
        learned = gates["members that switch"](evidence, traits).exp()[0].tolist()
    bayes = list(posteriors(costs[0].tolist()))
    print(
        "\nsymbol   writer   Bayes                  gate trained on members that switch"
    )
    for t in (start + after for start in range(0, 512, 128) for after in (16, 48, 127)):
        print(f"{t:6}{orders[t]:9}   {bar(bayes[t])}   {bar(learned[t])}")
