"""A walk on an automaton, one edge after the other."""

from collections.abc import Sequence


def walk(edges: Sequence[Sequence[tuple[int, int]]], uniform: Sequence[float]) -> list[int]:
    """Return the tokens written from state 0 on, where `edges[state]` lists pairs (next state, token)."""
    state, row = 0, []
    for number in uniform:
        state, token = edges[state][int(len(edges[state]) * number)]
        row.append(token)
    return row
