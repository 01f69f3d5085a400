"""Bytes to predict zero-shot: two corpora that every Python brings along, the synthetic sets, any file or folder.

`stdlib` is code: the sources of the running Python's standard library. `pydoc` is English: the language reference that
`help()` prints. Neither needs a download. As in section 6.1 of Bloem (2025), a corpus is one long string of bytes, byte
values are the tokens, and evaluation cuts slices of the context length out of it. The synthetic sets of that section
have names, too: `up.data.synthetic`, which also says on which of them a choice may be made.

The files of a folder are joined in the order of the SHA-256 of their relative paths, so that no topic dominates one
region: the order is the same on every machine, and neighbours have nothing to do with each other.

A text is its bytes: two corpora are the same if their lengths and SHA-256 are, whatever they are called and wherever
they lie.

Limits: a corpus is held in memory. The bytes of the two embedded corpora depend on the version of Python.
"""

import dataclasses
import functools
import hashlib
import os
import platform
import stat
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theory.words import findable, number_of
from up.config import require_positive
from up.data.synthetic import SYNTHETIC_SETS, synthetic_text
from up.errors import InputError

EMBEDDED_CORPORA = ("stdlib", "pydoc")

# Folders of the standard library's directory that are not its sources: installed packages, tests (text made up to be
# parsed), the other corpus.
_NOT_STDLIB = {"site-packages", "dist-packages", "test", "tests", "idle_test", "pydoc_data", "__pycache__"}
# Generated when Python is built; it holds that machine's paths and compiler flags.
_GENERATED = "_sysconfigdata"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """One long string of bytes.

    Attributes:
        name: `stdlib`, `pydoc`, a synthetic set, or the path as the user wrote it.
        data: the bytes, read-only, uint8 of shape (size_bytes,).
        source: where they come from, in words, such as `732 files of Python 3.11.7's standard library`; these do not
            depend on where a file or folder of this name lies.
        place: the file or folder that was read, as an absolute path; None for an embedded corpus.

    """

    name: str
    data: npt.NDArray[np.uint8]
    source: str
    place: Path | None = None

    @property
    def size_bytes(self) -> int:
        """Length of the corpus in bytes."""
        return self.data.size

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data.data).hexdigest()


def load_corpus(name_or_path: str, *, place: Path | None = None) -> Corpus:
    """Load an embedded corpus or a synthetic set by name, or the bytes of any file or folder.

    A folder is read recursively. Hidden files and folders are skipped, and so are symbolic links to folders, which
    rules out loops. A name wins over a path: write `./stdlib` for a folder of that name.

    Args:
        name_or_path: of the corpus.
        place: where the bytes lie now; None: they are embedded, or lie where the name says.

    Raises:
        InputError: an unknown name that is no path either, a file or folder without bytes, or one that cannot be read.

    """
    if name_or_path == "stdlib" and place is None:
        return _load_stdlib()
    if name_or_path == "pydoc" and place is None:
        return _load_pydoc()
    if name_or_path in SYNTHETIC_SETS and place is None:
        return _corpus(name_or_path, synthetic_text(name_or_path), f"synthetic set {name_or_path} (Bloem 2025)")
    name, path = Path(name_or_path), Path(findable(str(place or name_or_path)))
    try:
        if not name_or_path:  # Path("") is the working directory
            raise FileNotFoundError
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character
        raise _no_data("no such data", str(place or name_or_path)) from None
    except OSError as error:
        raise _unreadable(error, path) from error
    if stat.S_ISDIR(mode):
        files = _order(path, _walk(path))
        data, source = _join(map(_read, files)), f"{number_of(len(files), 'file')} of the folder {name}"
    elif stat.S_ISREG(mode):
        data, source = _read(path), f"the file {name}"
    else:
        raise _no_data("the data is neither a file nor a folder", str(place or name_or_path))
    return _corpus(name_or_path, data, source, place=path.absolute())


def sample_slices(
    corpus: Corpus, *, num_slices: int, length: int, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Cut slices at starting points drawn uniformly and with replacement; slices may overlap.

    Section 6.1: the whole corpus is one string, so a slice may begin anywhere and span two files.

    Returns:
        uint8 of shape (num_slices, length).

    Raises:
        InputError: the corpus is shorter than a slice, or a number is not positive.

    """
    require_positive("sample_slices", num_slices=num_slices, length=length)
    if corpus.size_bytes < length:
        raise InputError(
            f"the data {corpus.name} has {number_of(corpus.size_bytes, 'byte')}, fewer than a slice of {length:,}",
            remedy="give more data or use a shorter context",
        )
    starts = generator.integers(corpus.size_bytes - length + 1, size=num_slices)
    return np.lib.stride_tricks.sliding_window_view(corpus.data, length)[starts]


def _load_stdlib() -> Corpus:
    root = Path(sysconfig.get_path("stdlib"))
    files = [file for file in _walk(root, skip=_NOT_STDLIB) if file.suffix == ".py"]
    files = _order(root, (file for file in files if not file.name.startswith(_GENERATED)))
    source = f"{number_of(len(files), 'file')} of Python {platform.python_version()}'s standard library"
    return _corpus("stdlib", _join(map(_read, files)), source)


def _load_pydoc() -> Corpus:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise InputError(
            "this Python was installed without pydoc_data", remedy="use stdlib or the path of a text"
        ) from None
    texts = [topics[topic] for topic in sorted(topics) if isinstance(topics[topic], str)]
    source = f"{number_of(len(texts), 'topic')} of Python {platform.python_version()}'s language reference"
    return _corpus("pydoc", _join(text.encode() for text in texts), source)


def _corpus(name: str, data: bytes, source: str, *, place: Path | None = None) -> Corpus:
    if not data:
        raise InputError("the data has no bytes", received=name, remedy="give a file or folder with some text in it")
    return Corpus(name=name, data=np.frombuffer(data, dtype=np.uint8), source=source, place=place)


def _walk(root: Path, *, skip: Iterable[str] = ()) -> Iterator[Path]:
    """Yield the regular files below a folder, without hidden ones and without following links to folders."""

    def refuse(error: OSError) -> None:
        raise _unreadable(error, Path(error.filename or root)) from error

    skip = frozenset(skip)
    for folder, folders, names in os.walk(root, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in skip]
        for name in names:
            file = Path(folder, name)
            if not name.startswith(".") and file.is_file():
                yield file


def _order(root: Path, files: Iterable[Path]) -> list[Path]:
    def key(file: Path) -> bytes:
        return hashlib.sha256(os.fsencode(file.relative_to(root).as_posix())).digest()

    return sorted(files, key=key)


def _join(texts: Iterable[bytes]) -> bytes:
    """Concatenate, with a newline after a text that lacks one at its end; a single text and an empty one stay as is."""
    parts = [text for text in texts if text]
    return b"".join(text if text.endswith(b"\n") else text + b"\n" for text in parts[:-1]) + b"".join(parts[-1:])


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(error, file) from error


def _no_data(problem: str, name_or_path: str) -> InputError:
    names = f"{' or '.join(EMBEDDED_CORPORA)}, a synthetic set ({', '.join(SYNTHETIC_SETS)})"
    remedy = f"use {names}, or the path of a file or folder"
    return InputError(problem, received=name_or_path, remedy=remedy)


def _unreadable(error: OSError, path: Path) -> InputError:
    return InputError(
        f"cannot read the data: {error.strerror}", received=str(path), remedy="check the path and its permissions"
    )
