"""Figure 1 of the paper: a random string, and what it becomes on its way through random networks.

Claim: "The first string is fully random, and nothing useful may be learned from it. The second string contains
structure" (Bloem 2025, section 1). Measured by the best in-context Markov model of order 0 to 5, which charges log2 95
bits for a character that it cannot predict.

Each seed draws strings of 304 printable characters and passes each through fresh random LSTMs of 38 hidden units, those
of the paper's width 384, as `up demo enrich` does for one (`up.experiments.enrichment`). The control is drawn in the
same way from the source `noise`: new noise at each pass, which stays as unpredictable as it was.

There is no model and nothing is trained, so `--arch` changes nothing.

Limits: a string may come out constant, which is
predictable and teaches little; the share of such strings stands in the table.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from theory.words import number_of
from up.experiments.enrichment import NUM_PRINTABLE, EnrichmentConfig, EnrichmentPass, enrich_passes, source_for
from up.experiments.experiment import (
    FAILS,
    HOLDS,
    Experiment,
    Finding,
    Listing,
    Part,
    Progress,
    Setting,
    Step,
    Table,
    verdict_of,
)
from up.experiments.figure import Figure, Line, Panel, Series
from up.experiments.measurement import Measurement, Measurements

LSTM, NOISE = "lstm", "noise"
_SOURCES = {LSTM: "through random LSTMs", NOISE: "noise drawn anew"}
_STRINGS = {"smoke": 6, "laptop": 60, "paper": 400}
_DEPTH, _LENGTH, _WIDTH = 3, 304, 384
_SEED_CHARACTERS = 8  # of each string, taken from the one before
_MARKOV_MODELS = 30  # 6 orders and 5 smoothings, of which the best is chosen for each string
_SHOWN_CHARACTERS = 76
_UNIT = "bits per character"
_MARKOV, _ENTROPY, _ZLIB, _CONSTANT, _STRING = "Markov", "entropy", "zlib", "constant share", "string"


class Figure1(Experiment):
    """See the module."""

    name = "figure-1"
    title = "Figure 1: noise becomes structure"
    question = "Does a random string become predictable on its way through random networks?"
    seeds: ClassVar[Mapping[str, int]] = {"smoke": 1, "laptop": 3, "paper": 3}
    ignores = ("arch", "device")

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return a step for each source and seed."""
        return [
            Step(name=f"{source}-seed-{seed}", labels={"source": source, "seed": seed})
            for seed in setting.seeds
            for source in _SOURCES
        ]

    def measure(self, part: Part, folder: Path, setting: Setting, progress: Progress) -> Sequence[Measurement]:  # noqa: ARG002
        """Return the measures of each pass, mean over strings, and the first string as it went."""
        count, seed = _STRINGS[setting.scale], int(part.labels["seed"])
        source = source_for(str(part.labels["source"]), width=_WIDTH if part.labels["source"] == LSTM else None)
        passes: list[list[EnrichmentPass]] = [[] for _ in range(_DEPTH + 1)]
        shown: list[str] = []
        for number in range(count):
            config = EnrichmentConfig(
                depth=_DEPTH, length=_LENGTH, source=source, printable=True, seed=seed * 1_000_000 + number
            )
            for each in enrich_passes(config):
                passes[each.depth].append(each)
                if number == 0:
                    shown.append(each.text)
            progress(number + 1, count)
        found = []
        for depth, measured in enumerate(passes):
            labels = {**part.labels, "pass": depth}
            for quantity, values in (
                (_MARKOV, [each.markov_bits for each in measured]),
                (_ENTROPY, [each.entropy_bits for each in measured]),
                (_ZLIB, [each.zlib_bits for each in measured]),
            ):
                error = statistics.stdev(values) / math.sqrt(count)
                value = statistics.fmean(values)
                found.append(Measurement(labels=labels, quantity=quantity, unit=_UNIT, value=value, stderr=error))
            constant = statistics.fmean(len(set(each.text[_SEED_CHARACTERS:])) == 1 for each in measured)
            found.append(Measurement(labels=labels, quantity=_CONSTANT, unit="", value=constant))
            told = {**labels, "string": shown[depth]}
            found.append(Measurement(labels=told, quantity=_STRING, unit=_UNIT, value=measured[0].markov_bits))
        return found

    def figures(self, measurements: Measurements) -> Sequence[Figure]:
        """Return what the Markov model charges, pass by pass."""
        series = []
        for source, name in _SOURCES.items():
            found = measurements.where(_MARKOV, source=source)
            if found:
                means = [found.where(**{"pass": depth}).mean() for depth in range(_DEPTH + 1)]
                spread = tuple(mean.stderr or 0.0 for mean in means)
                y = tuple(mean.value for mean in means)
                series.append(Series(name=name, x=tuple(map(float, range(_DEPTH + 1))), y=y, spread=spread))
        if not series:
            return ()
        return (
            Figure(
                name="figure-1",
                title="A random string on its way through random networks",
                x_label="models passed",
                y_label=_UNIT,
                panels=(
                    Panel(
                        title="Best in-context Markov model",
                        series=tuple(series),
                        lines=(Line(name="uniform", value=math.log2(NUM_PRINTABLE)),),
                    ),
                ),
            ),
        )

    def tables(self, measurements: Measurements) -> Sequence[Table]:
        """Return all measures by pass, the control below."""
        rows = [("uniform", *[f"{math.log2(NUM_PRINTABLE):.3f}"] * 3, "")]
        for source in _SOURCES:
            found = measurements.where(source=source)
            for depth in range(_DEPTH + 1) if found else ():
                of_pass = found.where(**{"pass": depth})
                bits = [str(of_pass.where(quantity).mean()) for quantity in (_MARKOV, _ENTROPY, _ZLIB)]
                share = f"{of_pass.where(_CONSTANT).mean().value:.0%}"
                rows.append((_name_of(source, depth), *bits, share))
        columns = ("models passed", "Markov", "order-0 entropy", "zlib", "constant")
        return [
            Table(
                title="Bits per character, and how many strings are one character repeated",
                columns=columns,
                rows=tuple(rows),
            )
        ]

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return whether the string is random before, and structured after."""
        found = measurements.where(_MARKOV, source=LSTM)
        if not found:
            return ()
        before, after = (found.where(**{"pass": depth}).mean() for depth in (0, _DEPTH))
        uniform, chosen = math.log2(NUM_PRINTABLE), math.log2(_MARKOV_MODELS) / _LENGTH
        fell = found.where(**{"pass": 0}).less(found.where(**{"pass": _DEPTH}))
        return (
            Finding(
                claim="The random string is fully random, and nothing useful may be learned from it",
                section="1",
                measured=f"bits per character of the best Markov model: {before}, of a uniform code: "
                f"{uniform:.3f}; that it was chosen for the very string is worth {chosen:.3f} at most",
                verdict=FAILS if before.is_above(uniform - chosen) is False else HOLDS,
            ),
            Finding(
                claim="What random networks make of it is partly predictable",
                section="1",
                measured=f"bits per character after {_DEPTH} networks: {after}; they took off {fell.with_error}",
                verdict=verdict_of(fell),
            ),
        )

    def listings(self, measurements: Measurements) -> Sequence[Listing]:
        """Return the first string of the first seed, pass by pass."""
        strings = measurements.where(_STRING, source=LSTM)
        if not strings:
            return ()
        first = strings.where(seed=strings[0].labels["seed"])
        lines = [f"{each.labels['pass']}  {str(each.labels['string'])[:_SHOWN_CHARACTERS]}" for each in first]
        title = f"One string, its first {_SHOWN_CHARACTERS} characters, by models passed"
        return (Listing(title=title, text="\n".join(lines)),)


def _name_of(source: str, depth: int) -> str:
    if depth == 0:
        return "none: the random string" if source == LSTM else "control: a random string"
    return number_of(depth, "random LSTM") if source == LSTM else f"control: drawn anew, {number_of(depth, 'time')}"
