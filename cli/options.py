"""Options that several commands share, so that they mean and refuse the same everywhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from up.sources.registry import SOURCES

SOURCES_HELP = f"{', '.join(SOURCES)}, or path/to/file.py:NAME for one of your own."


def read_path(text: str) -> Path:
    """Read a path; an empty one comes from a variable that was not set, and stands for nothing."""
    if not text:
        raise typer.BadParameter("the path is empty; name a file or a folder")
    return Path(text)


def read_word(text: str) -> str:
    """Read a name; see `read_path`."""
    if not text:
        raise typer.BadParameter("the name is empty; leave the option out or give it a value")
    return text


def read_file_name(text: str) -> str:
    """Read a path as it is written: `./-` is a file, and `-` is standard input."""
    read_path(text)
    return text


def folder_names(paths: Sequence[Path]) -> list[str]:
    """Name folders by their last part, in full where that is not distinct, and numbered if even that is not."""
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    if len(set(names)) < len(names):
        names = [f"{name} ({place})" for place, name in enumerate(names, start=1)]
    return names


def path_option(help_text: str, **more: Any) -> Any:
    """Return an option whose value is a path."""
    return typer.Option(help=help_text, parser=read_path, **{"metavar": "PATH", **more})


RunArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        parser=read_path,
        help="Folder of a run, as up train wrote it, or builtin:NAME (see up models).",
    ),
]

SourceOption = Annotated[
    str, typer.Option(metavar="NAME|FILE.py:NAME", parser=read_word, help=f"Source: {SOURCES_HELP}")
]

DataDirOption = Annotated[
    Path | None,
    path_option(
        "Folder with the files of wp, german, code and linux. Default: UP_DATA_DIR, or else the user's cache folder.",
        show_default=False,
    ),
]
