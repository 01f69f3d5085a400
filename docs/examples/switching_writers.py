"""Fixed share: the mixture over all sequences of writers, and what a change costs."""

from fractions import Fraction
from itertools import pairwise
from math import log2

from theory import bayes, bernoulli, fixed_share

N, BLOCK, SHARE = 96, 24, Fraction(1, 16)
COINS = [bernoulli(Fraction(k, 8), N) for k in (1, 4, 7)]
PATH = [(0, 2, 1, 0)[t // BLOCK] for t in range(N)]  # who writes which bit
STRING = "0" * BLOCK + "1" * BLOCK + "01" * (BLOCK // 2) + "0" * BLOCK

changes = sum(a != b for a, b in pairwise(PATH))
by_writers, prior = Fraction(1), Fraction(1, len(COINS))
for t, writer in enumerate(PATH):
    by_writers *= COINS[writer].next_symbol(STRING[:t])[STRING[t]]
    if t:
        anew = SHARE / len(COINS)
        prior *= anew + (1 - SHARE if writer == PATH[t - 1] else 0)

shared = fixed_share(COINS, SHARE).prefix_mass(STRING)
single = bayes(COINS).prefix_mass(STRING)
assert shared >= prior * by_writers  # the sequence is one term of the mixture
print(f"the writers, who change {changes} times {-log2(by_writers):8.2f} bits")
print(f"fixed share                      {-log2(shared):8.2f} bits")
print(f"  at most                        {-log2(prior * by_writers):8.2f} bits")
print(f"one writer, not known which      {-log2(single):8.2f} bits")
