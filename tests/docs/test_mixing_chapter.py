"""Learn 5: its experts, its mixtures and its gate are what the page says, and its record says what the page says."""

import importlib
import json
import math
import random
import re
import textwrap
from itertools import pairwise, product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from up.evaluation.markov import MarkovModel, in_context_bits

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/learn/5-mixing.md"
_INLINE = re.compile(r'^(?P<indent> *)```python exec="1"[^\n]*\n(?P<code>(?! *--8<--).*?)^ *```$', re.M | re.S)


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs/examples"))


def example(name: str) -> ModuleType:
    return importlib.import_module(name)


@pytest.mark.parametrize("num_symbols", [2, 4, 256])
def test_the_experts_are_markov_models_that_smooth_by_one_symbol_in_all(num_symbols: int) -> None:
    experts = example("counting_experts")
    symbols = np.random.default_rng(0).integers(0, num_symbols, 300) // 2
    costs, _ = experts.read(symbols.tolist(), num_symbols)
    for order in experts.ORDERS:
        model = MarkovModel(order=order, smoothing=1 / num_symbols)
        bits_NT = in_context_bits(symbols[None], model, vocabulary_size=num_symbols)
        np.testing.assert_allclose([row[order] for row in costs], bits_NT[0], atol=1e-9)


def test_an_expert_s_probabilities_sum_to_one_and_a_string_is_drawn_by_them() -> None:
    experts = example("counting_experts")
    expert = experts.Expert(1, 4)
    for t, symbol in enumerate(text := [0, 1, 0, 1, 0, 2, 0]):
        expert.learn(symbol, expert.context(text[:t]))
    assert [expert.probability(x, (0,)) for x in range(4)] == [0.25 / 4, 2.25 / 4, 1.25 / 4, 0.25 / 4]
    strings = [experts.draw([0, 0], 4, random.Random(seed)) for seed in range(2000)]
    assert sum(a == b for a, b in strings) / 2000 == pytest.approx(1.25 / 2, abs=0.04)  # the first came once


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_the_mixture_costs_at_most_log_5_bits_more_than_the_best_expert(symbols: list[int]) -> None:
    costs, _ = example("counting_experts").read(symbols, 4)
    mixture = example("bayes_mixture")
    paid = sum(map(mixture.mixture_bits, mixture.posteriors(costs), costs))
    totals = [sum(column) for column in zip(*costs, strict=True)]
    assert paid <= min(totals) + math.log2(5) + 1e-9
    assert paid == pytest.approx(-math.log2(sum(2**-bits / 5 for bits in totals)))


def test_with_a_share_the_mixture_is_that_of_all_sequences_of_experts() -> None:
    costs, _ = example("counting_experts").read([0, 1, 1, 0, 1], 2)
    mixture = example("bayes_mixture")
    share, whole = 0.3, 0.0
    for writers in product(range(5), repeat=len(costs)):
        probability = 1 / 5
        for before, after in pairwise(writers):
            probability *= (1 - share) * (before == after) + share / 5
        whole += probability * 2 ** -sum(row[writer] for row, writer in zip(costs, writers, strict=True))
    paid = sum(map(mixture.mixture_bits, mixture.posteriors(costs, share), costs))
    assert paid == pytest.approx(-math.log2(whole))


def test_the_gate_is_bayes_before_training_and_is_ahead_after_it_where_writers_change() -> None:
    gates, table = example("learned_posterior"), example("learned_table")
    looks = gates.look(table.strings(2, 1 / 128, number=4), 4)
    bayes = table.mixed(looks, 0)
    changing = gates.pretrain(gates.look(table.strings(4, 1 / 128, number=12), 4))
    steady = gates.pretrain(gates.look(table.strings(3, 0, number=12), 4))
    with torch.no_grad():
        torch.testing.assert_close(gates.Gate().bits(*looks), bayes, rtol=0, atol=1e-4)
        assert changing.bits(*looks).mean() < bayes.mean() - 0.03
        assert abs(steady.bits(*looks).mean() - bayes.mean()) < 0.02


def test_blocks_that_stand_on_the_page_itself_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    blocks = [textwrap.dedent(match["code"]) for match in _INLINE.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {"__name__": "block"})
        assert capsys.readouterr().out.strip()


@pytest.mark.parametrize(("corpus", "zpaq", "paq8px"), [("stdlib", 1.563, 1.212), ("pydoc", 1.776, 1.466)])
def test_the_record_says_what_the_page_says_of_it(corpus: str, zpaq: float, paq8px: float) -> None:
    record = json.loads(max((ROOT / "benchmarks/records").glob("*-mixing.json")).read_text(encoding="utf-8"))
    found = {}
    for row in record["rows"]:
        stream = row["stream"][corpus]
        found.setdefault(row["source"], (row["bits"][corpus], stream["head"], stream["all"]))
    real, preset, untrained, noise = (found[name] for name in ("real", "preset", "untrained", "noise"))
    assert all(a < b < c < d for a, b, c, d in zip(real, preset, untrained, noise, strict=True))
    saved = [1 - a / b for a, b in zip(preset, untrained, strict=True)]
    assert saved == sorted(saved, reverse=True), "a head start, which matters less and less"
    assert paq8px < preset[-1] < untrained[-1] < zpaq
