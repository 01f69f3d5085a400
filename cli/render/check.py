"""The page of one check: what is claimed, what was gone through, how near to failing it comes, and the verdict."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.exact import Number, bits_cell, cell, exact
from cli.render.steps import StepBars
from theory.checks.check import Check
from theory.numbers.exact import log2_float
from theory.words import number_of

if TYPE_CHECKING:
    from theory.checks.result import CheckResult, Counterexample, Item

_GAP = 2
_SHOWN = 10
_MOST_NAME_COLUMNS, _MOST_WITNESS_COLUMNS = 30, 40
_MOST_CONSTANTS = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class CheckPage:
    """Everything about one result.

    Attributes:
        check: what it declares.
        result: what came out.
        show_all: every item in order, instead of the tightest where there are many.
        must_catch: whether a wrong variant has a counterexample under these settings (`Check.must_catch`).

    """

    check: Check
    result: "CheckResult"
    show_all: bool = False
    must_catch: bool = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        result = self.result
        yield Text.assemble((result.check, "bold"), f"  {self.check.source}")
        if result.variant is not None:
            yield Text(f"Deliberately wrong, variant {result.variant}: {self.check.describe(result.variant)}.")
        yield Text(result.statement)
        yield Text()
        yield Padding(Text(result.formula), (0, 0, 0, _GAP), expand=False)
        yield Text()
        yield facts(self._facts())
        yield Text()
        from theory.checks.result import nearness

        tightest = sorted(result.items, key=nearness)
        few = self.show_all or len(result.items) <= _SHOWN
        shown = result.items if few else tightest[:_SHOWN]
        yield from _items(shown, options.max_width)
        if not few:
            yield Text(
                f"and {len(result.items) - _SHOWN:,} more with at least this slack; --all shows all", style="dim"
            )
        yield Text()
        yield from self._tightest(tightest[0])
        yield from self._equalities()
        for picture in result.pictures:
            yield StepBars(picture)
            yield Text()
        for remark in result.remarks:
            yield Text(remark)
        if result.remarks:
            yield Text()
        yield from verdict(result, must_catch=self.must_catch)
        yield Text(f"read more: {self.check.module.replace('.', '/')}.py and {self.check.page};", style="dim")
        yield Text(f"{self.check.paper}, {self.check.source}", style="dim")

    def _facts(self) -> Iterator[tuple[str, str]]:
        result = self.result
        yield "class", result.class_name
        yield "bound", result.bound
        yield "counted", counted(result.counts)
        yield from constants(result.constants)

    def _tightest(self, item: "Item") -> Iterator[RenderableType]:
        """Yield the item with the least slack, its numbers in full."""
        at = f" at {item.witness}" if item.witness and not item.name.endswith(item.witness) else ""
        yield Text.assemble(("Tightest" if item.holds else "Worst", "bold"), f"  {item.name}{at}")
        numbers = [(name, exact(value)) for name, value in item.numbers.items()]
        slack = "nothing to compare" if item.slack_bits is None else f"{bits_cell(item.slack_bits)} bits"
        if item.slack is not None:
            slack = f"{slack}, a ratio of {exact(item.slack)}" if item.slack else "a ratio of 0"
        yield facts([*numbers, ("slack", slack)])
        yield Text()

    def _equalities(self) -> Iterator[RenderableType]:
        """Yield how much was computed in two ways; by name those that are not equal, or all of them."""
        found = self.result.equalities
        if not found:
            return
        places = number_of(sum(each.places for each in found), "place")
        equal = sum(each.holds for each in found)
        which = "all" if equal == len(found) else f"{equal}"
        yield Text(f"Computed in two ways: {number_of(len(found), 'kind')} of number at {places}; {which} equal")
        for each in found:
            if not each.holds:
                yield Text(f"✗ {each.name}", style="red")
            elif self.show_all:
                yield Text(f"  {each.name}: {number_of(each.places, 'place')}", style="dim")
        yield Text()


def counted(counts: Mapping[str, int]) -> str:
    """Return how many of what there were."""
    return "; ".join(f"{name} {count:,}" for name, count in counts.items())


def constants(by_name: Mapping[str, Fraction]) -> Iterator[tuple[str, str]]:
    """Yield constants with their values; where there are many, how many and the least."""
    if len(by_name) <= _MOST_CONSTANTS:
        yield from ((name, exact(value)) for name, value in by_name.items())
    else:
        yield "constants", f"{len(by_name)}, one for each item; the least is {exact(min(by_name.values()))}"


def verdict(result: "CheckResult", *, must_catch: bool = True) -> Iterator[RenderableType]:
    """Yield what came out, and the counterexample if there is one; a wrong variant may be true of what is there."""
    took = "" if result.seconds is None else f"; {result.seconds:.2f} s"
    failed = sum(not item.holds for item in result.items)
    unequal = sum(not each.holds for each in result.equalities)
    count = number_of(len(result.items), "item")
    if result.holds:
        least = "" if result.slack_bits is None else f"; least slack {bits_cell(result.slack_bits)} bits"
        yield Text.assemble(("holds", "bold green"), f" for all of {count}{least}{took}")
        if result.variant is not None and must_catch:
            yield Text(f"NOT CAUGHT: the check accepts the wrong variant {result.variant}", style="bold red")
        elif result.variant is not None:
            yield Text(
                f"The wrong variant {result.variant} is true of all that was gone through here; the defaults have a"
                " counterexample."
            )
        return
    also = (
        f"; {unequal} of what was computed in two ways {'is' if unequal == 1 else 'are'} not equal" if unequal else ""
    )
    yield Text.assemble(("FAILS", "bold red"), f" for {failed:,} of {count}{also}{took}")
    if result.counterexample is not None:
        yield from _counterexample(result.counterexample)


def _items(items: "Sequence[Item]", width: int) -> Iterator[RenderableType]:
    """Yield the items as a table: name, code length, numbers as far as there is room, slack, and where it is least."""
    coded = any(item.code_length_bits is not None for item in items)
    headings = list(dict.fromkeys(name for item in items for name in item.numbers))
    columns: list[tuple[str, list[str]]] = [("item", [_marked(item) for item in items])]
    if coded:
        columns.append(("code", [str(item.code_length_bits) for item in items]))
    ends = [("slack", [_slack(item) for item in items]), ("where", [item.witness for item in items])]
    if all(not item.witness or item.witness == item.name for item in items):
        del ends[-1]
    limits = {"item": _MOST_NAME_COLUMNS, "where": _MOST_WITNESS_COLUMNS}
    numbers: list[tuple[str, list[str]]] = []
    for heading in headings:
        numbers.append((heading, [_number(item.numbers, heading) for item in items]))
        if heading.startswith("min ") and not any(name == "log2" for name, _ in numbers):
            numbers.append(("log2", [_log2(item.numbers.get(heading)) for item in items]))

    def room(these: Sequence[tuple[str, list[str]]]) -> int:
        wide = (min(limits.get(head, width), max(len(head), *map(len, cells))) for head, cells in these)
        return sum(wide) + _GAP * (len(these) - 1)

    while numbers and room([*columns, *numbers, *ends]) > width:
        numbers.pop()
    table = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    every = [*columns, *numbers, *ends]
    for heading, _ in every:
        is_text = heading in limits
        table.add_column(justify="left" if is_text else "right", no_wrap=not is_text, overflow="fold")
    table.add_row(*(Text(heading, style="dim") for heading, _ in every))
    for row, item in enumerate(items):
        table.add_row(*(Text(cells[row], style="" if item.holds else "red") for _, cells in every))
    yield table


def _marked(item: "Item") -> str:
    return item.name if item.holds else f"✗ {item.name}"


def _slack(item: "Item") -> str:
    return bits_cell(item.slack_bits) if item.slack_bits is not None or item.holds else "fails"


def _log2(value: Number | None) -> str:
    return bits_cell(log2_float(value)) if isinstance(value, Fraction) and value else ""


def _number(numbers: Mapping[str, Number], heading: str) -> str:
    return cell(numbers[heading]) if heading in numbers else ""


def _counterexample(counterexample: "Counterexample") -> Iterator[RenderableType]:
    yield facts(
        [
            ("counterexample", counterexample.where),
            ("claimed", exact(counterexample.claimed)),
            ("observed", exact(counterexample.observed)),
            ("that is", counterexample.sentence),
        ]
    )


def facts(pairs: Iterable[tuple[str, str]]) -> Table:
    """Return names with values beside them; what has no value is left out."""
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    grid.add_column(style="dim", overflow="fold", max_width=28)
    grid.add_column(overflow="fold")
    for name, value in filter(all, pairs):
        grid.add_row(Text(name), Text(value))
    return grid
