"""Five experts that count: Markov models of orders 0 to 4 over an alphabet."""

import math
from collections import Counter, defaultdict

ORDERS = (0, 1, 2, 3, 4)


class Expert:
    """p(x | past) = (times x followed the context + 1/V) / (times it was met + 1)."""

    def __init__(self, order, num_symbols):
        self.order, self.num_symbols = order, num_symbols
        self.followers, self.met = defaultdict(Counter), Counter()

    def context(self, past):
        """Return the last symbols, or None, which is not counted, if too few."""
        start = len(past) - self.order
        return tuple(past[start:]) if start >= 0 else None

    def probability(self, symbol, context):
        count = self.followers[context][symbol]
        return (count + 1 / self.num_symbols) / (self.met[context] + 1)

    def learn(self, symbol, context):
        if context is not None:
            self.followers[context][symbol] += 1
            self.met[context] += 1


def read(symbols, num_symbols):
    """Return each symbol's cost to each expert, in bits, and counts of its context."""
    experts = [Expert(order, num_symbols) for order in ORDERS]
    costs, met = [], []
    for t, symbol in enumerate(symbols):
        past = symbols[max(0, t - max(ORDERS)) : t]
        seen = [(expert, expert.context(past)) for expert in experts]
        costs.append([-math.log2(expert.probability(symbol, c)) for expert, c in seen])
        met.append([expert.met[c] for expert, c in seen])
        for expert, c in seen:
            expert.learn(symbol, c)
    return costs, met


def draw(writers, num_symbols, random):
    """Return a string whose symbol t is drawn from the expert of order `writers[t]`."""
    experts = [Expert(order, num_symbols) for order in ORDERS]
    symbols = []
    for writer in writers:
        past = symbols[-max(ORDERS) :]
        seen = [(expert, expert.context(past)) for expert in experts]
        expert, c = seen[writer]
        weights = [expert.probability(symbol, c) for symbol in range(num_symbols)]
        symbol = random.choices(range(num_symbols), weights)[0]
        for expert, c in seen:
            expert.learn(symbol, c)
        symbols.append(symbol)
    return symbols


if __name__ == "__main__":
    text = b"to be or not to be: that is the question. whether to b"
    print(f"{text.decode()!r}, and what then?\n")
    print("order  context   met    p(e)    p(u)    p(z)")
    for order in ORDERS:
        expert = Expert(order, 256)
        for t, symbol in enumerate(text):
            expert.learn(symbol, expert.context(text[:t]))
        c = expert.context(text)
        e, u, z = (expert.probability(symbol, c) for symbol in b"euz")
        print(f"{order:5}  {bytes(c)!r:<8}{expert.met[c]:5}{e:8.3f}{u:8.3f}{z:8.3f}")
