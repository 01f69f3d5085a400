"""The predictor learns from rows of random computation, and what it charges for whole rows."""

import numpy as np
import pytest
import torch

from up.evaluation.token_bits import token_bits
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import Context, order
from up.model.mixing.gate import FLOOR
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.rows import RowReader
from up.model.mixing.stream import Stream
from up.sources.restaurant import RestaurantSource

FEW = (*(order(length) for length in range(5)), Context(matcher=0))
CONFIG = MixingConfig(hidden=(24, 16), context_length=400, learned_bytes=100)


def some_rows(seed: int, num_rows: int = 30, num_bytes: int = 400) -> torch.Tensor:
    return RestaurantSource().rows(num_rows, num_bytes, torch.Generator().manual_seed(seed))


def new_predictor(seed: int = 0) -> MixingPredictor:
    return MixingPredictor(CONFIG, torch.Generator().manual_seed(seed), contexts=FEW)


def trained(seed: int = 0, *, steps: int, batch: int = 2) -> tuple[MixingPredictor, list[float]]:
    """A predictor after so many steps of Adam, each on rows of its own, and the losses in nats."""
    predictor, losses = new_predictor(seed), []
    optimizer = torch.optim.Adam(predictor.parameters(), lr=3e-3)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for rows_BT in some_rows(0, steps * batch).split(batch):
            loss = predictor.loss(rows_BT)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return predictor, losses


def test_training_predicts_rows_that_it_has_not_seen_better():
    predictor, losses = trained(steps=120)
    held_out = some_rows(1, num_rows=10).numpy()
    assert predictor.token_bits(held_out).mean() < new_predictor().token_bits(held_out).mean() - 0.1
    assert np.mean(losses[-20:]) < np.mean(losses[:20])


def test_the_same_seed_gives_the_same_weights_and_another_gives_others():
    first, again, other = (trained(seed, steps=3)[0].state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["gate.first.weight"], other["gate.first.weight"])


def test_the_state_holds_all_that_was_trained():
    predictor, _ = trained(steps=3)
    copy, rows_BT = new_predictor(9), some_rows(1, num_rows=2).numpy()
    assert (copy.token_bits(rows_BT) != predictor.token_bits(rows_BT)).any()
    copy.load_state_dict(predictor.state_dict())
    np.testing.assert_array_equal(copy.token_bits(rows_BT), predictor.token_bits(rows_BT))


def test_instances_teach_the_next_one_by_one_however_they_are_batched():
    whole, halves = new_predictor(), new_predictor()
    rows_BT = some_rows(0, num_rows=4)
    whole.loss(rows_BT)
    for half_BT in rows_BT.split(2):
        halves.loss(half_BT)
    assert torch.equal(whole.totals_KFSB, halves.totals_KFSB)
    assert int(whole.totals_KFSB.sum()) > 0


def test_nothing_is_counted_in_evaluation_mode():
    predictor = new_predictor().eval()
    predictor.loss(some_rows(0, num_rows=2))
    assert int(predictor.totals_KFSB.sum()) == 0


def test_the_loss_is_the_mean_code_length_where_all_bytes_are_learned_from():
    config = MixingConfig(hidden=(24, 16), context_length=400, learned_bytes=400)
    predictor, rows_BT = MixingPredictor(config, contexts=FEW).eval(), some_rows(0, num_rows=3)
    with torch.no_grad():
        predictor.gate.third.bias *= 0.3  # so unsure that the floor does not count
    bits = predictor.token_bits(rows_BT.numpy()).mean()
    assert predictor.loss(rows_BT).item() / np.log(2) == pytest.approx(bits, rel=1e-5)


def test_evaluation_asks_the_predictor_itself_and_leaves_the_first_byte_out():
    predictor, rows_BT = new_predictor(), some_rows(3, num_rows=2)
    bits_BT = token_bits(predictor, rows_BT)
    np.testing.assert_allclose(bits_BT.numpy(), predictor.token_bits(rows_BT.numpy())[:, 1:], rtol=1e-4)
    assert predictor.training


def test_the_bits_of_whole_rows_are_those_of_the_gate_down_to_the_floor():
    predictor, _ = trained(steps=3)
    with torch.no_grad():
        predictor.gate.third.bias *= 100  # so sure that the floor counts
    row_T = some_rows(2, num_rows=1)[0].numpy()
    kept_T = np.ones(len(row_T), np.bool_)
    inputs_DJ, came_D = RowReader(FEW, len(row_T)).read(row_T, kept_T, predictor.start(), dtype=np.float32)
    odds_D = torch.sigmoid(predictor.gate(torch.from_numpy(inputs_DJ)).double()).detach().numpy()
    charged_D = np.where(came_D == 1, odds_D, 1 - odds_D).clip(FLOOR, 1 - FLOOR)
    expected_T = -np.log2(charged_D).reshape(-1, 8).sum(1)
    np.testing.assert_allclose(predictor.token_bits(row_T[None])[0], expected_T, rtol=1e-9)
    assert np.isclose(-np.log2(charged_D), 16).any()


@pytest.mark.parametrize("first", [0, 1, 399])
def test_the_first_position_only_hides_what_comes_before(first):
    predictor, rows_BT = new_predictor(), some_rows(3, num_rows=2).numpy()
    bits_BT = predictor.token_bits(rows_BT, first=first)
    np.testing.assert_allclose(bits_BT, predictor.token_bits(rows_BT)[:, first:], rtol=0, atol=1e-4)


def test_it_scores_bytes_as_a_stream_that_adapts_and_says_what_comes_next():
    predictor, text = new_predictor(), b"one two one two one two one "
    stream = Stream(predictor)
    np.testing.assert_array_equal(predictor.score(text), stream.score(text))
    probabilities = predictor.distribution(text)
    np.testing.assert_array_equal(probabilities, stream.distribution())
    assert probabilities.sum() == pytest.approx(1, abs=1e-9)
    assert probabilities.argmax() == ord("t")


def test_rows_that_are_read_side_by_side_are_charged_the_same():
    predictor, rows_BT = new_predictor(), some_rows(4, num_rows=7, num_bytes=60).numpy()
    alone = predictor.token_bits(rows_BT)
    torch.set_num_threads(3)
    try:
        np.testing.assert_allclose(predictor.token_bits(rows_BT), alone, rtol=0, atol=1e-4)  # the gate's rounding
    finally:
        torch.set_num_threads(1)
