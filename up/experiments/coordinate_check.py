"""The coordinate check of muP: how the activations of a transformer, and their changes, depend on its width.

Models of several widths and one depth take a few steps of Adam on one fixed batch of enriched sequences. Before the
first step and after every one the root mean square of each kind of activation is taken, of itself (its size) and of its
difference from the initial one (its change), and a straight line is fitted to its logarithm against that of the width.
Its slope is the exponent p of a law width^p. Source: Yang et al. (2021), arXiv 2203.03466, appendix D.1.

A parametrisation passes (`violations` is empty) when, within a tolerance,

- the initial sizes follow the law of muP: slope 0 for the outputs of attention and feed-forward network, before norm
  and residual connection, and -1/2 for logits and attention logits, sums of independent terms over their number; with
  copy heads, 0 for their scores, whose queries and keys start equal, and for the logits that the pool makes of theirs;
- no size grows with the width, at any step;
- no change grows with the width, at any step, and none falls faster than the initial size does. That of a sub-layer's
  output is flat; that of the logits is the sum of a flat part, what was learned, and of a random part of slope -1/2.

The number of heads is fixed, so that the head size grows with the width and the attention scale is put to the test.
There is no dropout and no weight decay.

Limits: widths this small follow the law of infinite width only roughly. A learning rate that falls with the width where
it should not, of the head or of the embeddings, hardly shows: the changes of other layers cover for it.

Shape suffixes: B sequences, T positions, D width, N heads, K head size, V vocabulary, P pairs of positions, S all
predicted tokens.
"""

import contextlib
import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from up.config import require_positive
from up.errors import InputError
from up.model.transformer.attention import SelfAttention
from up.model.transformer.blocks import ModernBlock, PaperBlock, ProgressiveBlock
from up.model.transformer.copying import CopyHeads
from up.model.transformer.model import Transformer, TransformerConfig
from up.model.transformer.mup import parameter_groups
from up.sources.recurrent import RecurrentSource

Activations = dict[tuple[str, int | None], Tensor]  # by quantity and block

