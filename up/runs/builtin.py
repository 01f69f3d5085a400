"""Models that ship with up: run folders inside the package, called `builtin:NAME` wherever a run is named.

    up/builtin/tiny/
      config.json, provenance.json    as in any run
      metrics.jsonl                   all evaluations, and some of the steps
      checkpoints/00006000/           the weights, without what training would need to go on
      card.json                       what the model is (up.runs.card)
      SHA256SUMS                      of all of the above, as `sha256sum --check` reads it

All files of such a folder are verified before anything in it is used, and nothing is ever written there. It is made
from a finished run by `up.runs.pack`.

Limits: up has to lie on the disk as files; imported from a zip archive, it has no models.
"""

import importlib.resources
import os
import re
from pathlib import Path

from up.errors import InputError
from up.memory import is_out_of_memory
from up.runs.files import reason_of, sha256_of

PREFIX = "builtin:"
FOLDER = Path(str(importlib.resources.files("up"))) / "builtin"
"""Where the models lie."""

SUMS_NAME = "SHA256SUMS"
_SUM = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<name>.+)")


def builtin_names() -> tuple[str, ...]:
    """Return the names of the models that ship, in order."""
    try:
        return tuple(sorted(entry.name for entry in FOLDER.iterdir() if entry.is_dir() and entry.name[0] not in "._"))
    except FileNotFoundError:
        return ()


def builtin_name(path: Path) -> str | None:
    """Return NAME if a path is `builtin:NAME`, or the folder of a model that ships; None for any other.

    >>> builtin_name(Path("builtin:tiny")), builtin_name(Path("runs/tiny"))
    ('tiny', None)
    """
    if str(path).startswith(PREFIX):
        return str(path).removeprefix(PREFIX)
    real = _real(path)
    return real.name if real is not None and real.parent == _real(FOLDER) else None


def label_of(path: Path) -> str:
    """Return what a run is called: `builtin:NAME`, or the path of its folder.

    >>> label_of(Path("runs/tiny"))
    'runs/tiny'
    """
    name = builtin_name(path)
    return str(path) if name is None else f"{PREFIX}{name}"


def locate(path: str | os.PathLike[str]) -> Path:
    """Return the folder that a path or `builtin:NAME` stands for; that of a model that ships is verified.

    Raises:
        InputError: no model of this name ships, or a file of it is missing or was changed.
    """
    path = Path(path)
    name = builtin_name(path)
    if name is None:
        return path
    names = builtin_names()
    if name not in names:
        raise InputError(
            "no model of this name ships with up" if name else f"{PREFIX} lacks the name of a model",
            received=str(path),
            remedy=f"use one of {', '.join(f'{PREFIX}{each}' for each in names)}"
            if names
            else "this version ships none; train one with up train --preset tiny --out runs/tiny",
        )
    problem = _damage(FOLDER / name)
    if problem is not None:
        raise InputError(
            f"the model {PREFIX}{name} that ships with up is damaged: {problem}",
            received=str(FOLDER / name),
            remedy="reinstall up (pip install --force-reinstall universal-pretraining), or restore it in a clone",
        )
    return FOLDER / name


def refuse_builtin(path: Path) -> None:
    """Raise `InputError` if a run would be written to a model that ships, or would lie among them."""
    real, folder = _real(path), _real(FOLDER)
    if str(path).startswith(PREFIX) or (real is not None and folder is not None and real.is_relative_to(folder)):
        raise InputError(
            "nothing is trained into a model that ships with up, and nothing of it can be resumed",
            received=str(path),
            remedy="choose another --out for a new run; card.json of the model has the command that trained it",
        )


def sums_of(folder: Path) -> str:
    """Return the content of `SHA256SUMS` for the files of a folder."""
    return "".join(f"{sha256_of(folder / name)}  {name}\n" for name in sorted(_files(folder)))


def _damage(folder: Path) -> str | None:
    """Return in words what is wrong with the first file that is not as it was shipped; None if all are."""
    try:
        lines = (folder / SUMS_NAME).read_text(encoding="utf-8", errors="replace").splitlines()
        found, matches = _files(folder), [_SUM.fullmatch(line) for line in lines]
        if None in matches:
            return f"{SUMS_NAME} holds something else than sums"
        shipped = {match["name"]: match["sha256"] for match in matches if match is not None}
        for name in sorted(shipped.keys() | found):
            if name not in found:
                return f"{name} is missing"
            if name not in shipped:
                return f"{SUMS_NAME} does not know {name}"
            if sha256_of(folder / name) != shipped[name]:
                return f"{name} was changed, its SHA-256 differs"
    except OSError as error:
        if is_out_of_memory(error):  # nothing is wrong with the files
            raise
        return f"cannot read {Path(error.filename or SUMS_NAME).name} ({reason_of(error)})"
    return None


def _files(folder: Path) -> set[str]:
    """Return the files of a folder but its sums, relative to it; what begins with a dot is nobody's."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path.relative_to(folder).as_posix() for path in files} - {SUMS_NAME}


def _real(path: Path) -> Path | None:
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):  # a name that is no path
        return None
