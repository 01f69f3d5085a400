"""Writing files so that a crash leaves the old or the new content, and reading JSON with one clear line of error."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from up.errors import InputError

_NAMES = {dict: "object", list: "list"}


def write_text(path: Path, text: str) -> None:
    """Replace a file's content in one step that survives a crash: write, fsync, rename, fsync the folder.

    What is no file, such as a device or a pipe, has no content to keep and is written to.
    """
    if path.exists() and not path.is_file():
        path.write_text(text, encoding="utf-8")
        return
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's content durable."""
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def sync_folder(path: Path) -> None:
    """Make renames in a folder durable, where the platform can open folders."""
    if os.name == "posix":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_json(path: Path, kind: type, *, remedy: str = "restore it, or start a new run") -> Any:
    """Return the JSON value in a file, which must be a `kind`; `remedy` says what to do where it is not.

    Raises:
        InputError: no file, no permission, no JSON, or another kind of value; the message names the file.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing", remedy=remedy) from None
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})", remedy="check its permissions") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, or not JSON
        raise InputError(f"cannot read {path}: it is not JSON ({error})", remedy=remedy) from None
    if not isinstance(value, kind):
        raise InputError(f"{path} does not hold a JSON {_NAMES[kind]}", remedy=remedy)
    return value
