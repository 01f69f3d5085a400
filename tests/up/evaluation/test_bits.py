"""Zero-shot evaluation against models whose probabilities are known by hand."""

import dataclasses
import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tests.reference import markov as reference
from up.config import from_dict, to_dict
from up.data.corpora import load_corpus, sample_slices
from up.errors import InputError, RunError
from up.evaluation import bits, ctw, ppm
from up.evaluation.bits import EvaluationConfig, evaluate, prepare
from up.evaluation.markov import ORDERS, SMOOTHINGS
from up.evaluation.rows import EvaluationRow, octaves
from up.evaluation.token_bits import token_bits
from up.model.transformer.model import Transformer, TransformerConfig

CPU = torch.device("cpu")


class BigramModel(nn.Module):
    """Looks up the logits of the next token in a table, by the last token alone."""

    def __init__(self, logits_VV: Tensor) -> None:
        super().__init__()
        self.logits_VV = nn.Parameter(logits_VV)
        self.dropout = nn.Dropout(0.5)
        self.calls = 0

    def forward(self, tokens_BT: Tensor) -> Tensor:
        self.calls += 1
        return self.dropout(self.logits_VV[tokens_BT])


class PositionModel(nn.Module):
    """Charges the right token t bits more than a uniform code for the position t in the context."""

    def forward(self, tokens_BT: Tensor) -> Tensor:
        following_BT = torch.cat([tokens_BT[:, 1:], torch.full_like(tokens_BT[:, :1], ord("a"))], dim=1)
        p_T = 2.0 ** -(8.0 + torch.arange(1, tokens_BT.shape[1] + 1))
        logits_BTV = ((1 - p_T) / 255).log()[None, :, None].expand(*tokens_BT.shape, 256).clone()
        index_BT1 = following_BT[..., None]
        return logits_BTV.scatter_(2, index_BT1, p_T.log()[None, :, None].expand(index_BT1.shape))


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text.txt"
    path.write_bytes(np.random.default_rng(0).choice(np.frombuffer(b"abc \n", np.uint8), 3000).tobytes())
    return str(path)


def test_token_bits_of_a_bigram_table_by_hand():
    # After token 0: p = 1/2, 1/4, 1/4. After 1: 1/4, 1/4, 1/2. After 2: 1/8, 3/4, 1/8.
    table_VV = torch.tensor([[2, 1, 1], [1, 1, 2], [0.5, 3, 0.5]]).log()
    bits_BT = token_bits(BigramModel(table_VV), torch.tensor([[0, 0, 1, 2, 1], [2, 0, 2, 2, 0]], dtype=torch.uint8))
    expected = [[1, 2, 1, math.log2(4 / 3)], [3, 2, 3, 3]]
    torch.testing.assert_close(bits_BT, torch.tensor(expected))


def test_token_bits_are_taken_without_dropout_and_every_module_gets_its_mode_back():
    model = BigramModel(torch.randn(4, 4)).train()
    frozen = nn.Sequential(model, nn.Dropout(0.5).eval()).train()
    frozen[1].eval()
    tokens_BT = torch.randint(4, (2, 9))
    first_BT, second_BT = token_bits(frozen, tokens_BT), token_bits(frozen, tokens_BT)
    torch.testing.assert_close(first_BT, second_BT, rtol=0, atol=0)
    assert frozen.training
    assert model.training
    assert model.dropout.training
    assert not frozen[1].training
    assert not first_BT.requires_grad


def test_modes_come_back_after_a_model_fails():
    class Broken(nn.Module):
        def forward(self, tokens_BT: Tensor) -> Tensor:
            raise ZeroDivisionError(tokens_BT.shape)

    model = Broken().train()
    with pytest.raises(ZeroDivisionError):
        token_bits(model, torch.zeros(1, 3, dtype=torch.uint8))
    assert model.training


