"""A function of the user's own as a source: `(num_rows, num_tokens, generator) -> tokens`.

It is the short way where nothing has to be written down; a source that a run records is a class in a file
(`up.sources.file`).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from up.sources.base import RowSource
from up.sources.buffer import LARGEST_VOCABULARY
from up.sources.user_code import blaming, checked_tokens


@dataclasses.dataclass(frozen=True, kw_only=True)
class FunctionSource(RowSource):
    """Rows that a function draws, looked at before they are used.

    Attributes:
        kind: name of the function.
        function: draws sequences with the randomness of the generator that it is given, on whose device it works.

    """

    largest_vocabulary: ClassVar[int] = LARGEST_VOCABULARY

    function: Callable[[int, int, torch.Generator], Any] = dataclasses.field(repr=False)

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT; raises `InputError` for an exception of the function, and for what is no such tokens."""
        code = getattr(self.function, "__code__", None)
        with blaming(self.kind, getattr(code, "co_filename", ""), remedy="correct the function"):
            tokens_RT = self.function(num_rows, num_tokens, generator)
        return checked_tokens(
            tokens_RT,
            shape=(num_rows, num_tokens),
            vocabulary_size=self.vocabulary_size,
            device=generator.device,
            name=self.kind,
        )
