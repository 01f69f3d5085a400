"""The models that ship with up: a few facts about each, and a table of what it predicts."""

import dataclasses
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.evaluation import hardest_bar
from theory.words import number_of

if TYPE_CHECKING:  # up.runs imports numpy
    from up.runs.card import ModelCard

_GAP = 2
_DIGITS = 12


@dataclasses.dataclass(frozen=True)
class ModelsPage:
    """All models, one below the other."""

    cards: "Sequence[ModelCard]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.cards:
            yield Text("no models ship with this version; train one with: up train --preset tiny --out runs/tiny")
            return
        for card in self.cards:
            yield Text(f"builtin:{card.name}", style="bold")
            yield Padding(_facts(card), (0, 0, 0, _GAP))
            yield Text()
            yield Padding(_bits(card), (0, 0, 0, _GAP))
            yield Text()
        yield Text("bits per character, zero-shot (lower is better), over the tail of each slice", style="dim")
        yield Text("up eval builtin:NAME --data PATH predicts a file or folder of yours", style="dim")


def _facts(card: "ModelCard") -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    weights = (
        f"{number_of(card.weights_bytes, 'byte')}, SHA-256 {card.weights_sha256[:_DIGITS]}, licence {card.licence}"
    )
    sequences = f"{number_of(card.instances, 'sequence')} of {number_of(card.context_length, 'token')}"
    for name, value in (
        ("model", number_of(card.parameters, "parameter")),
        ("weights", weights),
        ("trained on", f"{sequences} from {card.source}, seed {card.seed}"),
        ("by", shlex.join(card.command)),
        ("data", card.statement),
    ):
        grid.add_row(Text(name), Text(value))
    return grid


def _bits(card: "ModelCard") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    table.add_column("data", overflow="fold")
    for heading in ("model", "untrained", "hardest bar"):
        table.add_column(heading, no_wrap=True)
    for row in card.rows:
        bar = hardest_bar(row)
        untrained = "" if row.untrained_tail_bits is None else f"{row.untrained_tail_bits:.3f}"
        bits = f"{row.tail_bits:.3f} ± {row.tail_stderr:.3f}"
        table.add_row(Text(row.data, style="bold"), bits, untrained, f"{bar.bits:.3f} {bar.name}")
    return table
