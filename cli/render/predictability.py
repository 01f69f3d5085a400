"""Characters shaded by how surprising they are, in bits, for dark and light terminals and for none at all.

Eight steps, one bit wide, from 0 (fully predictable) to 7 bits and more. In colour each character sits on a cell of
the viridis ramp (van der Walt and Smith, 2015), which is ordered by lightness and readable with every common form of
colour blindness, or on its nearest ordered relative among 256 colours; ink and cell are both set, so the terminal's own
background does not matter. With fewer colours the same steps are drawn as a row of bars beneath each row of characters.
"""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.style import Style
from rich.text import Text

from cli.render.bars import BARS

Ramp = tuple[Style, ...]


def _ramp(cells: Sequence[str], *, white_inks: int) -> Ramp:
    """Return styles for cells from dark to light; the first `white_inks` of them carry white ink, the others black."""
    inks = ["#ffffff"] * white_inks + ["#000000"] * (len(cells) - white_inks)
    return tuple(Style(color=ink, bgcolor=cell) for ink, cell in zip(inks, cells, strict=True))


RAMPS = {
    "truecolor": _ramp(
        ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"), white_inks=4
    ),
    "256": _ramp(tuple(f"color({number})" for number in (53, 55, 25, 30, 36, 77, 149, 220)), white_inks=3),
}
"""The ramp for each colour system of a rich console; other systems have too few colours for eight ordered steps."""

_LABELS = ("0", "1", "2", "3", "4", "5", "6", "7+")
_UNIT = ", bits per character"


def ramp_for(console: Console) -> Ramp | None:
    """Return the ramp that this console can show, None where bars have to do."""
    return RAMPS.get(console.color_system or "")


def level(bits: float) -> int:
    """Return the step of the ramp: whole bits, at most 7.

    >>> level(0.2), level(6.57), level(31.0)
    (0, 6, 7)
    """
    return min(max(int(bits), 0), len(_LABELS) - 1)


def visible(character: str) -> str:
    r"""Return a character that takes one column: printable ASCII as it is, every other byte as a middle dot.

    >>> visible("a") + visible("\n") + visible("é")
    'a··'
    """
    return character if " " <= character <= "~" else "·"


def shaded_lines(characters: str, bits: Sequence[float], width: int, ramp: Ramp | None) -> Iterator[Text]:
    """Yield the string in rows of `width` columns, each character shaded by its bits.

    Args:
        characters: one character for each byte.
        bits: bits of each character, as many as characters.
        width: columns of a row, at least 1.
        ramp: styles of the eight steps; None puts a row of bars beneath each row of characters instead.

    """
    for start in range(0, len(characters), width):
        row = [visible(character) for character in characters[start : start + width]]
        levels = [level(value) for value in bits[start : start + width]]
        if ramp:
            yield Text.assemble(*((mark, ramp[step]) for mark, step in zip(row, levels, strict=True)))
        else:
            yield Text("".join(row))
            yield Text("".join(BARS[step] for step in levels), style="dim")


def legend(width: int, ramp: Ramp | None) -> Text:
    """Return one line that explains the shading: every step with its bits, from predictable to surprising."""
    steps = [
        (f" {label} ", ramp[step]) if ramp else (f"{BARS[step]}{label} ", "") for step, label in enumerate(_LABELS)
    ]
    text = Text.assemble("predictable ", *steps, " surprising")
    if text.cell_len > width:
        return Text.assemble(*steps, " bits")
    if text.cell_len + len(_UNIT) <= width:
        text.append(_UNIT, style="dim")
    return text
