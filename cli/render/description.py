"""The description length of a network: a table of codes, its groups of layers, and total bits against size of file.

Both axes of the picture are logarithmic. A network begins with the bits of its weights, so its line starts high and
flat; where it crosses another, its weights have paid for themselves.
"""

import dataclasses
import math
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from theory.words import number_of, visible

if TYPE_CHECKING:  # up.use imports torch
    from up.use.description import Measured

_GAP, _NARROW_GAP = 2, 1
_COLOURS = ("cyan", "magenta", "green", "blue")
_ROWS = 14
_NARROWEST, _WIDEST = 40, 100
_LIST_BELOW = 76
_UNITS = ("", "Ki", "Mi", "Gi")


@dataclasses.dataclass(frozen=True, eq=False)
class DescriptionPage:
    """What `up codes measure` shows.

    Attributes:
        found: what was measured.
        run: name of the run.

    """

    found: "Measured"
    run: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = self.found
        count = sum(each.value.numel() for each in found.tensors)
        yield Text.assemble(
            (f"Description length of {visible(self.run)}", "bold"),
            f"  {number_of(count, 'weight')} in {number_of(len(found.tensors), 'tensor')}",
        )
        yield Text(
            f"data: {visible(found.corpus)}, read by its first {number_of(found.measured, 'byte')}; all in bits",
            style="dim",
        )
        yield Text()
        yield self._codes(count, options.max_width)
        yield Text()
        yield from (Text(line, style="dim") for line in self._remarks())
        yield Text()
        yield Text.assemble(("Groups of layers", "bold"), ("  bits per weight", "dim"))
        yield self._groups(options.max_width)
        yield Text()
        if found.has_curve:
            yield Text.assemble(("Weights and data together", "bold"), ("  bits, by size of file in bytes", "dim"))
            yield from self._picture(options.max_width)
            yield Text()
        for rival in found.rivals:
            first = found.pays_from(rival)
            if first is None:
                yield Text(f"against {rival.name}: no file of up to {number_of(found.sizes[-1], 'byte')} pays for it")
            else:
                yield Text(f"against {rival.name}: pays for itself from {number_of(first, 'byte')} on")

    def _codes(self, count: int, width: int) -> Table:
        found, size = self.found, self.found.sizes[-1]
        table = Table(box=None, pad_edge=False, padding=(0, _gap(width), 0, 0), header_style="dim")
        table.add_column("code", overflow="fold")
        for heading in ("weights", "per weight", "per byte", f"{brief(size)}B file"):
            table.add_column(heading, justify="right", no_wrap=True)
        for code in found.codes:
            best = found.best(code, size)
            amounts = best.describe(size)
            weights = amounts.hypothesis.value + (0.0 if amounts.prior is None else amounts.prior.value)
            table.add_row(
                code,
                brief(weights) if weights else "-",
                f"{weights / count:.2f}" if weights else "-",
                f"{best.reading.rate.value:.3f} ± {best.reading.rate.stderr:.3f}",
                brief(amounts.total.value),
            )
        for rival in found.rivals:
            late = (
                (rival.bits[-1] - rival.bits[-2]) / (found.sizes[-1] - found.sizes[-2])
                if found.has_curve
                else rival.bits[0] / size
            )
            table.add_row(rival.name, "-", "-", f"{late:.3f}", brief(rival.bits[-1]))
        return table

    def _remarks(self) -> list[str]:
        found = self.found
        lines = ["per byte: the rate of the second half of what was read, ± one standard error"]
        if found.sizes[-1] > found.measured:
            lines.append(
                f"beyond {number_of(found.measured, 'byte')} a network goes on at this rate; PPM and xz are measured"
            )
        lines.append("the grids are those that are best for the longest file; no program is counted")
        return lines

    def _groups(self, width: int) -> Table:
        found = self.found
        groups = found.groups(found.sizes[-1])
        codes = [code for code in groups[0].bits if code != "float32"]
        table = Table(box=None, pad_edge=False, padding=(0, _gap(width), 0, 0), header_style="dim")
        table.add_column("group", overflow="fold")
        table.add_column("weights", justify="right", no_wrap=True)
        for code in codes:
            table.add_column(code.removesuffix(" grid").removeprefix("Gaussian "), justify="right", no_wrap=True)
        for group in groups:
            cells = (f"{group.bits[code] / group.count:.2f}" for code in codes)
            table.add_row(visible(group.name), f"{group.count:,}", *cells)
        return table

    def _picture(self, width: int) -> "list[Text]":
        """Return the legend and the canvas, both axes in powers of two."""
        import plotext as plt  # 90 ms

        found = self.found
        curves = [("network", found.totals), *((rival.name, rival.bits) for rival in found.rivals)]
        x = [math.log2(size) for size in found.sizes]
        heights = [math.log2(bits) for _, curve in curves for bits in curve]
        low, high = math.floor(min(heights)), math.ceil(max(heights))
        plt.clear_figure()  # plotext has one figure for everybody
        plt.limit_size(False, False)
        plt.plot_size(min(max(width, _NARROWEST), _WIDEST), _ROWS + 3)
        plt.theme("clear")
        plt.xlim(x[0], x[-1])
        plt.ylim(low, high)
        plt.xticks(x[:: 1 + len(x) // 6], [brief(size) for size in found.sizes][:: 1 + len(x) // 6])
        marks = list(range(low, high + 1, 1 + (high - low) // 6))
        plt.yticks(marks, [brief(2.0**mark) for mark in marks])
        plt.xaxes(True, False)
        plt.yaxes(True, False)
        for place, (_, curve) in enumerate(curves):
            plt.plot(x, [math.log2(bits) for bits in curve], marker="braille", color=_COLOURS[place])
        for place, (_, curve) in enumerate(curves):
            own = [each for each in range(len(x)) if each % len(curves) == place]
            plt.scatter(
                [x[each] for each in own],
                [math.log2(curve[each]) for each in own],
                marker="ABCD"[place],
                color=_COLOURS[place],
            )
        legend = Text("   ").join(
            Text(f"{'ABCD'[place]} {name}", style=_COLOURS[place]) for place, (name, _) in enumerate(curves)
        )
        canvas = Text.from_ansi(plt.build().rstrip("\n"))
        canvas.no_wrap = True
        return [legend, canvas]


def brief(amount: float) -> str:
    """Return a number with a binary unit.

    >>> brief(512), brief(16_384), brief(3_619_000)
    ('512', '16 Ki', '3.45 Mi')
    """
    power = 0
    while amount >= 1024 and power < len(_UNITS) - 1:
        amount, power = amount / 1024, power + 1
    return f"{amount:{'.0f' if amount >= 999.5 else '.3g'}} {_UNITS[power]}".rstrip()


def _gap(width: int) -> int:
    return _GAP if width >= _LIST_BELOW else _NARROW_GAP
