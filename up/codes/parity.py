"""The transformer of table 1: parity of a string, read at its SEP; the compiled solution, random starts, the examples.

    prompt ... prompt SEP 0 1 1 ... END         one encoder layer, applied again and again, x <- tanh(x + sublayer)
                      |
                      the logit for "the number of ones is odd"

The network is the compiler's (`up.compiler.network`): two heads with biases on relative positions, an MLP with ReLU.
Prompt tokens are rows of the table of embeddings beside the four symbols; SEP is the compiled program's START. At the
paper's size it has 200,710 weights, that all 42 layers share.

    >>> task = ParityTask(width=128, hidden=512, prompt=20, layers=42, train_lengths=(1, 20), test_lengths=(21, 40))
    >>> manual_weights(task).shape
    torch.Size([200710])

The manual solution is the program `parity` of the case table, whose running parity walks from the right end to SEP, a
position a layer (C.1): signed one-hot, what is written is 10 times what is read. It leaves the prompt's rows at 0.

Examples have about equally many of each number of ones; the length is uniform among those that have room.

Source: Shaw et al. 2025 (arXiv 2509.22445), section 6 and C.1.
Limits: the paper says neither how He's initialisation counts the inputs of an embedding (here: its width), nor how
its test set is drawn (here: as the training set, at the longer lengths).

Shape suffixes: N weights, S draws of all weights, B sequences, T positions, X examples, L bits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from up.compiler.cases import load_program
from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.mlp import FADED
from up.compiler.network import CompiledTransformer, Sizes
from up.config import require_not_negative, require_positive
from up.errors import InputError

HEADS = 2
_SEP, _ZERO, _END, _PROMPT = 0, 1, 3, 4
"""Numbers of the program's START, of its bit 0 (1 is the next), of END, and of the first token of the prompt."""
_SCALE = 10.0
_BATCH = 512
"""Sequences at once where nothing is learned."""


@dataclass(frozen=True, kw_only=True)
class ParityTask:
    """How large the network is, and how long the strings are.

    Attributes:
        width: of the residual, a multiple of the two heads.
        hidden: units of the MLP.
        prompt: tokens before SEP.
        layers: how often the layer is applied; the manual solution needs one more than the longest string has bits.
        train_lengths: shortest and longest string of the training set, in bits.
        test_lengths: of the test set, beyond them.

    Raises:
        InputError: lengths that are not in order, or too few layers for them.

    """

    width: int
    hidden: int
    prompt: int
    layers: int
    train_lengths: tuple[int, int]
    test_lengths: tuple[int, int]

    def __post_init__(self) -> None:
        require_positive("parity", width=self.width, hidden=self.hidden, layers=self.layers)
        require_not_negative("parity", prompt=self.prompt)
        bounds = (*self.train_lengths, *self.test_lengths)
        if list(bounds) != sorted(bounds) or bounds[0] < 1 or self.layers <= bounds[-1]:
            raise InputError(
                "parity needs lengths that rise, and more layers than the longest string has bits",
                received=f"lengths {bounds}, {self.layers} layers",
                remedy="give e.g. train_lengths (1, 6), test_lengths (7, 9), layers 10",
            )

    @cached_property
    def network(self) -> CompiledTransformer:
        """The network, its own weights all 0: those to be used are given to `logits`."""
        sizes = Sizes(
            vocabulary=_PROMPT + self.prompt,
            width=self.width,
            heads=HEADS,
            key_size=self.width // HEADS,
            value_size=self.width // HEADS,
            hidden=self.hidden,
            outputs=1,
        )
        return CompiledTransformer(sizes, tanh=True)

    @cached_property
    def shapes(self) -> dict[str, torch.Size]:
        """Shapes of the weights by their names, in the order in which they follow each other in a vector."""
        return {name: value.shape for name, value in self.network.named_parameters()}

    @property
    def weights(self) -> int:
        """N, all weights."""
        return sum(shape.numel() for shape in self.shapes.values())

    @property
    def prompt_weights(self) -> slice:
        """Where the embeddings of the prompt lie in the vector of all weights, which begins with the embeddings."""
        return slice(_PROMPT * self.width, (_PROMPT + self.prompt) * self.width)

    def split(self, weights_N: Tensor) -> dict[str, Tensor]:
        """Return the weights by name."""
        parts = weights_N.split([shape.numel() for shape in self.shapes.values()])
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes.items(), parts, strict=True)}


