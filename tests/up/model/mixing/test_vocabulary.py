"""Vocabularies other than that of bytes: the same predictor, as many decisions a token as its digits leave open."""

import hashlib
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from tests.reference import mixing as reference
from tests.up.model.mixing.test_stream import digest_in_plain_python
from up.errors import InputError
from up.model.mixing.adaptation import DECISIONS
from up.model.mixing.config import MixingConfig
from up.model.mixing.contexts import FAMILIES, Context, contexts_of, lags, order, signalled
from up.model.mixing.gate import FLOOR
from up.model.mixing.inputs import empty_tables
from up.model.mixing.predictor import MixingPredictor
from up.model.mixing.rows import RowReader, row_slots
from up.model.mixing.stream import Stream
from up.model.mixing.vocabulary import as_tokens, digits_of, open_digits, past_settled, token_digits

FEW = (
    order(0),
    order(1),
    order(2),
    order(4),
    lags(2),
    Context(matcher=0),
    signalled("segment"),
    signalled("followers_2"),
)
VOCABULARIES = (2, 300, 50_257)


def some_rows(vocabulary_size: int, num_rows: int, num_tokens: int, seed: int = 0) -> np.ndarray:
    """Rows of words that come back, of random tokens, so that there is something to learn."""
    generator, rows = np.random.default_rng(seed), []
    for _ in range(num_rows):
        words = [generator.integers(vocabulary_size, size=size).tolist() for size in (3, 5, 8, 13)]
        tokens = [token for chosen in generator.integers(4, size=num_tokens) for token in words[chosen]]
        rows.append(tokens[:num_tokens])
    return np.array(rows)


def new_predictor(vocabulary_size: int, *, learned: int = 60, seed: int = 0) -> MixingPredictor:
    config = MixingConfig(vocabulary_size=vocabulary_size, hidden=(12, 8), context_length=200, learned_bytes=learned)
    return MixingPredictor(config, torch.Generator().manual_seed(seed), contexts=FEW)


def new_stream(predictor: MixingPredictor, num_tokens: int, *, adapting: bool = False) -> Stream:
    num_slots = row_slots(num_tokens, len(FEW), digits_of(predictor.vocabulary_size))
    return Stream(predictor, num_slots=num_slots, adapting=adapting)


@given(st.integers(2, 2_000))
@example(2)
@example(65_536)
@example(50_257)
def test_the_open_digits_of_all_tokens_are_a_complete_code(vocabulary_size):
    """Kraft's sum is 1: whatever the probabilities of the decisions, those of the tokens sum to 1."""
    open_TN = open_digits(np.arange(vocabulary_size), vocabulary_size)
    sizes, counts = np.unique(open_TN.sum(1), return_counts=True)
    assert sum(Fraction(int(count), 2 ** int(size)) for size, count in zip(sizes, counts, strict=True)) == 1
    assert open_TN.shape[1] == math.ceil(math.log2(vocabulary_size))
    assert open_TN[:, 0].all()
    assert open_TN.all() == (vocabulary_size & (vocabulary_size - 1) == 0)


