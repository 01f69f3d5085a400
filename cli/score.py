"""`up score`: bits per byte of whole files under a predictor that adapts, beside general-purpose compressors."""

from typing import Annotated

import typer

from cli.context import CliContext, JsonOption, QuietOption
from cli.options import read_file_name, read_word
from cli.render.score import ScorePage
from up.errors import InputError

SHOWN_BYTES = 4_000


def register(app: typer.Typer) -> None:
    """Hang `up score` on the app."""
    app.command("score")(score)


def score(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", parser=read_file_name, help="Files to score; - is standard input.")
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="RUN",
            parser=read_word,
            help="Folder of a run of a mixing predictor, or builtin:NAME (see up models).",
        ),
    ] = "builtin:mixing",
    frozen: Annotated[bool, typer.Option("--frozen", help="Add the model with gate and second stage frozen.")] = False,
    scratch: Annotated[
        bool, typer.Option("--scratch", help="Add the same architecture from random weights, the control.")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help=f"Show the first {SHOWN_BYTES:,} bytes of each file, shaded by their bits.")
    ] = False,
    show_bytes: Annotated[
        int | None,
        typer.Option("--show-bytes", metavar="N", min=1, help="Show the first N bytes of each file instead."),
    ] = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Score whole files, in bits per byte, under a model that learns as it reads, and under compressors.

    The model predicts each byte from all before it and then learns it; what it is charged is an ideal code length. A
    picture shows its surprise along each file. The model reads 7,000 to 20,000 bytes a second; --frozen and --scratch
    each take as long again. The compressors are zlib, bzip2, xz, zstd, brotli and PPMd var. H, each at its strongest
    level, the last at the order that is best for the file; two megabytes take them about twelve seconds. zstd, brotli
    and PPMd come with the extra compressors; without it their columns hold a dash.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    if cli.json_output and (show or show_bytes):
        raise InputError("the text is not shown in JSON", received="--show", remedy="leave out --show or --json")
    shown = show_bytes or (SHOWN_BYTES if show else 0)
    with cli.status("loading the model"):
        from up.use import predictor
        from up.use.score import compile_reading, score_files

        loaded = predictor.load_predictor(model)
    with cli.status("compiling, once"):
        compile_reading(loaded)
    with cli.progress("bytes predicted") as progress:
        scores = tuple(
            score_files(files, loaded, frozen=frozen, scratch=scratch, first=shown, stdin=cli.stdin, progress=progress)
        )
    if cli.json_output:
        keys = ("path", "bits_per_byte", "frozen_bits_per_byte", "scratch_bits_per_byte", "baselines")
        listed = [{"bytes": each.size_bytes} | {key: getattr(each, key) for key in keys} for each in scores]
        cli.emit_json({"command": "score", "model": model, "files": listed})
    else:
        cli.stdout.print(ScorePage(scores, model))
