"""Trained on noise, trained on random computation, untrained: is it the structure that teaches, or the training?

Claim: "The first string is fully random, and nothing useful may be learned from it. The second string contains
structure" (Bloem 2025, section 1, figure 1); what helps is that noise has passed through computation.

The same model, with the same initial weights and the same number of instances, is trained on uniform noise and on the
source of its preset. Beside both stands the model as it was initialised, for the architecture alone may predict well:
the mixing predictor and a transformer with copy heads do. Mixing predictors also read a piece adapting.

The default is the mixing predictor, which learns in a minute; `--arch modern` and `--arch paper` are the transformers,
and the paper scale takes the paper's own.

Limits: one length of training and one preset; that noise teaches nothing is expected, that it may harm is what the
control shows.
"""

from collections.abc import Sequence

from up.experiments.bits import BITS, CHOSEN_BY, MARKOV, PPM, TRAINED, UNTRAINED, bar_rows
from up.experiments.experiment import FAILS, HOLDS, Finding, Part, Setting, SubRun, Table, verdict_of
from up.experiments.figure import Figure, Panel, Series
from up.experiments.measurement import Measurements
from up.experiments.training import training_config
from up.experiments.zero_shot import ZeroShotExperiment, taught, zero_shot_tables

NOISE, HOUSE = "noise", "random computation"
_ROWS = {f"trained on {source}": {"source": source} for source in (NOISE, HOUSE)}


class ControlNoise(ZeroShotExperiment):
    """See the module."""

    name = "control-noise"
    title = "Noise as the control"
    question = "Is it the structure of random computation that a model learns from, or would noise do as well?"

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return two trainings for each seed."""
        arch = self.arch_of(setting)
        return [
            SubRun(
                name=f"{name}-seed-{seed}",
                labels={"source": label, "seed": seed, "arch": arch},
                config=training_config(setting, arch=arch, seed=seed, source=source),
            )
            for seed in setting.seeds
            for name, label, source in (("noise", NOISE, "noise"), ("computation", HOUSE, None))
        ]

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return the bits of all three, by data set."""
        bits = measurements.where(BITS)
        data = tuple(str(each) for each in bits.each("data"))
        if not data:
            return ()
        rows = bar_rows(measurements, MARKOV, PPM, UNTRAINED)
        rows |= {name: bits.where(of=TRAINED, **labels) for name, labels in _ROWS.items()}
        series = []
        for name, found in rows.items():
            means = [(data.index(each), found.where(data=each).mean()) for each in data if found.where(data=each)]
            if means:
                spread = tuple(mean.spread or 0.0 for _, mean in means)
                x, y = tuple(float(place) for place, _ in means), tuple(mean.value for _, mean in means)
                series.append(Series(name=name, x=x, y=y, spread=spread if any(spread) else ()))
        return (
            Figure(
                name="control-noise",
                title="Trained on noise, trained on random computation, untrained",
                x_label="data",
                y_label="bits per character",
                panels=(Panel(title="Zero-shot", series=tuple(series)),),
                categories=data,
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits on validation and test sets, and adapting."""
        return zero_shot_tables(measurements, _ROWS)

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether computation teaches more than noise, and whether noise teaches anything, on text and code."""
        found = []
        for data in CHOSEN_BY:
            bits = {source: measurements.where(BITS, of=TRAINED, data=data, source=source) for source in (NOISE, HOUSE)}
            if not all(bits.values()):
                continue
            by_noise, by_house = (taught(measurements, data, source=source) for source in (NOISE, HOUSE))
            gained = by_house.less(by_noise)
            found.append(
                Finding(
                    claim=f"Random computation teaches what noise does not ({data})",
                    section="1",
                    measured=f"bits per character after noise: {bits[NOISE].mean()}, after random computation: "
                    f"{bits[HOUSE].mean()}; the difference is {gained.with_error}",
                    verdict=verdict_of(gained),
                )
            )
            untrained = measurements.where(BITS, of=UNTRAINED, data=data, source=NOISE)
            found.append(
                Finding(
                    claim=f"Nothing useful is learned from noise ({data})",
                    section="1",
                    measured=f"bits per character untrained: {untrained.mean()}, after noise: {bits[NOISE].mean()}; "
                    f"noise took off {by_noise.mean().with_error}",
                    verdict=FAILS if by_noise.mean().is_above() else HOLDS,
                )
            )
        return found
