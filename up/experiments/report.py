"""The report of an experiment: `report.md`, a page that can be read anywhere and stand in a documentation site.

Question, verdicts, tables, figures, and how it was made, all from `experiment.json` and the measurements. Figures are
referred to by relative links, with the dark one where the reader's system is dark. No path and no name of a machine,
and no fenced block, for those of the site are commands that it runs.
"""

from collections.abc import Iterator, Sequence

from theory.words import number_of
from up.experiments.experiment import Experiment, Finding, Table
from up.experiments.figure import Figure
from up.experiments.folder import ExperimentFolder, Record
from up.runs.files import write_text

REPORT_NAME = "report.md"


def write_report(folder: ExperimentFolder, experiment: Experiment, figures: Sequence[Figure]) -> None:
    """Replace the report in a folder; raises `OSError` if it cannot be written."""
    measurements = folder.measurements()
    tables = experiment.tables(measurements)
    lines = [
        *_head(experiment, experiment.findings(measurements)),
        *(line for note in error_notes(tables, len(folder.record().setting.seeds)) for line in ("", note)),
        *(line for table in tables for line in ("", *table_lines(table))),
        *(line for figure in figures for line in _figure_lines(figure)),
        *(line for each in experiment.listings(measurements) for line in _listing_lines(each.title, each.text)),
        *_made(folder.record()),
    ]
    write_text(folder.path / REPORT_NAME, "\n".join(lines) + "\n")


def table_lines(table: Table) -> Iterator[str]:
    """Yield a table as Markdown: its title, and numbers to the right."""
    yield f"**{table.title}**"
    yield ""
    yield _row(table.columns)
    yield _row([":--", *["--:"] * (len(table.columns) - 1)])
    for row in table.rows:
        yield _row(row)


def section_of(finding: Finding) -> str:
    """Return who makes the claim."""
    return f"{finding.paper}, section {finding.section}" if finding.section else "this project"


def error_notes(tables: Sequence[Table], num_seeds: int) -> Iterator[str]:
    """Yield what ± means in tables, if it is in one of them."""
    if not any("±" in cell for table in tables for row in table.rows for cell in row):
        return
    of_one = "the standard error over slices or samples"
    if num_seeds > 1:
        yield f"± is the standard deviation over {num_seeds} seeds; of what was trained with one seed, {of_one}."
    else:
        yield f"One seed: ± is {of_one}."


def _head(experiment: Experiment, findings: Sequence[Finding]) -> Iterator[str]:
    yield f"# {experiment.title}"
    yield ""
    yield experiment.question
    yield ""
    yield _row(("claim", "measured", "verdict"))
    yield _row((":--", ":--", ":--"))
    for finding in findings:
        yield _row((f"{finding.claim} ({section_of(finding)})", finding.measured, f"**{finding.verdict}**"))


def _figure_lines(figure: Figure) -> Iterator[str]:
    light, dark = f"figures/{figure.name}.svg", f"figures/{figure.name}-dark.svg"
    yield ""
    yield f'<picture><source srcset="{dark}" media="(prefers-color-scheme: dark)">'
    yield f'<img src="{light}" alt="{_escaped(figure.title)}"></picture>'


def _listing_lines(title: str, text: str) -> Iterator[str]:
    yield from ("", f"**{title}**", "", f"<pre>{_escaped(text)}</pre>")


def _made(record: Record) -> Iterator[str]:
    last = record.processes[-1]
    seconds = sum(process.seconds or 0.0 for process in record.processes)
    killed = any(process.seconds is None for process in record.processes[:-1])
    time = f"{seconds / 60:.1f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
    yield ""
    yield "## How it was made"
    yield ""
    yield f"- Command: `{record.command}`"
    yield f"- Date: {record.processes[0].started.partition('T')[0]}"
    yield f"- Machine: {last.machine}; {last.device}"
    yield f"- Seeds: {', '.join(map(str, record.setting.seeds))}"
    for name, text in last.real_texts.items():
        yield f"- Real data: {name} is {text}"
    versions = ", ".join(f"{name} {version}" for name, version in last.versions.items())
    commits = dict.fromkeys(process.commit[:12] for process in record.processes if process.commit)
    of_commits = f", commit {' then '.join(commits)}" if commits else ""
    yield f"- Versions: {versions}, Python {last.python}{of_commits}"
    sessions = number_of(len(record.processes), "session")
    yield f"- Time: {time} in {sessions}{', without those that were killed' if killed else ''}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
