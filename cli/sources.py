"""`up sources`: where training sequences can come from, and how the sources compare."""

from pathlib import Path
from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import path_option, read_word
from cli.render.sources import ComparisonTable, DatasheetView, SourcesList
from up.errors import InputError
from up.sources.registry import REAL_DATA, SOURCES


def register(app: typer.Typer) -> None:
    """Hang the group `up sources` on the app."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True)
    group.callback()(list_sources)
    group.command("compare")(compare)
    group.command("write")(write)
    app.add_typer(group, name="sources")


def list_sources(context: typer.Context, json_output: JsonOption = False, quiet: QuietOption = False) -> None:
    """List and compare the sources of random computation.

    Without a command: all of them, each in a line. Those that read a condition stand behind the buffer, which hands
    their output back to them. Real data stands apart, for it is none.
    """
    if context.invoked_subcommand is not None:
        if json_output or quiet:
            raise InputError(
                f"options between `up sources` and `{context.invoked_subcommand}` have no effect",
                remedy=f"write them after {context.invoked_subcommand}",
            )
        return
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking at the sources"):
        from up.config import to_dict
        from up.experiments.source_comparison import summaries
        from up.sources.base import make_source

        sources = [make_source(kind) for kind in SOURCES]
        lines, real = summaries(), summaries(tuple(REAL_DATA))
    if cli.json_output:
        listed = [
            {"name": source.kind, "summary": lines[source.kind], "reads": source.reads, "settings": to_dict(source)}
            for source in sources
        ]
        apart = [{"name": kind, "summary": summary} for kind, summary in real.items()]
        cli.emit_json({"command": "sources", "sources": listed, "real_data": apart})
    else:
        shown = [(source.kind, lines[source.kind], source.reads) for source in sources]
        cli.stdout.print(SourcesList(shown, tuple(real.items())))


def compare(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE.py:NAME]...", help="Sources to compare. Default: all of the house."),
    ] = None,
    rows: Annotated[int, typer.Option(help="Rows to draw of each.")] = 256,
    length: Annotated[int, typer.Option(help="Tokens in a row.")] = 512,
    seed: Annotated[int, typer.Option(help="Seed of everything that is drawn.")] = 0,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compare sources: how fast they write, and how predictable what they write is.

    Sources have their default settings. Rows are those of a buffer that has run for long, or fresh ones where a source
    has no buffer; one that is constant teaches little, and noise nothing. All but the rate is in bits per token.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("preparing the sources"):
        from up.experiments.source_comparison import ComparisonConfig, compare_sources

        kinds = {} if names is None else {"kinds": tuple(names)}
        config = ComparisonConfig(rows=rows, length=length, seed=seed, **kinds)
        measured = compare_sources(config)
    found = []
    with cli.progress("sources compared") as progress:
        for each in measured:
            found.append(each)
            progress(len(found), len(config.kinds))
    if cli.json_output:
        cli.emit_json({"command": "sources compare", "config": config, "sources": found})
    else:
        cli.stdout.print(ComparisonTable(found, rows=config.rows, length=config.length))


def write(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME|FILE.py:NAME", parser=read_word, help="Source of the rows.")],
    out: Annotated[Path, path_option("File to write: .npy, or .parquet with the extra parquet.", metavar="FILE")],
    rows: Annotated[int, typer.Option(help="Rows to write.")] = 10_000,
    length: Annotated[int, typer.Option(help="Tokens in a row.")] = 512,
    seed: Annotated[int, typer.Option(help="Seed of all rows.")] = 0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="A=B", help="Change a setting of the source; repeat it.")
    ] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a corpus of random computation, for training elsewhere.

    Beside it stands a datasheet: what the distribution is, settings, seed, statistics, versions and licence. A command
    that was cut off goes on where it ended when it is given again.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("preparing the source"):
        from up.config import override
        from up.sources.base import make_source
        from up.use.corpus import write_corpus

        source = override(make_source(name), settings or [])
    with cli.progress("rows written") as progress:
        sheet = write_corpus(out, source=source, rows=rows, length=length, seed=seed, progress=progress)
    if cli.json_output:
        cli.emit_json({"command": "sources write", "out": out, "datasheet": sheet})
    else:
        cli.stdout.print(DatasheetView(sheet, out))
