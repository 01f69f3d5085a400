import numpy as np
import pytest
import torch

from up.model.mixing.contexts import Context, order
from up.model.mixing.gate import FLOOR
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.pretraining import pretrain
from up.model.mixing.rows import RowReader
from up.sources.restaurant import RestaurantSource

FEW = (*(order(length) for length in range(5)), Context(matcher=0))


def some_rows(seed: int, num_rows: int = 30, num_bytes: int = 400) -> np.ndarray:
    return RestaurantSource().rows(num_rows, num_bytes, torch.Generator().manual_seed(seed)).numpy()


def trained(seed: int = 0, **settings: int) -> tuple[MixingPredictor, list[float]]:
    predictor = MixingPredictor(contexts=FEW, hidden=(24, 16))
    losses = pretrain(
        predictor, some_rows(0), seed=seed, **{"steps": 120, "bytes_per_row": 100, "batch": 512, **settings}
    )
    return predictor, losses


def test_pretraining_predicts_rows_that_it_has_not_seen_better():
    predictor, losses = trained()
    held_out = some_rows(1, num_rows=10)
    before = MixingPredictor(contexts=FEW, hidden=(24, 16)).token_bits(held_out).mean()
    assert predictor.token_bits(held_out).mean() < before - 0.1
    assert len(losses) == 120
    assert np.mean(losses[-20:]) < np.mean(losses[:20])


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    first, again, other = (trained(seed, steps=5)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["gate.first.weight"], other["gate.first.weight"])


def test_the_state_holds_all_that_was_trained():
    predictor, _ = trained(steps=5)
    copy = MixingPredictor(seed=9, contexts=FEW, hidden=(24, 16))
    copy.load_state_dict(predictor.state_dict())
    rows_NT = some_rows(1, num_rows=2)
    np.testing.assert_array_equal(copy.token_bits(rows_NT), predictor.token_bits(rows_NT))


def test_the_bits_of_whole_rows_are_those_of_the_gate_down_to_the_floor():
    predictor, _ = trained(steps=5)
    with torch.no_grad():
        predictor.gate.third.bias *= 100  # so sure that the floor counts
    row_T = some_rows(2, num_rows=1)[0]
    reader = RowReader(FEW, predictor.start(), len(row_T))
    inputs_BI, came_B = reader.read(row_T, np.ones(len(row_T), np.bool_), np.float32)
    odds_B = torch.sigmoid(predictor.gate(torch.from_numpy(inputs_BI)).double()).detach().numpy()
    charged_B = np.where(came_B == 1, odds_B, 1 - odds_B).clip(FLOOR, 1 - FLOOR)
    expected_T = -np.log2(charged_B).reshape(-1, 8).sum(1)
    np.testing.assert_allclose(predictor.token_bits(row_T[None])[0], expected_T, rtol=1e-9)
    assert np.isclose(-np.log2(charged_B), 16).any()


@pytest.mark.parametrize("first", [0, 1, 399])
def test_the_first_position_only_hides_what_comes_before(first):
    predictor, rows_NT = MixingPredictor(contexts=FEW, hidden=(24, 16)), some_rows(3, num_rows=2)
    bits_NT = predictor.token_bits(rows_NT, first=first)
    np.testing.assert_allclose(bits_NT, predictor.token_bits(rows_NT)[:, first:], rtol=0, atol=1e-4)