def test_a_device_that_runs_out_of_memory_says_how_much_was_read_at_once():
    class Huge(nn.Module):
        def forward(self, _tokens_BT: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 192.00 MiB.")

    with pytest.raises(RunError, match="cpu ran out of memory reading 3 sequences of 8 tokens at once: read fewer"):
        token_bits(Huge(), torch.zeros(3, 8))


def test_the_model_never_sees_the_character_it_is_asked_for_last():
    seen = []

    class Recorder(nn.Module):
        def forward(self, tokens_BT: Tensor) -> Tensor:
            seen.append(tokens_BT)
            return torch.zeros(*tokens_BT.shape, 256)

    bits_BT = token_bits(Recorder(), torch.tensor([[7, 8, 9]]))
    assert seen[0].tolist() == [[7, 8]]
    assert bits_BT.tolist() == [[8.0, 8.0]]


def test_a_model_that_always_says_the_same_scores_its_cross_entropy(text):
    logits_V = torch.full((256,), -20.0)
    logits_V[list(b"abc \n")] = torch.tensor([2.0, 1.0, 0.0, 0.0, -1.0])
    config = EvaluationConfig(data=(text,), samples=50, batch_size=8, tail_positions=10, seed=3)
    (row,) = evaluate(BigramModel(logits_V.expand(256, 256).clone()), config, context_length=40, device=CPU)

    slices_NT = sample_slices(load_corpus(text), num_slices=50, length=40, generator=np.random.default_rng(3))
    cost_V = -logits_V.double().log_softmax(0).numpy() / math.log(2)
    last_N, tail_N = cost_V[slices_NT[:, -1]], cost_V[slices_NT[:, -10:]].mean(axis=1)
    assert (row.data, row.samples, row.context_length, row.tail_positions) == (text, 50, 40, 10)
    assert row.bits == pytest.approx(last_N.mean(), abs=1e-6)
    assert row.stderr == pytest.approx(last_N.std(ddof=1) / math.sqrt(50), abs=1e-6)
    assert row.tail_bits == pytest.approx(tail_N.mean(), abs=1e-6)
    assert row.tail_stderr == pytest.approx(tail_N.std(ddof=1) / math.sqrt(50), abs=1e-6)
    assert row.uniform_bits == 8.0


def test_bits_against_position_have_the_right_positions(text):
    config = EvaluationConfig(data=(text,), samples=4, tail_positions=3)
    (row,) = evaluate(PositionModel(), config, context_length=10, device=CPU)
    # The model cannot know the last token of a slice: it bets on an `a` and is right for some slices only.
    by_range = {(r.first_position, r.last_position): r.bits for r in row.positions}
    assert list(by_range) == [(1, 1), (2, 3), (4, 7), (8, 9)]
    assert by_range[1, 1] == pytest.approx(9, abs=1e-4)
    assert by_range[2, 3] == pytest.approx(10.5, abs=1e-4)
    assert by_range[4, 7] == pytest.approx(13.5, abs=1e-4)


def test_octaves_cover_every_predicted_position_once():
    for length in range(2, 600):
        covered = [position for first, last in octaves(length) for position in range(first, last + 1)]
        assert covered == list(range(1, length))


def reference_markov(slices_NT, vocabulary_size, tail_positions):
    """Order, smoothing and bits of the best Markov model over the tails, by the dictionary that counts slowly."""
    bits_NT = {
        (order, smoothing): np.array(
            [
                reference.bits(row, order=order, smoothing=Fraction(smoothing), vocabulary_size=vocabulary_size)
                for row in slices_NT.tolist()
            ]
        )
        for order in ORDERS
        for smoothing in SMOOTHINGS
    }
    best = min(bits_NT, key=lambda model: bits_NT[model][:, -tail_positions:].mean().round(9))
    return *best, bits_NT[best]


def test_both_markov_baselines_are_of_the_same_slices_and_the_bar_knows_the_symbols_of_the_corpus(text):
    config = EvaluationConfig(data=(text,), samples=10, tail_positions=20, seed=5)
    (row,) = evaluate(BigramModel(torch.zeros(256, 256)), config, context_length=100, device=CPU)
    slices_NT = sample_slices(load_corpus(text), num_slices=10, length=100, generator=np.random.default_rng(5))
    order, smoothing, bits_NT = reference_markov(slices_NT, 5, 20)
    _, _, bits256_NT = reference_markov(slices_NT, 256, 20)
    assert (row.symbols, row.markov_order, row.markov_smoothing) == (5, order, smoothing)
    assert row.markov_bits == pytest.approx(bits_NT[:, -1].mean())
    assert row.markov_tail_bits == pytest.approx(bits_NT[:, -20:].mean())
    assert row.markov256_bits == pytest.approx(bits256_NT[:, -1].mean())
    assert row.markov256_tail_bits == pytest.approx(bits256_NT[:, -20:].mean())
    assert row.positions[-1].markov_bits == pytest.approx(bits_NT[:, 64:].mean())
    assert row.bits == pytest.approx(8.0)
    assert row.uniform_bits == 8.0
    assert row.markov_tail_bits == pytest.approx(math.log2(5), abs=0.1)  # five symbols, equally likely
    assert row.markov_tail_bits < row.markov256_tail_bits


def test_symbols_are_counted_over_the_whole_corpus_and_not_over_the_slices(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"ab" * 2000 + b"z")
    (corpus,) = prepare(
        EvaluationConfig(data=(str(path),), samples=2, tail_positions=4), context_length=8, device=CPU
    ).corpora
    assert ord("z") not in corpus.slices_NT
    bars = corpus.bars
    assert (bars.markov.symbols, bars.markov256.symbols) == (3, 256)
    for bar in (bars.markov, bars.ppm, bars.ppm_exclusion):
        assert bar.bits_T[0] == pytest.approx(math.log2(3))
    assert bars.markov256.bits_T[0] == pytest.approx(8)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=24, max_size=120) | st.text("ab|", min_size=24, max_size=120).map(str.encode))
