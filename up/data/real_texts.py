"""Reading the files of the real data sets, and checking that these are theirs.

A file whose length or SHA-256 is not that of the set is refused.

`wp` may be a prefix: a file that is shorter than enwik8 and begins with its first 1,000,000 bytes. It is split in the
proportions of the whole, and is called a prefix wherever a figure on it is shown. Beyond the first 1,000,000 bytes it
cannot be checked.

`linux` has no file that one could check: it depends on the order in which the files of the kernel are joined. Here that
is the order of `up.data.folders`, up to 25,000,000 bytes, and the split is in proportion.

Deviation: the paper takes the first 25 megabytes of the kernel in the order of an archive, which are nearly all
documentation; the published code also writes each run of white space as one space, and splits at fixed places, which
may leave the test part empty.
"""

import dataclasses
import hashlib
import stat
import zipfile
import zlib
from pathlib import Path

import numpy as np

from theory.words import findable, number_of
from up.data.folders import in_hashed_order, join, read_file, unreadable, walk
from up.data.parts import Bounds, bounds_in_characters, proportional_bounds
from up.data.real_sets import REAL_SETS, RealSet
from up.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class RealText:
    """The bytes of a real data set.

    Attributes:
        data: its bytes.
        source: what they are, in words; where they lie does not matter.
        bounds: of its parts.
        is_prefix: whether they are only the beginning of the set.

    """

    data: bytes
    source: str
    bounds: Bounds
    is_prefix: bool = False


def read_real_set(name: str, place: Path) -> RealText:
    """Read a set from its file and check that it is this set.

    Args:
        name: a key of `REAL_SETS`.
        place: of the file; for `linux`, of the folder, too.

    Raises:
        InputError: it cannot be read, or is something else.

    """
    real, path = REAL_SETS[name], Path(findable(str(place)))
    try:
        status = path.stat()
    except OSError as error:
        raise unreadable(error, path) from error
    if stat.S_ISDIR(status.st_mode):
        if real.most_bytes is None:
            raise InputError(f"{name} is a file, not a folder", received=str(path), remedy="give the file itself")
        data = _read_tree(path, real.most_bytes)
    elif not stat.S_ISREG(status.st_mode):
        raise InputError("the data is neither a file nor a folder", received=str(path), remedy="give a file")
    elif path.suffix == ".zip":
        data = unzip(path, real)
    elif real.size_bytes is not None and status.st_size > real.size_bytes:
        raise _another(name, path, f"it has {number_of(status.st_size, 'byte')}, not {real.size_bytes:,}")
    else:
        data = read_file(path)[: real.most_bytes]
    if not data:
        raise InputError("the data has no bytes", received=str(path), remedy="give a file or folder with text in it")
    return _checked(name, real, data, path)


def unzip(path: Path, real: RealSet) -> bytes:
    """Return what an archive holds of a set, whose file is called like the set's first one.

    Raises:
        InputError: it is no such archive.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            member = archive.getinfo(real.files[0])
            if member.file_size != real.size_bytes:
                raise zipfile.BadZipFile(f"{member.filename} has {number_of(member.file_size, 'byte')}")
            return archive.read(member)
    except OSError as error:
        raise unreadable(error, path) from error
    except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(
            f"the archive does not hold {real.files[0]} ({error})",
            received=str(path),
            remedy="move it away and get it again",
        ) from None


def _checked(name: str, real: RealSet, data: bytes, path: Path) -> RealText:
    if real.sha256 is None:
        return RealText(data=data, source=real.title, bounds=proportional_bounds(len(data)))
    if real.prefix_bytes is not None and real.prefix_bytes <= len(data) < (real.size_bytes or 0):
        if (found := _sha256(data[: real.prefix_bytes])) != real.prefix_sha256:
            said = (
                f"the SHA-256 of its first {number_of(real.prefix_bytes, 'byte')} is {found}, not {real.prefix_sha256}"
            )
            raise _another(name, path, said)
        source = f"a prefix of {number_of(len(data), 'byte')} of {real.files[0]}"
        return RealText(data=data, source=source, bounds=proportional_bounds(len(data)), is_prefix=True)
    if (found := _sha256(data)) != real.sha256:
        raise _another(name, path, f"its SHA-256 is {found}, not {real.sha256}")
    if real.characters is None:
        bounds = proportional_bounds(len(data))
    else:
        bounds = bounds_in_characters(np.frombuffer(data, np.uint8), *real.characters)
    return RealText(data=data, source=real.title, bounds=bounds)


def _read_tree(root: Path, most_bytes: int) -> bytes:
    texts, total = [], 0
    for file in in_hashed_order(root, walk(root)):
        if total >= most_bytes:
            break
        texts.append(read_file(file))
        total += len(texts[-1])
    return join(texts)[:most_bytes]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _another(name: str, path: Path, said: str) -> InputError:
    again = f" and run up data get {name}" if REAL_SETS[name].address else ""
    return InputError(f"the file is not {name}: {said}", received=str(path), remedy=f"move it away{again}")
