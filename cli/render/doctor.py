"""The findings of `up doctor`, and how they look as one aligned table."""

import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from theory.words import number_of

if TYPE_CHECKING:  # up.device imports torch
    from up.device import DeviceInfo

_FOUND, _ABSENT, _MISSING = ("ok", "green"), ("-", "dim"), ("!!", "bold red")

Row = tuple[tuple[str, str], str, str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CorpusFound:
    """An embedded corpus: its name, size in bytes, and where the bytes come from."""

    name: str
    size_bytes: int
    source: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class TerminalFound:
    """What stdout can show; `width_columns` is what output is laid out for."""

    is_terminal: bool
    colour: bool
    width_columns: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class DoctorReport:
    """All findings.

    Attributes:
        up: version of this package.
        python: version of Python.
        packages: package to version, None where it is not installed; needed ones first, then optional ones.
        broken: package to why its import fails, of those that are installed.
        folders: each package of this program, and the folder that it was imported from.
        devices: what torch can compute on.
        corpora: the embedded corpora that could be read.
        free_disk_bytes: room where runs would go.
        disk_problem: why no run can be written there, None if one can.
        terminal: what stdout can show.
        problems: one line for each thing needed that is missing or broken; empty if all is well.

    """

    up: str
    python: str
    packages: dict[str, str | None]
    broken: dict[str, str]
    folders: dict[str, str]
    devices: "tuple[DeviceInfo, ...]"
    corpora: tuple[CorpusFound, ...]
    free_disk_bytes: int
    disk_problem: str | None
    terminal: TerminalFound
    problems: tuple[str, ...]


def doctor_view(report: DoctorReport, *, optional: Sequence[str], runs_folder: str) -> RenderableType:
    """Return the table of a `DoctorReport` with a closing sentence.

    Args:
        report: the findings.
        optional: packages that may be absent.
        runs_folder: where runs would go.

    """
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for (mark, style), name, finding in _rows(report, optional, runs_folder):
        table.add_row(Text(mark, style=style), Text(name, style="bold"), Text(finding))
    if report.problems:
        closing = [Text(problem, style="red") for problem in report.problems]
    else:
        closing = [Text("everything needed is here", style="green")]
    return Group(table, Text(), *closing)


def gibibytes(count: int) -> str:
    """Return bytes as a short number of binary units.

    >>> gibibytes(15_000_000_000), gibibytes(3_500_000)
    ('14.0 GiB', '3.3 MiB')
    """
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.1f} MiB"


def _rows(report: DoctorReport, optional: Sequence[str], runs_folder: str) -> Iterator[Row]:
    yield _FOUND, "up", report.up
    yield _FOUND, "Python", report.python
    by_folder: dict[str, list[str]] = {}
    for name, folder in report.folders.items():
        by_folder.setdefault(folder, []).append(name)
    for folder, names in by_folder.items():
        yield (_FOUND if len(by_folder) == 1 else _MISSING), ", ".join(names), f"from {folder}"
    for name, version in report.packages.items():
        if name in report.broken:
            unneeded = " (optional)" if name in optional else ""
            yield _MISSING, name, f"{version}, cannot be imported{unneeded}: {report.broken[name]}"
        elif version is not None:
            yield _FOUND, name, version
        elif name in optional:
            yield _ABSENT, name, "not installed (optional)"
        else:
            yield _MISSING, name, "not installed"
    for device in report.devices:
        memory = f"{gibibytes(device.memory_bytes)}, " if device.memory_bytes else ""
        unit = "multiprocessors" if "cuda" in device.name else "cores"
        cores = "" if device.name == "cpu" else f", {device.cores} {unit}"  # the description of a CPU has its threads
        bf16 = "bfloat16" if device.bf16 else "no native bfloat16"
        yield _FOUND, device.name, f"{device.description}{cores}, {memory}{bf16}"
    for corpus in report.corpora:
        yield _FOUND, corpus.name, f"{gibibytes(corpus.size_bytes)}, {corpus.source}"
    mark = _FOUND if report.disk_problem is None else _MISSING
    yield mark, "disk", f"{gibibytes(report.free_disk_bytes)} free where runs go ({runs_folder})"
    if report.terminal.is_terminal:
        colour = "in colour" if report.terminal.colour else "no colour"
        yield _FOUND, "terminal", f"{number_of(report.terminal.width_columns, 'column')}, {colour}"
    else:
        yield _ABSENT, "terminal", f"none: plain text, {number_of(report.terminal.width_columns, 'column')}"