def test_the_bar_never_charges_more_than_the_markov_model_over_all_bytes_and_both_equal_the_dictionary(tmp_path, data):
    path = tmp_path / "data"
    path.write_bytes(data)
    config = EvaluationConfig(data=(str(path),), samples=3, tail_positions=8)
    (corpus,) = prepare(config, context_length=24, device=CPU).corpora
    assert corpus.bars.markov.symbols == len(set(data))
    for baseline in (corpus.bars.markov, corpus.bars.markov256):
        order, smoothing, bits_NT = reference_markov(corpus.slices_NT, baseline.symbols, 8)
        assert (baseline.model.order, baseline.model.smoothing) == (order, smoothing)
        np.testing.assert_allclose(baseline.bits_T, bits_NT.mean(axis=0), rtol=1e-12, atol=1e-12)
    assert corpus.bars.markov.bits_T[-8:].mean() <= corpus.bars.markov256.bits_T[-8:].mean() + 1e-9


def test_slices_do_not_depend_on_the_other_corpora_and_batches_do_not_matter(text):
    model = BigramModel(torch.randn(256, 256, generator=torch.Generator().manual_seed(0)))
    config = EvaluationConfig(data=("pydoc", text), samples=10, tail_positions=4)
    _, together = evaluate(model, config, context_length=32, device=CPU)
    alone_config = dataclasses.replace(config, data=(text,), batch_size=3)
    (alone,) = evaluate(model, alone_config, context_length=32, device=CPU)
    assert together == alone


