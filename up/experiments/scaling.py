"""Bits against instances, parameters and width: does it follow a power law?

Claim: "we observe improvement with scale in the real-world datasets. This suggests a possibility of a scaling law for
universal pre-training" (Bloem 2025, section 6.2).

Models of several widths are trained on the same source for the same number of instances and evaluated on text and code
as they learn. Through the bits of the largest one against instances, and of all of them at the end against parameters,
goes a power law with a floor (`up.experiments.power_law`), with confidence intervals.

The claim is about the paper's transformer, so that is the default, small and on the paper's source at the laptop scale;
`--arch modern` has copy heads, which predict well untrained, and `--arch mixing` scales the width of the gate.

Limits: one learning rate for all sizes by muP; at the laptop scale the sizes span a factor of four in width, and a
training is far from its end, so that what is seen is the beginning of the curves.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from up.experiments.bits import BITS, CHOSEN_BY, MARKOV, PPM, TRAINED, UNIFORM, UNTRAINED, bar_rows, table_of
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Setting, Table, verdict_of
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Estimate, Measurements
from up.experiments.power_law import FEWEST_POINTS, PowerLaw, fit_power_law
from up.experiments.sizes import PARAMETERS, SizesExperiment, adapting_table, gained_by_size, trained_at_end

_FALLS_BY = 0.02  # the least exponent that counts as falling
_HARDLY, _MOSTLY = 0.5, 0.9  # shares of the variance that a power law which does not hold, and one that does, explains


class Scaling(SizesExperiment):
    """See the module."""

    name = "scaling"
    title = "Scaling laws"
    question = "Do the bits on real data fall with instances and size, and by a power law?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 2, "paper": 1}
    arch: ClassVar[Mapping[str, str]] = {"smoke": "paper", "laptop": "paper", "paper": "paper"}
    samples: ClassVar[Mapping[str, int | None]] = {"smoke": 4, "laptop": 40, "paper": None}
    points: ClassVar[Mapping[str, int | None]] = {"smoke": 5, "laptop": 10, "paper": None}
    instances: ClassVar[Mapping[str, int]] = {"mixing": 400, "modern": 1_000, "paper": 2_000}

    def data(self, setting: Setting) -> tuple[str, ...]:
        """Return text and code, and the validation parts of the real data that is here."""
        return (*CHOSEN_BY, *(name for name in setting.real_data if name.endswith(":validation")))

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return bits against instances for each size, and against parameters at the end."""
        bits = measurements.where(BITS, of=TRAINED)
        data, sizes = [str(each) for each in bits.each("data")], sorted(int(size) for size in bits.each("size"))
        if not data:
            return ()
        bars = bar_rows(measurements, MARKOV, PPM)
        along, at_end = [], []
        for name in data:
            lines = tuple(Line(name=bar, value=found.where(data=name).mean().value) for bar, found in bars.items())
            curves = tuple(_curve(bits.where(data=name, size=size), f"size {size}") for size in sizes)
            fit = self.fits(measurements, name).get("instances")
            if fit is not None:
                x = curves[-1].x
                curves += (Series(name=f"power law, size {sizes[-1]}", x=x, y=tuple(map(fit.at, x)), marked=False),)
            along.append(Panel(title=name, series=curves, lines=lines))
            x, means = zip(*_by_parameters(measurements, name), strict=True)
            spread = tuple(mean.spread for mean in means if mean.spread is not None)
            points = Series(name="at the end", x=x, y=tuple(mean.value for mean in means), spread=spread)
            at_end.append(Panel(title=name, series=(points,), lines=lines))
        label = "bits per character"
        figures = [
            Figure(
                name="scaling-instances",
                title="Bits zero-shot against instances trained on",
                x_label="instances",
                y_label=label,
                panels=tuple(along),
                log_x=True,
            )
        ]
        if len(sizes) > 1:
            figures.append(
                Figure(
                    name="scaling-parameters",
                    title="Bits zero-shot at the end against parameters",
                    x_label="parameters",
                    y_label=label,
                    panels=tuple(at_end),
                    log_x=True,
                )
            )
        return figures

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits of each size at the end beside everything else, and the fits."""
        bits = trained_at_end(measurements)
        sizes = [int(size) for size in bits.each("size")]
        rows = bar_rows(measurements, UNIFORM, MARKOV, PPM)
        for size in sizes:
            rows[f"size {size} untrained"] = measurements.where(BITS, of=UNTRAINED, size=size)
            rows[f"size {size} trained"] = bits.where(size=size)
        data = [str(each) for each in bits.each("data")]
        fits = tuple(
            (
                f"{name}, against {along}",
                f"{fit.exponent:.3f}",
                _span(fit.exponent_interval),
                f"{fit.floor:.3f}",
                _span(fit.floor_interval),
                f"{fit.explained:.0%}",
            )
            for name in data
            for along, fit in self.fits(measurements, name).items()
        )
        columns = ("", "exponent", "95 %", "floor", "95 %", "explained")
        return [
            table_of("Bits per character zero-shot, at the end", rows, data),
            *adapting_table(measurements),
            *([Table(title="Power laws, floor + scale x^-exponent", columns=columns, rows=fits)] if fits else []),
        ]

    def fits(self, measurements: Measurements, data: str) -> dict[str, PowerLaw]:
        """Return the power laws on a data set, where there are points enough."""
        bits = measurements.where(BITS, of=TRAINED, data=data)
        if not bits:
            return {}
        largest = max(int(size) for size in bits.each("size"))
        of_largest = [(float(each.instances or 0), each.value) for each in bits.where(size=largest)]
        parameters = {(each.labels["size"], each.labels["seed"]): each.value for each in measurements.where(PARAMETERS)}
        at_end = [
            (parameters[each.labels["size"], each.labels["seed"]], each.value)
            for each in trained_at_end(measurements).where(data=data)
        ]
        found = {}
        for along, points in (("instances", of_largest), ("parameters", at_end)):
            x, y = zip(*points, strict=True)
            if len(points) >= FEWEST_POINTS and len(set(x)) > 2:
                found[along] = fit_power_law(x, y)
        return found

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether larger is better, and whether the fits fall for certain."""
        found = []
        for data in map(str, measurements.where(BITS).each("data")):
            gained = gained_by_size(measurements, data)
            if gained is not None:
                at_end = trained_at_end(measurements).where(data=data)
                told = ", ".join(f"size {size}: {at_end.where(size=size).mean()}" for size in at_end.each("size"))
                found.append(
                    Finding(
                        claim=f"Larger models are better on real data ({data})",
                        section="6.2",
                        measured=f"{told}; from the smallest to the largest the gain is {gained.with_error}",
                        verdict=verdict_of(gained),
                    )
                )
            found += [
                Finding(
                    claim=f"Bits follow a power law in {along} ({data})",
                    section="6.2",
                    measured=str(fit),
                    verdict=verdict_of_fit(fit),
                )
                for along, fit in self.fits(measurements, data).items()
            ]
        return found


def verdict_of_fit(fit: PowerLaw) -> str:
    """Return whether the points fall and lie on the fit; unknown where they leave the exponent open."""
    if fit.scale <= 0:
        return FAILS
    if fit.is_open:
        return UNKNOWN
    if fit.explained < _HARDLY:
        return FAILS
    return HOLDS if fit.exponent_interval[0] > _FALLS_BY and fit.explained >= _MOSTLY else UNKNOWN


def _curve(found: Measurements, name: str) -> Series:
    after = found.instances()
    means = [found.after(instances).mean() for instances in after]
    spread = tuple(mean.spread for mean in means if mean.spread is not None)
    return Series(name=name, x=tuple(map(float, after)), y=tuple(mean.value for mean in means), spread=spread)


def _by_parameters(measurements: Measurements, data: str) -> list[tuple[float, Estimate]]:
    at_end = trained_at_end(measurements).where(data=data)
    return [
        (measurements.where(PARAMETERS, size=size)[0].value, at_end.where(size=size).mean())
        for size in sorted(int(size) for size in at_end.each("size"))
    ]


def _span(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
