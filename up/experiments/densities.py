"""Mixtures as measurements, and their densities as series of a figure.

A mixture of K components is 3 K measurements, its weights, means and standard deviations, so that whoever has the
measurements can draw it again, count its modes, or compute with it.
"""

from collections.abc import Mapping

import torch

from up.codes.mixture import GaussianMixture
from up.codes.shape import places
from up.experiments.figure import Series
from up.experiments.measurement import Label, Measurement, Measurements

WEIGHT, MEAN, SIGMA = "component weight", "component mean", "component sigma"
_PER_SPREAD, _SPREADS = 8, 4.0


def parameters(mixture: GaussianMixture, labels: Mapping[str, Label]) -> list[Measurement]:
    """Return the parameters of a mixture of K components, which are told apart by the label `component`."""
    values = {WEIGHT: mixture.log_weights.exp(), MEAN: mixture.mean_K, SIGMA: mixture.sigmas}
    return [
        Measurement(labels={**labels, "component": component}, quantity=quantity, unit="", value=value)
        for quantity, of in values.items()
        for component, value in enumerate(of.tolist())
    ]


def mixture_of(found: Measurements) -> GaussianMixture:
    """Return the mixture whose parameters these are, and no other's."""
    weight_K, mean_K, sigma_K = (
        torch.tensor([each.value for each in found.where(quantity)], dtype=torch.float64)
        for quantity in (WEIGHT, MEAN, SIGMA)
    )
    return GaussianMixture.of(weight_K, mean_K, sigma_K)


def density_series(name: str, mixture: GaussianMixture, *, floor: float = 0.0) -> Series:
    """Return the density to four standard deviations beyond its components, and not below a floor.

    Args:
        name: of the series.
        mixture: on the line.
        floor: lowest value drawn, above 0 where the axis is logarithmic.

    """
    margin = (_SPREADS * mixture.sigmas).tolist()
    lowest, highest = (
        choose(mean + sign * more for mean, more in zip(mixture.mean_K.tolist(), margin, strict=True))
        for choose, sign in ((min, -1), (max, 1))
    )
    x_P = places(mixture, per_spread=_PER_SPREAD)
    x_P = x_P[(x_P >= lowest) & (x_P <= highest)]
    y_P = mixture.log_density(x_P).exp().clamp(min=floor)
    return Series(name=name, x=tuple(x_P.tolist()), y=tuple(y_P.tolist()), marked=False)
