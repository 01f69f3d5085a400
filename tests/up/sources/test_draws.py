"""Draws that sources share: their laws."""

import math

import pytest
import torch

from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.draws import log_uniform, permutations, require_range


@pytest.mark.parametrize(("least", "most"), [(1, 64), (2, 5), (3, 4)])
def test_log_uniform_numbers_have_the_stated_law(least, most):
    """Chi-squared over 50,000 draws."""
    count = 50_000
    numbers_R = log_uniform(least, most, count, torch.Generator().manual_seed(0))
    assert least <= numbers_R.min() <= numbers_R.max() <= most
    expected = [count * math.log((n + 1) / n) / math.log((most + 1) / least) for n in range(least, most + 1)]
    found = torch.bincount(numbers_R - least, minlength=most - least + 1)
    assert statistic(found, expected) < limit(most - least)


def test_a_range_of_one_number_has_one():
    assert log_uniform(3, 3, 5, torch.Generator()).tolist() == [3] * 5


def test_permutations_are_permutations_and_all_alike():
    """Chi-squared over the six orders of three numbers, 30,000 draws."""
    permutations_RN = permutations(3, 30_000, torch.Generator().manual_seed(0))
    assert torch.equal(permutations_RN.sort(1).values, torch.arange(3).expand(30_000, 3))
    _, found = (permutations_RN * torch.tensor([9, 3, 1])).sum(1).unique(return_counts=True)
    assert len(found) == 6
    assert statistic(found, [5_000] * 6) < limit(5)


def test_a_value_outside_its_range_is_refused():
    require_range("source", "states", 3, 3, 5)
    with pytest.raises(InputError, match=r"source.states is out of range \(received 6\): use 3 to 5"):
        require_range("source", "states", 6, 3, 5)
