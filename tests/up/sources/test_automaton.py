"""Rows of random automata: each is a walk on the automaton that was drawn, and the automata have the stated law."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import automaton as reference
from tests.reference.chi_squared import limit, statistic
from up.errors import InputError
from up.sources.automaton import Automata, AutomatonSource, walk

AUT = {
    0: [(0, 122), (1, 122), (2, 248), (3, 248), (4, 224)],
    1: [(1, 224), (3, 224)],
    2: [(3, 248)],
    3: [(4, 248)],
    4: [(0, 248), (2, 122), (3, 224)],
}
"""The automaton `aut` of the paper's figure 3: pairs of next state and byte."""


def lists_of(automata, row):
    """The edges of one row's automaton as lists of pairs."""
    degrees = automata.degree_RN[row].tolist()
    width = automata.next_RE.shape[1] // len(degrees)
    pairs = list(zip(automata.next_RE[row].tolist(), automata.token_RE[row].tolist(), strict=True))
    return [pairs[state * width : state * width + degree] for state, degree in enumerate(degrees)]


@given(
    st.integers(1, 4),
    st.integers(1, 60),
    st.integers(2, 9),
    st.integers(1, 6),
    st.integers(2, 256),
    st.integers(0, 2**32),
)
def test_rows_are_walks_on_the_automata_that_were_drawn(rows, tokens, states, degree, vocabulary, seed):
    source = AutomatonSource(max_states=states, max_out_degree=degree, vocabulary_size=vocabulary)
    generator = torch.Generator().manual_seed(seed)
    automata = source.draw_automata(rows, generator)
    uniform_TR = torch.rand((tokens, rows), generator=generator, dtype=torch.float64)
    expected = [reference.walk(lists_of(automata, r), uniform_TR[:, r].tolist()) for r in range(rows)]
    found_RT = source.rows(rows, tokens, torch.Generator().manual_seed(seed))
    assert found_RT.tolist() == expected
    assert int(found_RT.max()) < vocabulary


def test_on_the_automaton_of_figure_3_edges_are_taken_as_often_as_they_should():
    """The share of each state's edges over 400 walks of 500 steps; each within five standard deviations of 1/degree."""
    next_1E = torch.tensor([[(AUT[s] + [(0, 0)] * 5)[e][0] for s in range(5) for e in range(5)]])
    token_1E = torch.tensor([[(AUT[s] + [(0, 0)] * 5)[e][1] for s in range(5) for e in range(5)]])
    degree_1N = torch.tensor([[len(AUT[s]) for s in range(5)]])
    automata = Automata(*(each.expand(400, -1) for each in (degree_1N, next_1E, token_1E)))
    uniform_TR = torch.rand((500, 400), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    edges_RT = walk(automata, uniform_TR)
    assert int(edges_RT[:, 0].max()) < 5  # from state 0
    assert torch.equal(automata.next_RE.gather(1, edges_RT)[:, :-1], edges_RT[:, 1:] // 5)
    taken = torch.bincount(edges_RT.flatten(), minlength=25).view(5, 5)
    for state, edges in AUT.items():
        degree, visits = len(edges), int(taken[state].sum())
        assert int(taken[state, degree:].sum()) == 0
        for edge in range(degree):
            spread = math.sqrt(visits / degree * (1 - 1 / degree))
            assert abs(int(taken[state, edge]) - visits / degree) <= 5 * spread


def test_automata_have_the_stated_law():
    """Degrees, next states and tokens of 4,000 automata are uniform where they should be, by chi-squared."""
    source = AutomatonSource(max_states=6, max_out_degree=3, vocabulary_size=5)
    automata = source.draw_automata(4_000, torch.Generator().manual_seed(1))

    def require_uniform(values, size):
        found = torch.bincount(values.flatten().long(), minlength=size).double()
        assert statistic(found, [values.numel() / size] * size) < limit(size - 1)

    require_uniform(automata.degree_RN[:, 0] - 1, 3)
    require_uniform(automata.token_RE[:, 0], 5)  # over all alphabets
    states_R = automata.next_RE.max(1).values + 1  # of 18 edges some leads to the last state, nearly always
    assert states_R.unique().tolist() == [2, 3, 4, 5, 6]
    require_uniform(automata.next_RE[states_R == 6, :2], 6)
    two, share = int((states_R == 2).sum()), math.log(3 / 2) / math.log(7 / 2)
    assert abs(two - 4_000 * share) < 5 * math.sqrt(4_000 * share * (1 - share)) + 1


def test_alphabets_are_log_uniform_in_size():
    """From 2 to 5 symbols, all of which occur on 320 edges, nearly always; 4,000 automata, chi-squared."""
    automata = AutomatonSource(vocabulary_size=5).draw_automata(4_000, torch.Generator().manual_seed(2))
    sorted_RE = automata.token_RE.sort(1).values
    symbols_R = 1 + (sorted_RE[:, 1:] != sorted_RE[:, :-1]).sum(1)
    expected = [4_000 * math.log((n + 1) / n) / math.log(3) for n in range(2, 6)]
    assert statistic(torch.bincount(symbols_R, minlength=6)[2:], expected) < limit(3)


def test_automata_without_choices_go_round_in_a_cycle():
    rows_RT = AutomatonSource(max_states=5, max_out_degree=1).rows(200, 200, torch.Generator())
    after_RT = rows_RT[:, 100:]
    assert all(any(torch.equal(row[p:], row[:-p]) for p in range(1, 6)) for row in after_RT)


def test_the_description_says_the_sizes():
    assert AutomatonSource().description == "automaton, up to 64 states of up to 5 edges"


@pytest.mark.parametrize(
    "settings", [{"max_states": 1}, {"max_states": 4097}, {"max_out_degree": 0}, {"max_out_degree": 257}]
)
def test_bad_settings_are_refused_with_their_value(settings):
    with pytest.raises(InputError, match=str(next(iter(settings.values())))) as caught:
        AutomatonSource(**settings)
    assert "\n" not in str(caught.value)
