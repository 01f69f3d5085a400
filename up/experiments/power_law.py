"""Power laws y = floor + scale x^-exponent through points, with confidence intervals, in numpy alone.

Least squares: for a given exponent the best floor and scale are a linear regression, so that only the exponent has to
be searched, on a grid that is refined three times. The intervals are those of a residual bootstrap (Efron and
Tibshirani 1993, chapter 9): the fit's residuals are drawn anew with replacement, added to the fit, and fitted again;
the interval spans the middle 95 % of the exponents found. Points of several seeds are all taken as they are, so that
the spread over seeds is part of the residuals.

Limits: three numbers are fitted, so fewer than five points say nothing; where the curve is straight over the range, or
flat, floor and exponent can be traded for each other and the interval is wide, which is the answer. Residuals are drawn
as if each were as uncertain as any other and none depended on its neighbours; points along one training do depend, so
that intervals over instances are narrower than they should be.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FEWEST_POINTS = 5
_LEAST, _MOST = 0.01, 4.0
_GRID = 41
_REFINEMENTS = 3
_RESAMPLES = 300
_MIDDLE = (2.5, 97.5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """A fit.

    Attributes:
        floor: what y tends to as x grows.
        scale: of what is above the floor, at x = 1.
        exponent: by which it falls.
        floor_interval: 95 % of the bootstrap.
        exponent_interval: likewise.
        explained: share of the variance of y that the fit explains, at most 1.

    """

    floor: float
    scale: float
    exponent: float
    floor_interval: tuple[float, float]
    exponent_interval: tuple[float, float]
    explained: float

    @property
    def is_open(self) -> bool:
        """Whether the points leave every exponent possible that is searched: too few, too noisy or too flat."""
        low, high = self.exponent_interval
        return low <= _LEAST and high >= _MOST

    def at(self, x: float) -> float:
        """Return y at x."""
        return self.floor + self.scale * x**-self.exponent

    def __str__(self) -> str:
        """Return the fit and its intervals in words."""
        low, high = self.exponent_interval
        lowest, highest = self.floor_interval
        return (
            f"exponent {self.exponent:.2f} (95 %: {low:.2f} to {high:.2f}), "
            f"floor {self.floor:.2f} (95 %: {lowest:.2f} to {highest:.2f}), "
            f"{self.explained:.0%} of the variance explained"
        )


def fit_power_law(x: Sequence[float], y: Sequence[float], *, seed: int = 0) -> PowerLaw:
    """Return the power law through points.

    Args:
        x: above 0, at least `FEWEST_POINTS` of them, not all alike.
        y: as many.
        seed: of the bootstrap.
    """
    x_N, y_N = np.asarray(x, np.float64), np.asarray(y, np.float64)
    assert len(x_N) == len(y_N) >= FEWEST_POINTS
    scaled_N = x_N / np.exp(np.log(x_N).mean())  # near 1, for the regression
    floor, scale, exponent = _fit(scaled_N, y_N)
    fitted_N = floor + scale * scaled_N**-exponent
    residuals_N = y_N - fitted_N
    generator = np.random.default_rng(seed)
    again = [_fit(scaled_N, fitted_N + generator.choice(residuals_N, len(y_N))) for _ in range(_RESAMPLES)]
    floors, exponents = [each[0] for each in again], [each[2] for each in again]
    return PowerLaw(
        floor=floor,
        scale=float(scale * np.exp(exponent * np.log(x_N).mean())),
        exponent=exponent,
        floor_interval=_middle(floors),
        exponent_interval=_middle(exponents),
        explained=1 - float(residuals_N.var() / y_N.var()) if y_N.var() else 0.0,
    )


def _fit(x_N: NDArray[np.float64], y_N: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return floor, scale and exponent of least squares; the floor is not below 0, for bits are not."""
    exponents_E = np.geomspace(_LEAST, _MOST, _GRID)
    found = 0.0, 0.0, 0.0
    for _ in range(_REFINEMENTS):
        errors_E, floors_E, scales_E = _regressions(x_N, y_N, exponents_E)
        best = int(errors_E.argmin())
        low, high = exponents_E[max(best - 1, 0)], exponents_E[min(best + 1, len(exponents_E) - 1)]
        found = float(floors_E[best]), float(scales_E[best]), float(exponents_E[best])
        exponents_E = np.linspace(low, high, _GRID)
    return found


def _regressions(
    x_N: NDArray[np.float64], y_N: NDArray[np.float64], exponents_E: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return squared error, floor and scale of the best line in x^-exponent for each exponent."""
    powers_EN = x_N[None] ** -exponents_E[:, None]
    deviations_EN = powers_EN - powers_EN.mean(axis=1, keepdims=True)
    slopes_E = (deviations_EN * (y_N - y_N.mean())).sum(axis=1) / (deviations_EN**2).sum(axis=1)
    floors_E = y_N.mean() - slopes_E * powers_EN.mean(axis=1)
    through_zero_E = (powers_EN * y_N).sum(axis=1) / (powers_EN**2).sum(axis=1)
    slopes_E = np.where(floors_E < 0, through_zero_E, slopes_E)
    floors_E = np.maximum(floors_E, 0.0)
    errors_E = ((floors_E[:, None] + slopes_E[:, None] * powers_EN - y_N) ** 2).sum(axis=1)
    return errors_E, floors_E, slopes_E


def _middle(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values, _MIDDLE)
    return float(low), float(high)
