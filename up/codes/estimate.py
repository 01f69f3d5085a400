"""A number that was estimated, with its standard error: the amounts of descriptions that no sum over all is made for.

Description(hypothesis=Estimate(8.0), data=Estimate(40.0, 3.0)).total    48.0 with a standard error of 3.0
"""

import dataclasses
import math
import statistics
from collections.abc import Sequence

from theory.measures.description import Description


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A value and its standard error, 0 where it is exact.

    >>> Estimate(1.0, 3.0) + Estimate(2.0, 4.0)
    Estimate(value=3.0, stderr=5.0)
    """

    value: float
    stderr: float = 0.0

    def __add__(self, other: "Estimate") -> "Estimate":
        """Return the sum of two that are independent."""
        return Estimate(self.value + other.value, math.hypot(self.stderr, other.stderr))

    def __mul__(self, factor: float) -> "Estimate":
        return Estimate(self.value * factor, self.stderr * abs(factor))

    @classmethod
    def of(cls, samples: Sequence[float]) -> "Estimate":
        """Return the mean of samples; one alone has an error that nobody knows, which is not a number."""
        if len(samples) < 2:
            return cls(samples[0], math.nan)
        return cls(statistics.fmean(samples), statistics.stdev(samples) / math.sqrt(len(samples)))


NetworkDescription = Description[Estimate]
"""A description whose amounts are estimates, in bits."""
