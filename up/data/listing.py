"""What there is to say of each corpus that has a name, without reading it."""

import dataclasses
from pathlib import Path

from theory.words import docstring_of
from up.data.embedded import EMBEDDED_CORPORA
from up.data.entropy_rates import entropy_rate_bits
from up.data.real_sets import REAL_SETS, RealSet, find_real_set
from up.data.synthetic import SYNTHETIC_SETS

_EMBEDDED_TITLES = {
    "stdlib": "the sources of Python's standard library",
    "pydoc": "the language reference of Python, English",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListedCorpus:
    """One corpus that has a name.

    Attributes:
        name: as `load_corpus` takes it.
        kind: `embedded` in Python, `synthetic` or `real`.
        title: what it is.
        selection: whether a choice may be made on all of it; of a real one, only on its validation part.
        entropy_rate_bits: bits per character that the best predictor needs; None where nobody knows.
        is_here: whether it can be read now.
        path: of the file, or folder, of a real one that is here.
        is_prefix: whether that file is shorter than the set.
        files: names that it may have in the data folder.
        licence: of a real one.
        address: where a real one is downloaded from; None if it is not.
        size_bytes: of the whole, of a real one of one length.
        sha256: of the whole, likewise.

    """

    name: str
    kind: str
    title: str
    selection: bool
    entropy_rate_bits: float | None = None
    is_here: bool = True
    path: Path | None = None
    is_prefix: bool = False
    files: tuple[str, ...] = ()
    licence: str | None = None
    address: str | None = None
    size_bytes: int | None = None
    sha256: str | None = None


def listed_corpora(folder: Path) -> tuple[ListedCorpus, ...]:
    """Return all of them: embedded, synthetic, real; these with what lies in a data folder."""
    embedded = (
        ListedCorpus(name=name, kind="embedded", title=_EMBEDDED_TITLES[name], selection=True)
        for name in EMBEDDED_CORPORA
    )
    synthetic = (
        ListedCorpus(
            name=name,
            kind="synthetic",
            title=docstring_of(each.draw).partition("\n")[0].rstrip("."),
            selection=each.selection,
            entropy_rate_bits=entropy_rate_bits(name),
        )
        for name, each in SYNTHETIC_SETS.items()
    )
    return (*embedded, *synthetic, *(listed_real_set(name, folder) for name in REAL_SETS))


def listed_real_set(name: str, folder: Path) -> ListedCorpus:
    """Return what there is to say of a real data set, a key of `REAL_SETS`."""
    real, found = REAL_SETS[name], find_real_set(name, folder)
    return ListedCorpus(
        name=name,
        kind="real",
        title=real.title,
        selection=False,
        is_here=found is not None,
        path=None if found is None else found.absolute(),
        is_prefix=found is not None and _is_prefix(real, found),
        files=real.files,
        licence=real.licence,
        address=real.address,
        size_bytes=real.size_bytes,
        sha256=real.sha256,
    )


def _is_prefix(real: RealSet, found: Path) -> bool:
    if real.prefix_bytes is None or real.size_bytes is None or found.suffix == ".zip" or not found.is_file():
        return False
    return found.stat().st_size < real.size_bytes
