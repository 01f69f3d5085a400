"""Depth of the computation: rows that have passed 0, 1, 2, 4 or 8 random LSTMs, and nothing else that differs.

Claim: data becomes more valuable by being passed through computation again and again: "computational depth" is what
makes it worth training on, and the iteration of the source increases "the depth of the structure present" (Bloem 2025,
sections 1, 4 and 6.4).

Every row is noise that has passed exactly k fresh random LSTMs (source `chain`), so that depth does not vary within a
training as it does in the buffer, where a row is of depth k with probability r (1 - r)^k. Depth 0 is noise itself, the
control. The same weights to begin with, the same number of instances, rows of 512, for all depths.

The default is the mixing predictor with the context families of its preset; `--arch` takes the transformers.

Limits: all LSTMs have 38 hidden units and the paper's temperature, whatever the model; at each depth some rows are
constant, deeper ones more often. In the paper the depths are mixed, which may be better than any one of them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar

from up.experiments.bits import BITS, CHOSEN_BY, MARKOV, PPM, TRAINED, UNTRAINED, bar_rows
from up.experiments.experiment import Finding, Part, Setting, SubRun, Table, verdict_of
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Measurements
from up.experiments.training import training_config
from up.experiments.zero_shot import ZeroShotExperiment, taught, zero_shot_tables

DEPTHS = (0, 1, 2, 4, 8)
_INSTANCES = {"mixing": 400, "modern": 600, "paper": 1_500}
_CONTEXT = 512


class DepthSweep(ZeroShotExperiment):
    """See the module."""

    name = "depth-sweep"
    title = "Depth of the random computation"
    question = "Does data that has passed more random networks teach more?"
    samples: ClassVar[Mapping[str, int]] = {"smoke": 4, "laptop": 30, "paper": 10_000}

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return a training for each depth and seed."""
        arch = self.arch_of(setting)
        lengths = [f"training.instances={_INSTANCES[arch]}"] if setting.scale == "laptop" else []
        context = [] if setting.is_smoke and arch != "mixing" else [f"model.context_length={_CONTEXT}"]
        return [
            SubRun(
                name=f"depth-{depth}-seed-{seed}",
                labels={"depth": depth, "seed": seed, "arch": arch},
                config=training_config(
                    setting,
                    arch=arch,
                    seed=seed,
                    source="chain" if depth else "noise",
                    assignments=[*lengths, *context, *_members(depth)],
                ),
            )
            for seed in setting.seeds
            for depth in DEPTHS
        ]

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return bits against depth, a panel for each data set that findings are about, and one for each other."""
        bits = measurements.where(BITS)
        depths = [int(depth) for depth in bits.each("depth")]
        bars = bar_rows(measurements, MARKOV, PPM, UNTRAINED)
        panels = []
        for data in map(str, bits.each("data")):
            means = [bits.where(of=TRAINED, data=data, depth=depth).mean() for depth in depths]
            series = Series(
                name="trained",
                x=tuple(map(float, depths)),
                y=tuple(mean.value for mean in means),
                spread=tuple(mean.spread for mean in means if mean.spread is not None),
            )
            lines = tuple(Line(name=name, value=found.where(data=data).mean().value) for name, found in bars.items())
            panels.append(Panel(title=data, series=(series,), lines=lines))
        if not panels:
            return ()
        return (
            Figure(
                name="depth-sweep",
                title="Bits zero-shot against the number of random LSTMs that the training data passed",
                x_label="random LSTMs passed",
                y_label="bits per character",
                panels=tuple(panels),
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return the bits of each depth; depth 0 is the control trained on noise."""
        depths = measurements.each("depth")
        names = {depth: f"trained on depth {depth}{', which is noise' if depth == 0 else ''}" for depth in depths}
        return zero_shot_tables(measurements, {names[depth]: {"depth": depth} for depth in depths})

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether one pass is better than none, and whether more are better than one."""
        found = []
        for data in CHOSEN_BY:
            bits = {depth: measurements.where(BITS, of=TRAINED, data=data, depth=depth) for depth in DEPTHS}
            if not all(bits.values()):
                continue
            by_depth = {depth: taught(measurements, data, depth=depth) for depth in DEPTHS}
            first = by_depth[1].less(by_depth[0])
            found.append(
                Finding(
                    claim=f"Noise that has passed one random network teaches more than noise ({data})",
                    section="1",
                    measured=f"bits per character at depth 0: {bits[0].mean()}, at depth 1: {bits[1].mean()}; the "
                    f"first network took off {first.with_error}",
                    verdict=verdict_of(first),
                )
            )
            deeper = Measurements([each for depth in DEPTHS[2:] for each in by_depth[depth]]).averaged()
            more = deeper.less(by_depth[1])
            told = ", ".join(f"depth {depth}: {bits[depth].mean()}" for depth in DEPTHS[1:])
            found.append(
                Finding(
                    claim=f"Iterating the computation makes the data more valuable ({data})",
                    section="6.4",
                    measured=f"{told}; beyond depth 1 the mean of the deeper ones took off {more.with_error}",
                    verdict=verdict_of(more),
                )
            )
        return found


def _members(depth: int) -> list[str]:
    return [f"source.members={json.dumps(['noise', *['lstm'] * depth])}"] if depth else []
