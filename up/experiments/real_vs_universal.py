"""Pre-training on real text against pre-training on random computation, at equal compute, then the same finetuning.

Real text is the upper line that a universal model is measured by: where data of the kind that will be predicted is
there beforehand, it should win. Random computation should lose less on kinds of data that the text has nothing of.

The same model, with the same initial weights and the same number of instances, is pre-trained on the training part of
one text and on the source of its preset; both are measured on that text's test part, on another text, on code and on
synthetic data. Then both are finetuned on the other text, beside the same training from scratch. The texts are wp and
german, as far as they are here.

Limits: compute is counted in instances, without what the source itself costs. With one seed, errors are those of the
slices. No model that ships is trained on text; this measures what that costs.
"""

from collections.abc import Sequence

from up.data.parts import PARTS
from up.experiments.bits import BITS, CHOSEN_BY, GAIN, TRAINED, UNTRAINED
from up.experiments.experiment import FAILS, HOLDS, UNKNOWN, Finding, Part, Setting, verdict_of
from up.experiments.finetuning import (
    COMPUTATION,
    FINETUNED,
    PRETRAINED,
    FinetuningExperiment,
    require_sets,
    sooner,
)
from up.experiments.measurement import Measurements

_WANTED = ("wp", "german")
_SYNTHETIC = ("champ", "dyck", "ndfa", "toy")


class RealVersusUniversal(FinetuningExperiment):
    """See the module."""

    name = "real-vs-universal"
    title = "Real text against random computation"
    question = (
        "What does pre-training on real text give that random computation does not, and where is it the other way?"
    )

    def texts(self, setting: Setting) -> tuple[str, str]:
        """Return what is pre-trained on, and what is finetuned on."""
        first, second = require_sets(setting, _WANTED, ("pydoc", "stdlib"), least=2)
        return first, second

    def data_of(self, setting: Setting) -> tuple[str, ...]:
        """Return the test parts of both texts, and other kinds of data."""
        texts = self.texts(setting)
        return (*(f"{name}:test" for name in texts), *(n for n in CHOSEN_BY if n not in texts), *_SYNTHETIC)

    def runs(self, setting: Setting) -> Sequence[Part]:
        """Return for each seed two pre-trainings, a finetuning from each, and one training from scratch."""
        text, on = self.texts(setting)
        parts: list[Part] = []
        for seed in setting.seeds:
            begins = [
                self.pretraining(setting, seed, learns=COMPUTATION),
                self.pretraining(setting, seed, learns=text, text=text),
            ]
            parts += [*begins, *self.finetunings(setting, seed, on, begins)]
        return parts

    def findings(self, measurements: Measurements) -> Sequence[Finding]:
        """Return which pre-training predicts each data set better, and which makes finetuning faster."""
        texts = [str(each) for each in measurements.where(phase=PRETRAINED).each("from") if each != COMPUTATION]
        if not texts:
            return ()
        (text,) = texts
        pretrained = measurements.where(BITS, phase=PRETRAINED, of=TRAINED)
        found = [_zero_shot(measurements, text, str(data)) for data in pretrained.each("data")]
        targets = [str(each) for each in measurements.where(phase=FINETUNED).each("on")]
        after = {on: set(measurements.where(phase=FINETUNED, on=on).each("from")) for on in targets}
        found += [_finetuned(measurements, text, on) for on in targets if after[on] == {COMPUTATION, text}]
        return found


def _zero_shot(measurements: Measurements, text: str, data: str) -> Finding:
    """Compare two pre-trainings on one data set; both with the same untrained model slice by slice."""
    found = measurements.where(phase=PRETRAINED, data=data)
    of_text, universal = (found.where(**{"from": each}) for each in (text, COMPUTATION))
    own = data.startswith(f"{text}:")
    better, worse = (of_text, universal) if own else (universal, of_text)
    claim = "Text predicts text of its own kind better" if own else "Random computation predicts other data better"
    below = better.where(GAIN, of=UNTRAINED).less(worse.where(GAIN, of=UNTRAINED))
    bits = [each.where(BITS, of=TRAINED).mean() for each in (of_text, universal)]
    return Finding(
        claim=f"{claim} ({data})",
        section="",
        measured=f"in bits per character, after {text} {bits[0]}, after random computation {bits[1]}; the difference "
        f"in favour of the claim is {below.with_error}",
        verdict=verdict_of(below),
    )


def _finetuned(measurements: Measurements, text: str, on: str) -> Finding:
    said, faster = [], []
    for seed in (int(each) for each in measurements.where(phase=FINETUNED, on=on).each("seed")):
        of_text, scratch, loss = sooner(measurements, on, text, seed)
        universal, _, _ = sooner(measurements, on, COMPUTATION, seed)
        faster.append((universal or 0) < (of_text or 0) if universal is not None and of_text is not None else None)
        counts = ("never" if each is None else f"{each:,.0f}" for each in (universal, of_text, scratch))
        names = ("after random computation", f"after {text}", "from scratch")
        listed = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
        said.append(f"instances for {loss:.3f} bits on {on}:{PARTS[1]}: {listed}")
    alike = len(set(faster)) == 1 and faster[0] is not None
    return Finding(
        claim=f"Random computation makes finetuning on {on} faster than {text} does",
        section="",
        measured="; ".join(said),
        verdict=UNKNOWN if not alike else HOLDS if faster[0] else FAILS,
    )
