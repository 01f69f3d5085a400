"""The weights of a network as something to send: its tensors by groups of layers, and their length under each code.

    float32              as they are stored
    uniform grid         every level of a tensor's grid alike
    entropy-coded grid   levels by an adaptive code (`up.codes.integers`)
    Gaussian mixture     levels by a mixture of up to three Gaussians a tensor, whose parameters are sent first
    variational          no levels: a Gaussian around each weight against such a mixture, by bits back (eq. 9 and 86)

All but the first say what the network becomes: the codes on grids round it, the variational code draws it. Tables of
counts, such as those of a mixing predictor, are on a logarithmic grid and coded by the adaptive code throughout.

Source: Shaw et al. 2025 (arXiv 2509.22445), B.9; Han et al. 2016. Limits: the receiver knows the architecture. Grids
are the best to second order if errors are independent (`up.codes.grid.best_grid`), which they are not: layers whose
loss alone costs nothing cost much together. So several finenesses are to be tried, and each measured.

Shape suffixes: N weights of a tensor, S samples.
"""

import copy
import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from up.codes.estimate import Estimate
from up.codes.grid import NAME_BITS, Grid, best_grid
from up.codes.integers import Integers, code_length_bits
from up.codes.mixture import LOG2E, GaussianMixture, divergence, fit, points

FLOAT_BITS = 32
PARAMETER_BITS = 16
"""Of each parameter of a fitted mixture: it is rounded to bfloat16 before it is used."""
COMPONENTS = (1, 2, 3)
_CHOICE_BITS = 2
_LEVEL_BITS = 2 * 32
"""The lowest and the highest level of a tensor, for the uniform code."""
_FITTED = 5_000
"""Weights of a tensor that a mixture is fitted to, at even distances."""


