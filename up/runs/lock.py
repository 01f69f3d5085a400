"""One process at a time, by a file: the operating system's lock, or the name of its owner where there is none.

The system's lock ends with its process, however that ends. Some file systems have none (`flock` fails with ENOSYS,
EOPNOTSUPP or ENOLCK: some network and user-space ones); there, a second file, which only one process can make, says
which process of which machine it is. One that is left behind counts no more once that process is gone, which only its
own machine can tell; from elsewhere the user is told which file to remove.

Limits: a machine that has locks on a folder and another one that has none do not see each other. Two processes that
take over from a third that is gone, at the same moment, are told apart by reading again, not by the file system.
"""

import contextlib
import errno
import json
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from up.runs.files import beside

OWNER_SUFFIX = ".owner"
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOLCK)


class LockedError(Exception):
    """Another process has the lock.

    Attributes:
        hint: what to do if that process is gone, to be added to a remedy; empty where the system looks after that.
    """

    def __init__(self, hint: str = "") -> None:
        super().__init__(hint)
        self.hint = hint


@contextlib.contextmanager
def locked(path: Path, *, seconds: float) -> Iterator[None]:
    """Hold the lock of a file, which is made if need be, and wait at most so many seconds for it.

    Raises:
        LockedError: another process has it.
        OSError: the file cannot be made or opened.
    """
    if _has_locks(path):
        lock = filelock.FileLock(path, timeout=seconds)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise LockedError from None
        try:
            yield
        finally:
            lock.release()
    else:
        with _owned(beside(path, OWNER_SUFFIX)):
            yield


def is_locked(path: Path) -> bool:
    """Whether a process has the lock of a file now; where we may not look, none has."""
    if not path.exists():
        return False
    try:
        if not _has_locks(path):
            return _is_alive(_read(beside(path, OWNER_SUFFIX)))
        with locked(path, seconds=0):
            return False
    except LockedError:
        return True
    except OSError:  # a folder that we may read but not write
        return False


def _has_locks(path: Path) -> bool:
    """Whether the file system of a file, which is made if need be, has locks; asked by a lock for a moment."""
    if sys.platform == "win32":
        return True
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _NO_LOCKS  # if it is held, too
    finally:
        os.close(descriptor)
    return True


@contextlib.contextmanager
def _owned(path: Path) -> Iterator[None]:
    """Hold a file that only one process can make, and that says which one."""
    try:
        _make(path)
    except FileExistsError:
        said = _read(path)
        if _is_alive(said):
            raise LockedError(_hint(path, said)) from None
        _take_away(path, said)
        try:
            _make(path)
        except FileExistsError:  # another process was quicker
            raise LockedError from None
    try:
        yield
    finally:
        _take_away(path, _this_process())


def _make(path: Path) -> None:
    with path.open("x", encoding="utf-8") as handle:
        handle.write(json.dumps(_this_process()))


def _take_away(path: Path, said: Any) -> None:
    """Remove the file of an owner, if it still says what it `said`; of several processes, one renames it."""
    aside = beside(path, f".{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if _read(aside) == said:
            aside.unlink()
        else:  # another owner's by now
            aside.rename(path)


def _read(path: Path) -> Any:
    """Return what the file of an owner says: None if there is no file, a text if it is none of ours."""
    try:
        return json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except FileNotFoundError:
        return None
    except ValueError:
        return "unreadable"


def _is_alive(said: Any) -> bool:
    """Whether the process that a file speaks of may be at work; only on its own machine is that known."""
    if said is None:
        return False
    here = _this_process()
    if not isinstance(said, dict) or any(said.get(name) != here[name] for name in ("host", "processes")):
        return True
    pid = said.get("pid")
    return isinstance(pid, int) and _begun(pid) is not None and _begun(pid) == said.get("begun")


def _this_process() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": platform.node(), "processes": _namespace(), "pid": pid, "begun": _begun(pid)}


def _namespace() -> str:
    """Return what tells apart the process numbers of this machine from those of a container on it, on Linux."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _begun(pid: int) -> str | None:
    """Return when a process began, in clock ticks since the machine did, for its number may have been another's.

    Empty where the system does not say; None if there is no such process.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:  # somebody else's
        pass
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    return ""


def _hint(path: Path, said: Any) -> str:
    owner = f"process {said.get('pid')} of {said.get('host')}" if isinstance(said, dict) else "that process"
    return f"; if {owner} is gone, remove {path}"
