"""Rows of neural cellular automata: the rule cell by cell, the reading of the grids, and rows that live."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import nca as reference
from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.nca import NcaSource


@given(st.integers(3, 6), st.integers(2, 5), st.integers(0, 2**32))
def test_a_step_is_that_of_the_reference_cell_by_cell(size, states, seed):
    source = NcaSource(grid=size, patch=1, num_states=states, skipped_steps=0)
    automata = source.draw_automata(2, torch.Generator().manual_seed(seed))
    after_RN = source.step(automata).state_RN
    for row in range(2):
        weights = tuple(each[row].tolist() for each in (automata.in_R9KC, automata.hidden_RCH, automata.out_RHK))
        grid = automata.state_RN[row].view(size, size).tolist()
        for cell, state in enumerate(after_RN[row].tolist()):
            logits = reference.logits(grid, *divmod(cell, size), weights)
            assert logits[state] >= max(logits) - 1e-9


@given(st.sampled_from([(4, 1), (4, 2), (6, 2), (12, 2)]), st.integers(0, 2**32))
def test_grids_are_read_patch_by_patch(sizes, seed):
    size, patch = sizes
    state_RGN = torch.randint(3, (2, 4, size**2), generator=torch.Generator().manual_seed(seed))
    patch_RT = NcaSource(grid=size, patch=patch, num_states=3).read(state_RGN)
    for grids, found in zip(state_RGN.view(2, 4, size, size).tolist(), patch_RT.tolist(), strict=True):
        assert found == [number for grid in grids for number in reference.patches(grid, patch, 3)]


def test_a_row_obeys_one_local_rule_and_its_tokens_are_its_patches_renamed():
    """The same 3 x 3 cells have the same next state wherever they occur; tokens and patches correspond one to one."""
    source = NcaSource(grid=6)
    automata = source.draw_automata(10, torch.Generator().manual_seed(5))
    state_RGN = source.history(automata, 12)
    grids = state_RGN.view(10, 12, 6, 6)
    shifted = [grids.roll((-dy, -dx), (2, 3)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    around = torch.stack(shifted, -1)[:, :-1].reshape(10, -1, 9).tolist()
    after = grids[:, 1:].reshape(10, -1).tolist()
    for cells, states in zip(around, after, strict=True):
        pairs = {(*cell, state) for cell, state in zip(cells, states, strict=True)}
        assert len({pair[:-1] for pair in pairs}) == len(pairs)
    tokens_RT = source.rows(10, 100, torch.Generator().manual_seed(5))
    for tokens, patches in zip(tokens_RT.tolist(), source.read(state_RGN).tolist(), strict=True):
        pairs = set(zip(tokens, patches[:100], strict=True))
        assert len(pairs) == len(set(tokens)) == len(set(patches[:100]))


def test_first_grids_have_the_stated_law():
    """With two states state 0 has probability sigmoid(g), g normal of variance 2: its second moment, 20,000 rows."""
    source = NcaSource(grid=3, patch=1, num_states=2, skipped_steps=0, min_change=0)
    state_RN = source.draw_any(20_000, torch.Generator().manual_seed(0)).state_RN
    g = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    density = (-(g**2) / 4).exp()
    both = float((g.sigmoid() ** 2 * density).sum() / density.sum())
    found = int(((state_RN[:, 0] == 0) & (state_RN[:, 4] == 0)).sum())
    assert abs(found - 20_000 * both) < 5 * math.sqrt(20_000 * both * (1 - both))
    counts = torch.bincount(state_RN[:, 0], minlength=2)
    assert statistic(counts, [10_000, 10_000]) < limit(1)


def test_no_row_is_constant_though_many_rules_die():
    """Of 1,000 rules a fifth or so end on one state; of 500 rows of bytes none is constant."""
    source, generator = NcaSource(), torch.Generator().manual_seed(0)
    state_RN = source.draw_any(1_000, generator).state_RN
    assert 0.1 < float((state_RN == state_RN[:, :1]).all(1).double().mean()) < 0.3
    living_RN = NcaSource(min_change=0).draw_automata(1_000, generator).state_RN
    assert (living_RN != living_RN[:, :1]).any(1).all()
    rows_RT = source.rows(500, 512, generator)
    assert (rows_RT != rows_RT[:, :1]).any(1).all()


def test_the_step_that_is_looked_at_changes_enough_cells():
    source = NcaSource(min_change=0.5)
    automata = source.draw_automata(200, torch.Generator().manual_seed(0))
    changed_R = (source.step(automata).state_RN != automata.state_RN).double().mean(1)
    assert float((changed_R >= 0.5).double().mean()) > 0.95  # the few that were still dead at the last attempt


@pytest.mark.parametrize(
    ("vocabulary_size", "patch", "states"), [(256, 2, 4), (95, 2, 3), (16, 2, 2), (2, 1, 2), (256, 1, 10)]
)
def test_there_are_as_many_states_as_fit(vocabulary_size, patch, states):
    source = NcaSource(vocabulary_size=vocabulary_size, patch=patch)
    assert source.states == states
    assert int(source.rows(3, 50, torch.Generator()).max()) < vocabulary_size


def test_the_description_says_the_sizes():
    assert NcaSource().description == "nca, 12 x 12 cells in patches of 2 x 2"


@pytest.mark.parametrize(
    "settings",
    [
        {"grid": 2},
        {"grid": 65},
        {"grid": 13},
        {"patch": 0},
        {"skipped_steps": -1},
        {"min_change": -0.5},
        {"min_change": 1.5},
        {"min_change": math.nan},
        {"num_states": 5},
        {"num_states": 1},
        {"vocabulary_size": 15},
        {"vocabulary_size": 256, "patch": 3},
    ],
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        NcaSource(**settings)
    assert "\n" not in str(caught.value)
