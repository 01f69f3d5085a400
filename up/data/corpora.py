"""Bytes to predict zero-shot: two corpora that every Python brings along, the paper's data sets, any file or folder.

`stdlib` is code: the sources of the running Python's standard library. `pydoc` is English: the language reference that
`help()` prints. Neither needs a download. As in section 6.1 of Bloem (2025), a corpus is one long string of bytes, byte
values are the tokens, and evaluation cuts slices of the context length out of it. The data sets of that section have
names, too: the synthetic ones (`up.data.synthetic`, which also says on which of them a choice may be made) and the real
ones, which have to be fetched once (`up.data.real_sets`). A part of any corpus is `NAME:training`, `NAME:validation` or
`NAME:test` (`up.data.parts`); a name alone is the whole.

A text is its bytes: two corpora are the same if their lengths and SHA-256 are, whatever they are called and wherever
they lie.

Limits: a corpus is held in memory. The bytes of the two embedded corpora depend on the version of Python.
"""

import dataclasses
import functools
import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import numpy.typing as npt

from theory.words import findable, number_of
from up.config import require_positive
from up.data.embedded import EMBEDDED_CORPORA, embedded_text
from up.data.entropy_rates import entropy_rate_bits
from up.data.folders import in_hashed_order, join, read_file, unreadable, walk
from up.data.parts import PARTS, Bounds, name_and_part, proportional_bounds, slice_of
from up.data.real_sets import REAL_SETS, data_folder, find_real_set, require_real_set
from up.data.real_texts import read_real_set
from up.data.synthetic import SYNTHETIC_SETS, VARIANTS, synthetic_text
from up.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Corpus:
    """One long string of bytes.

    Attributes:
        name: `stdlib`, `pydoc`, a data set of the paper, or the path as the user wrote it; with a part, if it is one.
        data: the bytes, read-only, uint8 of shape (size_bytes,).
        source: where they come from, in words, such as `732 files of Python 3.11.7's standard library`; these do not
            depend on where a file or folder of this name lies.
        place: the file or folder that was read, as an absolute path; None for an embedded corpus.
        bounds: where its parts end, if the set has a split of its own; None: in proportion (`up.data.parts`).
        label: what has to be said wherever a figure on it is shown, such as that it is only a prefix; None: nothing.

    """

    name: str
    data: npt.NDArray[np.uint8]
    source: str
    place: Path | None = None
    bounds: Bounds | None = None
    label: str | None = None

    @property
    def size_bytes(self) -> int:
        """Length of the corpus in bytes."""
        return self.data.size

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data.data).hexdigest()

    @property
    def entropy_rate_bits(self) -> float | None:
        """Bits per character that the best predictor needs, where they are known (`up.data.entropy_rates`)."""
        return entropy_rate_bits(name_and_part(self.name)[0]) if self.place is None else None

    def part(self, part: str) -> "Corpus":
        """Return the training, validation or test part, as a corpus of its own called NAME:PART.

        Raises:
            InputError: there is no such part, or it would be empty.

        """
        if part not in PARTS:
            raise InputError("a corpus has no such part", received=part, remedy=f"use {', '.join(PARTS)}")
        where = slice_of(part, self.size_bytes, self.bounds or proportional_bounds(self.size_bytes))
        if where.start == where.stop:
            raise InputError(
                f"the data is too short to have a {part} part",
                received=f"{self.name}, {number_of(self.size_bytes, 'byte')}",
                remedy="give more data, or all of it by leaving out the part",
            )
        said = f"the {part} part, bytes {where.start:,} to {where.stop:,}, of {self.source}"
        label = None if self.label is None else f"the {part} part of {self.label}"
        name, data = f"{self.name}:{part}", self.data[where]
        return dataclasses.replace(self, name=name, data=data, source=said, bounds=None, label=label)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """A corpus in three: to train on, to choose by, and to test once."""

    training: Corpus
    validation: Corpus
    test: Corpus


def load_parts(name_or_path: str, *, place: Path | None = None, data_dir: Path | None = None) -> Parts:
    """Load the three parts of a corpus: by the published split of its set, or else 90, 5 and 5 % of the bytes.

    Arguments and errors as for `load_corpus`; a name with a part is refused, and data so short that a part is empty.
    """
    name, part = name_and_part(name_or_path)
    if part is not None and not _is_called_so(name_or_path, place):
        raise InputError("a part has no parts", received=name_or_path, remedy=f"name the whole: {name}")
    whole = load_corpus(name_or_path, place=place, data_dir=data_dir)
    return Parts(**{part: whole.part(part) for part in PARTS})


