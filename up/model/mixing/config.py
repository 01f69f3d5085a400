"""The configuration of a mixing predictor: its experts, its gate, and what of an instance the gate learns from."""

import dataclasses

from theory.words import number_of
from up.config import require_at_most, require_one_of, require_positive
from up.errors import InputError
from up.model.base import ModelConfig
from up.model.mixing.contexts import FAMILIES, Context, contexts_of
from up.model.mixing.vocabulary import LARGEST

_PAPER_WIDTH = 1024


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixingConfig(ModelConfig):
    """Settings of a mixing predictor.

    Attributes:
        arch: `mixing`.
        families: of contexts, each an expert (`up.model.mixing.contexts.FAMILIES`); without repetition.
        hidden: widths of the gate's two hidden layers.
        context_length: length of an instance, in tokens; the predictor itself reads rows of any length.
        vocabulary_size: number of tokens, 2 to 65,536. Where it is not 256, that of bytes, contexts of parts of bytes
            are left out: the family `masks` has no others.
        learned_bytes: tokens of each instance, drawn at random, whose decisions the gate learns from in a step; all of
            a shorter instance.

    Raises:
        InputError: an unknown family or one named twice, none at all, none that sees whole tokens where tokens are no
            bytes, or a number out of range.
    """

    arch: str = "mixing"
    families: tuple[str, ...] = tuple(FAMILIES)
    hidden: tuple[int, ...] = (48, 32)
    context_length: int = 2_048
    learned_bytes: int = 256

    def __post_init__(self) -> None:
        require_one_of("model", "arch", self.arch, ("mixing",))
        for family in self.families:
            require_one_of("model", "families", family, FAMILIES)
        if not self.families or len(set(self.families)) < len(self.families):
            raise InputError(
                "model.families must name one family at least, and none twice",
                received=list(self.families),
                remedy=f"choose among {', '.join(FAMILIES)}",
            )
        if len(self.hidden) != 2 or not all(1 <= width <= 1_024 for width in self.hidden):
            raise InputError(
                "model.hidden must be two widths from 1 to 1,024", received=list(self.hidden), remedy="try [48, 32]"
            )
        if not 2 <= self.vocabulary_size <= LARGEST:
            raise InputError(
                "model.vocabulary_size is out of range", received=self.vocabulary_size, remedy=f"use 2 to {LARGEST:,}"
            )
        if not self.contexts:
            raise InputError(
                "the contexts of these families see parts of bytes, and the tokens of this vocabulary are no bytes",
                received=f"{', '.join(self.families)}, {self.vocabulary_size}",
                remedy="add another family, such as orders",
            )
        require_positive("model", context_length=self.context_length, learned_bytes=self.learned_bytes)
        require_at_most(
            "model",
            context_length=(self.context_length, 65_536),
            learned_bytes=(self.learned_bytes, 65_536),
        )

    @property
    def contexts(self) -> tuple[Context, ...]:
        """What each expert looks at; their number is K."""
        return contexts_of(self.families, self.vocabulary_size)

    def readable(self, num_tokens: int | None) -> int:
        """Return the length itself, for the predictor reads as many as there are; None: that of an instance."""
        return self.context_length if num_tokens is None else num_tokens

    @property
    def source_width(self) -> int:
        """The width of the paper's largest model: sources are drawn as they are for that one."""
        return _PAPER_WIDTH

    @property
    def shape(self) -> str:
        """Architecture and sizes in words."""
        return f"{self.arch}, {number_of(len(self.contexts), 'context')}, gate {self.hidden[0]} x {self.hidden[1]}"

    def resolve(self) -> "MixingConfig":
        """Return the configuration itself, for no setting is left open."""
        return self
