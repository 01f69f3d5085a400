"""Standard streams that may be closed, full, or without a reader, and must not end what a command is doing.

What goes to stderr is told to whoever listens: where nobody can, it is dropped, and a training run goes on silently to
its end. What goes to stdout is the result: a reader that has left is told of (`ReaderGoneError`), and an error of the
stream, such as a full disk, is one.
"""

import io
import os
import sys
from typing import Any, TextIO

from theory.words import readable


class ReaderGoneError(Exception):
    """The reader of a pipe closed it (`up ... | head -1`): there is nobody left to write to, and nothing went wrong."""


class Output:
    """A text stream to write to, in place of the one that it wraps; everything else is that stream's own.

    Args:
        stream: what to write to.
        is_result: whether what is written is the result of a command.

    """

    def __init__(self, stream: TextIO, *, is_result: bool) -> None:
        self._stream, self._is_result, self._is_lost = stream, is_result, False

    def write(self, text: str) -> int:
        """Write, names that are no text escaped (`theory.words.readable`); or drop what can be written no longer."""
        self._try("write", readable(text))
        return len(text)

    def write_bytes(self, data: bytes) -> int:
        """Write bytes that are the result itself, such as a file."""
        self._try("flush")
        self._try("write", data, stream=self._stream.buffer)
        return len(data)

    def flush(self) -> None:
        """Flush likewise."""
        self._try("flush")

    def isatty(self) -> bool:
        """Whether the stream is a terminal; one that is closed is none."""
        try:
            return self._stream.isatty()
        except ValueError:
            return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _try(self, method: str, *arguments: Any, stream: Any = None) -> None:
        if self._is_lost:
            return
        try:
            getattr(self._stream if stream is None else stream, method)(*arguments)
        except (OSError, ValueError) as error:  # ValueError: the stream was closed
            self._is_lost = True
            point_at_nothing(self._stream)
            if not self._is_result:
                return
            if isinstance(error, BrokenPipeError | ValueError):
                raise ReaderGoneError from None
            raise


def open_closed_streams() -> None:
    """Let standard streams that the process was started without (`up ... 2>&-`) lead to nowhere.

    Their file descriptors are taken as well: the next file to be opened would have one of them, and be written to by
    whatever writes to a standard stream.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest one that is free
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, it stays open


def point_at_nothing(stream: TextIO) -> None:
    """Let a broken stream lead to nowhere, so that Python's last flush on the way out does not complain."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, io.UnsupportedOperation):  # a test's buffer has none
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
    except OSError:
        return
