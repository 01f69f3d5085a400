"""Whole files coded by a mixing predictor and decoded again, so that nothing wrong or half is ever left behind.

    compress      FILE -> temporary file beside FILE.up -> decoded and compared -> named FILE.up -> FILE removed
    decompress    FILE.up -> temporary file beside FILE -> checksum -> named FILE -> FILE.up removed

What goes to a pipe or a device is written to a nameless temporary file first and copied when it is known to be right,
unless it is compressed without that check. Memory does not grow with the files.

Limits: the seconds of a file include the copy.
"""

import contextlib
import dataclasses
import os
import time
from collections.abc import Callable
from typing import Any

from up.coding.container import Sizes, read, write
from up.coding.flow import Sink, Source
from up.errors import InputError, RunError
from up.model.mixing.coder import StreamCoder, compress, decompress
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.slots import BUCKET
from up.model.mixing.stream import NUM_SLOTS
from up.runs.files import reason_of
from up.use.compression_orders import Order
from up.use.compression_streams import Digest, Reading, read_from, require_unchanged, written_to

Progress = Callable[[int, int | None], None]
"""Called with the bytes worked through and, where it is known, all that will be; verified ones count twice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodedFile:
    """What became of a file.

    Attributes:
        path: as it was given.
        output: where to.
        data_bytes: uncompressed.
        compressed_bytes: of the `.up` file, all of it.
        seconds: that it took.

    """

    path: str
    output: str
    data_bytes: int
    compressed_bytes: int
    seconds: float

    @property
    def bits_per_byte(self) -> float | None:
        """Bits of the `.up` file for each byte; None for an empty file."""
        return 8 * self.compressed_bytes / self.data_bytes if self.data_bytes else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Coding:
    """How files are coded.

    Attributes:
        predictor: the model.
        num_slots: of its stream.
        stdin: what `STDIN` is read from.
        stdout: what `STDOUT` is written to.

    """

    predictor: MixingPredictor
    num_slots: int = NUM_SLOTS
    stdin: Source | None = None
    stdout: Sink | None = None

    def compress(
        self, order: Order, *, verify: bool = True, progress: Progress = lambda _done, _total: None
    ) -> CodedFile:
        """Compress a file.

        Args:
            order: which, and where to.
            verify: whether the outcome is decoded and compared before it counts.
            progress: see `Progress`.

        Raises:
            InputError: the file cannot be read, or the output cannot be written.
            RunError: it could not be written to its end, or came out differently when it was decoded.

        """
        started = time.perf_counter()
        order.check()
        with read_from(order, self.stdin) as (source, like):
            size = None if like is None else like.st_size
            total = size if size is None or not verify else 2 * size
            with written_to(order, self.stdout, like, directly=not verify) as sink:
                sizes = write(self._coder(), source, sink, progress=lambda so_far: progress(so_far.data_bytes, total))
                if verify:
                    self._verify(sink, source, sizes, progress)
                require_unchanged(order, like)
        return _done(order, sizes, started)

    def decompress(self, order: Order, *, progress: Progress = lambda _done, _total: None) -> CodedFile:
        """Decompress a file.

        Args:
            order: which, and where to.
            progress: see `Progress`.

        Raises:
            InputError: it is none that this model has compressed, it is damaged, it cannot be read, or the output
                cannot be written.
            RunError: the output could not be written to its end.

        """
        started = time.perf_counter()
        order.check()
        with read_from(order, self.stdin) as (source, like):
            total = None if like is None else like.st_size
            with written_to(order, self.stdout, like) as sink:
                try:
                    sizes = read(
                        self._coder(), source, sink, progress=lambda so_far: progress(so_far.file_bytes, total)
                    )
                except InputError as error:
                    raise InputError(f"cannot decompress {order.name}", remedy=str(error)) from None
                require_unchanged(order, like)
        return _done(order, sizes, started)

    def compile(self) -> None:
        """Compile the loops, which takes seconds once, so that it is not taken for the speed of coding."""
        decompress(self.predictor, compress(self.predictor, b"\0", num_slots=BUCKET), num_slots=BUCKET)

    def _coder(self) -> StreamCoder:
        return StreamCoder(self.predictor, num_slots=self.num_slots)

    def _verify(self, written: Any, source: Reading, sizes: Sizes, progress: Progress) -> None:
        """Decode what was written, and raise `RunError` unless it is what was read."""
        written.flush()
        digest, total = Digest(), 2 * sizes.data_bytes

        def advance(so_far: Sizes) -> None:
            progress(sizes.data_bytes + so_far.data_bytes, total)

        with open(written.name, "rb") if isinstance(written.name, str) else contextlib.nullcontext(written) as file:
            file.seek(0)
            try:
                read(self._coder(), file, digest, progress=advance)
            except InputError:
                digest = None
        if digest is None or digest.digest != source.digest:
            raise RunError(
                f"{source.name} comes out differently when it is decoded, so it was not compressed: look for faulty "
                "memory, or report it"
            )


def _done(order: Order, sizes: Sizes, started: float) -> CodedFile:
    """Remove the file where that was asked for, and say what became of it."""
    if order.removes:
        try:
            os.unlink(order.path)
        except OSError as error:
            raise RunError(
                f"{order.output} is whole, but {order.path} cannot be removed ({reason_of(error)}): remove it yourself"
            ) from None
    return CodedFile(
        path=order.path,
        output=order.output,
        data_bytes=sizes.data_bytes,
        compressed_bytes=sizes.file_bytes,
        seconds=time.perf_counter() - started,
    )
