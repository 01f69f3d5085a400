"""The transformer of table 1: parity of a string, read at its SEP; the compiled solution, and random starts.

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

Source: Shaw et al. 2025 (arXiv 2509.22445), section 6 and C.1.
Limits: the paper does not say how He's initialisation counts the inputs of an embedding; here it is its width.

Shape suffixes: N weights, S draws of all weights, B sequences, T positions.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from theory.words import number_of
from up.compiler.cases import load_program
from up.compiler.compile import CompilerConfig, compile_program
from up.compiler.mlp import FADED
from up.compiler.network import CompiledTransformer, Sizes
from up.config import require_not_negative, require_positive
from up.errors import InputError

HEADS = 2
SEP, ZERO, END, PROMPT = 0, 1, 3, 4
"""Numbers of the program's START, of its bit 0 (1 is the next), of END, and of the first token of the prompt."""
_SCALE = 10.0


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
                received=f"lengths {bounds}, {number_of(self.layers, 'layer')}",
                remedy="give e.g. train_lengths (1, 6), test_lengths (7, 9), layers 10",
            )

    @cached_property
    def network(self) -> CompiledTransformer:
        """The network, its own weights all 0: those to be used are given to `logits`."""
        sizes = Sizes(
            vocabulary=PROMPT + self.prompt,
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
        return slice(PROMPT * self.width, (PROMPT + self.prompt) * self.width)

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


def logits(task: ParityTask, weights_SN: Tensor, tokens_BT: Tensor, mask_BT: Tensor) -> Tensor:
    """Return the logit for an odd number of ones, (S, B), of each draw of all weights; padding is masked by False."""

    def one(weights_N: Tensor) -> Tensor:
        given = (tokens_BT, task.layers, mask_BT)
        return torch.func.functional_call(task.network, task.split(weights_N), given)[:, task.prompt, 0]

    return torch.func.vmap(one)(weights_SN)
