"""Random computation as a data set: rows that are independent of each other, each known by its number.

    loader = DataLoader(RandomComputation(seed=0, length=512), batch_size=64, num_workers=2)

Row i begins as constant or as uniform noise and passes k random LSTMs. Its depth k is drawn from the exact stationary
law of the depth in the buffer of Algorithm 1, r (1 - r)^k with r = reset rows / source batch (Bloem 2025, arXiv
2506.20057, section 5.1, and `theory.measures.buffer_depth`), so that a row is what the buffer holds once settled. Rows
of a buffer hang together, since they share models and hand each other seeds; these do not: every pass of every row
has a model of its own. Of a source that does not read, row i is a fresh draw.

Deviation: the buffer takes the seed of a pass from another row. Rows that are independent have no other: the seed is
sliced from a random place of the row itself, as `up demo enrich` does.

Rows are computed in blocks. Everything in block b depends on (seed, b) and on the settings alone, and blocks are dealt
to workers and ranks in turn, so that no two of them draw the same row, whatever their number.

Limits: rows are computed on the CPU, in the process that asks for them.

Shape suffixes: B rows of a block, A rows of a block that pass one more model, S seed tokens, T tokens.
"""

import bisect
import dataclasses
import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from theory.measures.buffer_depth import stationary_depth_probability
from up.config import require_at_most, require_not_negative, require_positive
from up.device import keyed_generator
from up.errors import InputError
from up.sources.base import RowSource, Source
from up.sources.buffer import BufferConfig
from up.sources.nesting import all_sources, inner_sources, with_innermost
from up.sources.recurrent import RecurrentSource

_RESOLUTION = 1 << 62  # of the uniform numbers that depths are made of
_DEPTHS, _TOKENS = 1, 2  # the two generators of a block
_SOURCE, _BUFFER = RecurrentSource(), BufferConfig()


