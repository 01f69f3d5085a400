"""Figure 9 of the description-length paper: has the prior that an optimiser learns more than one mode?

Claims (Shaw et al. 2025, arXiv 2509.22445, section 6 and C.2): of the MLP that copies four bits, "the prior
distribution appears to converge to a unimodal distribution", "in contrast to the multimodal prior of the manual
solution, with lower-variance components", "which leads to a significantly lower KL divergence".

Random starts are trained as in table-2 (`up.codes.identity`), at the paper's learning rate and at the one that ends
shortest there, with two coefficients of the divergence. Beside what they learn stand the manual solution with the best
prior that three components can be, and as control what the training begins with. Modes are the peaks of the prior's
density with at least a hundredth of its mass between the valleys on both sides (`up.codes.shape.modes`). The aggregated
posterior is the mixture of the posteriors of all 148 weights, each with the same weight, as in the paper.

Limits: the paper does not say which coefficient its figure is of, nor how the means of the prior begin; here they are
spread over [-1, 1], so wide that the prior has one mode before anything is learned: it cannot collapse.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from theory.words import number_of
from up.codes.identity import IdentityConfig, IdentityResult, train_identity
from up.codes.mixture import GaussianMixture
from up.codes.shape import modes
from up.experiments.densities import SIGMA, density_series, mixture_of, parameters
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Experiment, Finding, Part, Progress, Setting, Step, Table
from up.experiments.figure import Figure, Panel
from up.experiments.measurement import Label, Measurement, Measurements

PAPER_RATE, BEST_RATE = 1e-3, 3e-2
"""Of Adam; the second is the best of table-2."""
COEFFICIENTS = (1e-2, 1e-3)
"""Of the divergence: the best of table-2 here, and the best in the paper."""
MANUAL, UNTRAINED, LEARNED = "manual", "untrained", "learned"
PRIOR, POSTERIOR = "prior", "aggregated posterior"
_MODES, _KL, _TOTAL, _RIGHT = "modes", "KL", "total", "bits right"
_STEPS = {"smoke": 20, "laptop": 1000, "paper": 1000}
_FLOOR = 1e-3  # of the densities that are drawn
_PAPER = "Shaw et al. 2025"


class Figure9(Experiment):
    """See the module."""

    name = "figure-9"
    title = "Figure 9 of Shaw et al. 2025: the prior that is learned"
    question = "Does the prior that is learned from random weights have one mode, and the manual one several?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 4, "paper": 8}
    ignores = ("arch", "device")

    def runs(self, setting: Setting) -> Sequence[Part]:  # noqa: ARG002
        """Return the manual solution, what training begins with, and a step for each rate."""
        return [
            Step(name=MANUAL, labels={"start": MANUAL}),
            Step(name=UNTRAINED, labels={"start": UNTRAINED}),
            *(
                Step(name=f"{LEARNED}-{rate:g}", labels={"start": LEARNED, "rate": rate})
                for rate in (PAPER_RATE, BEST_RATE)
            ),
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return modes, bits and all parameters of prior and posteriors."""
        start, rate = str(part.labels["start"]), float(part.labels.get("rate", PAPER_RATE))
        configs = [
            IdentityConfig(
                coefficient=coefficient,
                learning_rate=rate,
                initialisation="paper" if start == MANUAL else "random",
                prior_means="clusters" if start == MANUAL else "spread",
                seed=seed,
            )
            for coefficient in (COEFFICIENTS if start == LEARNED else COEFFICIENTS[:1])
            for seed in (setting.seeds[:1] if start == MANUAL else setting.seeds)
        ]
        results = train_identity(
            configs,
            steps=_STEPS[setting.scale] if start == LEARNED else 0,
            divergence_samples=10 if setting.is_smoke else 100,
            progress=progress,
        )
        found: list[Measurement] = []
        for result in results:
            own = {**part.labels, "seed": result.config.seed}
            if start == LEARNED:
                own["coefficient"] = result.config.coefficient
            found += _measured(result, own)
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return prior and aggregated posterior of the first seed, a panel for each kind."""
        panels = []
        for title, own in _kinds(measurements):
            first = own.where(seed=own.each("seed")[0])
            series = [density_series(of, mixture_of(first.where(of=of)), floor=_FLOOR) for of in (POSTERIOR, PRIOR)]
            panels.append(Panel(title=title, series=tuple(series)))
        if not panels:
            return ()
        return (
            Figure(
                name="figure-9",
                title="The prior of 148 weights, and the equal mixture of their posteriors (first seed)",
                x_label="weight",
                y_label="density",
                panels=tuple(panels),
                log_y=True,
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return modes and bits of each kind, and the components of every prior."""
        rows, components = [], []
        for title, own in _kinds(measurements):
            counts = {
                of: ", ".join(f"{each.value:g}" for each in own.where(_MODES, of=of)) for of in (PRIOR, POSTERIOR)
            }
            kl, total = (own.where(quantity).mean() for quantity in (_KL, _TOTAL))
            bits = (f"{each.value:.1f} ± {each.spread or each.stderr or 0.0:.1f}" for each in (kl, total))
            rows.append((title, counts[PRIOR], counts[POSTERIOR], *bits, f"{own.where(_RIGHT).mean().value:.1%}"))
            for seed in own.each("seed"):
                prior = mixture_of(own.where(of=PRIOR, seed=seed))
                components.append((f"{title}, seed {seed}", *_cells(prior)))
        if not rows:
            return []
        columns = ("weights", "modes of the prior", "of the posterior", "KL", "KL and data", "bits right")
        places = ("prior", "lowest component", "middle component", "highest component")
        return [
            Table(
                title="Modes, seed by seed, and bits for the weights and 1600 vectors",
                columns=columns,
                rows=tuple(rows),
            ),
            Table(title="Components: weight at mean (spread)", columns=places, rows=tuple(components)),
        ]

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether the prior has one mode in each setting, and how the manual one differs."""
        learned = [(title, own) for title, own in _kinds(measurements) if own.each("start") == (LEARNED,)]
        manual, untrained = (measurements.where(start=start) for start in (MANUAL, UNTRAINED))
        found = [_one_mode(title, own) for title, own in learned]
        if manual and learned:
            found.append(_manual_is_narrow(manual, learned))
            found += [_manual_is_cheaper(manual, title, own) for title, own in learned]
        if untrained:
            before = [each.value for each in untrained.where(_MODES, of=PRIOR)]
            found.append(
                Finding(
                    claim="The prior has several modes before it is learned, so that it can collapse",
                    section="",
                    measured=f"before the first step it has {_modes_of(untrained)}: its components are wider than "
                    "their means are apart",
                    verdict=HOLDS if min(before) > 1 else FAILS,
                )
            )
        return found


def _one_mode(title: str, own: Measurements) -> Finding:
    counts = [each.value for each in own.where(_MODES, of=PRIOR)]
    return Finding(
        claim=f"The prior converges to a unimodal distribution ({title})",
        section="C.2",
        paper=_PAPER,
        measured=f"{_modes_of(own)}; weights and data take {own.where(_TOTAL).mean()} bits",
        verdict=HOLDS if max(counts) == 1 else FAILS if min(counts) > 1 else UNKNOWN,
    )


def _manual_is_narrow(manual: Measurements, learned: Sequence[tuple[str, Measurements]]) -> Finding:
    widest = max(each.value for each in manual.where(SIGMA, of=PRIOR))
    narrowest = min(each.value for _, own in learned for each in own.where(SIGMA, of=PRIOR))
    several = manual.where(_MODES, of=PRIOR).mean().value > 1
    return Finding(
        claim="The manual solution's prior is multimodal, with components of lower variance",
        section="C.2",
        paper=_PAPER,
        measured=f"{_modes_of(manual)}, spreads of {widest:.4f}; the narrowest component that was learned has a spread "
        f"of {narrowest:.4f}",
        verdict=HOLDS if several and widest < narrowest else FAILS,
    )


def _manual_is_cheaper(manual: Measurements, title: str, own: Measurements) -> Finding:
    by_hand, learned = manual.where(_KL).mean().value, own.where(_KL).mean()
    return Finding(
        claim=f"The manual prior leads to a significantly lower divergence ({title})",
        section="6",
        paper=_PAPER,
        measured=f"{by_hand:.1f} bits by hand, {learned} learned",
        verdict={True: HOLDS, False: FAILS, None: UNKNOWN}[learned.is_above(by_hand)],
    )


def _modes_of(own: Measurements) -> str:
    """Return the modes of the prior in words, seed by seed."""
    counts = [round(each.value) for each in own.where(_MODES, of=PRIOR)]
    if len(set(counts)) == 1:
        seeds = f" in each of {number_of(len(counts), 'seed')}" if len(counts) > 1 else ""
        return f"{number_of(counts[0], 'mode')}{seeds}"
    return f"{', '.join(map(str, counts))} modes, seed by seed"


def _measured(result: IdentityResult, labels: Mapping[str, Label]) -> list[Measurement]:
    aggregated = GaussianMixture(*(each.squeeze(-1) for each in dataclasses.astuple(result.posterior)))
    parts = result.description
    found = [
        Measurement(labels={**labels}, quantity=quantity, unit="bits", value=amount.value, stderr=amount.stderr)
        for quantity, amount in ((_KL, parts.hypothesis), (_TOTAL, parts.total))
    ]
    found.append(Measurement(labels={**labels}, quantity=_RIGHT, unit="", value=result.bit_accuracy))
    for of, mixture in ((PRIOR, result.prior), (POSTERIOR, aggregated)):
        own = {**labels, "of": of}
        found.append(Measurement(labels=own, quantity=_MODES, unit="", value=len(modes(mixture))))
        found += parameters(mixture, own)
    return found


def _kinds(measurements: Measurements) -> list[tuple[str, Measurements]]:
    """Return the measurements of each start, rate and coefficient by a name of it, in the order of the panels."""
    kinds: dict[str, Measurements] = {}
    for start, rate in ((MANUAL, PAPER_RATE), (UNTRAINED, BEST_RATE)):
        kinds[start] = measurements.where(start=start)
        for coefficient in COEFFICIENTS:
            name = f"rate {rate:g}, coefficient {coefficient:g}"
            kinds[name] = measurements.where(start=LEARNED, rate=rate, coefficient=coefficient)
    return [(name, own) for name, own in kinds.items() if own]


def _cells(prior: GaussianMixture) -> list[str]:
    order = prior.mean_K.argsort()
    parts = (each[order].tolist() for each in (prior.log_weights.exp(), prior.mean_K, prior.sigmas))
    return [f"{weight:.3f} at {mean:.2f} ({sigma:.3g})" for weight, mean, sigma in zip(*parts, strict=True)]