INITIAL_SLOPES = {
    "logits": -0.5,
    "attention logits": -0.5,
    "attention": 0.0,
    "feed-forward": 0.0,
    "copy scores": 0.0,
    "pooled logits": 0.0,
}
SOURCE_HIDDEN_SIZE = 38


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoordinateCheckConfig:
    """What to measure.

    Attributes:
        arch: architecture of the models.
        parametrisation: theirs, `mup` or `standard`.
        widths: of the models, rising.
        base_width: of muP.
        depth: blocks of every model.
        heads: attention heads of every model.
        progressive_group: blocks in the first, normal group; later ones are progressive and enabled. 0: all are normal.
        convolution_taps: of every model.
        copy_heads: of every model; their size is a quarter of the width.
        learning_rate: of Adam, at the base width.
        steps: of Adam.
        sequences: in the batch.
        context_length: tokens in each of them.
        seeds: one model of every width for each; squares are averaged over them. A seed also draws the batch.

    """

    arch: str = "paper"
    parametrisation: str = "mup"
    widths: tuple[int, ...] = (64, 128, 256, 512)
    base_width: int = 128
    depth: int = 2
    heads: int = 1
    progressive_group: int = 0
    convolution_taps: int = 0
    copy_heads: int = 0
    learning_rate: float = 1e-3
    steps: int = 10
    sequences: int = 2
    context_length: int = 16
    seeds: tuple[int, ...] = (0, 1)

    def __post_init__(self) -> None:
        require_positive("coordinate_check", learning_rate=self.learning_rate, steps=self.steps)
        require_positive("coordinate_check", sequences=self.sequences)
        if len(self.widths) < 2 or list(self.widths) != sorted(set(self.widths)):
            raise InputError(
                "coordinate_check.widths must be two or more, rising",
                received=self.widths,
                remedy="give e.g. 64, 128, 256",
            )
        if not self.seeds:
            raise InputError("coordinate_check.seeds is empty", remedy="give at least one, e.g. 0")
        for width in self.widths:
            self.model(width)

    def model(self, width: int) -> TransformerConfig:
        """Return the configuration of the model of one width."""
        return TransformerConfig(
            arch=self.arch,
            width=width,
            depth=self.depth,
            heads=self.heads,
            context_length=self.context_length,
            dropout=0.0,
            parametrisation=self.parametrisation,
            base_width=self.base_width,
            progressive_group=self.progressive_group,
            convolution_taps=self.convolution_taps,
            copy_heads=self.copy_heads,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coordinate:
    """One kind of activation in all models.

    Attributes:
        quantity: `logits`, `attention logits`, `attention` or `feed-forward` (the outputs of these sub-layers).
        block: where; None for the logits.
        widths: of the models.
        sizes: root mean squares, by step (0: before the first) and width.
        changes: the same of the difference from step 0.

    """

    quantity: str
    block: int | None
    widths: tuple[int, ...]
    sizes: tuple[tuple[float, ...], ...]
    changes: tuple[tuple[float, ...], ...]

    @property
    def name(self) -> str:
        """The quantity and its block."""
        return self.quantity if self.block is None else f"{self.quantity} of block {self.block}"

    @property
    def size_slopes(self) -> tuple[float, ...]:
        """Exponent of the width in the size, from step 0 on."""
        return tuple(fit_slope(self.widths, sizes) for sizes in self.sizes)

    @property
    def change_slopes(self) -> tuple[float, ...]:
        """Exponent of the width in the change, from step 1 on."""
        return tuple(fit_slope(self.widths, changes) for changes in self.changes[1:])


@dataclasses.dataclass(frozen=True, kw_only=True)
class CoordinateCheck:
    """What was measured: every kind of activation, block by block, and the logits."""

    config: CoordinateCheckConfig
    coordinates: tuple[Coordinate, ...]

    def violations(self, tolerance: float) -> tuple[str, ...]:
        """Return what departs from muP by more than `tolerance` in the exponent; empty: the check passes."""
        return tuple(text for excess, text in self._excesses() if excess > tolerance)

    def worst_excess(self) -> float:
        """Return the least tolerance with which the check passes."""
        return max(excess for excess, _ in self._excesses())

    def _excesses(self) -> Iterator[tuple[float, str]]:
        """Yield by how much a slope misses what muP predicts, and in words what it is."""
        for coordinate in self.coordinates:
            initial = INITIAL_SLOPES[coordinate.quantity]
            size, change = coordinate.size_slopes, coordinate.change_slopes
            yield abs(size[0] - initial), f"initial {coordinate.name}: slope {size[0]:.2f}, expected {initial:g}"
            yield max(size[1:]), f"{coordinate.name}: slope {max(size[1:]):.2f}, grows with the width"
            yield max(change), f"change of {coordinate.name}: slope {max(change):.2f}, grows with the width"
            yield initial - min(change), f"change of {coordinate.name}: slope {min(change):.2f}, falls with the width"


def check_coordinates(config: CoordinateCheckConfig) -> CoordinateCheck:
    """Train the models and measure them; the same configuration gives the same figures on the same machine."""
    squares: Activations = {}
    for seed in config.seeds:
        tokens_BT = draw_batch(config, seed)
        for place, width in enumerate(config.widths):
            model = Transformer(config.model(width), torch.Generator().manual_seed(seed))
            history = list(train(model, tokens_BT, config))
            for step, activations in enumerate(history):
                for key, activation in activations.items():
                    table = squares.setdefault(key, torch.zeros(2, len(history), len(config.widths)).double())
                    table[0, step, place] += activation.square().mean()
                    table[1, step, place] += (activation - history[0][key]).square().mean()
    coordinates = []
    for (quantity, block), table in squares.items():
        sizes, changes = (table / len(config.seeds)).sqrt().tolist()
        coordinates.append(
            Coordinate(
                quantity=quantity,
                block=block,
                widths=config.widths,
                sizes=tuple(map(tuple, sizes)),
                changes=tuple(map(tuple, changes)),
            )
        )
    return CoordinateCheck(config=config, coordinates=tuple(coordinates))


def draw_batch(config: CoordinateCheckConfig, seed: int) -> Tensor:
    """Return tokens_BT: sequences that each passed through a random LSTM, so that there is something to learn."""
    generator = torch.Generator().manual_seed(seed)
    source = RecurrentSource(hidden_size=SOURCE_HIDDEN_SIZE, sequences_per_model=1)
    shape = (config.sequences, config.context_length)
    noise_BT = torch.randint(source.vocabulary_size, shape, generator=generator)
    return source.generate(noise_BT[:, : source.seed_length], noise_BT, generator)


def train(model: Transformer, tokens_BT: Tensor, config: CoordinateCheckConfig) -> Iterator[Activations]:
    """Yield the activations of the batch before the first step of Adam and after every one."""
    groups = parameter_groups(model, model.config)
    for group in groups:
        group["lr"] = config.learning_rate * group["lr_scale"]
    optimizer = torch.optim.Adam(groups, fused=True)
    targets_S = tokens_BT[:, 1:].flatten().long()
    for step in range(config.steps + 1):
        with record(model) as activations:
            logits_BTV = model(tokens_BT[:, :-1])
        if model.copying is not None:
            activations["pooled logits", None] = logits_BTV.detach()
        yield activations
        if step < config.steps:
            optimizer.zero_grad()
            nn.functional.cross_entropy(logits_BTV.flatten(0, 1), targets_S).backward()
            optimizer.step()


@contextlib.contextmanager
def record(model: Transformer) -> Iterator[Activations]:
    """Collect what output layer, copy heads and the sub-layers of every block compute while the model runs."""
    activations: Activations = {}
    handles = []
    for index, block in enumerate(model.blocks):
        inner = block.block if isinstance(block, ProgressiveBlock) else block
        assert isinstance(inner, PaperBlock | ModernBlock)

        def on_attention(
            attention: SelfAttention, inputs: tuple[Tensor], output_BTD: Tensor, index: int = index
        ) -> None:
            activations["attention logits", index] = attention_logits(attention, *inputs)
            activations["attention", index] = output_BTD.detach()

        def on_feedforward(_: nn.Module, __: tuple[Tensor], output_BTD: Tensor, index: int = index) -> None:
            activations["feed-forward", index] = output_BTD.detach()

        handles.append(inner.attention.register_forward_hook(on_attention))
        handles.append(inner.feedforward.register_forward_hook(on_feedforward))

    def on_head(_: nn.Module, __: tuple[Tensor], logits_BTV: Tensor) -> None:
        activations["logits", None] = logits_BTV.detach()

    def on_copying(copying: CopyHeads, inputs: tuple[Tensor, ...], _: Tensor) -> None:
        activations["copy scores", None] = copy_scores(copying, inputs[0])

    handles.append(model.head.register_forward_hook(on_head))
    if model.copying is not None:
        handles.append(model.copying.register_forward_hook(on_copying))
    try:
        yield activations
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def attention_logits(attention: SelfAttention, x_BTD: Tensor) -> Tensor:
    """Return the scores before the softmax of every position with itself and those before it, (B, N, pairs)."""
    q_BTNK, k_BTNK, _ = attention.project(x_BTD)
    score_BNTT = attention.scale * torch.einsum("btnk,bsnk->bnts", q_BTNK, k_BTNK)
    row_P, column_P = torch.tril_indices(*score_BNTT.shape[-2:])
    return score_BNTT[..., row_P, column_P]


@torch.no_grad()
def copy_scores(copying: CopyHeads, embedding_BTD: Tensor) -> Tensor:
    """Return the scores of every position with the earlier ones, (B, H, pairs)."""
    score_BHTT = copying.scores(embedding_BTD)
    row_P, column_P = torch.tril_indices(*score_BHTT.shape[-2:], offset=-1)
    return score_BHTT[..., row_P, column_P]


def fit_slope(widths: Sequence[int], sizes: Sequence[float]) -> float:
    """Return the exponent p that fits sizes ~ widths^p best, by least squares of the logarithms.

    >>> round(fit_slope((64, 128, 256), (3.0, 6.0, 12.0)), 9)
    1.0
    """
    return statistics.linear_regression([math.log(w) for w in widths], [math.log(size) for size in sizes]).slope
