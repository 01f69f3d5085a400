"""Whole files, one after the other, and what general-purpose compressors make of each.

Nothing is compressed before every file that is named has been looked at, so that a mistake in the last name does not
cost the time of all others. What comes through a pipe can only be looked at by reading it, and is read in its turn.

Limits: one file at a time is held in memory, whole, beside its compressed streams.
"""

import dataclasses
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from up.errors import InputError
from up.evaluation.compressors import CompressedSize, compressed_sizes
from up.memory import is_out_of_memory

STDIN = "-"
"""The name that stands for standard input; a file of this name is `./-`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileScore:
    """What compressors make of one file.

    Attributes:
        path: as it was given.
        size_bytes: length of the file.
        baselines: one for each compressor, in the order of `up.evaluation.compressors.COMPRESSORS`.

    """

    path: str
    size_bytes: int
    baselines: tuple[CompressedSize, ...]

    @property
    def name(self) -> str:
        """What to call the file."""
        return "standard input" if self.path == STDIN else self.path


def score_files(
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Iterator[FileScore]:
    """Look at all files, then compress them in their order while the result is iterated over.

    Args:
        paths: files or named pipes, and at most one `STDIN`.
        stdin: what that one is read from.
        progress: called with compressions done and compressions in all.

    Raises:
        InputError: a folder, a device, a file that is missing, empty or cannot be read, or standard input named twice;
            of what comes through a pipe it is raised while iterating.

    """
    if paths.count(STDIN) > 1:
        raise InputError(
            "standard input is named twice", received=STDIN, remedy="name it once; it can be read only once"
        )
    if STDIN in paths and stdin is None:
        raise InputError(
            "there is no standard input", received=STDIN, remedy="name files, or send bytes through a pipe"
        )
    for path in paths:
        if path != STDIN:
            _require_bytes(path)
    return _scores(paths, stdin, progress)


def _scores(paths: Sequence[str], stdin: BinaryIO | None, progress: Callable[[int, int], None]) -> Iterator[FileScore]:
    for place, path in enumerate(paths):
        data = _read(path, stdin)

        def advance(done: int, total: int, *, place: int = place) -> None:
            progress(place * total + done, len(paths) * total)

        yield FileScore(path=path, size_bytes=len(data), baselines=compressed_sizes(data, progress=advance))


def _require_bytes(path: str) -> None:
    """Refuse what holds no bytes, or none that this process may read; of a pipe that is not known yet."""
    try:
        mode = Path(path).stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError("a folder cannot be scored", received=path, remedy="name the files in it")
        if not stat.S_ISREG(mode) and not stat.S_ISFIFO(mode):
            raise InputError("this is neither a file nor a pipe", received=path, remedy="name a file")
        if stat.S_ISREG(mode):
            with Path(path).open("rb") as handle:
                if not handle.read(1):  # the size of some files that the system makes up is 0
                    raise _empty(path)
    except FileNotFoundError:
        raise InputError("there is no such file", received=path, remedy="check the path") from None
    except OSError as error:
        raise _unreadable(error, path) from None


def _read(path: str, stdin: BinaryIO | None) -> bytes:
    try:
        data = stdin.read() if path == STDIN and stdin is not None else Path(path).read_bytes()
    except OSError as error:
        if is_out_of_memory(error):
            raise
        raise _unreadable(error, path) from None
    if not data:
        raise _empty(path)
    return data


def _empty(path: str) -> InputError:
    return InputError("an empty file has no bits per byte", received=path, remedy="give at least one byte")


def _unreadable(error: OSError, path: str) -> InputError:
    return InputError(
        f"cannot read the file ({error.strerror})", received=path, remedy="check the path and its permissions"
    )
