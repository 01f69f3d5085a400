"""The page of `up codes zmap`: a row for each layer, the machine's tapes left, the transformer's right."""

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from cli.render.check import facts
from cli.render.exact import exact
from theory.numbers.bit_strings import shown
from theory.words import number_of

if TYPE_CHECKING:  # these import torch
    from up.compiler.side_by_side import Layer, SideBySide, Tapes
    from up.compiler.zmap import MappedProgram

_GAP = "  "
_FEWEST_CELLS = 5
_MOST_ROWS = 60
_KEPT = 20


@dataclasses.dataclass(frozen=True)
class ZmapPage:
    """Machine and transformer, layer by layer, and the logits of both.

    Attributes:
        mapped: the machine and the transformer.
        given: the input.
        both: what they did.
        show_all: every layer of a long run; otherwise its middle is left out.

    """

    mapped: "MappedProgram"
    given: str
    both: "SideBySide"
    show_all: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.heading()
        yield from self.rows(options.max_width)
        yield self.closing()

    def heading(self) -> RenderableType:
        """Return what stands above the rows."""
        mapped, sizes = self.mapped, self.mapped.compiled.network.sizes
        weights = sum(parameter.numel() for parameter in mapped.compiled.network.parameters())
        bound = f"{number_of(mapped.bound.time, 'step')}, {number_of(mapped.bound.space, 'register')}"
        network = f"width {sizes.width}, {number_of(sizes.heads, 'head')}, MLP {sizes.hidden}"
        return Group(
            Text.assemble(("zmap", "bold"), f"  machine {mapped.machine.name} as a transformer"),
            Text(),
            facts(
                [
                    ("program", f"{shown(mapped.program)}, in the embeddings of the prompt"),
                    ("input", self.given or "ε"),
                    ("bound", bound),
                    ("a row", "tapes of program, input and work, [ ] a head; the logits so far"),
                    ("one layer", f"{network}, {number_of(weights, 'weight')}, the same in all layers"),
                ]
            ),
            Text(),
        )

    def rows(self, width: int) -> Iterator[Text]:
        """Yield the rows with their headings; brackets are where the heads stand."""
        layers = self.both.layers
        columns = _Columns.fitting(layers, width)
        yield columns.titles()
        for at, layer in enumerate(layers):
            between = len(layers) - 2 * _KEPT
            if self.show_all or len(layers) <= _MOST_ROWS or not _KEPT <= at < len(layers) - _KEPT:
                yield columns.row(layer)
            elif at == _KEPT:
                yield Text(f"{'':>5}{number_of(between, 'layer')} not shown (--all)", style="dim")

    def closing(self) -> RenderableType:
        """Return what stands below the rows."""
        both = self.both
        agree = Text("agree", style="green") if both.agree else Text("DISAGREE", style="bold red")
        return Group(
            Text(),
            facts(
                [
                    ("machine", f"{_logits(both.logits)} after {number_of(both.steps, 'step')}"),
                    ("interpreter", _logits(both.interpreted)),
                    ("network", ", ".join(f"{logit:.7g}" for logit in both.network)),
                ]
            ),
            Text.assemble(agree, f" in all of {number_of(len(both.layers), 'row')}" if both.agree else ""),
            Text("read more: docs/learn/7-compiler.md; Shaw et al. 2025, arXiv 2509.22445", style="dim"),
        )


def _logits(logits: tuple[object, ...]) -> str:
    return "logits " + ", ".join(exact(logit) for logit in logits)  # pyright: ignore[reportArgumentType]


@dataclasses.dataclass(frozen=True)
class _Columns:
    """How wide what is: the state, the three tapes, and each output tape."""

    state: int
    tapes: tuple[int, int, int]
    outputs: tuple[int, ...]

    @classmethod
    def fitting(cls, layers: tuple["Layer", ...], width: int) -> "_Columns":
        """Return columns for these layers in so many terminal columns: tapes are as wide as there is room for."""
        first = layers[0].machine
        state = max(len("state"), *(len(layer.machine.state) for layer in layers))
        outputs = tuple(
            max(len(_ratio(side.outputs[tape])) for layer in layers for side in (layer.machine, layer.transformer))
            for tape in range(len(first.outputs))
        )
        room = (width - 6 - state - 3) // 2 - sum(outputs) - len(outputs) - 3
        needed = [len(first.program) + 2, len(first.input) + 2, len(first.work) + 2]
        while sum(needed) > room and max(needed) > _FEWEST_CELLS:
            needed[needed.index(max(needed))] -= 1
        return cls(state, (needed[0], needed[1], needed[2]), outputs)

    @property
    def side(self) -> int:
        """Columns of one side."""
        return sum(self.tapes) + sum(self.outputs) + len(self.outputs) + 2

    def titles(self) -> Text:
        """Return the headings."""
        return Text(f"layer {'state':{self.state}}{_GAP}{'machine':{self.side}}   transformer", style="dim")

    def row(self, layer: "Layer") -> Text:
        """Return the row of a layer; = stands between two sides that agree."""
        sign = ("=", "dim") if layer.agree else ("≠", "bold red")
        line = Text.assemble(
            (f"{layer.number:>5} ", "dim"),
            f"{layer.machine.state:{self.state}}{_GAP}",
            self._side(layer.machine),
            " ",
            sign,
            " ",
            self._side(layer.transformer),
        )
        line.rstrip()
        line.no_wrap = True
        return line

    def _side(self, tapes: "Tapes") -> Text:
        shown = (
            _tape(text, head, width)
            for text, head, width in zip((tapes.program, tapes.input, tapes.work), tapes.heads, self.tapes, strict=True)
        )
        outputs = " ".join(f"{_ratio(pair):>{width}}" for pair, width in zip(tapes.outputs, self.outputs, strict=True))
        return Text.assemble(Text(" ").join(shown), " ", (outputs, "cyan"))


def _ratio(pair: tuple[int, int]) -> str:
    return f"{pair[0]}/{pair[1]}"


def _tape(text: str, head: int, width: int) -> Text:
    """Return a tape with its head in brackets, cut to what lies around the head where it is too long."""
    room = width - 2
    start = max(0, min(head - room // 2, len(text) - room))
    cells = text[start : start + room]
    at = head - start
    if not 0 <= at < len(cells):
        return Text(cells.ljust(width))
    before, after = cells[:at], cells[at + 1 :]
    return Text.assemble(before, (f"[{cells[at]}]", "bold yellow"), after.ljust(width - len(before) - 3))
