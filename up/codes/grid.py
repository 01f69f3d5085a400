"""Grids on which weights are rounded: steps of a power of two for real weights, kept leading bits for counts.

    linear grid       w -> 2^-exponent round(w 2^exponent)      error up to half a step
    logarithmic grid  n -> its first bits, `exponent` + 1 of them      error relative to n

A grid has a name of 8 bits, so that whoever knows the shapes of the tensors can decode them. Limits: integers within
2^30; a weight whose rounded multiple is larger is refused by coarsening the grid.
"""

import dataclasses
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

NAME_BITS = 8
_LARGEST = 1 << 30
_EXPONENTS = (-32, 40)
_WIDEST = 4


@dataclasses.dataclass(frozen=True)
class Grid:
    """A grid: linear with steps of 2^-exponent, or logarithmic with so many bits after the first.

    >>> grid = Grid(2)
    >>> grid.restored(grid.rounded(torch.tensor([0.3, -1.1])), torch.float32)
    tensor([ 0.2500, -1.0000])
    """

    exponent: int
    logarithmic: bool = False

    @property
    def step(self) -> float:
        """Distance of neighbours on a linear grid."""
        return 2.0**-self.exponent

    def rounded(self, values: Tensor) -> NDArray[np.int64]:
        """Return the integers that stand for values, in a row."""
        flat = values.detach().cpu().flatten()
        if not self.logarithmic:
            return (flat.double() * 2.0**self.exponent).round().long().numpy()
        count_N = flat.long().numpy()
        class_N = np.frexp(count_N.astype(np.float64))[1].astype(np.int64)  # bits of each count, 0 for none
        shift_N = class_N - 1 - self.exponent
        leading_N = np.where(shift_N >= 0, count_N >> np.maximum(shift_N, 0), count_N << np.maximum(-shift_N, 0))
        first = 1 << self.exponent
        return np.where(count_N == 0, 0, (class_N - 1) * first + leading_N - first + 1)

    def restored(self, integers: NDArray[np.int64], dtype: torch.dtype) -> Tensor:
        """Return the values that integers stand for, in a row."""
        if not self.logarithmic:
            return (torch.from_numpy(integers).double() * self.step).to(dtype)
        first = 1 << self.exponent
        place_N = np.maximum(integers - 1, 0)
        shift_N = place_N // first - self.exponent
        leading_N = first + place_N % first
        low_N = np.where(shift_N >= 0, leading_N << np.maximum(shift_N, 0), leading_N >> np.maximum(-shift_N, 0))
        middle_N = low_N + np.where(shift_N > 0, 1 << np.maximum(shift_N - 1, 0), 0)
        return torch.from_numpy(np.where(integers == 0, 0, middle_N)).to(dtype)


def best_grid(values: Tensor, curvature: float, file_bytes: int) -> Grid:
    """Return the linear grid on which weights and data together take fewest bits, to second order.

    Uniform errors within a step d raise the code length of N bytes by N F d^2 / 24 nats a weight, where F is the
    curvature per byte; a step half as wide costs a bit more. The best step is sqrt(12 / (N F)), here to the next power
    of two, and at most four times the root mean square of the tensor: there most weights are 0, and second order ends.

    Args:
        values: weights.
        curvature: F, the mean of the squared gradients of the code length of a byte, in nats.
        file_bytes: N.

    """
    values_N = values.detach().double()
    root_mean_square = max(float(values_N.square().mean()) ** 0.5, 1e-12)
    widest, least = _WIDEST * root_mean_square, float(values_N.abs().max()) / _LARGEST
    step = min((12 / (file_bytes * curvature)) ** 0.5, widest) if curvature > 0 else widest
    exponent = round(-math.log2(max(step, least)))
    return Grid(min(max(exponent, _EXPONENTS[0]), _EXPONENTS[1]))
