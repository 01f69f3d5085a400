"""Sources beside each other: each figure against what is known of a source, or computed plainly."""

import dataclasses
import math
import sys

import pytest
import torch

from up.errors import InputError
from up.experiments.source_comparison import ComparisonConfig, compare_sources, measure_source, summaries
from up.sources.base import ConditionalSource, RowSource
from up.sources.noise import NoiseSource
from up.sources.recurrent import RecurrentSource
from up.sources.registry import SOURCES, source_type


@dataclasses.dataclass(frozen=True, kw_only=True)
class Halves(RowSource):
    """Constant rows and rows that alternate between two tokens, in turn."""

    kind: str = "halves"

    def rows(self, num_rows, num_tokens, generator):
        rows_RT = torch.zeros(num_rows, num_tokens, dtype=torch.uint8, device=generator.device)
        rows_RT[1::2, 1::2] = 1
        return rows_RT


@dataclasses.dataclass(frozen=True, kw_only=True)
class Counts(ConditionalSource):
    """Writes in the last token how often a row has been passed."""

    kind: str = "counts"
    passes: list = dataclasses.field(default_factory=list, compare=False)

    def generate(self, seeds_RS, conditions_RT, generator):  # noqa: ARG002
        self.passes.append(len(conditions_RT))
        return conditions_RT.clone()


def test_the_measures_of_rows_that_are_known():
    found = measure_source(Halves(), rows=40, length=512, seed=0)
    assert (found.name, found.reads) == ("halves", False)
    assert found.constant_share == 0.5
    assert found.entropy_bits == pytest.approx(0.5)  # 0 and 1
    assert found.entropy_bits_median == pytest.approx(0.5)
    assert found.markov_order >= 1
    assert found.markov_bits < 0.2
    assert found.zlib_bits < 0.3
    assert found.rows_per_second > 0


def test_noise_costs_what_a_uniform_code_charges():
    found = measure_source(NoiseSource(), rows=16, length=512, seed=0)
    assert found.constant_share == 0
    assert found.markov_bits == pytest.approx(8, abs=0.01)
    assert 8 < found.zlib_bits < 8.2


def test_a_source_that_reads_passes_each_row_as_often_as_a_settled_buffer():
    """The mean of k >= 1 with probability r (1-r)^(k-1), r = 40/138, is 69/20; 4,000 rows, five standard errors."""
    source = Counts()
    measure_source(source, rows=4_000, length=16, seed=0)
    passes = sum(source.passes[2:])  # the first two are for the clock
    r = 20 / 69
    assert abs(passes / 4_000 - 1 / r) < 5 * math.sqrt((1 - r) / r**2 / 4_000)
    assert source.passes[:3] == [4_000] * 3


def test_the_seed_decides_everything_but_the_rate():
    config = ComparisonConfig(kinds=("lstm", "noise"), rows=4, length=64, seed=3)
    one, same = (list(compare_sources(config)) for _ in range(2))
    assert [dataclasses.replace(each, rows_per_second=0) for each in one] == [
        dataclasses.replace(each, rows_per_second=0) for each in same
    ]


def test_every_source_of_the_house_has_a_line_of_its_own():
    lines = summaries()
    assert list(lines) == list(SOURCES)
    assert all(len(line) > 20 for line in lines.values())


def test_the_lines_are_there_where_python_leaves_docstrings_out(monkeypatch):
    lines = summaries()
    for kind in SOURCES:
        monkeypatch.setattr(sys.modules[source_type(kind).__module__], "__doc__", None)
    assert summaries() == lines


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"rows": 0}, r"comparison\.rows must be positive"),
        ({"length": 0}, r"comparison\.length must be positive"),
        ({"rows": 10**9}, r"comparison\.rows is too large"),
        ({"seed": -1}, r"comparison\.seed must not be negative"),
        ({"seed": 2**63}, r"comparison\.seed is too large"),
    ],
)
def test_bad_settings_are_refused(fields, said):
    with pytest.raises(InputError, match=said):
        ComparisonConfig(**fields)


def test_a_row_that_is_constant_after_its_seed_counts_as_constant():
    """One in six rows or so of the paper's LSTMs is; the seed that they were given almost never is."""
    found = measure_source(RecurrentSource(), rows=128, length=64, seed=0)
    assert 0.05 < found.constant_share < 0.6
