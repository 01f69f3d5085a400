"""Writing files so that a crash leaves the old or the new content, and reading JSON with one clear line of error.

Everything that replaces a file does so through `replacing`, so that links, modes, long names, devices and pipes are
treated alike everywhere.

Limits: a file is replaced by a new one, which belongs to whoever writes it and has no other hard links.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from up.errors import InputError

_NAMES = {dict: "object", list: "list"}
_LONGEST_NAME_BYTES = 100
_KEPT_CHARACTERS = 24
_LEFTOVER = re.compile(r"\.[0-9a-f]{8}\.partial$")


@contextlib.contextmanager
def replacing(path: Path, *, like: os.stat_result | None = None) -> Iterator[BinaryIO]:
    """Give a file to write to, which takes the place of `path` once all is written, in one step that survives a crash.

    Where that fails, `path` is as it was. A symbolic link is followed, and what it leads to replaced; the mode of a
    file that was there is kept. What is no file, such as a device or a pipe, has no content to keep and is written to;
    that its reader has left is then nobody's mistake.

    Args:
        path: of the file.
        like: of a file whose permissions and times the new one is to have, whatever was there.

    Raises:
        OSError: the file cannot be written.
    """
    if path.exists() and not path.is_file():
        with contextlib.suppress(BrokenPipeError), path.open("wb") as handle:
            yield handle
        return
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    partial = beside(target, f".{secrets.token_hex(4)}.partial")
    try:
        with partial.open("xb") as handle:
            if like is not None:
                os.chmod(partial, stat.S_IMODE(like.st_mode) & 0o777)  # before anybody could read a word
            yield handle
            handle.flush()
            if like is not None:
                os.utime(partial, ns=(like.st_atime_ns, like.st_mtime_ns))
            elif target.exists():
                os.chmod(partial, stat.S_IMODE(target.stat().st_mode))
            os.fsync(handle.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(target.parent)


def write_text(path: Path, text: str) -> None:
    """Replace a file's content with a text in UTF-8; raises as `replacing` does."""
    with replacing(path) as handle:
        handle.write(text.encode("utf-8"))


def beside(path: Path, suffix: str) -> Path:
    """Return the path whose name has a suffix more, such as `rows.npy.partial`; a name too long for that is cut.

    What is cut off stands there as the beginning of the name's SHA-256, so that the answer is always the same.

    >>> beside(Path("runs/rows.npy"), ".partial").as_posix()
    'runs/rows.npy.partial'
    >>> len(beside(Path("n" * 255), ".partial").name)
    49
    """
    name = os.fsencode(path.name)
    if len(name) > _LONGEST_NAME_BYTES:
        return path.with_name(f"{path.name[:_KEPT_CHARACTERS]}-{hashlib.sha256(name).hexdigest()[:16]}{suffix}")
    return path.with_name(f"{path.name}{suffix}")


def is_leftover(name: str) -> bool:
    """Whether a file has the name of one that `replacing` writes to; a process that is killed leaves it behind."""
    return _LEFTOVER.search(name) is not None


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left behind in a folder that no other process writes to."""
    for entry in list(folder.iterdir()):
        if is_leftover(entry.name):
            entry.unlink()


def reason_of(error: Exception) -> str:
    """Return in a few words why the system refused; what other packages raise may have only a text.

    >>> reason_of(FileNotFoundError(2, "No such file or directory")), reason_of(OSError("100 requested and 7 written"))
    ('No such file or directory', '100 requested and 7 written')
    """
    return getattr(error, "strerror", None) or " ".join(str(error).split())


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
