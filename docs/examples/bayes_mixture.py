"""Bayes' mixture of the five experts, on a string of one writer and on one of two."""

import math
import random
from itertools import pairwise

from counting_experts import ORDERS, draw, read


def posteriors(costs, share=0.0):
    """Yield p(c | what was seen) before each symbol; the prior is uniform.

    With a share, the members are all sequences of experts: before each symbol the
    writer is drawn anew with this probability.
    """
    total = [0.0] * len(costs[0])  # bits
    for costs_now in costs:
        weights = [2 ** (min(total) - bits) for bits in total]
        weights = [weight / sum(weights) for weight in weights]
        if share:
            weights = [(1 - share) * w + share / len(weights) for w in weights]
            total = [-math.log2(w) for w in weights]
        yield weights
        total = [bits + more for bits, more in zip(total, costs_now, strict=True)]


def mixture_bits(weights, costs_now):
    """Return what a symbol costs the mixture with these weights."""
    return -math.log2(sum(w * 2**-b for w, b in zip(weights, costs_now, strict=True)))


def bar(weights, width=20):
    """Draw weights as a bar in which each expert has its share of digits."""
    ends = [round(width * sum(weights[: k + 1])) for k in ORDERS]
    return "".join(str(k) * (ends[k] - (ends[k - 1] if k else 0)) for k in ORDERS)


def report(writers, times):
    """Draw a string of these writers over four letters, and read it."""
    symbols = draw(writers, 4, random.Random(0))
    costs, _ = read(symbols, 4)
    weights = list(posteriors(costs))
    print("".join("abcd"[x] for x in symbols[:74]) + "...")
    print("symbols      writer   posterior at the end   mixture   writer, bits")
    for start, end in pairwise(times):
        paid = sum(map(mixture_bits, weights[start:end], costs[start:end]))
        ideal = sum(costs[t][writers[t]] for t in range(start, end))
        place, drawn = f"{start} to {end}", bar(weights[end - 1])
        print(f"{place:<12}{writers[start]:7}   {drawn}{paid:12.1f}{ideal:15.1f}")
    totals = [sum(column) for column in zip(*costs, strict=True)]
    paid, allowed = sum(map(mixture_bits, weights, costs)), min(totals) + math.log2(5)
    assert paid <= allowed
    print(f"experts {', '.join(f'{bits:.1f}' for bits in totals)} bits")
    print(f"mixture {paid:.1f}, allowed {allowed:.1f}; uniform {2 * len(writers)}\n")


if __name__ == "__main__":
    report([2] * 1024, [0, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    report([(4, 0)[t // 128 % 2] for t in range(1024)], range(0, 1025, 64))
