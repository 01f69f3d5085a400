"""Mixtures: every instance comes from one of several sources, each chosen with its weight.

Each member keeps a stream of its own, with its own random numbers and, if it reads, a buffer of its own: so the shares
of the instances are those of the weights, whatever the members do. As a pass over given sequences (`up demo enrich`),
one member is chosen for each row; one that does not read draws a fresh row.

The cost of an instance is the mean of the members' costs, by weight.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from up.config import require_not_negative
from up.errors import InputError
from up.sources.base import Source, StreamParts
from up.sources.buffer import BufferConfig
from up.sources.nesting import described, of_kind, require_members, with_vocabulary
from up.sources.stream import Stream


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixSource(Source):
    """A mixture of sources.

    Attributes:
        kind: `mix`.
        vocabulary_size: of all members.
        members: sources, each a kind or a group of settings.
        weights: shares of the instances, in proportion; empty: equal ones.

    """

    kind: str = "mix"
    members: tuple[Source, ...] = dataclasses.field(default_factory=lambda: of_kind("lstm", "restaurant"))
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_members(self, self.members, least=1)
        if self.weights and len(self.weights) != len(self.members):
            raise InputError(
                "source.weights must be as many as source.members",
                received=len(self.weights),
                remedy=f"give {len(self.members)}, or none for equal shares",
            )
        for weight in self.weights:
            require_not_negative("source", weights=weight)
        if not math.isfinite(sum(self.weights)):
            raise InputError("source.weights are too large", received=self.weights, remedy="give smaller ones")
        if self.weights and not any(self.weights):
            raise InputError("source.weights are all zero", received=self.weights, remedy="give a positive one")
        object.__setattr__(self, "members", with_vocabulary(self.members, self.vocabulary_size))

    @property
    def shares(self) -> tuple[float, ...]:
        """Probability of each member."""
        weights = self.weights or (1.0,) * len(self.members)
        return tuple(weight / sum(weights) for weight in weights)

    @property
    def description(self) -> str:
        """The members with their shares."""
        parts = (f"{share:.0%} {described(member)}" for share, member in zip(self.shares, self.members, strict=True))
        return f"mix of {', '.join(parts)}"

    @property
    def noun(self) -> str:
        """What all members are."""
        return "computation"

    @property
    def is_opened(self) -> bool:
        """Whether all that it is made of is."""
        return all(member.is_opened for member in self.members)

    @property
    def reads(self) -> bool:
        """Whether any member does."""
        return any(member.reads for member in self.members)

    def resolve(self, device: torch.device) -> "MixSource":
        """Return the settings with those of the members resolved."""
        return dataclasses.replace(self, members=tuple(member.resolve(device) for member in self.members))

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:
        """Refuse what any member refuses."""
        for member in self.members:
            member.require_fit(context_length=context_length, batch=batch, buffer=buffer)

    def opened(self) -> "MixSource":
        """Return the mixture of the opened members."""
        return dataclasses.replace(self, members=tuple(member.opened() for member in self.members))

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Pass every row through a member that is chosen for it."""
        member_R = _choose(self.shares, len(rows_RT), generator)
        passed_RT = torch.empty_like(rows_RT, dtype=torch.uint8)
        for index, member in enumerate(self.members):
            place_M = (member_R == index).nonzero()[:, 0]
            if len(place_M):
                passed_RT[place_M] = member.passed(rows_RT[place_M], generator)
        return passed_RT

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return a stream that draws every instance from the stream of a member."""
        streams = [
            member.open_stream(
                dataclasses.replace(
                    parts,
                    source_generator=_offspring(parts.source_generator),
                    buffer_generator=_offspring(parts.buffer_generator),
                )
            )
            for member in self.members
        ]
        return MixStream(streams, self.shares, parts.source_generator)


def _choose(shares: tuple[float, ...], count: int, generator: torch.Generator) -> Tensor:
    """Return so many indices, each drawn with the probabilities given."""
    probabilities = torch.tensor(shares, dtype=torch.float32, device=generator.device)
    return torch.multinomial(probabilities, count, replacement=True, generator=generator)


def _offspring(generator: torch.Generator) -> torch.Generator:
    """Return a generator of its own, seeded from another one on the same device."""
    seed = int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device))
    return torch.Generator(device=generator.device).manual_seed(seed)


class MixStream:
    """Draws instances from several streams.

    Args:
        streams: one or more.
        shares: probability of each, in their order.
        generator: of the choice.

    Attributes:
        instances: instances drawn so far.

    """

    def __init__(self, streams: Sequence[Stream], shares: tuple[float, ...], generator: torch.Generator) -> None:
        self.streams, self._shares, self._generator = streams, shares, generator
        self.instances = 0

    def draw(self, num_instances: int) -> Tensor:
        """Return the next instances, each from the stream that is chosen for it."""
        self.instances += num_instances
        member_N = _choose(self._shares, num_instances, self._generator)
        drawn: dict[int, Tensor] = {}
        for index, stream in enumerate(self.streams):
            count = int((member_N == index).sum())
            if count:
                drawn[index] = stream.draw(count)
        first = next(iter(drawn.values()))
        tokens_NT = first.new_empty(num_instances, first.shape[1])
        for index, rows_MT in drawn.items():
            tokens_NT[member_N == index] = rows_MT
        return tokens_NT

    def state(self) -> dict[str, Tensor]:
        """Return the states of all streams, each under its number, and of the choice."""
        own = {"counters": torch.tensor([self.instances]), "generator": self._generator.get_state()}
        inner = {
            f"{number}.{key}": value
            for number, stream in enumerate(self.streams)
            for key, value in stream.state().items()
        }
        return {**own, **inner}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        (self.instances,) = (int(value) for value in state["counters"])
        self._generator.set_state(state["generator"])
        for number, stream in enumerate(self.streams):
            prefix = f"{number}."
            stream.restore({key.removeprefix(prefix): state[key] for key in state if key.startswith(prefix)})

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return those of the streams; a name that several have stands for the first of them."""
        found: dict[str, tuple[int, ...]] = {}
        for stream in self.streams:
            found = {**stream.observations(), **found}
        return found

    def source_seconds(self) -> float:
        """Return the time that all sources took so far."""
        return sum(stream.source_seconds() for stream in self.streams)

    def forecast_seconds(self, instances: int) -> float:
        """Return the sum of what the streams forecast for their shares."""
        shares = zip(self.streams, self._shares, strict=True)
        return sum(stream.forecast_seconds(round(instances * share)) for stream, share in shares if share)
