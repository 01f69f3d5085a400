"""The configuration of a target transformer: a width, and rules that derive the rest from it.

Source: Bloem (2025), section 6.2 (width, depth, heads, context) and appendix A.1 (table of models, architecture).

Deviation (erratum): the paper prints the depth as floor((ln w - 5.039) / 0.555), which gives 1, 2, 2 and 3 blocks for
its widths 384, 512, 640 and 1024. With 0.0555, the value of its reference [20], and rounding to nearest, the formula
gives 16, 22, 26 and 34, the depths in its table. That is the rule here.

Deviation (erratum): section 6.2 says that the learning rate was tuned at width 384, A.1 says 640. The base width of
maximal update parametrisation is 640 here, since A.1 gives the rate that belongs to it.
"""

import dataclasses
import math

from theory.words import number_of
from up.config import require_not_negative, require_one_of, require_positive
from up.errors import InputError
from up.model.base import ModelConfig

ARCHITECTURES = ("paper", "modern")
POOLS = ("logarithmic", "linear")
PARAMETRISATIONS = ("mup", "standard")
PAPER_GROUP = 8  # blocks that are enabled together (A.1, "Progressive scaling")

# Far above anything that trains, low enough that a slip of the keyboard is caught before memory is asked for.
_LARGEST = {
    "width": 16_384,
    "base_width": 16_384,
    "depth": 1_024,
    "heads": 1_024,
    "base_heads": 1_024,
    "context_length": 65_536,
    "vocabulary_size": 1_048_576,
    "feedforward_multiplier": 64,
    "convolution_taps": 64,
    "copy_heads": 64,
    "copy_head_size": 4_096,
}
_MAY_BE_ZERO = ("convolution_taps", "copy_heads")


def depth_for_width(width: int) -> int:
    """Return the number of blocks for a width: round((ln w - 5.039) / 0.0555), at least 4.

    >>> [depth_for_width(width) for width in (128, 384, 512, 640, 1024)]
    [4, 16, 22, 26, 34]
    """
    return max(4, round((math.log(width) - 5.039) / 0.0555))


