"""Getting a real data set: a download that goes on where it was interrupted, and is checked before it counts.

What has arrived lies in `NAME.part` beside where the file will be. The next attempt asks for the rest (HTTP `Range`); a
server that sends everything nevertheless is read from the beginning. Only when the text has the length and SHA-256 of
the set is it written, whole or not at all, under its own name. What does not is kept as `NAME.wrong`, so that one can
look at it.

`enwik8.zip` is unpacked. Of the German book, what Project Gutenberg put around the text is cut off, line ends become
newlines, and a byte order mark stands at the beginning, as in the set.

Limits: one attempt; whoever calls decides to try again. That the address of `german` still leads to a text that becomes
the set can be checked by its SHA-256 only.
"""

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from theory.words import number_of
from up.data.real_sets import RealSet, find_real_set, real_set
from up.data.real_texts import read_real_set, unzip
from up.errors import InputError

Progress = Callable[[int, int | None], None]

_TIMEOUT_SECONDS = 30
_BLOCK_BYTES = 1 << 16
_AGENT = "universal-pretraining"


def get_real_set(name: str, folder: Path, *, progress: Progress | None = None) -> Path:
    """Return where a real data set lies as a whole; download it first if it does not.

    Args:
        name: a key of `REAL_SETS`.
        folder: where its file belongs; made if there is none.
        progress: called with the bytes that have arrived, and those in all if they are known.

    Raises:
        InputError: no such set or none that can be downloaded, a folder that cannot be written to, no network, a
            download that was interrupted, a text that is not the set.

    """
    real, found = real_set(name), find_real_set(name, folder)
    if found is not None and not read_real_set(name, found).is_prefix:
        return found
    if real.address is None:
        raise InputError(
            f"{name} cannot be downloaded",
            received=str(folder),
            remedy=f"put {' or '.join(real.files)} there: see up data list",
        )
    with _alone(folder, name):
        return _get(name, real, real.address, folder, progress)


def _get(name: str, real: RealSet, address: str, folder: Path, progress: Progress | None) -> Path:
    part, target = folder / f"{name}.part", folder / real.files[0]
    _fetch(name, address, part, progress)
    try:
        data = _text_of(real, part)
        digest = hashlib.sha256(data).hexdigest()
        said = f"its SHA-256 is {digest}, not {real.sha256}" if digest != real.sha256 else ""
    except ValueError as error:
        data, said = b"", str(error)
    with _writing(folder):
        if said:
            wrong = folder / f"{name}.wrong"
            os.replace(part, wrong)
            raise InputError(
                f"what was downloaded is not {name}: {said}",
                received=address,
                remedy=f"it is kept as {wrong}; try again later, or put {real.files[0]} there by hand",
            )
        whole = folder / f"{name}.whole"
        whole.write_bytes(data)
        os.replace(whole, target)
        part.unlink()
    return target


def _fetch(name: str, address: str, part: Path, progress: Progress | None) -> None:
    """Let the file grow to what the address leads to."""
    total = None
    with _writing(part.parent):
        file = part.open("ab")
    with file:
        try:
            response, total = _open(address, file)
            if response is not None:
                with response:
                    _copy(response, file, total, progress)
        except urllib.error.HTTPError as error:
            raise _not_there(name, address, f"the server answers {error.code} {error.reason}") from None
        except urllib.error.URLError as error:
            raise _not_there(name, address, _reason(error.reason)) from None
        except (http.client.HTTPException, OSError) as error:
            raise _interrupted(name, address, file.tell(), total, _reason(error)) from None
        finally:
            if not file.tell():
                part.unlink()
        if total is not None and file.tell() < total:
            raise _interrupted(name, address, file.tell(), total, "the connection ended")


def _open(address: str, file: BinaryIO) -> tuple[http.client.HTTPResponse | None, int | None]:
    """Ask for what the file lacks; return the answer, and the length of the whole if it is known.

    The file is emptied if the answer begins at the beginning. There is no answer if the file lacks nothing.
    """
    arrived = file.tell()
    request = urllib.request.Request(address, headers={"User-Agent": _AGENT})
    if arrived:
        request.add_header("Range", f"bytes={arrived}-")
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not arrived:
            raise
        if error.headers.get("Content-Range") == f"bytes */{arrived}":
            return None, arrived
        return _open_anew(address, file)
    range_said = response.headers.get("Content-Range", "")
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        if not range_said.startswith(f"bytes {arrived}-"):  # of another place than was asked for
            response.close()
            if not arrived:
                raise http.client.HTTPException("the server answers with a part that was not asked for")
            return _open_anew(address, file)
        length = range_said.rpartition("/")[2]
    else:
        _empty(file)
        length = response.headers.get("Content-Length", "")
    return response, int(length) if length.isdecimal() else None


def _open_anew(address: str, file: BinaryIO) -> tuple[http.client.HTTPResponse | None, int | None]:
    _empty(file)
    return _open(address, file)


def _empty(file: BinaryIO) -> None:
    file.seek(0)
    file.truncate()


def _copy(response: http.client.HTTPResponse, file: BinaryIO, total: int | None, progress: Progress | None) -> None:
    while block := response.read(_BLOCK_BYTES):
        with _writing(Path(file.name).parent):
            file.write(block)
        if progress is not None:
            progress(file.tell(), total)


def _text_of(real: RealSet, part: Path) -> bytes:
    """Return the bytes of the set that a download holds; raises `ValueError` if it cannot hold them."""
    if real.address is not None and real.address.endswith(".zip"):
        try:
            return unzip(part, real)
        except InputError:
            raise ValueError(f"it is no archive with {real.files[0]} in it") from None
    data = part.read_bytes()
    if not real.opening:
        return data
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        start = text.index(real.opening)
        end = text.index(real.closing, start) + len(real.closing)
    except ValueError:  # UnicodeDecodeError is one
        raise ValueError("its text does not begin and end as the set does") from None
    return text[start:end].encode("utf-8-sig")


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Turn an error of the disk into a line that names the folder."""
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cannot write to the data folder: {error.strerror}",
            received=str(folder),
            remedy="name another one with --data-dir or UP_DATA_DIR",
        ) from None


@contextlib.contextmanager
def _alone(folder: Path, name: str) -> Iterator[None]:
    """Keep other processes out, or raise if one is in."""
    lock = FileLock(folder / f"{name}.lock", timeout=0)
    with _writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except Timeout:
            raise InputError(
                f"another process is getting {name}", received=str(folder), remedy="wait until it is done"
            ) from None
    try:
        yield
    finally:
        lock.release()


def _not_there(name: str, address: str, reason: str) -> InputError:
    return InputError(
        f"{name} cannot be downloaded: {reason}",
        received=address,
        remedy="try again later, or put the file into the data folder (up data list); "
        "without a network there are stdlib, pydoc and the synthetic sets",
    )


def _interrupted(name: str, address: str, arrived: int, total: int | None, reason: str) -> InputError:
    after = number_of(arrived, "byte") if total is None else f"{arrived:,} of {number_of(total, 'byte')}"
    return InputError(
        f"the download of {name} was interrupted after {after} ({reason})",
        received=address,
        remedy=f"run up data get {name} again: it goes on from there",
    )


def _reason(error: object) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
