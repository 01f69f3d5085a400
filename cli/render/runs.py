"""Runs at a glance: the list of a folder, and the page of one run."""

import dataclasses
import datetime
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.render.charts import ROWS, Chart, ChartGrid, DepthChart
from cli.render.evaluation import hardest_bar
from cli.render.panels import compact
from cli.render.run_panels import RunPanels
from theory.words import number_of

if TYPE_CHECKING:  # up.runs imports torch
    from up.recipes.config import RunConfig
    from up.runs.overview import RunOverview

_GAP = 2
_MOST_NAME_COLUMNS, _FEWEST_NAME_COLUMNS = 24, 8
_MOST_DATA_COLUMNS = 12
_COMMIT_DIGITS = 10
_DIGITS = 12

Provenance = Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class RunsTable:
    """The runs of a folder, two lines each: figures, then model and date, or what is wrong.

    Bits of the latest evaluation stand in columns if all data sets have room, and in the second line otherwise.
    """

    runs: "Sequence[RunOverview]"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        data = tuple(dict.fromkeys(row.data for run in self.runs for row in run.rows))
        rows = self._rows(data)
        if self._width(rows) > options.max_width:
            data = ()
            rows = self._rows(data)
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        widths[0] -= max(0, min(self._width(rows) - options.max_width, widths[0] - _FEWEST_NAME_COLUMNS))
        heading, *lines = (_aligned(row, widths) for row in rows)
        yield Text(heading, style="dim", no_wrap=True)
        for run, line in zip(self.runs, lines, strict=True):
            yield Text.assemble((line[: widths[0]], "bold"), line[widths[0] :])
            yield Padding(Text(_details(run, with_bits=not data), style="" if run.problem else "dim"), (0, 0, 0, _GAP))
        if any(run.rows for run in self.runs):
            yield Text()
            yield Text("bits per character: loss of the latest step, and zero-shot over the tail", style="dim")
        texts = {(row.data, row.identity) for run in self.runs for row in run.rows}
        several = sorted(name for name, count in Counter(name for name, _ in texts).items() if count > 1)
        if several:
            yield Text(f"not the same text in all runs, so do not compare: {', '.join(several)}", style="dim")

    def _rows(self, data: Sequence[str]) -> list[tuple[str, ...]]:
        heading = ("run", "state", "instances", "loss", *(_shortened(name, _MOST_DATA_COLUMNS) for name in data))
        return [heading, *(self._row(run, data) for run in self.runs)]

    def _row(self, run: "RunOverview", data: Sequence[str]) -> tuple[str, ...]:
        bits = {row.data: f"{row.tail_bits:.3f}" for row in run.rows}
        done = "" if run.instances is None else f"{compact(run.instances)}/{compact(run.total_instances or 0)}"
        loss = "" if run.loss_bits is None else f"{run.loss_bits:.3f}"
        return (_shortened(run.name, _MOST_NAME_COLUMNS), run.state, done, loss, *(bits.get(name, "") for name in data))

    @staticmethod
    def _width(rows: Sequence[tuple[str, ...]]) -> int:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return sum(widths) + _GAP * (len(widths) - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunPage:
    """Everything about one run.

    Attributes:
        overview: where it stands.
        config: its settings.
        provenance: what each process that worked on it recorded, the first one first.
        panels: what there is to draw.

    """

    overview: "RunOverview"
    config: "RunConfig"
    provenance: Provenance
    panels: RunPanels

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text.assemble((self.overview.label, "bold"), f"  {progress_of(self.overview)}")
        yield _names_and_values(self._facts())
        yield Text()
        if self.panels.loss is None:
            yield Text("nothing trained yet")
            yield Text()
        else:
            yield Chart(self.panels.loss)
            yield Text()
        yield ChartGrid(self.panels.bits, ROWS)
        yield ChartGrid(self.panels.schedules)
        yield ChartGrid(self.panels.throughput)
        if self.panels.depths is not None:
            yield DepthChart(self.panels.depths)

    def _facts(self) -> Iterator[tuple[str, str]]:
        run, config, records = self.overview, self.config, self.provenance
        yield "model", f"{config.model.shape}, {config.training.precision}"
        yield "source", config.source.description
        yield "seed", f"{config.seed}"
        yield "device", _over_time(map(_device, records))
        yield "versions", _over_time(map(_versions, records))
        yield "platform", _over_time(str(record.get("platform", "")) for record in records)
        yield "commit", _over_time(map(_commit, records))
        yield "texts", _over_time(map(_texts, records))
        yield "started", "\n".join(map(_start, records))
        if run.skipped_steps:
            yield "skipped", f"{number_of(run.skipped_steps, 'step')} whose loss or gradient was not finite"
        if run.loss_bits is not None:
            yield "loss", f"{run.loss_bits:.3f} bits per character at the latest step"
        for row in run.rows:
            assert run.evaluated_at is not None  # where there are rows, there was an evaluation
            said = f"{row.tail_bits:.3f} ± {row.tail_stderr:.3f} bits per character over the last {row.tail_positions}"
            bar = hardest_bar(row)
            yield row.data, f"{said} after {number_of(run.evaluated_at, 'instance')}; {bar.name} {bar.bits:.3f}"


def no_runs_line(folder: Path) -> str:
    """Say that a folder holds no run."""
    return f"no runs in {folder}; train one with: up train --preset tiny --out {folder / 'tiny'}"


def progress_of(run: "RunOverview") -> str:
    """Say how far a run is, and what of it is saved.

    >>> from types import SimpleNamespace
    >>> progress_of(SimpleNamespace(state="stopped", instances=640, total_instances=1000, instances_saved=600))
    'stopped, 640 of 1,000 instances, 600 of them saved'
    >>> progress_of(SimpleNamespace(state="complete", instances=1000, total_instances=1000, instances_saved=600))
    'complete, 1,000 of 1,000 instances, 600 of them behind its model'
    """
    assert run.total_instances is not None  # only a broken run has none
    saved = "" if run.instances == run.instances_saved else f", {run.instances_saved:,} of them {_kept(run)}"
    return f"{run.state}, {run.instances:,} of {number_of(run.total_instances, 'instance')}{saved}"


def _kept(run: "RunOverview") -> str:
    """Say what the latest checkpoint of a run is; that of a finished run which ships may be an earlier one."""
    return "behind its model" if run.state == "complete" else "saved"


def moment(iso: str) -> str:
    """Shorten a moment of ISO 8601 to minutes, in UTC; what is none is returned as it is.

    >>> moment("2026-11-02T14:03:22+00:00"), moment("yesterday")
    ('2026-11-02 14:03 UTC', 'yesterday')
    """
    try:
        parsed = datetime.datetime.fromisoformat(iso)
    except ValueError:
        return iso
    if parsed.tzinfo is not None:
        parsed = parsed.astimezone(datetime.UTC)
    return f"{parsed:%Y-%m-%d %H:%M} UTC"


def _details(run: "RunOverview", *, with_bits: bool) -> str:
    if run.problem is not None:
        return run.problem
    parts = [f"{run.shape}, seed {run.seed}"]
    if run.started is not None:
        parts.append(f"started {moment(run.started)}")
    if run.skipped_steps:
        parts.append(f"{number_of(run.skipped_steps, 'step')} skipped")
    if with_bits:
        parts += [f"{row.data} {row.tail_bits:.3f}" for row in run.rows]
    return "; ".join(parts)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Put cells into columns: the first two to the left, numbers to the right."""
    texts = [_shortened(cell, width) for cell, width in zip(cells, widths, strict=True)]
    padded = [
        f"{text:{width}}" if column < 2 else f"{text:>{width}}"
        for column, (text, width) in enumerate(zip(texts, widths, strict=True))
    ]
    return (" " * _GAP).join(padded).rstrip()


def _names_and_values(pairs: Iterator[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
    grid.add_column(style="dim", max_width=_MOST_DATA_COLUMNS, overflow="fold")
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            grid.add_row(Text(name), Text(value))
    return grid


def _over_time(values: Iterable[str]) -> str:
    """Join what processes recorded one after the other; what stayed the same is said once."""
    changes: list[str] = []
    for value in values:
        if value and changes[-1:] != [value]:
            changes.append(value)
    return "; then ".join(changes)


def _device(record: Mapping[str, Any]) -> str:
    description, threads = record.get("device_description"), record.get("threads")
    said = f"{record.get('device', '')} ({description})" if description else str(record.get("device", ""))
    has_threads = "thread" in said  # the description of a CPU counts them
    return f"{said}, {number_of(threads, 'thread')}" if isinstance(threads, int) and not has_threads else said


def _versions(record: Mapping[str, Any]) -> str:
    python = [f"Python {record['python']}"] if "python" in record else []
    return ", ".join(filter(None, [_named(record.get("versions")), *python]))


def _commit(record: Mapping[str, Any]) -> str:
    commit = record.get("commit")
    if not commit:
        return "unknown"
    return f"{str(commit)[:_COMMIT_DIGITS]}{' with uncommitted changes' if record.get('commit_dirty') else ''}"


def _texts(record: Mapping[str, Any]) -> str:
    texts = record.get("texts")
    found = [text for text in texts if isinstance(text, Mapping)] if isinstance(texts, list) else []
    return ", ".join(f"{text.get('name')} {str(text.get('sha256'))[:_DIGITS]}" for text in found)


def _start(record: Mapping[str, Any]) -> str:
    started, instances, command = record.get("started"), record.get("instances"), record.get("command")
    words = [str(word) for word in command] if isinstance(command, list) else []
    words[:1] = [Path(word).name for word in words[:1]]
    said = [moment(started)] if isinstance(started, str) else []
    said += [f"at {number_of(instances, 'instance')}"] if isinstance(instances, int) else []
    return f"{' '.join(said)}{': ' if said and words else ''}{shlex.join(words)}"


def _named(values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) if isinstance(values, Mapping) else ""


def _shortened(name: str, width: int) -> str:
    """Keep the end of a name, which tells paths apart."""
    return name if len(name) <= width else f"…{name[-(width - 1) :]}"
