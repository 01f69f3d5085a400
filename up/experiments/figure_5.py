"""Figure 5 of the paper: finetuning a pre-trained model on real data, against the same training from scratch.

Claims (Bloem 2025, section 6.3): "universal pre-training confers an advantage in the speed of convergence"; "both
models converge to a similar optimum"; "the pre-trained model largely retains its performance on datasets other than
the finetuning target", which "suggests a generalization benefit".

The model is pre-trained on the source of its preset, then trained on each data set that is here: german, wp (of which a
prefix may be here), linux, code, and the standard library's code, which every Python has. The paper finetunes width 512
on wp and linux.

Limits: with one seed, errors are those of the slices. The pre-training is not counted, as in the paper. The learning
rate of both is a third of that of the pre-training, which may not be the best for either.
"""

from collections.abc import Sequence

from theory.words import number_of
from up.experiments.bits import BITS, GAIN, TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Part, Setting, verdict_of
from up.experiments.finetuning import (
    COMPUTATION,
    FINETUNED,
    PRETRAINED,
    SCRATCH,
    FinetuningExperiment,
    require_sets,
    sooner,
)
from up.experiments.measurement import Estimate, Measurements

_WANTED = ("german", "wp", "linux", "code")
_AT_HAND = "stdlib"
_OTHER = "toy"
_LARGELY = 0.5  # of what pre-training had taken off


class Figure5(FinetuningExperiment):
    """See the module."""

    name = "figure-5"
    title = "Figure 5: finetuning"
    question = "Does pre-training on random computation make training on real data faster, and what is retained?"

    def targets(self, setting: Setting) -> tuple[str, ...]:
        """Return what is finetuned on."""
        found = require_sets(setting, _WANTED, (_AT_HAND, "pydoc"), least=1)
        return found if _AT_HAND in found else (*found, _AT_HAND)

    def data_of(self, setting: Setting) -> tuple[str, ...]:
        """Return the test parts of all targets, and a set that is none."""
        return (*(f"{name}:test" for name in self.targets(setting)), _OTHER)

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return for each seed a pre-training, then for each target a finetuning and its baseline."""
        parts: list[Part] = []
        for seed in setting.seeds:
            pretrained = self.pretraining(setting, seed, learns=COMPUTATION)
            parts.append(pretrained)
            for on in self.targets(setting):
                parts += self.finetunings(setting, seed, on, [pretrained])
        return parts

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return what becomes of the three claims on each target."""
        found = []
        for on in map(str, measurements.where(phase=SCRATCH).each("on")):
            if not measurements.where(phase=FINETUNED, on=on):
                continue
            found += [_speed(measurements, on), _optimum(measurements, on)]
            found += [*_retained(measurements, on), *_generalises(measurements, on)]
        return found


def _speed(measurements: Measurements, on: str) -> Finding:
    seeds = [int(seed) for seed in measurements.where(phase=SCRATCH, on=on).each("seed")]
    said, faster = [], []
    for seed in seeds:
        own, other, loss = sooner(measurements, on, COMPUTATION, seed)
        assert other is not None
        faster.append(own is not None and own < other)
        after = "never reached it" if own is None else f"needed {number_of(round(own), 'instance')}"
        said.append(f"for {loss:.3f} bits from scratch needed {number_of(round(other), 'instance')}, finetuned {after}")
    return Finding(
        claim=f"Pre-training makes convergence faster ({on})",
        section="6.3",
        measured="; ".join(said),
        verdict=HOLDS if all(faster) else UNKNOWN if any(faster) else FAILS,
    )


def _bits(measurements: Measurements, phase: str, data: str, **labels: str) -> Measurements:
    return measurements.where(BITS, phase=phase, data=data, of=TRAINED, **labels)


def _optimum(measurements: Measurements, on: str) -> Finding:
    data = f"{on}:test"
    finetuned, scratch = (_bits(measurements, phase, data, on=on) for phase in (FINETUNED, SCRATCH))
    below = lower(measurements, data, on)
    apart = below.is_above() is not None
    return Finding(
        claim=f"Finetuned and from scratch, models converge to a similar optimum ({data})",
        section="6.3",
        measured=f"in bits per character, finetuned {finetuned.mean()}, from scratch {scratch.mean()}; the first is "
        f"lower by {below.with_error}",
        verdict=FAILS if apart else UNKNOWN if below.stderr is None else HOLDS,
    )


def lower(measurements: Measurements, data: str, on: str) -> Estimate:
    """Return by how many bits per character the finetuned model is below the one from scratch.

    Both are compared with the same untrained model slice by slice, so the error is smaller than that of their bits.
    """
    gains = measurements.where(GAIN, data=data, on=on, of=UNTRAINED)
    return gains.where(phase=FINETUNED).less(gains.where(phase=SCRATCH))


def _others(measurements: Measurements, on: str) -> list[str]:
    every = measurements.where(BITS, phase=FINETUNED, on=on, of=TRAINED).each("data")
    return [str(each) for each in every if each != f"{on}:test"]


def _retained(measurements: Measurements, on: str) -> Sequence[Finding]:
    found = []
    for data in _others(measurements, on):
        before, after = (
            measurements.where(GAIN, phase=phase, data=data, of=UNTRAINED, **labels)
            for phase, labels in ((PRETRAINED, {}), (FINETUNED, {"on": on}))
        )
        gained, kept = before.mean(), after.mean()
        share = kept.value / gained.value if gained.value else 0.0
        found.append(
            Finding(
                claim=f"Finetuned on {on}, the model largely retains what it had on other data ({data})",
                section="6.3",
                measured=f"in bits per character, pre-training took {gained.with_error} off the untrained model, of "
                f"which {kept.with_error} are left",
                verdict=UNKNOWN if not gained.is_above() else HOLDS if share >= _LARGELY else FAILS,
            )
        )
    return found


def _generalises(measurements: Measurements, on: str) -> Sequence[Finding]:
    found = []
    for data in _others(measurements, on):
        finetuned, scratch = (_bits(measurements, phase, data, on=on) for phase in (FINETUNED, SCRATCH))
        below = lower(measurements, data, on)
        found.append(
            Finding(
                claim=f"Trained on {on}, a pre-trained model predicts other data better than one from scratch ({data})",
                section="6.3",
                measured=f"in bits per character, finetuned {finetuned.mean()}, from scratch {scratch.mean()}; the "
                f"first is lower by {below.with_error}",
                verdict=verdict_of(below),
            )
        )
    return found