def heads_for_width(width: int) -> int:
    """Return the number of attention heads for a width: one for every full 128, at least 1 (section 6.2)."""
    return max(1, width // 128)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TransformerConfig(ModelConfig):
    """Shape of a target transformer. Fields left at None follow a rule; `resolve` writes the values out.

    Attributes:
        arch: `paper` (post-layer-norm, ReLU, learned positions; A.1) or `modern` (pre-norm RMSNorm, rotary positions,
            SwiGLU, no biases).
        width: dimension of a token representation, d_model; at most 16,384.
        depth: number of blocks; None: `depth_for_width`.
        heads: attention heads in a block; None: `heads_for_width`.
        context_length: the longest sequence, in tokens; also the length of an instance, of which a run reads all but
            the last token and predicts all but the first.
        vocabulary_size: number of tokens; 256 for bytes.
        dropout: probability of dropping an activation; None: 0.1 for `paper`, 0 for `modern`, which sees no instance
            twice and so has nothing to overfit.
        parametrisation: `mup`, in which all widths share the learning rate of the base width (`mup`), or
            `standard`.
        base_width: the width at which both parametrisations are the same.
        base_heads: attention heads at the base width, from which muP takes the scale of attention in `modern`; None: as
            many as `heads` if that is given, so that the head size grows with the width, otherwise `heads_for_width` of
            the base width.
        progressive_group: blocks that are enabled together while a run goes on; the first group is normal, later ones
            are progressive (`blocks.ProgressiveBlock`). 0: all blocks are normal. None: 8 for `paper`, 0 for
            `modern`.
        feedforward_multiplier: hidden size of the feed-forward network in widths, for two matrices; SwiGLU has three
            and takes two thirds of it (`feedforward_size`).
        convolution_taps: positions that a depthwise causal convolution on queries, keys and values, and before the
            feed-forward network, looks at (`convolution`); 0: there are none. `modern` only.
        copy_heads: pointer heads that vote for what followed earlier occurrences of the latest tokens
            (`copying`); 0: there are none. `modern` only.
        copy_head_size: dimension of one of them; None: a quarter of the width, at least 16.
        copy_pool: how the votes and the output layer are combined, `logarithmic` or `linear`.

    Raises:
        InputError: an unknown architecture or pool, a number out of range, a width that the heads do not divide, an odd
            head size where rotary positions need pairs, two numbers of heads at the base width, or convolutions or copy
            heads in the paper's form.

    """

    arch: str = "paper"
    width: int
    depth: int | None = None
    heads: int | None = None
    context_length: int = 512
    dropout: float | None = None
    parametrisation: str = "mup"
    base_width: int = 640
    base_heads: int | None = None
    progressive_group: int | None = None
    feedforward_multiplier: int = 4
    convolution_taps: int = 0
    copy_heads: int = 0
    copy_head_size: int | None = None
    copy_pool: str = "logarithmic"

    def __post_init__(self) -> None:
        require_one_of("model", "arch", self.arch, ARCHITECTURES)
        for name, largest in _LARGEST.items():
            value = getattr(self, name)
            if value is None:
                continue
            require = require_not_negative if name in _MAY_BE_ZERO else require_positive
            require("model", **{name: value})
            if value > largest:
                raise InputError(f"model.{name} is too large", received=value, remedy=f"give at most {largest}")
        require_one_of("model", "parametrisation", self.parametrisation, PARAMETRISATIONS)
        require_one_of("model", "copy_pool", self.copy_pool, POOLS)
        for name in _MAY_BE_ZERO:
            if self.arch != "modern" and getattr(self, name):
                raise InputError(
                    f"model.{name} is a setting of the modern architecture",
                    received=getattr(self, name),
                    remedy="leave it at 0, or set model.arch=modern",
                )
        if self.progressive_group is not None:
            require_not_negative("model", progressive_group=self.progressive_group)
        if self.dropout is not None and not 0 <= self.dropout < 1:
            raise InputError(
                "model.dropout must be a probability below 1", received=self.dropout, remedy="give e.g. 0.1, or 0"
            )
        if self.width % self.num_heads:
            raise InputError(
                f"model.width is not divisible by its {self.num_heads} attention heads",
                received=self.width,
                remedy="choose a multiple of 128, or set model.heads to a divisor of the width",
            )
        if self.arch == "modern" and self.head_size % 2:
            raise InputError(
                "rotary positions need an even head size, model.width / heads",
                received=self.head_size,
                remedy="change model.width or model.heads",
            )
        if self.width == self.base_width and self.num_heads != self.num_base_heads:
            raise InputError(
                f"model.base_heads contradicts the heads of this model ({self.num_heads}), which has the base width",
                received=self.base_heads,
                remedy=f"give {self.num_heads}, or leave it out",
            )

    @property
    def num_layers(self) -> int:
        """Number of blocks, after the rule."""
        return depth_for_width(self.width) if self.depth is None else self.depth

    @property
    def source_width(self) -> int:
        """The width itself, as in the paper."""
        return self.width

    @property
    def sizes(self) -> dict[str, int]:
        """Width, depth and heads, after the rules."""
        return {"width": self.width, "depth": self.num_layers, "heads": self.num_heads}

    @property
    def shape(self) -> str:
        """Architecture and sizes in words."""
        sizes = f"width {self.width}, {number_of(self.num_layers, 'block')}, {number_of(self.num_heads, 'head')}"
        return f"{self.arch}, {sizes}"

    @property
    def num_heads(self) -> int:
        """Attention heads in a block, after the rule."""
        return heads_for_width(self.width) if self.heads is None else self.heads

    @property
    def num_base_heads(self) -> int:
        """Attention heads in a block of the model of the base width, after the rule."""
        if self.base_heads is not None:
            return self.base_heads
        return heads_for_width(self.base_width) if self.heads is None else self.heads

    @property
    def head_size(self) -> int:
        """Dimension k of one attention head."""
        return self.width // self.num_heads

    @property
    def num_copy_channels(self) -> int:
        """Dimension of the queries, and of the keys, of all copy heads together."""
        return self.copy_heads * self._copy_head_size(self.width)

    @property
    def copy_scale(self) -> float:
        """Factor on the scores of the copy heads: one over their size, as muP has it (`copying`)."""
        return 1 / self._copy_head_size(self.width)

    def _copy_head_size(self, width: int) -> int:
        return max(16, width // 4) if self.copy_head_size is None else self.copy_head_size

    @property
    def dropout_probability(self) -> float:
        """Dropout, after the default of the architecture."""
        if self.dropout is None:
            return 0.1 if self.arch == "paper" else 0.0
        return self.dropout

    @property
    def attention_scale(self) -> float:
        """Factor on the attention scores.

        `paper`: 1/k (A.1), which is also muP's. `modern`: 1/sqrt(k), and in muP 1/k times the square root of the head
        size at the base width, so that both agree there.
        """
        if self.arch == "paper":
            return 1 / self.head_size
        base_head_size = self.base_width / self.num_base_heads
        towards_mup = (base_head_size / self.head_size) ** 0.5 if self.parametrisation == "mup" else 1.0
        return self.head_size**-0.5 * towards_mup

    @property
    def blocks_per_group(self) -> int:
        """Blocks that are enabled together, after the default of the architecture; 0 where all are normal."""
        if self.progressive_group is None:
            return PAPER_GROUP if self.arch == "paper" else 0
        return self.progressive_group

    @property
    def num_progressive_blocks(self) -> int:
        """Blocks beyond the first group."""
        return max(0, self.num_layers - self.blocks_per_group) if self.blocks_per_group else 0

    @property
    def feedforward_size(self) -> int:
        """Hidden size of the feed-forward network.

        `paper`: multiplier x width. `modern`: two thirds of that, so that SwiGLU's three matrices hold as many weights
        as two would, rounded to the nearest multiple of 64 (at least 64), which GPU matrix units are tiled for.

        >>> [TransformerConfig(arch="modern", width=width).feedforward_size for width in (128, 384, 512, 1024)]
        [320, 1024, 1344, 2752]
        """
        return self._feedforward_size(self.width)

    @property
    def base_feedforward_size(self) -> int:
        """`feedforward_size` of the model of the base width."""
        return self._feedforward_size(self.base_width)

    def _feedforward_size(self, width: int) -> int:
        if self.arch == "paper":
            return self.feedforward_multiplier * width
        return max(64, 64 * round(self.feedforward_multiplier * width * 2 / 3 / 64))

    def resolve(self) -> "TransformerConfig":
        """Return the configuration of the same model with every rule written out, as a run stores it."""
        return dataclasses.replace(
            self,
            depth=self.num_layers,
            heads=self.num_heads,
            base_heads=self.num_base_heads,
            dropout=self.dropout_probability,
            progressive_group=self.blocks_per_group,
            copy_head_size=self._copy_head_size(self.width),
        )