@given(st.integers(2, 5_000).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_passing_settled_digits_leads_from_each_open_digit_to_the_next(drawn):
    vocabulary_size, token = drawn
    digits_N, open_N = (of(np.array([token]), vocabulary_size)[0].tolist() for of in (token_digits, open_digits))
    partial, decided = 1, []
    while partial < 1 << len(digits_N):
        decided.append(partial.bit_length() - 1)
        digit = digits_N[decided[-1]]
        partial = past_settled(2 * partial + digit, len(digits_N), vocabulary_size)
    assert decided == [place for place, is_open in enumerate(open_N) if is_open]
    assert partial == (1 << len(digits_N)) + token


@pytest.mark.parametrize("vocabulary_size", [2, 3, 300])
def test_what_experts_offer_equals_the_dictionaries(vocabulary_size):
    contexts, row_T = contexts_of(FAMILIES, vocabulary_size), some_rows(vocabulary_size, 1, 120)[0]
    reader = RowReader(contexts, len(row_T), vocabulary_size)
    kept_T, tables = np.ones(len(row_T), np.bool_), empty_tables(len(contexts))
    inputs, came = reader.read(as_tokens(row_T, vocabulary_size), kept_T, tables)
    expected_inputs, expected_came = reference.inputs_of_row(contexts, row_T.tolist(), vocabulary_size)
    np.testing.assert_allclose(inputs, expected_inputs, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(came, expected_came)


@pytest.mark.parametrize("vocabulary_size", VOCABULARIES)
def test_training_lowers_the_loss_on_other_rows_and_both_faces_agree_afterwards(vocabulary_size):
    predictor = new_predictor(vocabulary_size)
    optimizer, rows_BT = torch.optim.Adam(predictor.parameters(), lr=1e-2), some_rows(vocabulary_size, 10, 200, seed=1)
    before = predictor.token_bits(rows_BT).mean()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for batch_BT in torch.from_numpy(some_rows(vocabulary_size, 60, 200)).split(2):
            loss = predictor.loss(batch_BT)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    charged_BT = predictor.double().token_bits(rows_BT)
    assert charged_BT.mean() < 0.95 * before
    np.testing.assert_allclose(new_stream(predictor, 200).score(rows_BT[0]), charged_BT[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("vocabulary_size", [2, 3, 5, 300])
def test_what_rows_charge_for_all_tokens_in_a_place_sums_to_one(vocabulary_size):
    rows_VT = some_rows(vocabulary_size, 1, 30).repeat(vocabulary_size, 0)
    rows_VT[:, -1] = np.arange(vocabulary_size)
    bits_V = new_predictor(vocabulary_size).token_bits(rows_VT, first=29)[:, 0]
    assert (2.0**-bits_V).sum() == pytest.approx(1, abs=1e-5)  # the gate's rounding


@pytest.mark.parametrize("vocabulary_size", [2, 3, 5])
def test_what_a_stream_charges_for_all_tokens_in_a_place_sums_to_one(vocabulary_size):
    stream = new_stream(new_predictor(vocabulary_size), 30, adapting=True)
    stream.read(some_rows(vocabulary_size, 1, 30)[0])
    snapshot, mass = stream.snapshot(), 0.0
    for token in range(vocabulary_size):
        stream.restore(snapshot)
        mass += 2.0 ** -stream.score(np.array([token]))[0]
    assert mass == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("vocabulary_size", VOCABULARIES)
def test_the_distribution_sums_to_one_and_leaves_no_token_out(vocabulary_size):
    stream, row_T = new_stream(new_predictor(vocabulary_size), 90), some_rows(vocabulary_size, 1, 90)[0]
    stream.read(row_T[:80])
    probabilities_V = stream.distribution()
    assert probabilities_V.shape == (vocabulary_size,)
    assert abs(probabilities_V.sum() - 1) < 1e-12
    assert probabilities_V.min() >= FLOOR ** digits_of(vocabulary_size)
    upper = 1 << digits_of(vocabulary_size) - 1
    assert abs(probabilities_V[upper:].sum() - stream.predict()) < 1e-12


@pytest.mark.parametrize("vocabulary_size", VOCABULARIES)
def test_a_later_token_changes_no_prediction_up_to_it(vocabulary_size):
    predictor, (row_T, other_T) = new_predictor(vocabulary_size), some_rows(vocabulary_size, 1, 120).repeat(2, 0)
    other_T[80] = (row_T[80] + 1) % vocabulary_size
    for score in (
        lambda tokens_T: predictor.token_bits(tokens_T[None])[0],
        lambda tokens_T: new_stream(predictor, 120, adapting=True).score(tokens_T),
    ):
        bits_T, changed_T = score(row_T), score(other_T)
        np.testing.assert_array_equal(bits_T[:80], changed_T[:80])
        assert bits_T[80] != changed_T[80] or vocabulary_size == 2
        assert (bits_T[81:] != changed_T[81:]).any()


def test_a_settled_digit_costs_nothing_and_teaches_nothing():
    stream = new_stream(new_predictor(5), 10, adapting=True)
    ones_TN = stream.read(np.array([4, 3]))
    assert ones_TN[0, 0] > 0
    np.testing.assert_array_equal(ones_TN[0, 1:], 0)  # of five tokens, only 4 begins with a 1
    assert (ones_TN[1] > 0).all()
    assert stream.state.learner.clock[DECISIONS] == 1 + 3
    known = (stream.state.statistics.slots != 0).sum()
    assert known <= (1 + 3) * len(FEW)


def test_the_loss_is_the_mean_code_length_of_a_token():
    predictor, rows_BT = new_predictor(300, learned=200).eval(), some_rows(300, 3, 200)
    with torch.no_grad():
        predictor.gate.third.bias *= 0.3  # so unsure that the floor does not count
    bits = predictor.token_bits(rows_BT).mean()
    assert predictor.loss(torch.from_numpy(rows_BT)).item() / math.log(2) == pytest.approx(bits, rel=1e-5)


def test_no_probability_of_an_open_digit_is_below_the_floor():
    ones_TN = new_stream(new_predictor(300), 1_000, adapting=True).read(np.full(1_000, 299))
    open_ones = ones_TN[open_digits(np.full(1_000, 299), 300)]
    assert open_ones.min() >= FLOOR
    assert open_ones.max() <= 1 - FLOOR
    assert open_ones.max() > 1 - 2 * FLOOR  # and it is needed


def test_bit_by_bit_equals_many_tokens_at_once():
    row_T, at_once = some_rows(300, 1, 80)[0], new_stream(new_predictor(300), 80, adapting=True)
    stream, open_TN = new_stream(new_predictor(300), 80, adapting=True), open_digits(row_T, 300)
    for one, bit in zip(at_once.read(row_T)[open_TN], token_digits(row_T, 300)[open_TN], strict=True):
        assert stream.predict() == one
        stream.update(bit)
    snapshot, other = stream.snapshot(), new_stream(new_predictor(300, seed=1), 80)
    other.restore(snapshot)
    np.testing.assert_array_equal(other.distribution(), at_once.distribution())


def test_the_predictor_scores_and_says_what_comes_next():
    predictor, row_T = new_predictor(300), np.array([5, 299, 17, 5, 299, 17, 5, 299, 17, 5, 299])
    np.testing.assert_array_equal(predictor.score(row_T), Stream(predictor).score(row_T))
    assert predictor.distribution(row_T).argmax() == 17
    rows_BT = torch.from_numpy(row_T[None])
    np.testing.assert_array_equal(predictor.charge(rows_BT).numpy(), predictor.token_bits(row_T[None], first=1))


@pytest.mark.parametrize(
    ("vocabulary_size", "data", "said"),
    [
        (300, np.array([1, 300]), "outside the vocabulary"),
        (300, np.array([-1]), "outside the vocabulary"),
        (256, np.array([256]), "outside the vocabulary"),
        (2, b"\x02", "outside the vocabulary"),
        (300, np.array([0.5]), "whole numbers"),
    ],
)
def test_what_is_no_token_is_refused(vocabulary_size, data, said):
    predictor = new_predictor(vocabulary_size)
    with pytest.raises(InputError, match=said) as caught:
        Stream(predictor, num_slots=64).score(data)
    assert "\n" not in str(caught.value)
    if not isinstance(data, bytes):
        with pytest.raises(InputError, match=said):
            predictor.loss(torch.from_numpy(data[None]))
        with pytest.raises(InputError, match=said):
            predictor.token_bits(data[None])


def test_a_stream_reads_one_row():
    with pytest.raises(InputError, match="one row of tokens"):
        Stream(new_predictor(300), num_slots=64).read(np.zeros((2, 3), np.int64))


def test_only_bytes_are_compressed():
    for method in ("compress", "decompress"):
        with pytest.raises(InputError, match="only a predictor of bytes") as caught:
            getattr(new_predictor(300), method)(b"abc")
        assert "\n" not in str(caught.value)


def short_stream() -> str:
    row_T = some_rows(300, 1, 70)[0]
    return hashlib.sha256(new_stream(new_predictor(300), 70, adapting=True).read(row_T).tobytes()).hexdigest()


def test_plain_python_gives_the_same_bits():
    assert digest_in_plain_python(__name__) == short_stream()
