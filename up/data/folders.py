"""Files and folders as one string of bytes.

The files of a folder are joined in the order of the SHA-256 of their relative paths, so that no topic dominates one
region: the order is the same on every machine, and neighbours have nothing to do with each other.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from up.errors import InputError


def walk(root: Path, *, skip: Iterable[str] = ()) -> Iterator[Path]:
    """Yield the regular files below a folder, without hidden ones and without following links to folders.

    Raises:
        InputError: a folder that cannot be read.

    """

    def refuse(error: OSError) -> None:
        raise unreadable(error, Path(error.filename or root)) from error

    skip = frozenset(skip)
    for folder, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in skip]
        for name in names:
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                yield file


def in_hashed_order(root: Path, files: Iterable[Path]) -> list[Path]:
    """Sort files by the SHA-256 of their paths as seen from a folder."""

    def key(file: Path) -> bytes:
        return hashlib.sha256(os.fsencode(file.relative_to(root).as_posix())).digest()

    return sorted(files, key=key)


def join(texts: Iterable[bytes]) -> bytes:
    """Concatenate, with a newline after a text that lacks one at its end; a single text and an empty one stay as is."""
    parts = [text for text in texts if text]
    return b"".join(text if text.endswith(b"\n") else text + b"\n" for text in parts[:-1]) + b"".join(parts[-1:])


def read_file(file: Path) -> bytes:
    """Return the bytes of a file; raises `InputError` if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise unreadable(error, file) from error


def unreadable(error: OSError, path: Path) -> InputError:
    """Return the error of data that cannot be read."""
    return InputError(
        f"cannot read the data: {error.strerror}", received=str(path), remedy="check the path and its permissions"
    )
