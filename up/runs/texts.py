"""The texts that a run is evaluated on: found again wherever one stands, and the same by their content.

A run calls a text as the user wrote it, such as `notes.txt`. Where that was, how long it was and its SHA-256 stand in
`provenance.json`, in the entry of each process that worked on the run (field `texts`). A process that goes on looks
there first, then where the name says, seen from the folder in which it was started; what it finds must be the same
bytes.

`stdlib` and `pydoc` change with the version of Python, which is seldom the user's to choose: a run whose Python was
upgraded goes on with the new ones and a warning. Rows of another text have another SHA-256, so that its curve breaks
and nothing is subtracted across the break.

Limits: where the provenance was removed, nothing is known of the texts, and each is looked for where its name says.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from theory.words import findable
from up.config import from_dict
from up.data.corpora import EMBEDDED_CORPORA, Corpus, is_named, load_corpus
from up.data.parts import name_and_part
from up.errors import InputError

_SHOWN_DIGITS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextRecord:
    """What a run remembers of a text.

    Attributes:
        name: of the corpus (`up.data.corpora`), or the path as the user wrote it; with a part, if it is one.
        place: where it lay, as an absolute path; None for an embedded corpus.
        size_bytes: its length.
        sha256: of its bytes, in hexadecimal.
    """

    name: str
    place: str | None
    size_bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Entry:
    texts: tuple[TextRecord, ...]


def record_of(corpus: Corpus) -> TextRecord:
    """Return what to remember of a corpus."""
    place = None if corpus.place is None else str(corpus.place)
    return TextRecord(name=corpus.name, place=place, size_bytes=corpus.size_bytes, sha256=corpus.sha256)


def recorded_texts(provenance: Sequence[Mapping[str, Any]]) -> dict[str, TextRecord]:
    """Return by their names the texts of the process that worked on a run last; none of a run of an earlier version.

    Raises:
        InputError: the entry holds something else.
    """
    entry = next((entry for entry in reversed(provenance) if "texts" in entry), {"texts": ()})
    try:
        return {text.name: text for text in from_dict(_Entry, {"texts": entry["texts"]}).texts}
    except InputError as error:
        raise InputError(
            f"provenance.json does not say what the run is evaluated on ({error})", remedy="restore the file"
        ) from None


def load_texts(
    names: Sequence[str],
    recorded: Mapping[str, TextRecord],
    *,
    places: Mapping[str, Path] | None = None,
    data_dir: Path | None = None,
) -> tuple[Corpus, ...]:
    """Load the texts of a run.

    Args:
        names: of the texts, as the configuration has them.
        recorded: what the run remembers of them.
        places: where some of them are now, by their names.
        data_dir: where the real data sets are looked for (`up.data.real_sets.data_folder`).

    Raises:
        InputError: a text that is neither where it was nor where its name says, or cannot be read; a place of something
            that is no text of the run.
    """
    places = places or {}
    for name in places:
        if name not in names:
            raise InputError(
                "the run is evaluated on no text of this name",
                received=name,
                remedy=f"name one of {', '.join(names)}" if names else "leave it out",
            )
    return tuple(_load(name, recorded.get(name), places.get(name), data_dir) for name in names)


def texts_that_changed(corpora: Sequence[Corpus], recorded: Mapping[str, TextRecord]) -> dict[str, str]:
    """Return by their names the texts that are not what the run remembers, each with both SHA-256 in words."""
    pairs = [(corpus, recorded[corpus.name]) for corpus in corpora if corpus.name in recorded]
    return {
        corpus.name: f"its SHA-256 was {_seal(then)}, and is {_seal(corpus)}"
        for corpus, then in pairs
        if corpus.sha256 != then.sha256
    }


def require_same_texts(
    corpora: Sequence[Corpus], recorded: Mapping[str, TextRecord], *, changed_data: bool = False
) -> list[str]:
    """Refuse to go on with a text of the user's that has changed.

    Args:
        corpora: the texts as they are now.
        recorded: as the run remembers them.
        changed_data: go on nevertheless.

    Returns:
        A warning for each text that has changed and is gone on with.

    Raises:
        InputError: a text has changed that is not embedded in Python.
    """
    changes = texts_that_changed(corpora, recorded)
    for corpus in corpora:
        if corpus.name in changes and corpus.place is not None and not changed_data:
            raise InputError(
                f"the text {corpus.name} that the run is evaluated on has changed: {changes[corpus.name]}",
                received=str(corpus.place),
                remedy=f"restore it, say where it is now with --data-at {corpus.name}=PATH, "
                "or let its curve break with --changed-data",
            )
    return [
        f"{name} is another text than before{', as it depends on the version of Python' * (name in EMBEDDED_CORPORA)}: "
        f"{change}; its curve breaks here"
        for name, change in changes.items()
    ]


def _load(name: str, recorded: TextRecord | None, place: Path | None, data_dir: Path | None) -> Corpus:
    if place is not None or recorded is None or recorded.place is None:
        return load_corpus(name, place=place, data_dir=data_dir)
    if os.path.lexists(findable(recorded.place)):
        return load_corpus(name, place=Path(recorded.place))
    if is_named(name):
        return load_corpus(name, data_dir=data_dir)
    for path in (name, name_and_part(name)[0]):
        if os.path.lexists(path):
            return load_corpus(name, place=Path(path))
    raise InputError(
        f"the text {name} is not where the run found it",
        received=recorded.place,
        remedy=f"say where it is now with --data-at {name}=PATH, or in up eval with --data PATH",
    )


def _seal(text: Corpus | TextRecord) -> str:
    unit = "byte" if text.size_bytes == 1 else "bytes"
    return f"{text.sha256[:_SHOWN_DIGITS]}... ({text.size_bytes:,} {unit})"
