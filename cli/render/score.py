"""Whole files in bits per byte: a row a file, a column a predictor or compressor, and pictures."""

import dataclasses
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.surprise import ShownText, SurpriseChart
from theory.words import visible

if TYPE_CHECKING:  # only cli/score.py needs up.use
    from up.evaluation.compressors import CompressedSize
    from up.use.score import FileScore

_GAP, _NARROW_GAP = 2, 1
_NAME_COLUMNS = 12
"""Width at which names of files may be folded; where it is lacking too, each file becomes a list."""

_HEADINGS = {"PPMd var. H": "PPMd"}
"""Of compressors whose names are longer than a column."""


@dataclasses.dataclass(frozen=True)
class ScorePage:
    """The table, the smallest number of each file bold; what is counted and what is missing; a picture of each file.

    Attributes:
        scores: of at least one file, all with the same columns.
        model: name of the predictor's run.

    """

    scores: "tuple[FileScore, ...]"
    model: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text("Whole files, in bits per byte (lower is better)", style="bold")
        yield Text()
        headings = ["bytes", *(name for name, _ in _columns(self.scores[0]))]
        cells = [[Text(f"{score.size_bytes:,}"), *_bits(score)] for score in self.scores]
        names = [Text(visible(score.name)) for score in self.scores]
        widest = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
        columns = min(max(name.cell_len for name in names), _NAME_COLUMNS)
        room = options.max_width - columns - sum(widest)
        gap = next((gap for gap in (_GAP, _NARROW_GAP) if gap * len(widest) <= room), None)
        if gap is None:
            yield from self._lists(headings, names, cells)
        else:
            yield self._table(headings, names, cells, gap)
        yield Text()
        yield from (Text(line, style="dim") for line in [*_model_remarks(self), *_remarks(self.scores)])
        for score in self.scores:
            yield Text()
            yield SurpriseChart(score)
        for score in self.scores:
            if score.first_bytes:
                yield Text()
                yield ShownText(score)

    def _table(self, headings: list[str], names: list[Text], cells: list[list[Text]], gap: int) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
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


def _columns(score: "FileScore") -> "list[tuple[str, float | None]]":
    """Return the name of each column and its bits per byte, None where there is no number."""
    control = [("frozen", score.frozen_bits_per_byte), ("scratch", score.scratch_bits_per_byte)]
    return [
        ("model", score.bits_per_byte),
        *((name, bits) for name, bits in control if bits is not None),
        *((_HEADINGS.get(each.name, each.name), each.bits_per_byte) for each in score.baselines),
    ]


def _bits(score: "FileScore") -> list[Text]:
    values = [bits for _, bits in _columns(score)]
    least = min(bits for bits in values if bits is not None)
    return [
        Text("-", style="dim") if bits is None else Text(f"{bits:.3f}", style="bold" if bits == least else "")
        for bits in values
    ]


def _model_remarks(page: ScorePage) -> list[str]:
    """Say what each column of the predictor is, and what pre-training gives."""
    scores = page.scores
    lines = [f"model: {visible(page.model)}, learning from each byte once it has predicted it"]
    if scores[0].frozen_bits_per_byte is not None:
        lines.append("frozen: the same, but gate and second stage do not learn; its statistics go on")
    if scores[0].scratch_bits_per_byte is not None:
        size = sum(each.size_bytes for each in scores)
        gain = sum(((each.scratch_bits_per_byte or 0) - each.bits_per_byte) * each.size_bytes for each in scores) / size
        lines += [
            "scratch: the model's architecture from random weights, learning likewise",
            f"pre-training gives scratch minus model, over all bytes: {gain:+.3f}",
        ]
    columns = "these are ideal code lengths" if len(lines) > 1 else "this is an ideal code length"
    return [*lines, f"{columns}, without the header that a container would add"]


def _remarks(scores: "tuple[FileScore, ...]") -> list[str]:
    """Say which streams are raw and what of a header is left in others, what no size includes, and what is missing."""
    baselines: tuple[CompressedSize, ...] = scores[0].baselines
    raw = [each.name for each in baselines if each.stream == "raw"]
    others = [f"{each.name} {each.stream}" for each in baselines if each.stream != "raw"]
    lines = [
        f"raw streams: {', '.join(raw)}; {', '.join(others)}",
        "each compressor at its strongest level, PPMd var. H at the order that is best for the file",
        "sizes of model and compressors are not counted, nor brotli's English dictionary",
    ]
    missing = [each for score in scores for each in score.baselines if each.missing_extra is not None]
    if missing:
        names = ", ".join(dict.fromkeys(each.name for each in missing))
        lines.append(f"not installed: {names} (pip install 'universal-pretraining[{missing[0].missing_extra}]')")
    if any(each.bits_per_byte is None and each.missing_extra is None for score in scores for each in score.baselines):
        lines.append("a file without sizes is longer than what the compressors are given to hold")
    return lines