@dataclasses.dataclass(frozen=True, eq=False)
class Weights:
    """One tensor of a network.

    Attributes:
        name: its name in the network.
        value: the tensor itself.
        curvature: mean squared gradient of the code length of a byte, in nats; 0 for counts.

    """

    name: str
    value: Tensor
    curvature: float = 0.0

    @property
    def group(self) -> str:
        """The layers that it belongs to.

        >>> Weights("blocks.0.attention.qkv.weight", torch.zeros(1)).group, Weights("head.weight", torch.zeros(1)).group
        ('blocks.0', 'head')
        """
        first, _, rest = self.name.partition(".")
        number = rest.partition(".")[0]
        return f"{first}.{number}" if number.isdigit() else first

    @property
    def are_counts(self) -> bool:
        """Whether these are integers."""
        return not self.value.is_floating_point()

    def grid(self, file_bytes: int) -> Grid:
        """Return the grid that is best for a file of so many bytes; of counts none to two bits after the first."""
        if not self.are_counts:
            return best_grid(self.value, self.curvature, file_bytes)
        return Grid(min(max(0, (file_bytes.bit_length() - 17) // 4), 2), logarithmic=True)


def weights_of(model: nn.Module, curvatures: Mapping[str, float] | None = None) -> tuple[Weights, ...]:
    """Return the tensors that a network is made of, each once, in the order of its state."""
    found: dict[int, Weights] = {}
    for name, value in model.state_dict().items():
        if value.numel():
            found.setdefault(value.data_ptr(), Weights(name, value, (curvatures or {}).get(name, 0.0)))
    return tuple(found.values())


@dataclasses.dataclass(frozen=True, eq=False)
class Quantised:
    """A network on grids.

    Attributes:
        file_bytes: the length of file that the grids are best for.
        weights: its tensors.
        grids: one for each.
        integers: what stands for each.

    """

    file_bytes: int
    weights: tuple[Weights, ...]
    grids: tuple[Grid, ...]
    integers: tuple[Integers, ...]

    @classmethod
    def of(cls, weights: Sequence[Weights], file_bytes: int) -> "Quantised":
        """Round every tensor on the grid that is best for a file of so many bytes."""
        grids = tuple(each.grid(file_bytes) for each in weights)
        integers = tuple(grid.rounded(each.value) for grid, each in zip(grids, weights, strict=True))
        return cls(file_bytes, tuple(weights), grids, integers)

    def uniform_bits(self) -> tuple[float, ...]:
        """Return the bits of each tensor if all its levels are alike."""
        return tuple(
            NAME_BITS + _LEVEL_BITS + each.size * math.log2(int(each.max()) - int(each.min()) + 1)
            for each in self.integers
        )

    def entropy_bits(self) -> tuple[float, ...]:
        """Return the bits of each tensor by the adaptive code."""
        return tuple(NAME_BITS + code_length_bits(each) for each in self.integers)

    def mixture_bits(self, priors: Sequence[Sequence[GaussianMixture]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the bits of each tensor by the best of its mixtures, and the bits of that one's parameters.

        Args:
            priors: for each tensor the mixtures to choose from; none for counts.

        """
        found = [self._best(place, choices) for place, choices in enumerate(priors)]
        return tuple(bits for bits, _ in found), tuple(prior for _, prior in found)

    def _best(self, place: int, choices: Sequence[GaussianMixture]) -> tuple[float, float]:
        grid, levels = self.grids[place], self.integers[place]
        if not choices:
            return code_length_bits(levels), NAME_BITS
        values_N = grid.restored(levels, torch.float64)
        distinct, count = torch.unique(values_N, return_counts=True)
        costs = [
            (float(-(count * prior.log_mass(distinct, grid.step)).sum()) * LOG2E, NAME_BITS + parameter_bits(prior))
            for prior in choices
        ]
        return min(costs, key=sum)

    def put_into(self, model: nn.Module) -> nn.Module:
        """Return a copy of a network that has these weights."""
        values = {
            each.name: grid.restored(levels, each.value.dtype).view(each.value.shape)
            for each, grid, levels in zip(self.weights, self.grids, self.integers, strict=True)
        }
        return with_weights(model, values)


def with_weights(model: nn.Module, values: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy of a network in which some tensors have other values."""
    changed = copy.deepcopy(model)
    with torch.no_grad():
        for name, value in changed.state_dict().items():
            if name in values:
                value.copy_(values[name])
    return changed.eval()


def parameter_bits(prior: GaussianMixture) -> int:
    """Return what it takes to send a mixture: its number of components, and 3 K - 1 rounded numbers."""
    return _CHOICE_BITS + PARAMETER_BITS * (3 * prior.mean_K.shape[-1] - 1)


def priors_for(weights: Sequence[Weights]) -> tuple[tuple[GaussianMixture, ...], ...]:
    """Return for each tensor mixtures of each number of components, fitted and rounded; none for counts."""
    return tuple(() if each.are_counts else tuple(_fitted(each.value)) for each in weights)


def _fitted(value: Tensor) -> Iterator[GaussianMixture]:
    flat_N = value.detach().cpu().flatten()
    some_N = flat_N[:: max(1, flat_N.numel() // _FITTED)]
    floor = max(float(some_N.abs().max()) * 1e-4, 1e-9)
    for components in COMPONENTS:
        if components < some_N.numel():
            yield rounded(fit(some_N, components, floor=floor))


def rounded(prior: GaussianMixture) -> GaussianMixture:
    """Return a mixture with its parameters as they are sent."""
    weight_K, mean_K, sigma_K = (
        each.to(torch.bfloat16).double()
        for each in (prior.log_weights.exp().clamp(min=1e-6), prior.mean_K, prior.sigmas)
    )
    return GaussianMixture.of(weight_K / weight_K.sum(), mean_K, sigma_K.clamp(min=1e-12))


@dataclasses.dataclass(frozen=True, eq=False)
class Variational:
    """A network whose weights are drawn: a Gaussian around each real weight, against a mixture a tensor.

    Attributes:
        weights: its tensors; those of counts are sent as they are on their grid.
        sigmas: spread of each tensor's posterior; 0 for counts.
        priors: mixture of each; None for counts.
        counts: what stands for the tensors of counts.

    """

    weights: tuple[Weights, ...]
    sigmas: tuple[float, ...]
    priors: tuple[GaussianMixture | None, ...]
    counts: Quantised

    @classmethod
    def of(
        cls, weights: Sequence[Weights], file_bytes: int, choices: Sequence[Sequence[GaussianMixture]]
    ) -> "Variational":
        """Choose spreads that are best for a file of so many bytes, 1 / sqrt(N F), and the mixture of fewest bits."""
        counts = Quantised.of(weights, file_bytes)
        sigmas, priors = [], []
        for each, grid, offered in zip(weights, counts.grids, choices, strict=True):
            sigma = 0.0 if each.are_counts else grid.step / 12**0.5
            widened = [_widened(prior, sigma) for prior in offered]
            flat = each.value.detach().cpu().flatten().double()
            priors.append(
                min(widened, key=lambda prior: parameter_bits(prior) - float(prior.log_density(flat).sum()) * LOG2E)
                if widened
                else None
            )
            sigmas.append(sigma)
        return cls(tuple(weights), tuple(sigmas), tuple(priors), counts)

    def weight_bits(self, samples: int, generator: torch.Generator) -> tuple[Estimate, ...]:
        """Estimate KL[posterior || prior] of each tensor in bits; the adaptive code of those of counts is exact."""
        return tuple(
            Estimate(code_length_bits(levels) + NAME_BITS)
            if prior is None
            else divergence(
                points(each.value.detach().cpu().flatten().double(), sigma), prior, samples=samples, generator=generator
            )
            for each, sigma, prior, levels in zip(
                self.weights, self.sigmas, self.priors, self.counts.integers, strict=True
            )
        )

    @property
    def prior_bits(self) -> float:
        """Bits of the parameters of all mixtures, and of the spreads."""
        return sum(NAME_BITS + parameter_bits(prior) for prior in self.priors if prior is not None)

    def drawn(self, model: nn.Module, generator: torch.Generator) -> nn.Module:
        """Return a copy of a network with weights drawn from the posterior."""
        changed = self.counts.put_into(model)
        values = {
            each.name: each.value + sigma * torch.randn(each.value.shape, generator=generator).to(each.value)
            for each, sigma, prior in zip(self.weights, self.sigmas, self.priors, strict=True)
            if prior is not None
        }
        return with_weights(changed, values)


def _widened(prior: GaussianMixture, sigma: float) -> GaussianMixture:
    """Return a mixture of points as a mixture of posteriors around them."""
    sigma_K = (prior.sigmas.square() + sigma**2).sqrt()
    return GaussianMixture.of(prior.log_weights.exp(), prior.mean_K, sigma_K)
