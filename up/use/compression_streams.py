"""Where files are read from and written to while they are coded, so that an error says which, and nothing half remains.

Limits: what goes to a pipe or a device takes room in the folder of temporary files first.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from up.coding.flow import Sink, Source
from up.errors import InputError, RunError
from up.memory import is_out_of_memory
from up.runs.files import reason_of, replacing
from up.use.compression_orders import STDOUT, Order, unreadable, unwritable
from up.use.score import STDIN

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class Digest:
    """A sink that keeps the SHA-256 of what it is given, and nothing else."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()

    def write(self, part: bytes, /) -> None:
        """Take bytes."""
        self._sha256.update(part)

    @property
    def digest(self) -> bytes:
        """The SHA-256 so far."""
        return self._sha256.digest()


class Reading:
    """A source that knows the SHA-256 of what was read, and says of an error which file it was."""

    def __init__(self, source: Source, order: Order) -> None:
        self._source, self._order, self._read = source, order, Digest()
        self.name = order.name

    def read(self, count: int, /) -> bytes:
        """Read up to so many bytes.

        Raises:
            InputError: they cannot be read.

        """
        try:
            part = self._source.read(count)
        except OSError as error:
            if is_out_of_memory(error):
                raise
            raise unreadable(error, self._order.path) from None
        self._read.write(part)
        return part

    @property
    def digest(self) -> bytes:
        """The SHA-256 so far."""
        return self._read.digest


@contextlib.contextmanager
def read_from(order: Order, stdin: Source | None) -> Iterator[tuple[Reading, os.stat_result | None]]:
    """Give a file to read from, and its status; standard input has none."""
    if order.path == STDIN:
        if stdin is None:
            raise InputError(
                "there is no standard input", received=STDIN, remedy="name a file, or send bytes through a pipe"
            )
        yield Reading(stdin, order), None
        return
    try:
        handle = Path(order.path).open("rb")  # noqa: SIM115, what follows is another's error
    except OSError as error:
        raise unreadable(error, order.path) from None
    with handle:
        yield Reading(handle, order), os.fstat(handle.fileno())


@contextlib.contextmanager
def written_to(
    order: Order, stdout: Sink | None, like: os.stat_result | None, *, directly: bool = False
) -> Iterator[Any]:
    """Give a file to write to, which becomes the output at the end; `directly`: a stream is written to as it comes."""
    try:
        if order.replaces:
            with replacing(Path(order.output), like=like) as handle:
                yield handle
            return
        with contextlib.ExitStack() as held:
            if order.output == STDOUT:
                assert stdout is not None
                stream: Sink = stdout
            else:
                stream = held.enter_context(replacing(Path(order.output)))
            if directly:
                yield stream
                return
            temporary: BinaryIO = held.enter_context(tempfile.TemporaryFile())
            yield temporary
            temporary.seek(0)
            shutil.copyfileobj(temporary, stream)  # pyright: ignore[reportArgumentType], it only writes
    except OSError as error:
        if is_out_of_memory(error):
            raise
        if error.errno in _NO_ROOM:
            raise RunError(f"cannot write {order.output_name} ({reason_of(error)}): make room first") from None
        raise unwritable(error, order.output) from None


def require_unchanged(order: Order, before: os.stat_result | None) -> None:
    """Raise `RunError` if a file was changed while it was read; what became of it would be lost with it."""
    if before is not None:
        try:
            after = os.stat(order.path)
        except OSError as error:
            raise unreadable(error, order.path) from None
        if (after.st_ino, after.st_size, after.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
            raise RunError(f"{order.path} was changed while it was read: try again when nobody writes to it")
