"""Parity with tanh normalisation, and what its weights cost to describe."""

import math
from collections import Counter

import torch

from up.compiler.agreement import compare
from up.compiler.cases import load_program
from up.compiler.compile import CompilerConfig, compile_program

config = CompilerConfig(tanh=True, width=128, hidden=512)
compiled = compile_program(load_program("parity"), config)
words = ["1" * 40, "0" * 40, "10" * 20, "1" * 39 + "0"]
print("right at length 40:", compare(compiled, words, layers=42).agree)

weights = torch.cat([each.detach().flatten() for each in compiled.network.parameters()])
counts = Counter(weights.tolist())
bits = -sum(n * math.log2(n / len(weights)) for n in counts.values())
print(f"{len(weights):,} weights of {len(counts)} values: {bits:,.0f} bits")
