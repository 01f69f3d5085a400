"""Sources beside each other: how fast they write, and how predictable what they write is.

A source that reads has passed each row k times, from a row of noise or of one constant token as the buffer begins with,
where k >= 1 has the distribution that the depths in the buffer settle at, r (1-r)^(k-1) (`theory`, the buffer's law).
So the rows are those of a buffer that has run for long, without those just reset; but a pass takes its seed from the
row that it reads. A source that does not read has drawn each row once.

Measures as in `up.evaluation.measures`; the Markov model is chosen once for all rows of a source, over the whole
vocabulary. The rate is that of single passes on one thread, in one call after one that is not counted.

Shape suffixes: R rows, T tokens.
"""

import dataclasses
import sys
import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from theory.words import docstring_of
from up.config import require_at_most, require_not_negative, require_positive
from up.device import single_thread
from up.evaluation.measures import RowStatistics, row_statistics
from up.sources.base import Source, make_source
from up.sources.buffer import BufferConfig
from up.sources.nesting import seed_length
from up.sources.registry import SOURCES, source_type


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparisonConfig:
    """What to compare, and how finely.

    Attributes:
        kinds: of sources, each with its default settings; or paths to files.
        rows: R, drawn of each.
        length: T, tokens in a row.
        seed: of everything that is drawn.

    """

    kinds: tuple[str, ...] = tuple(SOURCES)
    rows: int = 256
    length: int = 512
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive("comparison", rows=self.rows, length=self.length)
        require_at_most("comparison", rows=(self.rows, 100_000), length=(self.length, 65_536))
        require_not_negative("comparison", seed=self.seed)
        require_at_most("comparison", seed=(self.seed, 2**63 - 1))


@dataclasses.dataclass(frozen=True, kw_only=True)
class ComparedSource(RowStatistics):
    """One source, with the measures of its rows (see `RowStatistics`).

    Attributes:
        name: its kind.
        description: kind and sizes.
        reads: whether it reads a condition, and so stands behind the buffer.
        rows_per_second: single passes of a row, on one thread.

    """

    name: str
    description: str
    reads: bool
    rows_per_second: float


def compare_sources(config: ComparisonConfig) -> Iterator[ComparedSource]:
    """Yield each source as soon as it is measured.

    Raises:
        InputError: an unknown source, or one that cannot be used.
    """
    sources = [make_source(kind).resolve(torch.device("cpu")) for kind in config.kinds]
    for source in sources:
        yield measure_source(source, rows=config.rows, length=config.length, seed=config.seed)


def measure_source(source: Source, *, rows: int, length: int, seed: int) -> ComparedSource:
    """Draw rows of a source and measure them."""
    source, generator = source.opened(), torch.Generator().manual_seed(seed)
    start_RT = _start(rows, length, source.vocabulary_size, generator)
    with single_thread():
        source.passed(start_RT, generator)  # compiles, and warms up
        begun = time.perf_counter()
        source.passed(start_RT, generator)
        seconds = time.perf_counter() - begun
        tokens_RT = _settled(source, start_RT, generator)
    return ComparedSource(
        name=source.kind,
        description=source.description,
        reads=source.reads,
        rows_per_second=rows / seconds,
        **vars(row_statistics(tokens_RT.numpy(), source.vocabulary_size, seed_length=seed_length(source))),
    )


def _start(rows: int, length: int, vocabulary_size: int, generator: torch.Generator) -> Tensor:
    """Return rows as the buffer begins with: half constant, half noise."""
    noise_RT = torch.randint(vocabulary_size, (rows, length), generator=generator, dtype=torch.uint8)
    noise_RT[: rows // 2] = noise_RT[: rows // 2, :1]
    return noise_RT


def _settled(source: Source, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
    """Return rows passed as often as those of a settled buffer that have been passed at all."""
    buffer = BufferConfig()
    stay = 1 - buffer.reset_rows / buffer.source_batch
    going_R = torch.arange(len(rows_RT))
    rows_RT = rows_RT.clone()
    while len(going_R):
        rows_RT[going_R] = source.passed(rows_RT[going_R], generator)
        going_R = going_R[torch.rand(len(going_R), generator=generator) < stay] if source.reads else going_R[:0]
    return rows_RT


def summaries(kinds: Sequence[str] = tuple(SOURCES)) -> dict[str, str]:
    """Return what each kind of source is, in a line: the first of its module's documentation."""
    lines = {}
    for kind in kinds:
        text = docstring_of(sys.modules[source_type(kind).__module__])
        lines[kind] = " ".join(text.split("\n\n")[0].split())
    return lines
