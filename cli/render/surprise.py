r"""Surprise along a file: a picture of bits per byte, and the text itself, each character shaded by its bits.

Of the text nothing reaches the terminal that could steer it: what is no printable character of one or two columns is
shown as its bytes, `\x1b`, each shaded by its own bits. A character of several bytes has their bits together. A line
ends where the file's does, after a `↵`. Shades and bars are those of `cli.render.predictability`.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cli.render.bars import BARS
from cli.render.predictability import legend, level, ramp_for
from theory.words import number_of, visible

if TYPE_CHECKING:  # only cli/score.py needs up.use
    from up.use.score import FileScore

_ROWS = 4
_LINE_END = "↵"
_ESCAPES = {"\t": r"\t", "\r": r"\r", "\n": _LINE_END}
_COLOUR = "cyan"


@dataclasses.dataclass(frozen=True)
class SurpriseChart:
    """Bits per byte in pieces of equal length, one a column, from 0 to the next whole number of bits above all."""

    score: "FileScore"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        size = self.score.size_bytes
        widest = len("128")  # the bits of a byte have at most three digits
        pieces = self.score.surprise.pieces(max(options.max_width - widest - 1, 1))
        top = max(math.ceil(max(pieces)), 1)
        labels = len(str(top))
        yield Text.assemble(
            (f"Surprise along {visible(self.score.name)}", "bold"),
            (f"  bits per byte, in {number_of(len(pieces), 'equal piece')}", "dim"),
        )
        steps = [max(round(bits / top * _ROWS * len(BARS)), 1) for bits in pieces]
        for row in reversed(range(_ROWS)):
            label = str(top) if row == _ROWS - 1 else "0" if row == 0 else ""
            full = (min(max(step - row * len(BARS), 0), len(BARS)) for step in steps)
            blocks = "".join(BARS[eighths - 1] if eighths else " " for eighths in full)
            yield Text.assemble((f"{label:>{labels}} ", "dim"), (blocks, _COLOUR), no_wrap=True)
        end = number_of(size, "byte")
        yield Text(f"{'':{labels}} 0{end:>{max(len(pieces) - 1, len(end) + 1)}}", style="dim", no_wrap=True)


@dataclasses.dataclass(frozen=True)
class ShownText:
    """The first bytes of a file, shaded by their bits, below a legend."""

    score: "FileScore"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        score, ramp = self.score, ramp_for(console)
        shown = len(score.first_bytes)
        which = "all of it" if shown == score.size_bytes else f"its first {number_of(shown, 'byte')}"
        yield Text.assemble((f"Text of {visible(score.name)}", "bold"), (f"  {which}", "dim"))
        yield legend(options.max_width, ramp)
        for row in _rows(list(_characters(score.first_bytes, score.first_bits)), options.max_width):
            if ramp:
                yield Text.assemble(*((text, ramp[level(bits)]) for text, bits in row), no_wrap=True)
            else:
                yield Text("".join(text for text, _ in row), no_wrap=True)
                bars = "".join(BARS[level(bits)] * cell_len(text) for text, bits in row)
                yield Text(bars, style="dim", no_wrap=True)


def _characters(data: bytes, bits: tuple[float, ...]) -> Iterator[tuple[str, float]]:
    """Yield what is shown of a text, piece by piece, and the bits of each."""
    place = 0
    for character in data.decode("utf-8", "surrogateescape"):
        size = len(character.encode("utf-8", "surrogateescape"))
        own = bits[place : place + size]
        if character in _ESCAPES:
            yield _ESCAPES[character], own[0]
        elif character.isprintable() and cell_len(character) > 0 and character != _LINE_END:
            yield character, sum(own)
        else:
            for byte, its in zip(data[place : place + size], own, strict=True):
                yield f"\\x{byte:02x}", its
        place += size


def _rows(characters: list[tuple[str, float]], width: int) -> Iterator[list[tuple[str, float]]]:
    """Yield rows of at most `width` columns, each of which ends at the end of a line."""
    row, columns = list[tuple[str, float]](), 0
    for text, bits in characters:
        if row and columns + cell_len(text) > width:
            yield row
            row, columns = [], 0
        row.append((text, bits))
        columns += cell_len(text)
        if text == _LINE_END:
            yield row
            row, columns = [], 0
    if row:
        yield row