def manual_weights(task: ParityTask) -> Tensor:
    """Return the compiled solution, padded with zeros to the size of the network, float32 of shape (N,)."""
    half = task.width // HEADS
    config = CompilerConfig(
        tanh=True,
        scale=_SCALE,
        written=_SCALE,
        width=task.width,
        hidden=task.hidden,
        heads=HEADS,
        key_size=half,
        value_size=half,
    )
    compiled = dict(compile_program(load_program("parity"), config).network.named_parameters())
    weights = {name: torch.zeros(shape) for name, shape in task.shapes.items()}
    for name, value in compiled.items():
        weights[name][: len(value)] = value.detach()
    # The answer is -1 or 1. A rule's own factor makes it all but certain, and is no new value.
    weights["readout.weight"] *= 2 * _SCALE / FADED
    return torch.cat([each.flatten() for each in weights.values()])


def random_weights(task: ParityTask, generator: torch.Generator) -> Tensor:
    """Return He's initialisation: normal, of variance 2 / inputs; biases 0, also those of positions; shape (N,)."""
    flat = [
        torch.zeros(shape.numel())
        if "bias" in name or "relative" in name
        else torch.randn(shape.numel(), generator=generator) * math.sqrt(2 / shape[-1])
        for name, shape in task.shapes.items()
    ]
    return torch.cat(flat)


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
    tokens_XT = torch.full((len(bits_XL), places + longest + 2), _END)
    tokens_XT[:, :places] = torch.arange(_PROMPT, _PROMPT + places)
    tokens_XT[:, places] = _SEP
    tokens_XT[:, places + 1 : -1] = torch.where(bits_XL < 2, _ZERO + bits_XL, _END)
    mask_XT = torch.arange(tokens_XT.shape[1]) <= (places + 1 + length_X)[:, None]
    return Examples(tokens_XT, mask_XT, (bits_XL == 1).sum(1) % 2 == 1, length_X, count_X)


def logits(task: ParityTask, weights_SN: Tensor, examples: Examples) -> Tensor:
    """Return the logit for an odd number of ones, (S, B), of each draw of all weights."""

    def one(weights_N: Tensor) -> Tensor:
        given = (examples.tokens_XT, task.layers, examples.mask_XT)
        return torch.func.functional_call(task.network, task.split(weights_N), given)[:, task.prompt, 0]

    return torch.func.vmap(one)(weights_SN)


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
    bits, right = [], []
    for weights_1N in weights_SN.split(1):
        parts = []
        for place_B in torch.arange(len(examples.count_X), device=weights_SN.device).split(_BATCH):
            some = examples.pick(place_B)
            logits_1B = logits(task, weights_1N, some)
            parts.append((nats(logits_1B, some)[0].double(), (logits_1B[0] > 0) == some.odd_X))
            beat()
        nats_X, right_X = (torch.cat(each) for each in zip(*parts, strict=True))
        bits.append(float((nats_X * examples.count_X).sum()) / math.log(2))
        right.append(right_X)
    right_SX, count_X = torch.stack(right), examples.count_X
    lengths = torch.unique(examples.length_X)
    by_length = [(right_SX * count_X)[:, examples.length_X == each].sum(1) for each in lengths]
    totals = [int(count_X[examples.length_X == each].sum()) for each in lengths]
    right_SL = torch.stack(by_length, 1).cpu() / torch.tensor(totals)
    accuracy_S = (right_SX * count_X).sum(1).double() / count_X.sum()
    return Score(
        bits_S=tuple(bits),
        accuracy_S=tuple(accuracy_S.tolist()),
        right_SL=tuple(map(tuple, right_SL.tolist())),
        lengths=tuple(lengths.tolist()),
    )
