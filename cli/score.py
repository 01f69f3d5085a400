"""`up score`: bits per byte of whole files under general-purpose compressors."""

from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import read_path
from cli.render.score import ScorePage


def register(app: typer.Typer) -> None:
    """Hang `up score` on the app."""
    app.command("score")(score)


def _read_file(text: str) -> str:
    """Keep a path as it was written: `./-` is a file, and `-` is standard input."""
    read_path(text)
    return text


def score(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", parser=_read_file, help="Files to score; - is standard input.")
    ],
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score whole files, in bits per byte, under compressors.

    They are zlib, bzip2, xz, zstd, brotli and PPMd var. H, each at its strongest level, the last at the order that is
    best for the file. Two megabytes take about twelve seconds. zstd, brotli and PPMd come with the extra compressors;
    without it their columns hold a dash.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking at the files"):
        from up.use.score import score_files
    with cli.progress("compressions done") as progress:
        scores = tuple(score_files(files, stdin=cli.stdin, progress=progress))
    if cli.json_output:
        listed = [{"path": each.path, "bytes": each.size_bytes, "baselines": each.baselines} for each in scores]
        cli.emit_json({"command": "score", "files": listed})
    else:
        cli.stdout.print(ScorePage(scores))
