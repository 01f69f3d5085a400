"""A neural cellular automaton, cell by cell."""

from collections.abc import Sequence

Matrix = Sequence[Sequence[float]]


def logits(grid: Sequence[Sequence[int]], y: int, x: int, weights: tuple[Matrix, Matrix, Matrix]) -> list[float]:
    """Return the logits of the next state of a cell: the states around it -> channels -> hidden units -> states."""
    to_channels, to_hidden, to_logits = weights
    size, states = len(grid), len(to_logits[0])
    channels = [0.0] * len(to_hidden)
    for number, (dy, dx) in enumerate((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
        state = grid[(y + dy) % size][(x + dx) % size]
        channels = [c + w for c, w in zip(channels, to_channels[number * states + state], strict=True)]
    hidden = [max(0.0, sum(c * w[h] for c, w in zip(channels, to_hidden, strict=True))) for h in range(len(to_logits))]
    return [sum(h * w[state] for h, w in zip(hidden, to_logits, strict=True)) for state in range(states)]


def patches(grid: Sequence[Sequence[int]], patch: int, states: int) -> list[int]:
    """Return the patches of a grid as numbers, the first cell counting least.

    >>> patches([[1, 0, 0, 0], [1, 1, 0, 1]], 2, 2)
    [13, 8]
    """
    return [
        sum(grid[y + i // patch][x + i % patch] * states**i for i in range(patch**2))
        for y in range(0, len(grid), patch)
        for x in range(0, len(grid[0]), patch)
    ]
