"""The in-context Markov model comes out where the author's published code has it (docs/reference/corpora.md)."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.bench_markov import PUBLISHED, PUBLISHED_SMOOTHING, measure
from up.data.real_sets import REAL_SETS, find_real_set
from up.evaluation.markov import SMOOTHINGS

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["aut", "bits", "bitsflip", "bitsrep", "champ", "dyck", "ndfa", "toy", "toy2", "wp"])
def test_at_one_smoothing_the_best_order_costs_what_was_published_within_a_tenth_of_a_bit(name):
    if name in REAL_SETS and find_real_set(name, SHARED) is None:
        pytest.skip(f"{name} is not in ../shared/data")
    bits_OS = np.array(measure(name, 2_000, SHARED)["bits"])
    assert abs(bits_OS[:, SMOOTHINGS.index(PUBLISHED_SMOOTHING)].min() - min(PUBLISHED[name])) < 0.1
    assert bits_OS.min() < min(PUBLISHED[name]) + 0.01  # with its best smoothing the bar is no easier than published
