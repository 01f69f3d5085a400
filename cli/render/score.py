"""Whole files in bits per byte: a row a file, a column a compressor, and what is counted in each."""

import dataclasses
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from theory.words import readable

if TYPE_CHECKING:  # only cli/score.py needs up.use
    from up.evaluation.compressors import CompressedSize
    from up.use.score import FileScore

_GAP = 2
_NAME_COLUMNS = 12
"""Width at which names of files may be folded; where it is lacking too, each file becomes a list."""

_HEADINGS = {"PPMd var. H": "PPMd"}
"""Of compressors whose names are longer than a column."""


@dataclasses.dataclass(frozen=True)
class ScorePage:
    """The table, the smallest number of each file bold, and below it what is counted and what is not installed."""

    scores: "tuple[FileScore, ...]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("Whole files, in bits per byte (lower is better)", style="bold")
        yield Text()
        headings = ["bytes", *(_HEADINGS.get(each.name, each.name) for each in self.scores[0].baselines)]
        cells = [[Text(f"{score.size_bytes:,}"), *_bits(score)] for score in self.scores]
        names = [Text(readable(score.name)) for score in self.scores]
        widest = (max(map(len, column)) for column in zip(headings, *cells, strict=True))
        columns = min(max(name.cell_len for name in names), _NAME_COLUMNS)
        if columns + sum(_GAP + width for width in widest) <= options.max_width:
            yield self._table(headings, names, cells)
        else:
            yield from self._lists(headings, names, cells)
        yield Text()
        yield from (Text(line, style="dim") for line in _remarks(self.scores[0].baselines))

    def _table(self, headings: list[str], names: list[Text], cells: list[list[Text]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
        table.add_column("file", overflow="fold")
        for heading in headings:
            table.add_column(heading, justify="right", no_wrap=True)
        for name, row in zip(names, cells, strict=True):
            table.add_row(name, *row)
        return table

    def _lists(self, headings: list[str], names: list[Text], cells: list[list[Text]]) -> list[RenderableType]:
        blocks: list[RenderableType] = []
        for name, row in zip(names, cells, strict=True):
            grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
            grid.add_column(style="dim", no_wrap=True)
            grid.add_column(justify="right", no_wrap=True)
            for heading, cell in zip(headings, row, strict=True):
                grid.add_row(heading, cell)
            name.overflow = "fold"
            blocks += [name, Padding(grid, (0, 0, 0, _GAP))]
        return blocks


def _bits(score: "FileScore") -> list[Text]:
    known = [each.bits_per_byte for each in score.baselines if each.bits_per_byte is not None]
    return [
        Text("-", style="dim")
        if each.bits_per_byte is None
        else Text(f"{each.bits_per_byte:.3f}", style="bold" if each.bits_per_byte == min(known) else "")
        for each in score.baselines
    ]


def _remarks(baselines: "tuple[CompressedSize, ...]") -> list[str]:
    """Say which streams are raw and what of a header is left in others, what no size includes, and what is missing."""
    raw = [each.name for each in baselines if each.stream == "raw"]
    others = [f"{each.name} {each.stream}" for each in baselines if each.stream != "raw"]
    lines = [
        f"raw streams: {', '.join(raw)}; {', '.join(others)}",
        "each at its strongest level, PPMd var. H at the order that is best for the file",
        "no compressor is counted, nor the dictionary of English that brotli brings",
    ]
    missing = [each for each in baselines if each.missing_extra is not None]
    if missing:
        names = ", ".join(each.name for each in missing)
        lines.append(f"not installed: {names} (pip install 'universal-pretraining[{missing[0].missing_extra}]')")
    return lines