class RandomComputation(IterableDataset[Tensor]):
    """Rows of random computation, (T,) int64 each, without end or from `start` to `stop`.

    >>> rows = list(RandomComputation(seed=0, length=32, stop=3))
    >>> [tuple(row.shape) for row in rows]
    [(32,), (32,), (32,)]

    Args:
        seed: decides all rows, together with the other settings but the last four.
        length: T, tokens in a row.
        source: of the random models. Each row has its own: `sequences_per_model` is 1, and a source without such a
            setting is given one row at a time.
        buffer: its resets and its source batch decide how deep rows are, and which share of them begins as constant.
        block_rows: B, rows that are computed together. A `DataLoader` whose batch size is B hands the rows on in the
            order of their numbers, however many workers it has.
        start: number of the first row. Where the batch size is B and all ranks together have taken n batches from row 0
            on, `start=n * B` goes on exactly there, with any number of workers or ranks.
        stop: number of the first row that is left out; None: there is no end.
        rank: which of `world_size` processes this is; None: as `torch.distributed` says, where it is initialised.
        world_size: processes that share the rows.

    Raises:
        InputError: settings out of range, a source that cannot serve them, or resets that never come.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        length: int = 512,
        source: Source = _SOURCE,
        buffer: BufferConfig = _BUFFER,
        block_rows: int = 64,
        start: int = 0,
        stop: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        super().__init__()
        require_not_negative("dataset", seed=seed, start=start)
        require_positive("dataset", length=length, block_rows=block_rows)
        require_at_most("dataset", seed=(seed, (1 << 32) - 1), block_rows=(block_rows, 100_000))
        if stop is not None and stop < start:
            raise InputError("dataset.stop lies before dataset.start", received=stop, remedy=f"give at least {start}")
        place = None if rank is None or world_size is None else (rank, world_size)
        if (place is None and (rank, world_size) != (None, None)) or (place and not 0 <= place[0] < place[1]):
            raise InputError(
                "rank and world_size do not fit together",
                received=(rank, world_size),
                remedy="give both, with rank from 0 to world_size - 1, or neither",
            )
        self.seed, self.length, self.buffer, self.block_rows = seed, length, buffer, block_rows
        self.start, self.stop = start, stop
        self.source = one_model_a_row(source.opened())
        self.source.require_fit(context_length=length, batch=1, buffer=buffer)
        self._place = place or _distributed()
        self._thresholds = _Thresholds(buffer)
        self._taken = self._skip = 0
        self._shard: tuple[int, int] | None = None
        self._expected_shard: tuple[int, int] | None = None

    def __iter__(self) -> Iterator[Tensor]:
        """Begin at `start`, or where the state that was loaded last was saved."""
        rank, world_size = self._place or _distributed() or (0, 1)
        worker = get_worker_info()
        workers, number = (1, 0) if worker is None else (worker.num_workers, worker.id)
        self._shard = number * world_size + rank, workers * world_size
        if self._expected_shard not in (None, self._shard):
            raise InputError(
                "the state was saved by another share of the rows (its number, how many there are)",
                received=self._expected_shard,
                remedy=f"load it into the share {self._shard}, or give start",
            )
        self._taken, self._skip, self._expected_shard = self._skip, 0, None
        return self._rows(*self._shard, skip=self._taken)

    def block(self, block: int) -> Tensor:
        """Return rows block B to block B + B - 1, tokens_BT, int64."""
        depth_B = torch.tensor(self.block_depths(block))
        generator = keyed_generator(self.seed, block, _TOKENS)
        tokens_BT = self._beginnings(generator)
        if not self.source.reads:
            return self._pass(tokens_BT, generator)
        for passed in range(int(depth_B.max())):
            index_A = (depth_B > passed).nonzero()[:, 0]
            tokens_BT[index_A] = self._pass(tokens_BT[index_A], generator)
        return tokens_BT

    def block_depths(self, block: int) -> tuple[int, ...]:
        """Return how many models each row of a block passes if its source reads, without computing the rows."""
        generator = keyed_generator(self.seed, block, _DEPTHS)
        uniforms = torch.randint(_RESOLUTION, (self.block_rows,), generator=generator)
        return tuple(self._thresholds.depth(uniform) for uniform in uniforms.tolist())

    def state_dict(self) -> dict[str, Any]:
        """Return how far the latest iteration has come in its share of the rows.

        The workers of a `DataLoader` iterate copies: from here the position of a copy is not seen. Ask in the worker,
        or count what the loader gave and use `start`.
        """
        return {"settings": self._settings(), "rows": self._taken, "shard": self._shard}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration begin exactly where `state` was saved.

        Raises:
            InputError: no such state, or one of other settings.
        """
        if state.keys() != {"settings", "rows", "shard"} or state["settings"] != self._settings():
            raise InputError(
                "the state is not one of these rows",
                received=state.get("settings"),
                remedy=f"give the settings {self._settings()}",
            )
        self._taken = self._skip = state["rows"]
        self._expected_shard = None if state["shard"] is None else tuple(state["shard"])

    def _settings(self) -> str:
        law = f"{self.buffer.source_batch}, {self.buffer.reset_constant}, {self.buffer.reset_noise}"
        return f"{self.seed}, {self.length}, {self.source}, {law}, {self.block_rows}, {self.start}, {self.stop}"

    def _rows(self, shard: int, num_shards: int, *, skip: int) -> Iterator[Tensor]:
        """Yield the rows of every `num_shards`-th block, without the first `skip` of them."""
        for block in itertools.count(self.start // self.block_rows + shard, num_shards):
            first, end = block * self.block_rows, (block + 1) * self.block_rows
            low, high = max(first, self.start), end if self.stop is None else min(end, self.stop)
            if first >= high:
                return
            if skip >= high - low:
                skip -= high - low
                continue
            for row_T in self.block(block)[low - first + skip : high - first]:
                self._taken += 1
                yield row_T.clone()
            skip = 0

    def _beginnings(self, generator: torch.Generator) -> Tensor:
        """Rows of depth 0: constant or noise in the shares of the buffer's resets."""
        rows, vocabulary = self.block_rows, self.source.vocabulary_size
        is_constant_B1 = (
            torch.randint(self.buffer.reset_rows, (rows, 1), generator=generator) < self.buffer.reset_constant
        )
        constant_B1 = torch.randint(vocabulary, (rows, 1), generator=generator)
        noise_BT = torch.randint(vocabulary, (rows, self.length), generator=generator)
        return torch.where(is_constant_B1, constant_B1, noise_BT)

    def _pass(self, rows_AT: Tensor, generator: torch.Generator) -> Tensor:
        """Pass each row through a fresh model, or draw a fresh row in its place."""
        innermost = [source for source in all_sources(self.source) if not inner_sources(source)]
        independent = all(isinstance(each, RowSource) or hasattr(each, "sequences_per_model") for each in innermost)
        parts = rows_AT.split(len(rows_AT) if independent else 1)
        return torch.cat([self.source.passed(part, generator) for part in parts]).long()


class _Thresholds:
    """Depths by inverse transform, exactly: depth k where P(depth < k) <= u < P(depth <= k), u a multiple of 2^-62."""

    def __init__(self, buffer: BufferConfig) -> None:
        self._buffer = buffer
        self._cumulated = Fraction(0)
        self._ends: list[int] = []  # of k: the least u in units of 2^-62 that is beyond depth k
        self._extend()

    def depth(self, uniform: int) -> int:
        """Return the depth of a uniform number, given in units of 2^-62."""
        while self._ends[-1] <= uniform:
            self._extend()
        return bisect.bisect_right(self._ends, uniform)

    def _extend(self) -> None:
        self._cumulated += stationary_depth_probability(
            len(self._ends), source_batch=self._buffer.source_batch, reset_rows=self._buffer.reset_rows
        )
        self._ends.append(-(-self._cumulated.numerator * _RESOLUTION // self._cumulated.denominator))


def one_model_a_row(source: Source) -> Source:
    """Return a source with `sequences_per_model` 1 wherever it, or one that it is made of, has that setting.

    Raises:
        InputError: it is given, and another number.
    """

    def change(source: Source) -> Source:
        given = getattr(source, "sequences_per_model", 1)
        if given not in (None, 1):
            raise InputError(
                "rows that share a model are not independent", received=given, remedy="leave sequences_per_model open"
            )
        return dataclasses.replace(source, sequences_per_model=1) if hasattr(source, "sequences_per_model") else source

    return with_innermost(source, change)


def _distributed() -> tuple[int, int] | None:
    """Rank and number of ranks, where `torch.distributed` knows them."""
    distributed = torch.distributed
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return None
