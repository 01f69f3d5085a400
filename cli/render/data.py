"""The corpora that have names: a list of all, and what there is to say of one."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from theory.words import number_of

if TYPE_CHECKING:  # up.data imports numpy
    from up.data.listing import ListedCorpus

_GAP = 2
_DIGITS = 12


@dataclasses.dataclass(frozen=True)
class CorporaList:
    """Embedded and synthetic corpora a line each, and the real data sets with where their files belong."""

    corpora: "Sequence[ListedCorpus]"
    folder: Path

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for kind, heading in (
            ("embedded", "Embedded in Python"),
            ("synthetic", "Synthetic sets of the paper, with the bits per character that the best predictor needs"),
        ):
            yield Text(heading, style="bold")
            grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
            for each in self.corpora:
                if each.kind == kind:
                    rate = () if each.entropy_rate_bits is None else (Text(f"{each.entropy_rate_bits:.4f}"),)
                    test = "" if each.selection else " (test)"
                    grid.add_row(Text(each.name), *rate, Text.assemble(each.title, (test, "dim")))
            yield Padding(grid, (0, 0, 0, _GAP))
            yield Text()
        yield Text("Real data sets of the paper", style="bold")
        for each in self.corpora:
            if each.kind == "real":
                yield Padding(Text(each.name), (0, 0, 0, _GAP))
                yield Padding(_facts(each), (0, 0, 0, 2 * _GAP))
        yield Text()
        yield Text.assemble(("data folder: ", "dim"), str(self.folder), overflow="fold")
        yield Text("NAME:training, NAME:validation and NAME:test are the parts of each", style="dim")
        yield Text("no choice may be made on what is for test: it is evaluated once, at the end", style="dim")


@dataclasses.dataclass(frozen=True)
class CorpusPage:
    """A real data set that is here."""

    corpus: "ListedCorpus"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.corpus.name, style="bold")
        yield Padding(_facts(self.corpus), (0, 0, 0, _GAP))


def _facts(corpus: "ListedCorpus") -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    facts = [("what", corpus.title), ("licence", corpus.licence or "")]
    if corpus.size_bytes is not None and corpus.sha256 is not None:
        facts.append(("whole", f"{number_of(corpus.size_bytes, 'byte')}, SHA-256 {corpus.sha256[:_DIGITS]}..."))
    if corpus.path is not None:
        facts.append(("lies at", f"{corpus.path}{', a prefix of it' * corpus.is_prefix}"))
    else:
        get = f"up data get {corpus.name}, or " if corpus.address else ""
        facts.append(("missing", f"{get}put {' or '.join(corpus.files)} into the data folder"))
    for name, value in facts:
        grid.add_row(Text(name), Text(value))
    return grid
