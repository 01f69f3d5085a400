"""How many bits per character the strings of `aut` need: between two bounds, since no finite formula is known.

The automaton is non-deterministic: two edges that leave a state may write the same byte. So a reader of the bytes knows
only a distribution over states, the *belief*. The next byte is drawn from a mixture, and the entropy rate is the mean
of its entropy over infinitely many beliefs (Blackwell 1957). With a string X_1 to X_n, n = 512, from state 0,

    H(X_1 ... X_n) = sum over t of H(X_t | X_1 ... X_(t-1)).

Above: beliefs that agree to two decimals are replaced by their mean. To forget which of them it was can only raise what
follows. Below: for t > w, the reader is told the state S_(t-w) and forgets what came before, which can only lower
H(X_t | ...), for given that state nothing before it matters; up to w nothing is changed.

Limits: floating point; the upper bound takes each term after the 64th for the 64th, from where on they differ by less
than 1e-11.

Shape suffixes: B beliefs, S states, C characters of the alphabet.
"""

import functools

import numpy as np
import numpy.typing as npt

from up.data.synthetic import AUT_EDGES, AUT_LENGTH

WINDOW = 16
_SETTLED = 64
_EXACT_DECIMALS = 10  # rounding of equal fractions that were reached on different ways
_COARSE_DECIMALS = 2

Floats = npt.NDArray[np.float64]


@functools.cache
def automaton_rate_bounds_bits(*, length: int = AUT_LENGTH, window: int = WINDOW) -> tuple[float, float]:
    """Return a lower and an upper bound on the entropy rate of `aut`, bits per character; by default 1.1e-4 apart.

    Args:
        length: n, characters of a string.
        window: w, characters that the reader of the lower bound remembers.

    """
    edges_CSS = _edges()
    num_states = edges_CSS.shape[1]
    start_S = np.eye(num_states)[0]

    lower = sum(_entropies(edges_CSS, start_S, num_steps=min(window, length), decimals=_EXACT_DECIMALS))
    told_S = [
        _entropies(edges_CSS, state_S, num_steps=window + 1, decimals=_EXACT_DECIMALS)[window]
        for state_S in np.eye(num_states)
    ]
    state_S = start_S
    for _ in range(length - window):
        lower += float(state_S @ told_S)
        state_S = state_S @ edges_CSS.sum(axis=0)

    upper = _entropies(edges_CSS, start_S, num_steps=min(_SETTLED, length), decimals=_COARSE_DECIMALS)
    upper += [upper[-1]] * (length - len(upper))
    return lower / length, sum(upper) / length


def _edges() -> Floats:
    """Return P(next character, next state | state) of shape (C, S, S)."""
    alphabet = sorted({byte for edges in AUT_EDGES for _, byte in edges})
    edges_CSS = np.zeros((len(alphabet), len(AUT_EDGES), len(AUT_EDGES)))
    for state, edges in enumerate(AUT_EDGES):
        for next_state, byte in edges:
            edges_CSS[alphabet.index(byte), state, next_state] += 1 / len(edges)
    return edges_CSS


def _entropies(edges_CSS: Floats, start_S: Floats, *, num_steps: int, decimals: int) -> list[float]:
    """Return H(X_t | X_1 ... X_(t-1)) for t = 1 to `num_steps`; beliefs equal after rounding become their mean."""
    belief_BS, weight_B = start_S[None], np.ones(1)
    entropies = []
    for _ in range(num_steps):
        joint_CBS = belief_BS @ edges_CSS
        character_CB = joint_CBS.sum(axis=2)
        reached_CB = character_CB > 0
        probability = character_CB[reached_CB]
        weight = (weight_B * character_CB)[reached_CB]
        entropies.append(float(-(weight * np.log2(probability)).sum()))
        belief = joint_CBS[reached_CB] / probability[:, None]
        belief_BS, weight_B = _merge(belief, weight, decimals)
    return entropies


def _merge(belief_BS: Floats, weight_B: Floats, decimals: int) -> tuple[Floats, Floats]:
    """Replace beliefs that are equal after rounding by their weighted mean."""
    _, index_B = np.unique(belief_BS.round(decimals), axis=0, return_inverse=True)
    index_B = index_B.ravel()
    merged_B = np.zeros(index_B.max() + 1)
    np.add.at(merged_B, index_B, weight_B)
    sum_BS = np.zeros((len(merged_B), belief_BS.shape[1]))
    np.add.at(sum_BS, index_B, weight_B[:, None] * belief_BS)
    return sum_BS / merged_B[:, None], merged_B
