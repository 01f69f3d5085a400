"""Where a run goes: a folder that is free, can be written, and is held by one process at a time."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from up.errors import InputError
from up.runs.builtin import refuse_builtin
from up.runs.files import beside, is_leftover
from up.runs.lock import OWNER_SUFFIX, LockedError, is_locked, locked

CONFIG_NAME = "config.json"
_LOCK_NAME = ".lock"
_LOCK_NAMES = {_LOCK_NAME, beside(Path(_LOCK_NAME), OWNER_SUFFIX).name}
_LOCK_SECONDS = 1.0  # `in_use` takes the lock for a moment
_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Make the folder of a run if need be, and keep other processes from training in it meanwhile.

    The lock ends with the process, however that ends (`up.runs.lock`). A folder that was made for a run that came to
    nothing is removed.

    Raises:
        InputError: another process trains there, the folder cannot be written, or it is that of a model that ships.
    """
    refuse_builtin(path)
    refuse_dead_link(path)
    made = [each for each in (path, *path.parents) if not each.exists()]
    with contextlib.ExitStack() as held:
        held.callback(_unmake, made)
        try:
            path.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(path / _LOCK_NAME, seconds=_LOCK_SECONDS))
        except LockedError as error:
            made.clear()  # whoever made it, it is the other one's now
            raise InputError(
                "another process is training in the output folder",
                received=str(path),
                remedy=f"wait until it has ended, or choose another --out{error.hint}",
            ) from None
        except OSError as error:
            raise unwritable(error, path) from None
        yield


def in_use(path: Path) -> bool:
    """Whether a process is training in a folder now."""
    return is_locked(path / _LOCK_NAME)


def _unmake(made: Sequence[Path]) -> None:
    """Remove folders that were made for a run, the innermost first, as far as nothing but its lock is in them."""
    if made and made[0].is_dir() and set(os.listdir(made[0])) <= _LOCK_NAMES:
        for name in _LOCK_NAMES:
            (made[0] / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        for each in made:
            each.rmdir()


def require_writable(path: Path) -> None:
    """Raise `InputError` if a folder cannot be made or written at `path`.

    An empty folder is made in the nearest one that is there, and removed: permissions alone do not tell.
    """
    refuse_dead_link(path)
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:  # a name that is too long
        raise unwritable(error, path) from None
    nearest = path
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise unwritable(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)), path)
    try:
        os.rmdir(tempfile.mkdtemp(prefix=".up-", dir=nearest))
    except OSError as error:
        raise unwritable(error, path) from None


def require_free(path: Path) -> None:
    """Raise `InputError` unless a new run can be written to `path`: it does not exist, or is an empty folder."""
    try:
        names = {entry.name for entry in path.iterdir() if not is_leftover(entry.name)} - _LOCK_NAMES
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(error, path) from None
    if CONFIG_NAME in names:
        raise InputError(
            "the output folder holds another run",
            received=str(path),
            remedy="choose another --out, or continue that run with --resume",
        )
    if names:
        raise InputError("the output folder is not empty", received=str(path), remedy="choose another --out")


def refuse_dead_link(path: Path) -> None:
    """Raise `InputError` if a path, or a folder on the way to it, is a symbolic link that leads nowhere."""
    for each in (path, *path.parents):
        if os.path.islink(each):
            try:
                each.stat()
            except OSError as error:
                if error.errno in _LEADS_NOWHERE:
                    raise InputError(
                        f"{each} is a link to {os.readlink(each)}, which is not there",
                        remedy="make what it leads to, or remove the link",
                    ) from None


def unwritable(error: OSError, path: Path) -> InputError:
    """Return the line that tells why a folder of a run cannot be made or written."""
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        problem = "the output folder is a file" if path.exists() else "the output folder would lie below a file"
    else:
        problem = f"cannot write the output folder ({error.strerror})"
    return InputError(problem, received=str(path), remedy="choose another --out")
