"""Exact numbers of bits: a sum of logarithms of fractions, or infinitely many bits for what has probability 0.

A code of probability p takes -log2 p bits, which is rational for few p. Sums of such lengths are kept as `LogSum`, and
compared exactly. Limits: a comparison takes a logarithm for each prime-like part of each term; some hundred are quick.
"""

import functools
from collections.abc import Iterable
from fractions import Fraction

from theory.numbers.exact import LogSum


@functools.total_ordering
class CodeLength:
    """A number of bits; `logarithms` is None where it is infinite.

    >>> CodeLength.of(Fraction(1, 8)) == CodeLength.of(Fraction(1, 2)) + CodeLength.of(Fraction(1, 4))
    True
    >>> float(CodeLength.of(Fraction(0)))
    inf
    """

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __init__(self, logarithms: LogSum | None) -> None:
        self.logarithms = logarithms

    @classmethod
    def of(cls, probability: Fraction) -> "CodeLength":
        """Return -log2 p, which is negative for p > 1, as a ratio may be."""
        return cls(LogSum([(-1, probability)]) if probability else None)

    @classmethod
    def mean(cls, lengths: Iterable[tuple[Fraction, "CodeLength"]]) -> "CodeLength":
        """Return the sum of weight times length; what has weight 0 counts nothing, even if it is infinite."""
        total = LogSum()
        for weight, length in lengths:
            if weight and length.logarithms is None:
                return cls(None)
            if weight and length.logarithms is not None:
                for argument, coefficient in length.logarithms.terms.items():
                    total.add(weight * coefficient, argument)
        return cls(total)

    def __add__(self, other: "CodeLength") -> "CodeLength":
        if self.logarithms is None or other.logarithms is None:
            return CodeLength(None)
        return CodeLength(self.logarithms + other.logarithms)

    def less(self, other: "CodeLength") -> LogSum:
        """Return by how many bits this is longer than another; both are finite."""
        assert self.logarithms is not None, "an infinite length has no difference"
        assert other.logarithms is not None, "an infinite length has no difference"
        return self.logarithms - other.logarithms

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CodeLength):
            return NotImplemented
        if self.logarithms is None or other.logarithms is None:
            return self.logarithms is other.logarithms
        return self.less(other).sign() == 0

    def __lt__(self, other: "CodeLength") -> bool:
        if self.logarithms is None or other.logarithms is None:
            return other.logarithms is None and self.logarithms is not None
        return self.less(other).sign() < 0

    def __float__(self) -> float:
        return float("inf") if self.logarithms is None else float(self.logarithms)
