"""Bands: of the rows of another source only those whose compressed size lies in a range.

Constant rows teach little and noise teaches nothing; both are found by how well zlib compresses them. A row is kept if
its size as a raw deflate stream at level 9, in bits per token, lies in the range, its ends included. The inner source's
stream goes on as before, rows that are left out counted as drawn; so a source behind a buffer works more for each
instance that is kept. The share kept is observed as `band`.

The cost of an instance is that of the inner source, and about 20 microseconds for zlib, over the share kept.
Limits: another build of zlib may decide otherwise at the ends of the range. Tokens above 255 cannot be compressed so.
"""

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from up.deflate import deflated_bits
from up.errors import InputError
from up.sources.base import Source, StreamParts
from up.sources.buffer import BufferConfig
from up.sources.nesting import described, of_kind, require_members, with_vocabulary
from up.sources.stream import Stream

PATIENCE = 1_000
"""Rows that may be left out in a row before the band is refused."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BandSource(Source):
    """Another source's rows within a range of compressibility.

    Attributes:
        kind: `band`.
        vocabulary_size: of the inner source.
        source: the inner source, a kind or a group of settings.
        least_bits: zlib bits per token of a row that is kept, at least.
        most_bits: at most.

    """

    kind: str = "band"
    source: Source = dataclasses.field(default_factory=lambda: of_kind("lstm")[0])
    least_bits: float = 0.5
    most_bits: float = 7.8

    def __post_init__(self) -> None:
        super().__post_init__()
        require_members(self, (self.source,), least=1)
        if not (math.isfinite(self.least_bits) and math.isfinite(self.most_bits)):
            raise InputError("source.least_bits and source.most_bits must be finite", remedy="give e.g. 0.5 and 7.8")
        if self.least_bits > self.most_bits:
            raise InputError(
                "source.least_bits exceeds source.most_bits",
                received=self.least_bits,
                remedy=f"give at most {self.most_bits:g}",
            )
        object.__setattr__(self, "source", with_vocabulary((self.source,), self.vocabulary_size)[0])

    @property
    def description(self) -> str:
        """The inner source and the range."""
        return f"band of {described(self.source)}, {self.least_bits:g} to {self.most_bits:g} zlib bits"

    @property
    def noun(self) -> str:
        """That of the inner source."""
        return self.source.noun

    @property
    def is_opened(self) -> bool:
        """Whether all that it is made of is."""
        return self.source.is_opened

    @property
    def reads(self) -> bool:
        """Whether the inner source does."""
        return self.source.reads

    def resolve(self, device: torch.device) -> "BandSource":
        """Return the settings with those of the inner source resolved."""
        return dataclasses.replace(self, source=self.source.resolve(device))

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:
        """Refuse what the inner source refuses."""
        self.source.require_fit(context_length=context_length, batch=batch, buffer=buffer)

    def opened(self) -> "BandSource":
        """Return the band of the opened source."""
        return dataclasses.replace(self, source=self.source.opened())

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Pass every row as often as it takes; the row that is passed stays the same.

        Raises:
            InputError: the band keeps nothing, after `PATIENCE` rows in a row.
        """
        passed_RT = torch.empty_like(rows_RT, dtype=torch.uint8)
        missing_M, left_out = torch.arange(len(rows_RT), device=rows_RT.device), 0
        while len(missing_M):
            tried_MT = self.source.passed(rows_RT[missing_M], generator)
            kept_M = self.keeps(tried_MT)
            passed_RT[missing_M[kept_M]] = tried_MT[kept_M]
            missing_M = missing_M[~kept_M]
            left_out = 0 if kept_M.any() else left_out + len(missing_M)
            self.require_hope(left_out, kept=0, seen=left_out)
        return passed_RT

    def keeps(self, rows_RT: Tensor) -> Tensor:
        """Return which rows lie in the band, (R,) bool."""
        sizes = [deflated_bits(row_T.tobytes()) for row_T in rows_RT.cpu().numpy()]
        kept = [self.least_bits <= size <= self.most_bits for size in sizes]
        return torch.tensor(kept, dtype=torch.bool, device=rows_RT.device)

    def require_hope(self, left_out: int, *, kept: int, seen: int) -> None:
        """Raise `InputError` if so many rows were left out one after the other."""
        if left_out >= PATIENCE:
            raise InputError(
                f"the band of {self.least_bits:g} to {self.most_bits:g} zlib bits left out the last {left_out:,} rows "
                f"of {self.source.kind}",
                received=f"{kept:,} of {seen:,} kept",
                remedy="widen source.least_bits and source.most_bits",
            )

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return the inner stream without what lies outside the band."""
        return BandStream(self.source.open_stream(parts), self)


class BandStream:
    """Draws from another stream until there are enough rows in the band.

    Args:
        inner: where rows come from.
        band: which are kept.

    Attributes:
        kept: rows kept so far; they are the instances drawn.
        left_out: rows left out so far.

    """

    _MEASURED = 64

    def __init__(self, inner: Stream, band: BandSource) -> None:
        self.inner, self._band = inner, band
        self.kept = self.left_out = 0

    def draw(self, num_instances: int) -> Tensor:
        """Return the next rows in the band, (num_instances, T) uint8; raises `InputError` where it keeps nothing."""
        parts: list[Tensor] = []
        missing, in_a_row = num_instances, 0
        while missing:
            rows_MT = self.inner.draw(missing)
            kept_M = self._band.keeps(rows_MT)
            parts.append(rows_MT[kept_M])
            found = len(parts[-1])
            self.kept, self.left_out = self.kept + found, self.left_out + missing - found
            in_a_row = 0 if found else in_a_row + missing
            missing -= found
            self._band.require_hope(in_a_row, kept=self.kept, seen=self.kept + self.left_out)
        return torch.cat(parts)

    def state(self) -> dict[str, Tensor]:
        """Return the inner state and what was kept."""
        counters = {"counters": torch.tensor([self.kept, self.left_out])}
        return {**counters, **{f"inner.{name}": value for name, value in self.inner.state().items()}}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue exactly where `state` was taken; the configuration must be the same."""
        self.kept, self.left_out = (int(value) for value in state["counters"])
        self.inner.restore(
            {name.removeprefix("inner."): value for name, value in state.items() if name.startswith("inner.")}
        )

    def observations(self) -> dict[str, tuple[int, ...]]:
        """Return what is observed of the inner stream, and as `band` the rows left out and kept so far."""
        return {**self.inner.observations(), "band": (self.left_out, self.kept)}

    def source_seconds(self) -> float:
        """Return the time that the inner source took so far."""
        return self.inner.source_seconds()

    def forecast_seconds(self, instances: int) -> float:
        """Return what the inner stream forecasts for as many rows as it takes, by the share of some that are kept."""
        kept = sum(int(self._band.keeps(self.inner.draw(1))) for _ in range(self._MEASURED))
        return self.inner.forecast_seconds(round(instances * self._MEASURED / max(1, kept)))
