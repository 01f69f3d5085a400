"""Slices of real bytes: no random computation, but the upper line to compare it with, and what finetuning trains on.

A corpus, or one part of it, such as `german:training` (`up.data.parts`), is one long string, as in an evaluation; an
instance is a slice that begins anywhere in it, drawn uniformly and with replacement. Bloem 2025, section 6.3.

No model that ships was trained on it, and none can be packed that was. The settings of a run hold the length and the
SHA-256 of the bytes, so that it goes on only with the same.

Limits: the corpus is held in memory.
"""

import dataclasses
import functools
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from theory.words import findable, number_of
from up.data.corpora import Corpus, load_corpus
from up.errors import InputError
from up.sources.base import RowSource
from up.sources.buffer import BufferConfig

_SHOWN_DIGITS = 12


@dataclasses.dataclass(frozen=True, kw_only=True)
class TextSource(RowSource):
    """Settings of slices of real bytes.

    Attributes:
        data: a corpus by its name, or the path of a file or folder; with a part behind a colon as a rule.
        place: where it lies, as an absolute path; None until `resolve` writes it, and for what is embedded.
        size_bytes: length of the part; 0 until `resolve` writes it.
        sha256: of its bytes, in hexadecimal; empty until `resolve` writes it.

    """

    kind: str = "text"
    data: str = "stdlib:training"
    place: str | None = None
    size_bytes: int = 0
    sha256: str = ""

    @property
    def description(self) -> str:
        """What is read, and that it is real."""
        return f"real bytes of {self.data}"

    def resolve(self, device: torch.device) -> "TextSource":  # noqa: ARG002
        """Return the settings with place, length and SHA-256 of the bytes.

        Raises:
            InputError: no such data, or other bytes than those whose SHA-256 is written here.
        """
        corpus = self.loaded()
        place = None if corpus.place is None else str(corpus.place)
        return dataclasses.replace(self, place=place, size_bytes=corpus.size_bytes, sha256=corpus.sha256)

    def require_fit(self, *, context_length: int, batch: int, buffer: BufferConfig) -> None:  # noqa: ARG002
        """Refuse instances longer than the text, as soon as its length is known."""
        if self.sha256 and self.size_bytes < context_length:
            raise self._too_short(context_length)

    def opened(self) -> "TextSource":
        """Return the source with its bytes in memory; raises as `resolve` does."""
        corpus = self.loaded()
        settings = {field.name: getattr(self, field.name) for field in dataclasses.fields(TextSource)}
        return _OpenedText(**{**settings, "size_bytes": corpus.size_bytes, "sha256": corpus.sha256}, corpus=corpus)

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return slices that begin anywhere, (num_rows, num_tokens) uint8."""
        return self.opened().rows(num_rows, num_tokens, generator)

    def _too_short(self, num_tokens: int) -> InputError:
        return InputError(
            f"the data {self.data} has {number_of(self.size_bytes, 'byte')}, fewer than an instance of {num_tokens:,}",
            remedy="give more data, or train a model of a shorter context",
        )

    def loaded(self) -> Corpus:
        """Return the bytes; raises as `resolve` does."""
        corpus = _load(self.data, self.place)
        if self.sha256 not in ("", corpus.sha256):
            raise InputError(
                f"the data {self.data} has changed: its SHA-256 was {self.sha256[:_SHOWN_DIGITS]}... "
                f"({number_of(self.size_bytes, 'byte')}), and is {corpus.sha256[:_SHOWN_DIGITS]}... "
                f"({number_of(corpus.size_bytes, 'byte')})",
                received=str(corpus.place or self.data),
                remedy="restore it, or start a new run",
            )
        if int(corpus.data.max()) >= self.vocabulary_size:
            raise InputError(
                f"the data {self.data} has bytes beyond the vocabulary",
                received=int(corpus.data.max()),
                remedy="use a vocabulary of 256",
            )
        return corpus


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OpenedText(TextSource):
    corpus: Corpus

    def loaded(self) -> Corpus:
        return self.corpus

    def opened(self) -> TextSource:
        return self

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        places = self.corpus.size_bytes - num_tokens + 1
        if places < 1:
            raise self._too_short(num_tokens)
        start_R = torch.randint(places, (num_rows,), generator=generator, device=generator.device).cpu().numpy()
        slices_RT = np.lib.stride_tricks.sliding_window_view(self.corpus.data, num_tokens)[start_R]
        return torch.from_numpy(slices_RT).to(generator.device)


@functools.lru_cache(maxsize=2)
def _read(data: str, place: str | None, _stamp: tuple[int, int] | None) -> Corpus:
    return load_corpus(data, place=None if place is None else Path(place))


def _load(data: str, place: str | None) -> Corpus:
    """Load a corpus where it was, or where its name says; a file that did not change since is read once."""
    found = findable(place) if place is not None and os.path.lexists(findable(place)) else None
    status = os.stat(found) if found is not None and os.path.isfile(found) else None
    if status is None:
        return load_corpus(data, place=None if found is None else Path(found))
    return _read(data, found, (status.st_size, status.st_mtime_ns))
