"""The real data sets of Bloem (2025), section 6.1: what they are, and where their files lie.

A file is looked for by its natural name in one folder: the one that is given (`--data-dir`), else that of the
environment variable `UP_DATA_DIR`, else the user's cache folder as the platform has it. `up.data.real_texts` reads it
and checks that it is the set; `up.data.download` gets it.

Limits: `linux` cannot be downloaded from here; an archive of the kernel has no lasting SHA-256.
"""

import dataclasses
import os
from pathlib import Path

from up.errors import InputError

DATA_DIR_VARIABLE = "UP_DATA_DIR"


@dataclasses.dataclass(frozen=True, kw_only=True)
class RealSet:
    """One of the paper's real data sets.

    Attributes:
        title: what it is, in words.
        licence: under which its text may be used.
        files: names that it may have in a data folder, the best one first.
        address: where it is downloaded from; None: it has to be put there by hand.
        size_bytes: of the whole; None: it may have any length.
        sha256: of the whole, in hexadecimal.
        characters: of the training and the validation part; None: the split is 90, 5 and 5 % of the bytes.
        prefix_bytes: as many bytes prove a shorter file to be a prefix; None: the whole is needed.
        prefix_sha256: of these bytes.
        most_bytes: cut there, if it is longer.
        opening: where the text begins in what is downloaded, if there is something around it.
        closing: where it ends.

    """

    title: str
    licence: str
    files: tuple[str, ...]
    address: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    characters: tuple[int, int] | None = None
    prefix_bytes: int | None = None
    prefix_sha256: str | None = None
    most_bytes: int | None = None
    opening: str = ""
    closing: str = ""


REAL_SETS = {
    "wp": RealSet(
        title="enwik8, the first 100,000,000 bytes of the English Wikipedia of 2006 (the Hutter prize)",
        licence="GFDL and CC BY-SA 3.0, by the authors of Wikipedia",
        files=("enwik8", "enwik8.zip", "enwik8-head.bin"),
        address="https://mattmahoney.net/dc/enwik8.zip",
        size_bytes=100_000_000,
        sha256="2b49720ec4d78c3c9fabaee6e4179a5e997302b3a70029f30f2d582218c024a8",
        prefix_bytes=1_000_000,
        prefix_sha256="369b688978f649681136198fb96db14c1616756260c55fb4b65e9bc049552cad",
    ),
    "german": RealSet(
        title="Die Frauenfrage by Lily Braun, 1901 (Project Gutenberg 14075), without what Gutenberg put around it",
        licence="public domain in the USA and where copyright ends 70 years after the author's death (1916)",
        files=("german.txt",),
        address="https://www.gutenberg.org/cache/epub/14075/pg14075.txt",
        size_bytes=1_238_467,
        sha256="01384218ca2ec8e0ee44a23c0eb1869f33129b7957a125bf3d102577aeca2c2f",
        characters=(800_000, 200_000),
        opening="Die Frauenfrage\n\nihre geschichtliche Entwicklung",
        closing="Arbeitslosen-Versicherung und der Bekämpfung der Arbeitslosigkeit.\nBerlin 1901.\n",
    ),
    "code": RealSet(
        title="the minified JavaScript of D3.js 7.9.0",
        licence="ISC, copyright 2010-2023 Mike Bostock",
        files=("d3.min.js",),
        address="https://cdn.jsdelivr.net/npm/d3@7.9.0/dist/d3.min.js",
        size_bytes=279_706,
        sha256="f2094bbf6141b359722c4fe454eb6c4b0f0e42cc10cc7af921fc158fceb86539",
        characters=(170_000, 40_000),
    ),
    "linux": RealSet(
        title="25,000,000 bytes of the Linux kernel's tree (the paper: commit dd83757f6e), files in hashed order",
        licence="GPL-2.0 with the Linux syscall note, by the authors of the kernel",
        files=("linux", "linux.txt"),
        most_bytes=25_000_000,
    ),
}


def data_folder(given: Path | None = None) -> Path:
    """Return where the files of the real data sets lie: the folder given, else `UP_DATA_DIR`, else the user's cache."""
    if given is not None:
        return given
    if os.environ.get(DATA_DIR_VARIABLE):
        return Path(os.environ[DATA_DIR_VARIABLE])
    import platformdirs

    return platformdirs.user_cache_path("universal-pretraining", appauthor=False) / "data"


def real_set(name: str) -> RealSet:
    """Return the set of a name; raises `InputError` if there is none."""
    if name not in REAL_SETS:
        raise InputError("no real data set has this name", received=name, remedy=f"use {', '.join(REAL_SETS)}")
    return REAL_SETS[name]


def find_real_set(name: str, folder: Path) -> Path | None:
    """Return the best file, or folder, of a set that lies in a data folder; None if there is none.

    Raises:
        InputError: no set has this name.

    """
    found = (folder / file for file in real_set(name).files)
    return next((path for path in found if os.path.lexists(path)), None)


def require_real_set(name: str, folder: Path) -> Path:
    """Return the same, and raise `InputError` if there is none."""
    real, found = real_set(name), find_real_set(name, folder)
    if found is None:
        get = f"get it with up data get {name}, or " if real.address else ""
        raise InputError(
            f"{name} is not here: there is no {' or '.join(real.files)}",
            received=str(folder),
            remedy=f"{get}name the folder that has it with --data-dir or {DATA_DIR_VARIABLE}; "
            "stdlib, pydoc and the synthetic sets are always here",
        )
    return found
