"""What `up compress` and `up decompress` are asked to do, looked at before any byte is coded; as gzip does it.

    up compress notes.txt          writes notes.txt.up, with the same permissions and times, and removes notes.txt
    up decompress notes.txt.up     the other way round

Limits: owner and extended attributes are not kept. A file that appears under the name of an output after the look is
replaced.
"""

import dataclasses
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from up.coding.container import SUFFIX
from up.errors import InputError
from up.runs.files import reason_of
from up.use.score import STDIN

STDOUT = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """One file to read, and where to write.

    Attributes:
        path: of the file; `STDIN` is standard input.
        output: where to; `STDOUT` is standard output.
        removes: whether the file is removed afterwards.
        force: whether a file that is there is replaced.

    """

    path: str
    output: str
    removes: bool = False
    force: bool = False

    @property
    def name(self) -> str:
        """What to call the file."""
        return "standard input" if self.path == STDIN else self.path

    @property
    def output_name(self) -> str:
        """What to call where it goes."""
        return "standard output" if self.output == STDOUT else self.output

    @property
    def replaces(self) -> bool:
        """Whether what is written is a file, which appears in one step, and not a stream such as a pipe or a device."""
        return self.output != STDOUT and (os.path.isfile(self.output) or not os.path.exists(self.output))

    def check(self) -> None:
        """Look once more, for an earlier order may have changed what there is.

        Raises:
            InputError: the file is none or cannot be read, or the output is there.

        """
        if self.path != STDIN:
            _require_file(self.path)
        if self.output != STDOUT:
            _require_free(self)


def compression_orders(
    paths: Sequence[str], *, output: str | None = None, keep: bool = False, force: bool = False
) -> list[Order]:
    """Return what to do to compress files.

    Args:
        paths: files, or `STDIN`.
        output: where to, for one file; it is then kept. By default beside it, and `STDOUT` for `STDIN`.
        keep: whether files are kept.
        force: whether files that are there are replaced.

    Raises:
        InputError: a file that cannot be taken, is compressed already, or whose output is there.

    """
    return _orders(paths, _compressed_name, output=output, keep=keep, force=force)


def decompression_orders(
    paths: Sequence[str], *, output: str | None = None, keep: bool = False, force: bool = False
) -> list[Order]:
    """Return what to do to decompress files; see `compression_orders`.

    Raises:
        InputError: a file that cannot be taken, whose name does not say its own, or whose output is there.

    """
    return _orders(paths, _decompressed_name, output=output, keep=keep, force=force)


def _orders(
    paths: Sequence[str], name_of: Callable[[str], str], *, output: str | None, keep: bool, force: bool
) -> list[Order]:
    if output is not None and len(paths) != 1:
        raise InputError("one output for several files", received=output, remedy="leave it out, or name one file")
    repeated = [path for place, path in enumerate(paths) if path in paths[:place]]
    if repeated:
        raise InputError("a file is named twice", received=repeated[0], remedy="name it once")
    orders = []
    for path in paths:
        if path == STDIN or output is not None:
            order = Order(path=path, output=STDOUT if output is None else output, force=force)
        else:
            order = Order(path=path, output=name_of(path), removes=not keep, force=force)
        order.check()
        orders.append(order)
    return orders


def _compressed_name(path: str) -> str:
    if path.endswith(SUFFIX):
        raise InputError(
            f"the file ends in {SUFFIX} already", received=path, remedy="leave it out, or give a name with --output"
        )
    return path + SUFFIX


def _decompressed_name(path: str) -> str:
    name = path.removesuffix(SUFFIX)
    if name == path or not os.path.basename(name):
        raise InputError(
            f"the name of the file does not end in {SUFFIX}, so that its own is unknown",
            received=path,
            remedy="give one with --output",
        )
    return name


def _require_file(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode):
            kinds = {stat.S_IFLNK: "a symbolic link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
            raise InputError(
                f"this is {kinds.get(stat.S_IFMT(mode), 'a device')} and no file",
                received=path,
                remedy=f"name a file; {STDIN} is standard input",
            )
        with Path(path).open("rb"):
            pass
    except FileNotFoundError:
        raise InputError("there is no such file", received=path, remedy="check the path") from None
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise unreadable(error, path) from None


def _require_free(order: Order) -> None:
    output = Path(order.output)
    try:
        output.lstat()
    except FileNotFoundError:
        if not output.parent.is_dir():
            raise InputError(
                "the output has no folder to go to", received=order.output, remedy="make the folder first"
            ) from None
        return
    except (OSError, ValueError) as error:  # a name that is too long
        raise unwritable(error, order.output) from None
    if output.is_dir():
        raise InputError("the output is a folder", received=order.output, remedy="name a file in it")
    if order.path != STDIN and output.exists() and os.path.samefile(order.path, output):
        raise InputError("the output is the file itself", received=order.output, remedy="give another name")
    if order.replaces and not order.force:
        raise InputError("the output exists already", received=order.output, remedy="move it away, or give --force")


def unreadable(error: Exception, path: str) -> InputError:
    """Return the line that says why a file cannot be read."""
    return InputError(
        f"cannot read the file ({reason_of(error)})", received=path, remedy="check the path and its permissions"
    )


def unwritable(error: Exception, path: str) -> InputError:
    """Return the line that says why a file cannot be written, and never could."""
    return InputError(f"cannot write the output ({reason_of(error)})", received=path, remedy="give another --output")
