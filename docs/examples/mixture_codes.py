"""What Gaussian mixtures charge: for a bit, a tape, and an MLP of few weights."""

import torch

from up.codes.identity import MANUAL, manual_weights
from up.codes.mixture import (
    divergence,
    gaussian_divergence,
    optimal_bits,
    optimal_prior,
    points,
    tape_code,
    unimodal_frontier,
)

generator = torch.Generator().manual_seed(0)

print("a bit by one Gaussian, right with probability")
for p in (0.958, 0.99, 0.9999, 0.999999):
    print(f"    {p:<9}{unimodal_frontier(p):6.2f} bits")

print("a program of 5 bits on a tape of mixtures")
for registers in (5, 16, 300):
    tape = tape_code([1, 0, 1, 1, 0], registers)
    bits = divergence(tape.posterior, tape.prior, samples=16, generator=generator)
    print(f"    {registers:>3} registers{bits.value:12.6f} ± {bits.stderr:.0e} bits")

print("148 weights of a network that copies four bits, by the best mixture")
for variant in MANUAL:
    weights = manual_weights(variant)
    found = divergence(
        points(weights, 1e-3),
        optimal_prior(weights, 1e-3),
        samples=2,
        generator=generator,
    )
    print(f"    {variant:<15}{found.value:8.2f}, N H(p) = {optimal_bits(weights):.2f}")

print("a point at 1 against one Gaussian of spread 1, as the point gets sharper")
for sigma in (1e-1, 1e-3, 1e-9):
    print(f"    sigma {sigma:.0e}{gaussian_divergence(1.0, sigma):8.2f} bits")
