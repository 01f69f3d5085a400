"""A source of the user's own, in a file outside the package: `path/to/file.py:NAME`.

NAME is a subclass of `RowSource` or `ConditionalSource`, a frozen dataclass like those of the house. Its settings stand
under `settings`, and the SHA-256 of the file beside them, so that a run goes on only with the program that it began
with. Reading such a configuration does not run the file; drawing from the source does. Everything the file's code does
wrong is told in one line, and what it draws is looked at before it is used.

Limits: the SHA-256 covers the file itself, not what it imports.
"""

import contextlib
import dataclasses
import functools
import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from theory.user_file import run_file
from theory.words import findable
from up.config import from_dict, to_dict
from up.errors import InputError
from up.sources.base import ConditionalSource, RowSource, Source, StreamParts
from up.sources.buffer import LARGEST_VOCABULARY
from up.sources.stream import Stream
from up.sources.user_code import blaming, checked_tokens

_OUR_FIELDS = ("kind", "vocabulary_size")
_DEFINE = "define there a subclass of up.RowSource or up.ConditionalSource"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileSource(Source):
    """Settings of a source that lies in a file.

    Attributes:
        kind: `path/to/file.py:NAME`; `resolve` makes the path absolute.
        vocabulary_size: number of tokens; the class in the file knows how many it can serve.
        sha256: of the file, in hexadecimal; empty until `resolve` writes it.
        settings: those of the source itself; `resolve` writes them out.

    """

    largest_vocabulary: ClassVar[int] = LARGEST_VOCABULARY

    sha256: str = ""
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return Path(findable(self.kind.rpartition(":")[0]))

    @property
    def name(self) -> str:
        """Name of the class in the file."""
        return self.kind.rpartition(":")[2]

    @property
    def label(self) -> str:
        """File and class."""
        return f"{self.path.name}:{self.name}"

    @property
    def noun(self) -> str:
        """Name of the class."""
        return self.name

    @property
    def description(self) -> str:
        """File, class and settings in a few words."""
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.label}{f', {settings}' if settings else ''}"

    @property
    def text(self) -> str:
        """The program text of the file."""
        return self._content().decode("utf-8", errors="replace")

    def resolve(self, device: torch.device) -> "FileSource":
        """Return the settings with the path absolute, the file's SHA-256, and everything that the source sets.

        Raises:
            InputError: no such file, no such source in it, other settings than it has, or another text than that whose
                SHA-256 is written here.
        """
        inner = self._inner()
        with _blaming(self.kind):
            inner = inner.resolve(device)
            settings = {name: value for name, value in to_dict(inner).items() if name not in _OUR_FIELDS}
            settings = json.loads(json.dumps(settings))
        return dataclasses.replace(
            self,
            kind=f"{self.path.resolve()}:{self.name}",
            sha256=hashlib.sha256(self._content()).hexdigest(),
            settings=settings,
        )

    @property
    def is_opened(self) -> bool:
        """It is not."""
        return False

    @property
    def reads(self) -> bool:
        """Whether the source of the file does; this runs the file."""
        return self.opened().reads

    def passed(self, rows_RT: Tensor, generator: torch.Generator) -> Tensor:
        """Return what the source of the file makes of sequences."""
        return self.opened().passed(rows_RT, generator)

    def opened(self) -> RowSource | ConditionalSource:
        """Return the source of the file, with an eye kept on what it draws; raises as `resolve` does."""
        inner = self._inner()
        if isinstance(inner, RowSource):
            return _WatchedRows(kind=self.kind, vocabulary_size=self.vocabulary_size, inner=inner)
        return _WatchedSequences(
            kind=self.kind, vocabulary_size=self.vocabulary_size, seed_length=inner.seed_length, inner=inner
        )

    def open_stream(self, parts: StreamParts) -> Stream:
        """Return the stream of the source of the file; raises as `resolve` does."""
        return self.opened().open_stream(parts)

    def _inner(self) -> RowSource | ConditionalSource:
        """Return the source of the file with its settings."""
        content = self._content()
        found = hashlib.sha256(content).hexdigest()
        if self.sha256 not in ("", found):
            raise InputError(
                f"the file of the source, {self.path}, has changed: its SHA-256 was {self.sha256[:12]}..., "
                f"and is {found[:12]}...",
                remedy="restore the file (a run keeps its text as source.py), or start a new run",
            )
        source = _load(self.path.resolve(), self.name, found)
        values = {"kind": self.kind, "vocabulary_size": self.vocabulary_size, **self.settings}
        with _blaming(self.kind):
            return from_dict(source, values, where="source.settings.")

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a null character
            raise InputError(
                f"cannot read the file of the source ({getattr(error, 'strerror', None) or error})",
                received=str(self.path),
                remedy="give --source path/to/file.py:NAME",
            ) from None


@dataclasses.dataclass(frozen=True, kw_only=True)
class _WatchedRows(RowSource):
    largest_vocabulary: ClassVar[int] = LARGEST_VOCABULARY

    inner: RowSource

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        with _blaming(self.kind):
            tokens_RT = self.inner.rows(num_rows, num_tokens, generator)
        return checked_tokens(
            tokens_RT,
            shape=(num_rows, num_tokens),
            vocabulary_size=self.vocabulary_size,
            device=generator.device,
            name=self.kind,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _WatchedSequences(ConditionalSource):
    largest_vocabulary: ClassVar[int] = LARGEST_VOCABULARY

    inner: ConditionalSource

    def generate(self, seeds_RS: Tensor, conditions_RT: Tensor, generator: torch.Generator) -> Tensor:
        with _blaming(self.kind):
            tokens_RT = self.inner.generate(seeds_RS, conditions_RT, generator)
        return checked_tokens(
            tokens_RT,
            shape=tuple(conditions_RT.shape),
            vocabulary_size=self.vocabulary_size,
            device=generator.device,
            name=self.kind,
        )


@functools.cache
def _load(path: Path, name: str, sha256: str) -> type[RowSource] | type[ConditionalSource]:
    """Run a file as a module of its own, once for each text, and return the source that it defines."""
    with _blaming(str(path)):
        module = run_file(path, f"up_source_{sha256[:16]}")
    found = getattr(module, name, None)
    if not (isinstance(found, type) and issubclass(found, RowSource | ConditionalSource)):
        raise InputError(f"{path} has no source of this name", received=name, remedy=_DEFINE)
    if "__dataclass_params__" not in vars(found):
        remedy = "write @dataclasses.dataclass(frozen=True, kw_only=True) above it"
        raise InputError(f"the source {name} in {path} is no dataclass of its own", remedy=remedy)
    missing = ", ".join(sorted(found.__abstractmethods__))
    if missing:
        raise InputError(f"the source {name} in {path} lacks the method {missing}", remedy="define it")
    return found


def _blaming(kind: str) -> contextlib.AbstractContextManager[None]:
    """Tell in one line what the code of a file raises, and where; `kind` may be the path alone."""
    return blaming(kind, _path_of(kind))


def _path_of(kind: str) -> str:
    path, colon, _ = kind.rpartition(":")
    return str(Path(findable(path if colon and path.endswith(".py") else kind)).resolve())
