"""`up sources`: where training sequences can come from, and how the sources compare."""

from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.render.sources import ComparisonTable, SourcesList
from up.errors import InputError
from up.sources.registry import SOURCES


def register(app: typer.Typer) -> None:
    """Hang the group `up sources` on the app."""
    group = typer.Typer(rich_markup_mode=None, invoke_without_command=True)
    group.callback()(list_sources)
    group.command("compare")(compare)
    app.add_typer(group, name="sources")


def list_sources(context: typer.Context, json_output: JsonOption = False, quiet: QuietOption = False) -> None:
    """List and compare the sources of random computation.

    Without a command: all of them, each in a line. Those that read a condition stand behind the buffer, which hands
    their output back to them.
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
        from up.config import from_dict, to_dict
        from up.experiments.source_comparison import summaries
        from up.sources.registry import source_type

        sources = [from_dict(source_type(kind), {"kind": kind}) for kind in SOURCES]
        lines = summaries()
    if cli.json_output:
        listed = [
            {"name": source.kind, "summary": lines[source.kind], "reads": source.reads, "settings": to_dict(source)}
            for source in sources
        ]
        cli.emit_json({"command": "sources", "sources": listed})
    else:
        cli.stdout.print(SourcesList([(source.kind, lines[source.kind], source.reads) for source in sources]))


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
