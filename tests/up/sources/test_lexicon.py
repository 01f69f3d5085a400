"""Rows of words that come back: who sits where follows the Pitman-Yor law, and settings change what they should."""

import random
import zlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.lexicon import LexiconSource, PitmanYor


def rows(num_rows: int, num_tokens: int, seed: int = 0, **changes) -> torch.Tensor:
    return LexiconSource(**changes).rows(num_rows, num_tokens, torch.Generator().manual_seed(seed))


def compressed(rows_RT: torch.Tensor) -> int:
    return sum(len(zlib.compress(bytes(row.tolist()), 9)) for row in rows_RT)


@settings(max_examples=15)
@given(st.integers(16, 256), st.integers(1, 90), st.integers(0, 2**40), st.integers(2, 256))
def test_rows_have_their_shape_and_their_tokens_whatever_the_settings(vocabulary, length, seed, letters):
    rows_RT = rows(3, length, seed, vocabulary_size=vocabulary, max_letters=letters)
    assert (rows_RT.shape, rows_RT.dtype) == ((3, length), torch.uint8)
    assert int(rows_RT.max()) < vocabulary


def test_the_generator_decides_every_row_and_batches_do_not():
    assert torch.equal(rows(5, 200), rows(5, 200))
    assert not torch.equal(rows(5, 200), rows(5, 200, seed=1))
    source, generator = LexiconSource(), torch.Generator().manual_seed(0)
    halves = torch.cat([source.rows(2, 200, generator), source.rows(3, 200, generator)])
    assert torch.equal(halves, rows(5, 200))
    assert torch.equal(rows(5, 100), rows(5, 200)[:, :100])


def test_customers_sit_as_pitman_and_yor_have_it():
    """Dish 0 has three customers at two tables and dish 1 one: (3 - 2 a), (1 - a) and (b + 3 a) of (b + 4)."""
    restaurant, a, b, draws = PitmanYor(0.4, 1.5), 0.4, 1.5, 40_000
    for dish, opens in ((0, True), (0, False), (1, True), (0, True)):
        restaurant.seat(dish, opens=opens)
    uniform = random.Random(0)
    drawn = [restaurant.drawn(uniform) for _ in range(draws)]
    expected = [(3 - 2 * a) / (b + 4), (1 - a) / (b + 4), (b + 3 * a) / (b + 4)]
    counts = torch.tensor([drawn.count(dish) for dish in (0, 1, None)])
    assert sum(expected) == pytest.approx(1)
    assert statistic(counts, [draws * share for share in expected]) < limit(2)


def test_no_token_is_favoured():
    tokens_R = rows(6_000, 1, vocabulary_size=16)[:, 0].long()
    assert statistic(torch.bincount(tokens_R, minlength=16), [6_000 / 16] * 16) < limit(15)


def test_words_come_back():
    """Rows compress to less than four fifths of what their tokens cost one by one."""
    rows_RT = rows(30, 2_048)
    entropies = [-(p * p.log2()).sum() for p in (row.bincount()[row.bincount() > 0] / 2_048 for row in rows_RT.long())]
    assert 8 * compressed(rows_RT) < 0.8 * 2_048 * sum(entropies)


def test_lines_that_come_again_are_told_by_a_compressor():
    assert compressed(rows(40, 2_048, template_share=1)) < 0.9 * compressed(rows(40, 2_048, template_share=0))


def test_columns_fill_words_up_with_the_usual_mark():
    """The commonest token takes more of a row that has columns."""
    share = [
        sum(int(row.bincount().max()) for row in rows(40, 1_024, column_share=columns).long()) for columns in (0, 1)
    ]
    assert share[1] > 1.5 * share[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"vocabulary_size": 15},
        {"max_letters": 1},
        {"max_word_length": 0},
        {"max_line_length": 1},
        {"column_share": -0.5},
        {"template_share": 1.5},
    ],
)
def test_bad_settings_are_refused_with_their_value(changes):
    with pytest.raises(InputError, match=str(next(iter(changes.values())))) as caught:
        LexiconSource(**changes)
    assert "\n" not in str(caught.value)


def test_the_description_says_the_sizes():
    assert LexiconSource().description == "lexicon, up to 64 letters"
