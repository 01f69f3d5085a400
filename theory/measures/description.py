"""A description of data: what is sent about the hypothesis, then the data as the hypothesis predicts them.

Every code of Shaw et al. 2025 comes to this: bits for the parameters of an adaptive prior, if there is one; bits for
the hypothesis; bits for the data; and their sum. Exact codes (`theory.measures.codes`) have `CodeLength` as amounts,
those that are estimated (`up.codes`) a number with its standard error.
"""

from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Amount(Protocol):
    """Bits that can be added up."""

    def __add__(self, other: Any, /) -> Any:
        """Return both together."""
        ...


Bits = TypeVar("Bits", bound=Amount)


@dataclass(frozen=True, kw_only=True)
class Description(Generic[Bits]):
    """The parts of a description, in bits.

    Attributes:
        hypothesis: what it takes to send the hypothesis.
        data: what it takes to send the data, once the hypothesis is known.
        prior: what it takes to send the parameters of an adaptive prior; None where the prior is fixed beforehand.

    """

    hypothesis: Bits
    data: Bits
    prior: Bits | None = None

    @property
    def total(self) -> Bits:
        """All of it."""
        both = self.hypothesis + self.data
        return both if self.prior is None else both + self.prior