def is_named(name_or_path: str) -> bool:
    """Whether this is the name of a corpus, or of a part of one, and no path."""
    name = name_and_part(name_or_path)[0]
    return name in (*EMBEDDED_CORPORA, *SYNTHETIC_SETS, *VARIANTS, *REAL_SETS)


def every_corpus(data_dir: Path | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of every corpus that is here, and of the real data sets that are not.

    Of the real sets, which are large, the validation and the test part are named, as in the paper.
    """
    folder = data_folder(data_dir)
    here = [name for name in REAL_SETS if find_real_set(name, folder) is not None]
    parts = [f"{name}:{part}" for name in here for part in PARTS[1:]]
    return (*EMBEDDED_CORPORA, *SYNTHETIC_SETS, *parts), tuple(name for name in REAL_SETS if name not in here)


def load_corpus(name_or_path: str, *, place: Path | None = None, data_dir: Path | None = None) -> Corpus:
    """Load an embedded corpus or a data set of the paper by name, or the bytes of any file or folder, or a part of it.

    A folder is read recursively (`up.data.folders`). Hidden files and folders are skipped, and so are symbolic links to
    folders, which rules out loops. A name wins over a path: write `./stdlib` for a folder of that name. A part is named
    behind a colon, `german:test`, unless there is a file that is called so.

    Args:
        name_or_path: of the corpus.
        place: where the bytes lie now; None: they are embedded, or lie where the name says.
        data_dir: folder with the files of the real data sets; None: see `up.data.real_sets.data_folder`.

    Raises:
        InputError: an unknown name that is no path either, a file or folder without bytes, or one that cannot be read;
            a real data set that is not here, or whose bytes are others.

    """
    name, part = name_and_part(name_or_path)
    if part is None or _is_called_so(name_or_path, place):
        return _load_whole(name_or_path, place, data_dir)
    return _load_whole(name, place, data_dir).part(part)


def _is_called_so(name_or_path: str, place: Path | None) -> bool:
    """Whether something that looks like a part is a path as a whole."""
    suffix = name_or_path[name_or_path.rindex(":") :]
    path = findable(str(place or name_or_path))
    return path.endswith(suffix) and not is_named(name_or_path) and os.path.lexists(path)


def _load_whole(name_or_path: str, place: Path | None, data_dir: Path | None) -> Corpus:
    if name_or_path in EMBEDDED_CORPORA and place is None:
        return _corpus(name_or_path, *embedded_text(name_or_path))
    if name_or_path in (*SYNTHETIC_SETS, *VARIANTS) and place is None:
        return _corpus(name_or_path, synthetic_text(name_or_path), f"synthetic set {name_or_path} (Bloem 2025)")
    if name_or_path in REAL_SETS:
        return _load_real(name_or_path, place or require_real_set(name_or_path, data_folder(data_dir)))
    name, path = Path(name_or_path), Path(findable(str(place or name_or_path)))
    try:
        if not name_or_path:  # Path("") is the working directory
            raise FileNotFoundError
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a null character
        raise _no_data("no such data", str(place or name_or_path)) from None
    except OSError as error:
        raise unreadable(error, path) from error
    if stat.S_ISDIR(mode):
        files = in_hashed_order(path, walk(path))
        data, source = join(map(read_file, files)), f"{number_of(len(files), 'file')} of the folder {name}"
    elif stat.S_ISREG(mode):
        data, source = read_file(path), f"the file {name}"
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


def _load_real(name: str, place: Path) -> Corpus:
    text = read_real_set(name, place)
    corpus = _corpus(name, text.data, text.source, place=place.absolute())
    return dataclasses.replace(corpus, bounds=text.bounds, label=text.source if text.is_prefix else None)


def _corpus(name: str, data: bytes, source: str, *, place: Path | None = None) -> Corpus:
    if not data:
        raise InputError("the data has no bytes", received=name, remedy="give a file or folder with some text in it")
    return Corpus(name=name, data=np.frombuffer(data, dtype=np.uint8), source=source, place=place)


def _no_data(problem: str, name_or_path: str) -> InputError:
    names = f"{' or '.join(EMBEDDED_CORPORA)}, a data set of the paper ({', '.join((*SYNTHETIC_SETS, *REAL_SETS))})"
    remedy = f"use {names}, or the path of a file or folder"
    return InputError(problem, received=name_or_path, remedy=remedy)
