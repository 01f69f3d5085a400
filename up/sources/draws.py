"""Draws that several sources share, one for each row: whole numbers log-uniform in a range, and permutations.

All randomness comes from the generator, on whose device the result lies.

Shape suffixes: R rows, N what is permuted.
"""

import math

import torch
from torch import Tensor

from up.errors import InputError


def log_uniform(least: int, most: int, num_rows: int, generator: torch.Generator) -> Tensor:
    """Return whole numbers number_R, from `least` to `most`, int64.

    The number n has probability log((n + 1) / n) / log((most + 1) / least): each power of two is as likely as the next.
    """
    uniform_R = torch.rand(num_rows, generator=generator, device=generator.device, dtype=torch.float64)
    number_R = least * torch.exp(uniform_R * math.log((most + 1) / least))
    return number_R.long().clamp(least, most)


def permutations(size: int, num_rows: int, generator: torch.Generator) -> Tensor:
    """Return permutation_RN, int64: the numbers below `size` in a random order for each row, all orders alike."""
    shape = (num_rows, size)
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64).argsort(1)


def require_range(owner: str, name: str, value: int, least: int, most: int) -> None:
    """Raise `InputError` unless the value lies in a range, both ends included."""
    if not least <= value <= most:
        raise InputError(f"{owner}.{name} is out of range", received=value, remedy=f"use {least:,} to {most:,}")


def require_symbols(symbols: int | None, vocabulary_size: int) -> None:
    """Raise `InputError` unless a source that writes so many symbols of a vocabulary has two at least, or all."""
    if symbols is not None:
        require_range("source", "symbols", symbols, 2, vocabulary_size)