class Recorder(nn.Module):
    """Charges 8 bits for everything and remembers what it was given to read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Tensor] = []

    def forward(self, tokens_BT: Tensor) -> Tensor:
        self.read.append(tokens_BT)
        return torch.zeros(*tokens_BT.shape, 256)


def test_of_slices_longer_than_its_context_a_model_reads_the_end_and_the_bars_read_everything(text):
    config = EvaluationConfig(data=(text,), samples=6, tail_positions=4, context_length=60, seed=2)
    prepared = prepare(config, context_length=16, device=CPU)
    model = Recorder()
    (row,) = prepared.evaluate(model)
    slices_NT = sample_slices(load_corpus(text), num_slices=6, length=60, generator=np.random.default_rng(2))
    assert torch.cat(model.read).tolist() == slices_NT[:, -16:-1].tolist()  # nothing of what it predicts last
    assert (row.context_length, row.model_context_length) == (60, 16)
    assert [(each.first_position, each.last_position) for each in row.positions] == [(1, 1), (2, 3), (4, 7), (8, 15)]
    _, _, bits_NT = reference_markov(slices_NT, 5, 4)
    assert row.markov_tail_bits == pytest.approx(bits_NT[:, -4:].mean())
    assert row.positions[0].markov_bits == pytest.approx(bits_NT[:, 60 - 16 + 1].mean())  # the same characters
    assert row.positions[-1].markov_bits == pytest.approx(bits_NT[:, -8:].mean())
    ppm_T = prepared.corpora[0].bars.ppm_exclusion.bits_T
    assert len(ppm_T) == 60
    assert row.positions[0].ppm_exclusion_bits == pytest.approx(ppm_T[60 - 16 + 1])
    assert row.positions[-1].ppm_exclusion_bits == pytest.approx(ppm_T[-8:].mean())


def test_slices_shorter_than_the_context_are_read_whole(text):
    config = EvaluationConfig(data=(text,), samples=3, tail_positions=4, context_length=12)
    model = Recorder()
    (row,) = prepare(config, context_length=16, device=CPU).evaluate(model)
    assert model.read[0].shape == (3, 11)
    assert (row.context_length, row.model_context_length) == (12, None)


def test_the_untrained_model_stands_beside_the_trained_one_on_the_same_slices(text):
    config = EvaluationConfig(data=(text, "pydoc"), samples=6, tail_positions=4)
    prepared = prepare(config, context_length=16, device=CPU)
    untrained, trained = (BigramModel(torch.randn(256, 256)) for _ in range(2))
    reports = []
    beside = prepared.with_untrained(untrained, progress=lambda done, total: reports.append((done, total)))
    rows = beside.evaluate(trained)
    assert reports[-1] == (12, 12)
    for row, alone, before in zip(rows, prepared.evaluate(trained), prepared.evaluate(untrained), strict=True):
        assert (row.untrained_bits, row.untrained_tail_bits) == (before.bits, before.tail_bits)
        assert row.tail_bits == alone.tail_bits != before.tail_bits
        assert alone.untrained_bits is None


DIFFERENCES = ("markov", "ppm", "ppm_exclusion", "ctw", "untrained")


def test_errors_of_differences_are_those_of_the_slices_differences(text):
    config = EvaluationConfig(data=(text,), samples=12, tail_positions=20, seed=5, batch_size=5)
    untrained, trained = (
        BigramModel(torch.randn(256, 256, generator=torch.Generator().manual_seed(s))) for s in (0, 1)
    )
    prepared = prepare(config, context_length=100, device=CPU).with_untrained(untrained)
    (row,) = prepared.evaluate(trained)
    slices_NT = sample_slices(load_corpus(text), num_slices=12, length=100, generator=np.random.default_rng(5))
    numbered_NT = np.searchsorted(np.unique(load_corpus(text).data), slices_NT)
    of_ppm = {"vocabulary_size": 5}
    others = {
        "markov": reference_markov(slices_NT, 5, 20)[2],
        "ppm": ppm.in_context_bits(numbered_NT, row.ppm_order, update_exclusion=False, **of_ppm),
        "ppm_exclusion": ppm.in_context_bits(numbered_NT, row.ppm_exclusion_order, update_exclusion=True, **of_ppm),
        "ctw": ctw.in_context_bits(numbered_NT, row.ctw_depth, **of_ppm),
        "untrained": token_bits(untrained, torch.from_numpy(slices_NT.copy())).numpy(),
    }
    model_N = token_bits(trained, torch.from_numpy(slices_NT.copy())).numpy()[:, -20:].mean(axis=1)
    for name in DIFFERENCES:
        difference_N = others[name][:, -20:].mean(axis=1) - model_N
        assert getattr(row, f"{name}_tail_bits") - row.tail_bits == pytest.approx(difference_N.mean(), abs=1e-5)
        error = difference_N.std(ddof=1) / math.sqrt(12)
        assert getattr(row, f"{name}_tail_difference_stderr") == pytest.approx(error, rel=1e-4)


def test_of_two_models_that_err_alike_the_difference_is_surer_than_either(text):
    table_VV = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    config = EvaluationConfig(data=(text,), samples=30, tail_positions=8)
    prepared = prepare(config, context_length=16, device=CPU)
    (row,) = prepared.with_untrained(BigramModel(table_VV)).evaluate(BigramModel(0.98 * table_VV))
    assert 0 < row.untrained_tail_difference_stderr < row.tail_stderr / 10
    (same,) = prepared.with_untrained(BigramModel(table_VV)).evaluate(BigramModel(table_VV))
    assert same.untrained_tail_difference_stderr == 0


def test_rows_of_earlier_versions_are_read_without_the_errors_of_differences(text):
    config = EvaluationConfig(data=(text,), samples=4, tail_positions=4)
    model = BigramModel(torch.zeros(256, 256))
    (row,) = prepare(config, context_length=16, device=CPU).with_untrained(model).evaluate(model)
    values = to_dict(row)
    newer = [f"{name}_tail_difference_stderr" for name in DIFFERENCES]
    assert all(isinstance(values.pop(name), float) for name in newer)
    assert from_dict(EvaluationRow, values) == dataclasses.replace(row, **dict.fromkeys(newer))


def test_a_model_of_another_context_reads_its_end_of_the_same_slices_beside_the_same_bars(text):
    config = EvaluationConfig(data=(text, "pydoc"), samples=5, tail_positions=4)
    prepared = prepare(config, context_length=40, device=CPU).with_untrained(BigramModel(torch.zeros(256, 256)))
    model, other = Recorder(), prepared.for_context(16)
    rows = other.evaluate(model)
    for row, wide, corpus in zip(rows, prepared.evaluate(Recorder()), prepared.corpora, strict=True):
        assert (row.context_length, row.model_context_length, row.untrained_bits) == (40, 16, None)
        assert row.ppm_tail_bits == wide.ppm_tail_bits
        assert corpus.untrained is not None
    assert torch.cat(model.read[:1]).tolist() == prepared.corpora[0].slices_NT[:, -16:-1].tolist()
    assert prepared.for_context(1000).model_context_length == 40
    with pytest.raises(InputError, match=r"tail_positions must be below the context length .* use at most 3"):
        prepared.for_context(4)


def test_progress_of_the_bars_counts_slices_and_begins_after_all_data_were_found(text):
    reports = []

    def watch(done, total):
        reports.append((done, total))

    with pytest.raises(InputError, match="no such data"):
        prepare(EvaluationConfig(data=(text, "no/such")), context_length=80, device=CPU, progress=watch)
    assert not reports
    config = EvaluationConfig(data=(text, text), samples=5, tail_positions=4)
    prepare(config, context_length=16, device=CPU, progress=watch)
    assert reports == [(5 * passes, 30) for passes in range(1, 7)]


def test_a_prepared_evaluation_measures_many_models_without_touching_the_bars_again(text, monkeypatch):
    config = EvaluationConfig(data=(text,), samples=6, tail_positions=4)
    prepared = prepare(config, context_length=32, device=CPU)

    def fail(*_, **__):
        raise AssertionError("computed again")

    monkeypatch.setattr(bits, "measure_bars", fail)
    monkeypatch.setattr(bits, "load_corpus", fail)
    (uniform,) = prepared.evaluate(BigramModel(torch.zeros(256, 256)))
    (other,) = prepared.evaluate(BigramModel(torch.randn(256, 256)))
    assert uniform.markov_bits == other.markov_bits
    assert uniform.tail_bits != other.tail_bits


def test_progress_counts_slices_over_all_corpora(text):
    reports = []
    config = EvaluationConfig(data=(text, text), samples=5, batch_size=2, tail_positions=4)
    prepare(config, context_length=16, device=CPU).evaluate(
        BigramModel(torch.zeros(256, 256)), progress=lambda done, total: reports.append((done, total))
    )
    assert reports == [(2, 10), (4, 10), (5, 10), (7, 10), (9, 10), (10, 10)]


def test_the_last_position_embedding_is_never_read_as_it_is_never_trained(text):
    config = EvaluationConfig(data=(text,), samples=4, tail_positions=4)
    prepared = prepare(config, context_length=16, device=CPU)
    model = Transformer(TransformerConfig(width=16, depth=1, context_length=16))
    before = prepared.evaluate(model)
    with torch.no_grad():
        model.position_embedding.weight[-1] = math.nan
    assert prepared.evaluate(model) == before
    with torch.no_grad():
        model.position_embedding.weight[-2] += 1.0  # the last that is read, for the last character only
    (row,), (other,) = before, prepared.evaluate(model)
    assert other.bits != row.bits
    assert other.positions[:-1] == row.positions[:-1]


def test_a_diverged_model_is_reported(text):
    config = EvaluationConfig(data=(text,), samples=2, tail_positions=4)
    with pytest.raises(RunError, match="not finite"):
        evaluate(BigramModel(torch.full((256, 256), math.nan)), config, context_length=16, device=CPU)


def test_a_row_is_plain_json_with_the_promised_names(text):
    config = EvaluationConfig(data=(text,), samples=2, tail_positions=4)
    (row,) = evaluate(BigramModel(torch.zeros(256, 256)), config, context_length=16, device=CPU)
    fields = json.loads(json.dumps(dataclasses.asdict(row)))
    assert {"data", "bits", "stderr", "markov_bits", "samples"} <= fields.keys()
    names = {"ppm_bits", "ppm_tail_bits", "ppm_order", "ctw_bits", "ctw_tail_bits", "ctw_depth"}
    names |= {"ppm_exclusion_bits", "ppm_exclusion_tail_bits", "ppm_exclusion_order"}
    assert all(isinstance(fields[name], int | float) for name in names)
    assert fields["untrained_bits"] is fields["untrained_tail_bits"] is fields["model_context_length"] is None


def test_samples_default_to_the_papers_number_on_a_gpu_and_fewer_on_a_cpu():
    config = EvaluationConfig()
    assert config.resolve_samples(torch.device("cuda")) == 10_000
    assert config.resolve_samples(CPU) == 4_000
    assert EvaluationConfig(samples=7).resolve_samples(CPU) == 7


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"data": ()}, r"evaluation\.data is empty"),
        ({"samples": 1}, r"samples must be at least 2 \(received 1\)"),
        ({"samples": -5}, r"samples must be at least 2"),
        ({"batch_size": 0}, r"evaluation\.batch_size must be positive"),
        ({"tail_positions": 0}, r"evaluation\.tail_positions must be positive"),
        ({"context_length": 0}, r"evaluation\.context_length must be positive"),
        ({"context_length": 64}, r"context_length must be above evaluation\.tail_positions .* give at least 65"),
        ({"context_length": 70_000}, r"context_length"),
        ({"seed": -1}, r"evaluation\.seed must not be negative"),
    ],
)
def test_bad_settings_are_refused(fields, message):
    with pytest.raises(InputError, match=message):
        EvaluationConfig(**fields)


def test_a_corpus_shorter_than_the_context_and_a_tail_longer_than_it_are_refused(text):
    with pytest.raises(InputError, match="3,000 bytes, fewer than a slice of 4,000"):
        prepare(EvaluationConfig(data=(text,), samples=2), context_length=4000, device=CPU)
    with pytest.raises(InputError, match=r"tail_positions must be below the context length .* use at most 63"):
        prepare(EvaluationConfig(data=(text,), samples=2), context_length=64, device=CPU)
    with pytest.raises(InputError, match=r"tail_positions must be below the context length .* use at most 63"):
        prepare(EvaluationConfig(data=(text,), samples=2, context_length=100), context_length=64, device=CPU)
    with pytest.raises(InputError, match="3,000 bytes, fewer than a slice of 4,000"):
        prepare(EvaluationConfig(data=(text,), samples=2, context_length=4000), context_length=80, device=CPU)
