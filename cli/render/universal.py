"""Pages of the universal machine: the complexity of one string, and the distribution over the shortest strings."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cli.render.check import facts
from cli.render.exact import cell, exact
from theory.numbers.bit_strings import BitString, shown
from theory.numbers.exact import log2_float
from theory.words import number_of

if TYPE_CHECKING:  # these import numpy when they run
    from theory.machines.machine import Bound
    from theory.measures.complexity import Complexity
    from theory.measures.measure import Measure

_GAP = 2
_MOST_STRING_COLUMNS = 40


@dataclasses.dataclass(frozen=True)
class ComplexityPage:
    """Bounds on K and m of one string, and the program that proves the upper one."""

    found: "Complexity"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = self.found
        yield Text.assemble(
            ("complexity", "bold"), f"  of {shown(found.string)}, {number_of(len(found.string), 'bit')}"
        )
        yield Text("under the bounded universal machine; another machine differs by its constant", style="dim")
        yield Text()
        yield facts(self._facts())
        yield Text()
        witness = found.witness
        if witness is None:
            yield Text("no program for it was found within the bound")
        else:
            yield Text.assemble(("Witness", "bold"), f"  {witness.program}")
            bits = witness.bits
            short = bits if len(bits) <= _MOST_STRING_COLUMNS else f"{bits[:_MOST_STRING_COLUMNS]}…"
            used = f"halts after {number_of(witness.run.steps, 'step')} in a space of {witness.run.space}"
            yield facts([("as bits", f"{short} ({number_of(len(bits), 'bit')})"), ("run", used)])
        yield Text("read more: theory/measures/complexity.py; Bloem 2025, section 4.1", style="dim")

    def _facts(self) -> Iterator[tuple[str, str]]:
        found = self.found
        if found.condition:
            yield "condition", found.condition
        yield "bound", f"time {found.bound.time}, space {found.bound.space}"
        yield (
            "searched",
            f"all programs of up to {number_of(found.max_tokens, 'token')}: {number_of(found.leaves, 'run')}",
        )
        yield "K within the bound", self._bounded()
        yield "K with no bound", f"at least {number_of(found.k_lower_bits, 'bit')}{self._at_most()}"
        source = "the witness" if found.programs == 1 else number_of(found.programs, "program")
        yield "m, at least", f"{exact(found.m_lower)}, from {source}"
        yield "m, at most", exact(found.m_upper)
        if found.m_lower:
            yield "log2 1/m", f"{-log2_float(found.m_upper):.3f} to {-log2_float(found.m_lower):.3f} bits"
        yield "unresolved", exact(found.unresolved)

    def _bounded(self) -> str:
        found = self.found
        if found.k_bounded_lower_bits is None:
            return "no program gives it, however long"
        least = number_of(found.k_bounded_lower_bits, "bit")
        if found.is_shortest_within_bound:
            return f"exactly {least}: the witness is shortest"
        return f"at least {least}{self._at_most()}"

    def _at_most(self) -> str:
        upper = self.found.k_upper_bits
        return "" if upper is None else f", at most {upper}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class UniversalPage:
    """The distribution over the shortest strings, and Omega as time and space grow.

    Attributes:
        bound: of the distribution.
        strings: what to show, in order.
        measure: the machine's measure under the bound.
        growth: the measures under each bound, by time and then by space; Omega is their total.

    """

    bound: "Bound"
    strings: Sequence[BitString]
    measure: "Measure"
    growth: "Mapping[Bound, Measure]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        measure = self.measure
        yield Text.assemble(("universal", "bold"), "  coin flips as the program of the bounded universal machine")
        yield Text()
        yield facts(
            [
                ("bound", f"time {self.bound.time}, space {self.bound.space}"),
                ("halted, Omega", exact(measure.total)),
                ("unresolved", exact(measure.unresolved)),
                ("longer strings", exact(measure.total - sum(map(measure.lower, self.strings), Fraction(0)))),
            ]
        )
        yield Text()
        yield from self._bars(options.max_width)
        yield Text()
        yield Text.assemble(("Omega", "bold"), "  mass that has halted, by bound on time (down) and space (across)")
        yield self._growth()
        yield Text("read more: theory/measures/omega.py; Bloem 2025, arXiv 2506.20057, section 2", style="dim")

    def _bars(self, width: int) -> Iterator[Text]:
        """Yield a line for each string; a bar's length is log2 of the mass, from the least mass shown."""
        known = {x: self.measure.lower(x) for x in self.strings}
        logs = {x: log2_float(m) for x, m in known.items() if m}
        names, cells = max(len(shown(x)) for x in known), max(len(exact(m)) for m in known.values())
        floor = min(logs.values(), default=0.0) - 1
        room = max(8, width - names - cells - 2 * _GAP)
        scale = room / (max(logs.values(), default=1.0) - floor)
        yield Text.assemble(("m(x), at least", "bold"), ("  bars: each bit of log2 m is equally long", "dim"))
        for x, mass in known.items():
            bar = "█" * round((logs[x] - floor) * scale) if x in logs else ""
            yield Text.assemble(
                f"{shown(x):{names}}{' ' * _GAP}", f"{exact(mass):{cells}}{' ' * _GAP if bar else ''}", (bar, "cyan")
            )

    def _growth(self) -> Table:
        times = list(dict.fromkeys(bound.time for bound in self.growth))
        spaces = list(dict.fromkeys(bound.space for bound in self.growth))
        found = {(bound.time, bound.space): measure.total for bound, measure in self.growth.items()}
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
        table.add_column("T \\ S", justify="right", style="dim")
        for space in spaces:
            table.add_column(str(space), justify="right")
        for time in times:
            table.add_row(str(time), *(cell(found[time, space]) for space in spaces))
        return table
