"""Chains: the output of one source is the condition of the next, such as a universal machine's for a random LSTM.

Bloem 2025 (arXiv 2506.20057), section 6.4, leaves this for future work: "feeding the output of a UTM to an LSTM". Where
the first member does not read, every row is a fresh one of it, passed on through all others: a depth that is the same
for all rows, and no buffer. Where it reads, the whole chain stands behind the buffer as one source.

Deviation: the seed of every member is sliced from a random place of the row that it reads, not of another one.

The cost of a row is the sum of the members' costs.
"""

import dataclasses

import torch
from torch import Tensor

from up.errors import InputError
from up.sources.base import Source, StreamParts
from up.sources.buffer import BufferConfig
from up.sources.nesting import described, of_kind, require_members, with_vocabulary
from up.sources.stream import BufferedStream, RowStream, Stream


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChainSource(Source):
    """Sources one after another.

    Attributes:
        kind: `chain`.
        vocabulary_size: of all members.
        members: sources in their order, each a kind or a group of settings; all but the first must read.

    """

    kind: str = "chain"
    members: tuple[Source, ...] = dataclasses.field(default_factory=lambda: of_kind("utm", "lstm"))

    def __post_init__(self) -> None:
        super().__post_init__()
        require_members(self, self.members, least=2)
        object.__setattr__(self, "members", with_vocabulary(self.members, self.vocabulary_size))

    @property
    def description(self) -> str:
        """The members in their order."""
        return f"chain of {', then '.join(map(described, self.members))}"

    @property
    def is_opened(self) -> bool:
        """Whether all that it is made of is."""
        return all(member.is_opened for member in self.members)

    @property
    def reads(self) -> bool:
        """Whether the first member does."""
        return self.members[0].reads

    def resolve(self, device: torch.device) -> "ChainSource":
        """Return the settings with those of the members resolved."""
        return dataclasses.replace(self, members=tuple(member.resolve(device) for member in self.members))

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:
        """Refuse what any member refuses; batches need not fit into a buffer that the chain does not have.

        Whether it has one is known only once its members are opened.
        """
        least = batch if self.is_opened and self.reads else 1
        for member in self.members:
            member.require_fit(context_length=context_length, batch=least, buffer=buffer)

    def opened(self) -> "ChainSource":
        """Return the chain of the opened members.

        Raises:
            InputError: a later member does not read; that of one in a file is known only now.
        """
        members = tuple(member.opened() for member in self.members)
        for place, member in enumerate(members):
            if place and not member.reads:
                raise InputError(
                    "a source that reads no condition can only be the first of a chain",
                    received=member.kind,
                    remedy="put it first, or mix it with the others",
                )
        return dataclasses.replace(self, members=members)

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Pass sequences through all members."""
        for member in self.members:
            rows_RT = member.passed(rows_RT, generator)
        return rows_RT

    def _rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        nothing_RT = torch.zeros(num_rows, num_tokens, dtype=torch.uint8, device=generator.device)
        return self.passed(nothing_RT, generator)

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return a stream of fresh rows, or of a buffer that the chain keeps enriching, as its first member reads."""
        if not self.reads:
            return RowStream(self._rows, context_length=parts.context_length, generator=parts.source_generator)
        device, buffer_device = parts.source_generator.device, parts.buffer_generator.device
        return BufferedStream(
            lambda _, conditions_RT: self.passed(conditions_RT.to(device), parts.source_generator).to(buffer_device),
            buffer=parts.buffer,
            cadence=parts.cadence,
            context_length=parts.context_length,
            vocabulary_size=self.vocabulary_size,
            seed_length=1,
            source_generator=parts.source_generator,
            buffer_generator=parts.buffer_generator,
        )
