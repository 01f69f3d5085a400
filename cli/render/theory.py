"""Pages of `up theory` beside those of single checks: the list, all checks in one table, and a verified certificate."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.check import constants, counted, facts
from cli.render.exact import bits_cell, exact
from theory.checks.check import Check
from theory.numbers.bit_strings import shown
from theory.numbers.exact import log2_float
from theory.words import number_of, visible

if TYPE_CHECKING:
    from theory.certificates.verify import VerificationResult
    from theory.checks.mutations import Mutation
    from theory.checks.result import CheckResult

_GAP = 2


@dataclasses.dataclass(frozen=True)
class ChecksList:
    """All checks with what they claim, how long they take and their wrong variants; then the named classes."""

    checks: Sequence[Check]
    classes: Mapping[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = max(len(f"check-{check.name}") for check in self.checks)
        for check in self.checks:
            took = f"{check.rough_seconds:g} s"
            summary = Text(check.summary, no_wrap=True, overflow="ellipsis")
            summary.truncate(max(8, options.max_width - names - len(took) - 2 * _GAP), pad=True)
            yield Text.assemble((f"{f'check-{check.name}':{names}}", "bold"), " " * _GAP, summary, " " * _GAP, took)
            default = f"class {check.class_name}; " if check.class_name else ""
            for said in (f"{default}{check.source}", f"--break {', '.join(check.variants)}"):
                yield Padding(Text(said, style="dim"), (0, 0, 0, names + _GAP), expand=False)
        yield Text()
        yield Text("Classes, for --class", style="bold")
        yield facts([*self.classes.items(), ("FILE.py:NAME", "one of your own: a ModelClass in a Python file")])


@dataclasses.dataclass(frozen=True)
class MutationsList:
    """The wrong implementations that checks are tested to notice, each with those checks."""

    mutations: "Sequence[Mutation]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        names = max(len(mutation.name) for mutation in self.mutations)
        for mutation in self.mutations:
            yield Text.assemble((f"{mutation.name:{names}}", "bold"), " " * _GAP, mutation.wrong)
            noticed = Text(f"noticed by {', '.join(mutation.checks)}", style="dim")
            yield Padding(noticed, (0, 0, 0, names + _GAP), expand=False)
        yield Text()
        yield Text(
            f"{len(self.mutations)} wrong implementations; tests/theory/mutations runs every check on those it notices"
        )


@dataclasses.dataclass(frozen=True)
class AllTable:
    """One line for each check that was run."""

    results: "Sequence[CheckResult]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = _table(("check", "class"), ("items", "slack"), ("verdict",), ("seconds",))
        for result in self.results:
            table.add_row(
                Text(result.check, style="bold"),
                Text(result.class_name),
                f"{len(result.items):,}",
                bits_cell(result.slack_bits),
                Text("holds", style="green") if result.holds else Text("FAILS", style="red"),
                f"{result.seconds:.1f}",
            )
        yield table
        yield Text()
        for result in self.results:
            if result.counterexample is not None:
                yield Text(f"{result.check}: {result.counterexample.sentence}")
        held = sum(result.holds for result in self.results)
        total = sum(result.seconds or 0.0 for result in self.results)
        yield Text(
            f"{held} of {len(self.results)} hold; {total:.1f} s; slack is the least distance from failing, in bits"
        )


@dataclasses.dataclass(frozen=True)
class BreakTable:
    """One line for each deliberately wrong variant that was run, with the counterexample that was found."""

    results: "Sequence[CheckResult]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = _table(("check", "variant"), ("slack",), ("verdict", "counterexample"), ())
        for result in self.results:
            found = result.counterexample
            table.add_row(
                Text(result.check, style="bold"),
                Text(result.variant or ""),
                bits_cell(result.slack_bits),
                Text("caught", style="green") if not result.holds else Text("NOT CAUGHT", style="red"),
                Text(found.where if found is not None else ""),
            )
        yield table
        yield Text()
        caught = sum(not result.holds for result in self.results)
        total = sum(result.seconds or 0.0 for result in self.results)
        yield Text(f"{caught} of {len(self.results)} wrong variants caught; {total:.1f} s")


@dataclasses.dataclass(frozen=True)
class VerificationPage:
    """What came of re-checking a certificate."""

    path: str
    result: "VerificationResult"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result = self.result
        yield Text.assemble((result.check, "bold"), f"  certificate {visible(self.path)}")
        yield Padding(Text(result.formula), (1, 0, 1, _GAP), expand=False)
        kinds = ", ".join(f"{count:,} of kind {kind}" for kind, count in result.kinds.items())
        yield facts([("bound", result.bound), ("members", f"{result.members:,}: {kinds}"), *self._verified()])
        yield Text()
        if result.holds:
            yield Text.assemble(("verified", "bold green"), f": all of {number_of(result.items_checked, 'item')}")
        else:
            yield Text.assemble(
                ("REJECTED", "bold red"), f" after {number_of(result.items_checked, 'item')}: {result.first_wrong}"
            )

    def _verified(self) -> Iterator[tuple[str, str]]:
        """Yield what was found again; nothing unless all of it was."""
        result, tightest = self.result, self.result.tightest
        if tightest is None or result.unresolved is None:
            return
        yield "counted", counted(result.counts)
        yield from constants(result.constants)
        of_one = ", of one member on one condition" if result.unresolved else ""
        yield "unresolved", f"{exact(result.unresolved)}{of_one}"
        z = "" if tightest.z is None else f", z = {shown(tightest.z)}"
        yield "least ratio", f"{exact(tightest.ratio)}, {tightest.name} at x = {shown(tightest.x)}{z}"
        yield "slack", f"{bits_cell(log2_float(tightest.slack))} bits, a ratio of {exact(tightest.slack)}"


def _table(*columns: Sequence[str]) -> Table:
    """Return a table with headings: text, numbers, text, numbers."""
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for place, names in enumerate(columns):
        for name in names:
            table.add_column(name, justify="right" if place % 2 else "left", overflow="fold")
    return table
