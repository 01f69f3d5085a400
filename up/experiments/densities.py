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
_PER_SPREAD, _SPREADS = 8, 6.0
_INVISIBLE = 3e-4  # of the highest value


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
    """Return the density from the first to the last place where it can be seen, and nowhere below a floor.

    Args:
        name: of the series.
        mixture: on the line.
        floor: lowest value drawn, for a logarithmic axis; 0: down to next to nothing.

    """
    x_P = places(mixture, per_spread=_PER_SPREAD, spreads=_SPREADS)
    y_P = mixture.log_density(x_P).exp()
    seen = (y_P > (floor or float(y_P.max()) * _INVISIBLE)).nonzero()
    kept = slice(int(seen[0]), int(seen[-1]) + 1)
    return Series(name=name, x=tuple(x_P[kept].tolist()), y=tuple(y_P[kept].clamp(min=floor).tolist()), marked=False)
