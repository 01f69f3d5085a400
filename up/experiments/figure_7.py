"""Figure 7 of the description-length paper: what it takes to send a bit by the sign of a weight.

Claim: "Transmission is significantly more efficient with a GMM prior" (Shaw et al. 2025, arXiv 2509.22445, B.9.2).

The prior is either one standard Gaussian, or two components at -1 and 1. With the one Gaussian, the posterior of a bit
is the cheapest that is read rightly with probability 0.99; with two components it is one of them. Their divergences
are integrated (`up.codes.shape`), beside equation 91 and a sample, whose standard error the table has. Control: a
posterior that is the prior, which costs nothing and says nothing.

There is no model and nothing is trained, so `--arch` changes nothing; scales differ in the number of samples.

Limits: the paper gives no numbers for its posteriors. The two components are as wide as can still be drawn, 0.1; the
narrower, the nearer is the cost to 1 bit from below.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import torch

from up.codes.mixture import GaussianMixture, divergence, gaussian_divergence, unimodal_frontier
from up.codes.shape import divergence_by_quadrature, mass_above, mass_below
from up.experiments.densities import density_series, mixture_of, parameters
from up.experiments.experiment import FAILS, HOLDS, Experiment, Finding, Part, Progress, Setting, Step, Table
from up.experiments.figure import Figure, Panel
from up.experiments.measurement import Measurement, Measurements

PRIORS = {"unimodal": "One Gaussian as prior", "multimodal": "Two components as prior"}
PRIOR, CONTROL, ONE, ZERO = "prior", "the prior itself", "bit 1", "bit 0"
CERTAINTY, SPREAD = 0.99, 0.1
_SAMPLES = {"smoke": 1_000, "laptop": 300_000, "paper": 3_000_000}
_CLOSED, _KL, _SAMPLED, _WRONG = "KL by equation 91", "KL", "KL sampled", "wrong"
_PAPER = "Shaw et al. 2025"


class Figure7(Experiment):
    """See the module."""

    name = "figure-7"
    title = "Figure 7 of Shaw et al. 2025: a bit as the sign of a weight"
    question = "How many bits does it take to send one bit under a prior with one mode, and with two?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 1}
    ignores = ("arch", "device")

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return a step for each prior and each seed of the samples."""
        return [
            Step(name=f"{prior}-seed-{seed}", labels={"prior": prior, "seed": seed})
            for seed in setting.seeds
            for prior in PRIORS
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return parameters, divergences and the probability of a wrong bit, for both bits and the control."""
        kind = str(part.labels["prior"])
        prior, posteriors = mixtures(kind)
        found = parameters(prior, {**part.labels, "of": PRIOR})
        generator = torch.Generator().manual_seed(int(part.labels["seed"]))
        for done, (of, posterior) in enumerate({CONTROL: prior, **posteriors}.items()):
            labels = {**part.labels, "of": of}
            sampled = divergence(posterior, prior, samples=_SAMPLES[setting.scale], generator=generator)
            values: dict[str, tuple[float, float | None]] = {
                _KL: (divergence_by_quadrature(posterior, prior), None),
                _SAMPLED: (sampled.value, sampled.stderr),
            }
            if kind == "unimodal":
                values[_CLOSED] = (gaussian_divergence(float(posterior.mean_K), float(posterior.sigmas)), None)
            found += [
                Measurement(labels=labels, quantity=quantity, unit="bits", value=value, stderr=stderr)
                for quantity, (value, stderr) in values.items()
            ]
            wrong = mass_below(posterior) if of == ONE else mass_above(posterior)
            found.append(Measurement(labels=labels, quantity=_WRONG, unit="probability", value=wrong))
            found += parameters(posterior, labels)
            progress(done + 1, 3)
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the prior and both posteriors, a panel for each prior."""
        panels = []
        for prior, title in PRIORS.items():
            own = measurements.where(prior=prior)
            own = own.where(seed=own.each("seed")[0]) if own else own
            series = [density_series(of, mixture_of(own.where(of=of))) for of in (PRIOR, ZERO, ONE) if own]
            if series:
                bits = own.where(_KL, of=ONE).mean().value
                panels.append(Panel(title=f"{title}: KL {bits:.2f} bits", series=tuple(series)))
        if not panels:
            return ()
        return (
            Figure(
                name="figure-7",
                title="Posteriors that send a bit, and the prior that both sides know",
                x_label="weight w; its sign is the bit",
                y_label="density",
                panels=tuple(panels),
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return for each prior and posterior its parameters, its divergence in three ways, and how often it errs."""
        rows = []
        for prior in measurements.each("prior"):
            for of in (CONTROL, ZERO, ONE):
                own = measurements.where(prior=prior, of=of)
                first = mixture_of(own.where(seed=own.each("seed")[0]))
                closed = own.where(_CLOSED)
                sampled = own.where(_SAMPLED).mean()
                rows.append(
                    (
                        f"{prior}, {of}",
                        "; ".join(
                            f"{mean:.3f}, {sigma:.3f}"
                            for mean, sigma in zip(first.mean_K.tolist(), first.sigmas.tolist(), strict=True)
                        ),
                        f"{closed.mean().value:.6f}" if closed else "-",
                        f"{own.where(_KL).mean().value:.6f}",
                        f"{sampled.value:.6f} ± {sampled.stderr or 0.0:.6f}",
                        f"{own.where(_WRONG).mean().value:.2g}",
                    )
                )
        columns = ("prior, posterior", "mean, spread", "KL, eq. 91", "KL integrated", "KL sampled", "bit wrong")
        title = "Bits to send one bit, and the probability that it is read wrongly"
        return [Table(title=title, columns=columns, rows=tuple(rows))]

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether two components send the bit for less, at no lower certainty."""
        found = {prior: measurements.where(prior=prior, of=ONE) for prior in PRIORS}
        if not all(found.values()):
            return []
        (one, one_errs), (two, two_errs) = (
            tuple(own.where(quantity).mean().value for quantity in (_KL, _WRONG)) for own in found.values()
        )
        # The frontier is the same for a probability and for its complement, and the complement is the exact number.
        return [
            Finding(
                claim="Transmission is significantly more efficient with a GMM prior",
                section="B.9.2",
                paper=_PAPER,
                measured=f"with two components {two:.3f} bits, wrong with probability {two_errs:.1g}; "
                f"with one Gaussian {one:.3f} bits, wrong with probability {one_errs:.1g}, "
                f"and {unimodal_frontier(two_errs):.3f} bits to be wrong as rarely",
                verdict=HOLDS if two < one and two_errs < one_errs else FAILS,
            )
        ]


def mixtures(prior: str) -> tuple[GaussianMixture, dict[str, GaussianMixture]]:
    """Return one of `PRIORS`, and the posterior of each bit under it."""
    if prior == "unimodal":
        z = float(torch.special.ndtri(torch.tensor(CERTAINTY, dtype=torch.float64)))
        sigma = 1 / math.sqrt(1 + z * z)  # the best spread, as `unimodal_frontier` says
        return _of(1.0, 0.0), {ZERO: _of(sigma, -z * sigma), ONE: _of(sigma, z * sigma)}
    return _of(SPREAD, -1.0, 1.0), {ZERO: _of(SPREAD, -1.0), ONE: _of(SPREAD, 1.0)}


def _of(sigma: float, *means: float) -> GaussianMixture:
    """Return components of one spread and equal weights."""
    mean_K = torch.tensor(means, dtype=torch.float64)
    return GaussianMixture.of(torch.full_like(mean_K, 1 / len(means)), mean_K, torch.full_like(mean_K, sigma))
