"""All bars on real bytes: 200 slices, bits over the last 64, longest context."""

import numpy as np

from up.data.corpora import EMBEDDED_CORPORA, load_corpus, sample_slices
from up.evaluation.bars import measure_bars

for name in EMBEDDED_CORPORA:
    corpus = load_corpus(name)
    slices = sample_slices(
        corpus, num_slices=200, length=512, generator=np.random.default_rng(0)
    )
    bars = measure_bars(slices, np.unique(corpus.data), tail_positions=64)
    print(name)
    tail = bars.markov.bits_T[-64:].mean()
    print(f"  Markov                  {tail:.2f}  order {bars.markov.model.order}")
    for label, bar, unit in (
        ("CTW", bars.ctw, "depth"),
        ("PPM-D", bars.ppm, "order"),
        ("PPM-D, update exclusion", bars.ppm_exclusion, "order"),
    ):
        print(f"  {label:<24}{bar.bits_T[-64:].mean():.2f}  {unit} {bar.longest}")
