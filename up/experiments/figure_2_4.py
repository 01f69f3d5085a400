"""Figures 2 and 4 of the paper: zero-shot bits on the validation and the test sets as models of several sizes learn.

Claims (Bloem 2025, figure 2 and section 6.2): "the zero-shot behavior (a) is better than chance (8 bits/char) across
the board (b) in some cases beats the performance of a Markov model (c) improves with scale"; it "does not outperform
the Markov model on most of the synthetic datasets".

Figure 4 has the validation sets, figure 2 the test sets; real data is added where it is here (`up data list`). Lines
are the in-context Markov model of the paper, chosen for each set, PPM, and a uniform code, which charges 8 bits.

The default at the laptop scale is the small `modern` transformer on the source of its preset, in widths 32, 64 and 128;
what it charges untrained stands beside it, for its copy heads predict without any training. `--arch paper` is the
paper's form, `--arch mixing` the predictor with gates of several widths; the paper scale takes the paper's own.

Limits: sets are evaluated on few slices at the laptop scale, the same ones each time, so that curves are smoother than
the sets are known. Nothing may be chosen by figure 2.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from up.experiments.bits import (
    BITS,
    CHOSEN_BY,
    MARKOV,
    PPM,
    TEST,
    TRAINED,
    UNIFORM,
    UNTRAINED,
    VALIDATION,
    bar_rows,
    table_of,
)
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Setting, Table, verdict_of
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Estimate, Measurements
from up.experiments.sizes import SizesExperiment, adapting_table, gain_over, gained_by_size, trained_at_end


class Figure24(SizesExperiment):
    """See the module."""

    name = "figure-2-4"
    title = "Figures 2 and 4: zero-shot against scale"
    question = "How well do models of several sizes predict each data set as they learn, and do they beat the bars?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 1, "paper": 1}
    arch: ClassVar[Mapping[str, str]] = {"smoke": "modern", "laptop": "modern", "paper": "paper"}
    samples: ClassVar[Mapping[str, int | None]] = {"smoke": 3, "laptop": 16, "paper": None}
    instances: ClassVar[Mapping[str, int]] = {"mixing": 400, "modern": 1_000, "paper": 2_000}

    def data(self, setting: Setting) -> tuple[str, ...]:
        """Return the validation and the test sets, and the parts of real data that are here."""
        return (*VALIDATION, *TEST, *setting.real_data)

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return one figure for the validation sets and one for the test sets."""
        known = [str(each) for each in measurements.where(BITS).each("data")]
        test = [name for name in known if name in TEST or name.endswith(":test")]
        parts = {"figure-4": ("validation", [name for name in known if name not in test]), "figure-2": ("test", test)}
        return [
            Figure(
                name=name,
                title=f"Zero-shot on the {which} sets as models learn",
                x_label="instances",
                y_label="bits per character",
                panels=tuple(_panel(measurements, each) for each in data),
                log_x=True,
            )
            for name, (which, data) in parts.items()
            if data
        ]

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits of each size at the end beside everything else."""
        bits = trained_at_end(measurements)
        rows = bar_rows(measurements, UNIFORM, MARKOV, PPM)
        for size in bits.each("size"):
            rows[f"size {size} untrained"] = measurements.where(BITS, of=UNTRAINED, size=size)
            rows[f"size {size} trained"] = bits.where(size=size)
        real = [str(each) for each in bits.each("data") if each not in (*VALIDATION, *TEST)]
        tables = [
            table_of("Validation sets, bits per character zero-shot", rows, VALIDATION),
            table_of("Test sets, bits per character zero-shot", rows, TEST),
            table_of("Real data, bits per character zero-shot", rows, real),
            *adapting_table(measurements),
        ]
        return [table for table in tables if len(table.columns) > 1]

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return what becomes of the claims (a), (b) and (c)."""
        bits = trained_at_end(measurements)
        if not bits:
            return ()
        largest = max(int(size) for size in bits.each("size"))
        data = [str(each) for each in bits.each("data")]

        def gains(of: str) -> dict[str, Estimate]:
            found = gain_over(measurements, of).where(size=largest)
            return {name: found.where(data=name).mean() for name in data}

        chance, markov = gains(UNIFORM), gains(MARKOV)
        below_chance = [name for name in data if chance[name].is_above()]
        above_chance = [name for name in data if chance[name].is_above() is False]
        beaten = [name for name in data if markov[name].is_above()]
        synthetic = [name for name in data if name in (*VALIDATION, *TEST) and name not in CHOSEN_BY]
        beaten_synthetic = [name for name in beaten if name in synthetic]
        never = all(each.is_above() is False for each in markov.values())
        claims = [
            Finding(
                claim="Zero-shot behaviour is better than chance across the board",
                section="6.2",
                measured=f"size {largest} is below 8 bits on {len(below_chance)} of {len(data)} sets"
                f"{_named(', above on ', above_chance)}",
                verdict=HOLDS if len(below_chance) == len(data) else FAILS if above_chance else UNKNOWN,
            ),
            Finding(
                claim="In some cases it beats the in-context Markov model",
                section="6.2",
                measured=f"size {largest} is below the Markov model on {len(beaten)} of {len(data)} sets"
                f"{_named(': ', beaten)}",
                verdict=HOLDS if beaten else FAILS if never else UNKNOWN,
            ),
            Finding(
                claim="It does not outperform the Markov model on most of the synthetic sets",
                section="6.2",
                measured=f"it does on {len(beaten_synthetic)} of {len(synthetic)}{_named(': ', beaten_synthetic)}",
                verdict=FAILS if 2 * len(beaten_synthetic) > len(synthetic) else HOLDS,
            ),
        ]
        for name in CHOSEN_BY:
            gained = gained_by_size(measurements, name)
            if gained is not None:
                claims.append(
                    Finding(
                        claim=f"It improves with scale ({name})",
                        section="6.2",
                        measured=f"the largest size is better than the smallest by {gained.with_error}",
                        verdict=verdict_of(gained),
                    )
                )
        return claims


def _panel(measurements: Measurements, data: str) -> Panel:
    found = measurements.where(BITS, data=data)
    series = []
    for size in found.each("size"):
        of_size = found.where(of=TRAINED, size=size)
        after = of_size.instances()
        means = [of_size.after(instances).mean() for instances in after]
        spread = tuple(mean.spread for mean in means if mean.spread is not None)
        y = tuple(mean.value for mean in means)
        series.append(Series(name=f"size {size}", x=tuple(map(float, after)), y=y, spread=spread))
    bars = bar_rows(found, UNIFORM, MARKOV, PPM)
    lines = tuple(Line(name=name, value=bar.mean().value) for name, bar in bars.items() if bar)
    return Panel(title=data, series=tuple(series), lines=lines)


def _named(before: str, names: Sequence[str]) -> str:
    return before + ", ".join(names) if names else ""
