"""`up data`: the corpora that have names: which there are, getting the real ones, and where these lie."""

from typing import Annotated

import typer

from cli.byte_progress import byte_progress
from cli.context import CliContext, JsonOption, QuietOption
from cli.help import group_of_commands
from cli.options import DataDirOption
from cli.render.data import CorporaList, CorpusPage

_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="wp, german, code or linux.")]


def register(app: typer.Typer) -> None:
    """Hang the group `up data` on the app."""
    group = group_of_commands("List the corpora that have names, get the real ones, and say where they lie.")
    group.command("list")(list_corpora)
    group.command("get")(get)
    group.command("path")(path)
    app.add_typer(group, name="data")


def list_corpora(
    context: typer.Context, data_dir: DataDirOption = None, json_output: JsonOption = False, quiet: QuietOption = False
) -> None:
    """List every corpus that has a name.

    Each with what it is, whether it is here, and, of a real data set of the paper, its licence and the names that its
    file may have in the data folder. NAME:training, NAME:validation and NAME:test are parts of it.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    with cli.status("looking"):
        from up.data.listing import listed_corpora
        from up.data.real_sets import data_folder

        folder = data_folder(data_dir)
        corpora = listed_corpora(folder)
    if cli.json_output:
        cli.emit_json({"command": "data list", "folder": folder, "corpora": corpora})
    else:
        cli.stdout.print(CorporaList(corpora, folder))


def get(
    context: typer.Context,
    name: _NameArgument,
    data_dir: DataDirOption = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Download a real data set of the paper, once.

    An interrupted download goes on where it stopped. What arrives counts only if its SHA-256 is that of the set; what
    is something else is kept aside. A set that is already there is checked and left as it is.
    """
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    from up.data.download import get_real_set
    from up.data.listing import listed_real_set
    from up.data.real_sets import data_folder

    with byte_progress(cli, f"getting {name}") as progress:
        get_real_set(name, data_folder(data_dir), progress=progress)
    corpus = listed_real_set(name, data_folder(data_dir))
    if cli.json_output:
        cli.emit_json({"command": "data get", "corpus": corpus})
    else:
        cli.stdout.print(CorpusPage(corpus))


def path(
    context: typer.Context,
    name: _NameArgument,
    data_dir: DataDirOption = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Print where a real data set lies."""
    cli = CliContext.of(context, json_output=json_output, quiet=quiet)
    from up.data.real_sets import data_folder, require_real_set

    found = require_real_set(name, data_folder(data_dir)).absolute()
    if cli.json_output:
        cli.emit_json({"command": "data path", "name": name, "path": found})
    else:
        cli.stdout.print(str(found), soft_wrap=True)
