"""`up compress` and `up decompress`: files made as short as a mixing predictor predicts them well, and back."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from cli.byte_progress import byte_progress
from cli.context import CliContext, JsonOption, QuietOption
from cli.options import read_file_name, read_word
from cli.render.compression import coded_line
from up.errors import InputError

if TYPE_CHECKING:  # up.use imports torch
    from up.use.compression import CodedFile, Coding, Progress
    from up.use.compression_orders import Order


def register(app: typer.Typer) -> None:
    """Hang `up compress` and `up decompress` on the app."""
    app.command("compress")(compress)
    app.command("decompress")(decompress)


ModelOption = Annotated[
    str, typer.Option("--model", metavar="RUN|builtin:NAME", parser=read_word, help="Mixing predictor to code with.")
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        parser=read_file_name,
        help="Where one file goes, and keep the file; - is stdout.",
    ),
]
KeepOption = Annotated[bool, typer.Option("--keep", "-k", help="Keep the files that are read.")]
ForceOption = Annotated[bool, typer.Option("--force", "-f", help="Replace files that are there.")]


def compress(
    context: typer.Context,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE", parser=read_file_name, help="Files to compress; - is standard input.")
    ],
    model: ModelOption = "builtin:mixing",
    output: OutputOption = None,
    keep: KeepOption = False,
    force: ForceOption = False,
    verify: Annotated[
        bool, typer.Option("--verify/--no-verify", help="Decode what was written and compare, before it counts.")
    ] = True,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Compress files by a model that predicts them: FILE becomes FILE.up.

    For small files, for measuring and for learning, not for everyday archives: about seven thousand bytes a second, so
    a megabyte takes over two minutes, as long again to verify, and as long to decompress. Only the same model
    decompresses a file. Permissions and times are kept, and FILE is removed, as gzip does.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking at the files"):
        from up.use.compression_orders import compression_orders

        orders = compression_orders(files, output=output, keep=keep, force=force)
        _require_one_stdout(cli, orders, is_text=False)
        coding = _coding(cli, model)
    with cli.status("compiling, once"):
        coding.compile()

    def act(order: "Order", progress: "Progress") -> "CodedFile":
        return coding.compress(order, verify=verify, progress=progress)

    _carry_out(cli, "compress", orders, act)


def decompress(
    context: typer.Context,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE.up", parser=read_file_name, help="Files to decompress; - is standard input."),
    ],
    model: ModelOption = "builtin:mixing",
    output: OutputOption = None,
    keep: KeepOption = False,
    force: ForceOption = False,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Decompress files that up compress has written: FILE.up becomes FILE.

    It takes as long as compressing. Nothing is written under the name of FILE, or to stdout, before its checksum has
    been found right; a file of another model or version, or one that was damaged, is refused.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking at the files"):
        from up.use.compression_orders import decompression_orders

        orders = decompression_orders(files, output=output, keep=keep, force=force)
        _require_one_stdout(cli, orders, is_text=True)
        coding = _coding(cli, model)
    with cli.status("compiling, once"):
        coding.compile()

    def act(order: "Order", progress: "Progress") -> "CodedFile":
        return coding.decompress(order, progress=progress)

    _carry_out(cli, "decompress", orders, act)


def _coding(cli: CliContext, model: str) -> "Coding":
    from up.use import predictor
    from up.use.compression import Coding

    return Coding(predictor=predictor.load_predictor(model), stdin=cli.stdin, stdout=cli.binary_stdout)


def _require_one_stdout(cli: CliContext, orders: "list[Order]", *, is_text: bool) -> None:
    """Refuse to mix files with JSON on stdout, and to fill a terminal with bytes that are no text."""
    from up.use.compression_orders import STDOUT

    if any(order.output == STDOUT for order in orders):
        if cli.json_output:
            raise InputError(
                "the JSON and the file would both go to stdout", remedy="give --output, or leave out --json"
            )
        if cli.stdout.file.isatty() and not is_text:
            raise InputError(
                "compressed bytes are nothing to look at in a terminal", remedy="give --output, or send them to a file"
            )


def _carry_out(
    cli: CliContext, command: str, orders: "list[Order]", act: "Callable[[Order, Progress], CodedFile]"
) -> None:
    """Do one order after the other, and say what became of each."""
    from up.use.compression_orders import STDOUT

    done: list[CodedFile] = []
    for order in orders:
        with byte_progress(cli, f"{command}ing {order.name}") as progress:
            coded = act(order, progress)
        done.append(coded)
        line = coded_line(order, coded)
        if order.output == STDOUT:
            cli.note(line.plain)
        elif not cli.json_output:
            cli.stdout.print(line, soft_wrap=True)
    if cli.json_output:
        files = [
            {
                "path": coded.path,
                "output": coded.output,
                "bytes": coded.data_bytes,
                "compressed_bytes": coded.compressed_bytes,
                "bits_per_byte": coded.bits_per_byte,
                "seconds": coded.seconds,
            }
            for coded in done
        ]
        cli.emit_json({"command": command, "files": files})
