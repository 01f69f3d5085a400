"""The strings of table 1: a training set and a test set of longer ones, and how well a network answers them.

There are about equally many strings of each number of ones; the length is uniform among those that have room for them.

Source: Shaw et al. 2025 (arXiv 2509.22445), C.1. Limits: how its test set is drawn is not said; here it is drawn as the
training set, at the longer lengths.

Shape suffixes: N weights, S draws of all weights, X examples, B some of them, T positions, L bits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from up.codes.parity import END, PROMPT, SEP, ZERO, ParityTask, logits

_BATCH = 1024
"""Sequences at once where nothing is learned."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Strings, each once, and how often it occurs.

    Attributes:
        tokens_XT: whole sequences, END and what pads them included.
        mask_XT: what may be looked at.
        odd_X: whether the number of ones is odd.
        length_X: bits of each string.
        count_X: how often it occurs.

    """

    tokens_XT: Tensor
    mask_XT: Tensor
    odd_X: Tensor
    length_X: Tensor
    count_X: Tensor

    def to(self, device: torch.device) -> "Examples":
        """Return the same on a device."""
        return Examples(*(each.to(device) for each in vars(self).values()))

    def pick(self, place_B: Tensor) -> "Examples":
        """Return some of them."""
        return Examples(*(each[place_B] for each in vars(self).values()))

    def logits(self, task: ParityTask, weights_SN: Tensor) -> Tensor:
        """Return the logit for an odd number of ones, (S, X), of each draw of all weights."""
        return logits(task, weights_SN, self.tokens_XT, self.mask_XT)


def draw_examples(task: ParityTask, lengths: tuple[int, int], count: int, generator: torch.Generator) -> Examples:
    """Draw strings whose number of ones is uniform up to the greatest length, on the CPU.

    Args:
        task: whose prompt precedes them.
        lengths: shortest and longest.
        count: how many to draw; the same string may come again.
        generator: of the draws, on the CPU.

    """
    shortest, longest = lengths
    ones_X = torch.randint(longest + 1, (count,), generator=generator)
    least_X = ones_X.clamp(min=shortest)
    room_X = longest + 1 - least_X
    length_X = least_X + (torch.rand(count, generator=generator) * room_X).long().clamp(max=room_X - 1)
    # Each string is a random order of its places, of which the first have the ones; beyond its end there is 2.
    noise_XL = torch.rand(count, longest, generator=generator)
    beyond_XL = torch.arange(longest) >= length_X[:, None]
    rank_XL = noise_XL.masked_fill(beyond_XL, 2.0).argsort(1).argsort(1)
    bits_XL = (rank_XL < ones_X[:, None]).long().masked_fill(beyond_XL, 2)
    bits_XL, count_X = torch.unique(bits_XL, dim=0, return_counts=True)
    return _examples(task, bits_XL, count_X)


def every_example(task: ParityTask, length: int) -> Examples:
    """Return all strings of a length, each once."""
    number_X = torch.arange(1 << length)
    bits_XL = number_X[:, None] >> torch.arange(length) & 1
    return _examples(task, bits_XL, torch.ones_like(number_X))


def _examples(task: ParityTask, bits_XL: Tensor, count_X: Tensor) -> Examples:
    """Return sequences for strings that are 2 beyond their end."""
    places, longest = task.prompt, bits_XL.shape[1]
    length_X = (bits_XL < 2).sum(1)
    tokens_XT = torch.full((len(bits_XL), places + longest + 2), END)
    tokens_XT[:, :places] = torch.arange(PROMPT, PROMPT + places)
    tokens_XT[:, places] = SEP
    tokens_XT[:, places + 1 : -1] = torch.where(bits_XL < 2, ZERO + bits_XL, END)
    mask_XT = torch.arange(tokens_XT.shape[1]) <= (places + 1 + length_X)[:, None]
    return Examples(tokens_XT, mask_XT, (bits_XL == 1).sum(1) % 2 == 1, length_X, count_X)


def nats(logits_SB: Tensor, examples: Examples) -> Tensor:
    """Return the code length of each answer in nats, (S, B)."""
    return torch.nn.functional.softplus(torch.where(examples.odd_X, -logits_SB, logits_SB))


@dataclass(frozen=True, eq=False)
class Score:
    """What draws of the weights make of examples.

    Attributes:
        bits_S: code length of all answers, each as often as it occurs.
        right_SL: share of right answers at each length.
        accuracy_S: of right answers among all.
        lengths: bits of the strings that there are.

    """

    bits_S: tuple[float, ...]
    accuracy_S: tuple[float, ...]
    right_SL: tuple[tuple[float, ...], ...]
    lengths: tuple[int, ...]


@torch.no_grad()
def score(task: ParityTask, weights_SN: Tensor, examples: Examples, beat: Callable[[], None] = lambda: None) -> Score:
    """Return how well draws of all weights, (S, N), answer.

    Args:
        task: of the network.
        weights_SN: the draws.
        examples: on the same device.
        beat: called now and then.

    """
    bits, right, count_X, length_X = [], [], examples.count_X.cpu(), examples.length_X.cpu()
    for weights_1N in weights_SN.split(1):
        parts = []
        for place_B in torch.arange(len(examples.count_X), device=weights_SN.device).split(_BATCH):
            some = examples.pick(place_B)
            logits_1B = some.logits(task, weights_1N)
            # On the CPU, for MPS has no float64.
            parts.append((nats(logits_1B, some)[0].cpu().double(), ((logits_1B[0] > 0) == some.odd_X).cpu()))
            beat()
        nats_X, right_X = (torch.cat(each) for each in zip(*parts, strict=True))
        bits.append(float((nats_X * count_X).sum()) / math.log(2))
        right.append(right_X)
    right_SX, lengths = torch.stack(right), torch.unique(length_X)
    by_length = [(right_SX * count_X)[:, length_X == each].sum(1) for each in lengths]
    totals = [int(count_X[length_X == each].sum()) for each in lengths]
    right_SL = torch.stack(by_length, 1) / torch.tensor(totals)
    accuracy_S = (right_SX * count_X).sum(1).double() / count_X.sum()
    return Score(
        bits_S=tuple(bits),
        accuracy_S=tuple(accuracy_S.tolist()),
        right_SL=tuple(map(tuple, right_SL.tolist())),
        lengths=tuple(lengths.tolist()),
    )
