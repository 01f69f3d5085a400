"""Automaton: every row is written by a random non-deterministic automaton of its own.

A walk over states; each step takes one of the edges that leave the state, all equally likely, and writes its token.
The tokens do not tell the state, so that a row has the memory of a hidden Markov chain. This is the source `ndfa` of
Bloem 2025 (arXiv 2506.20057, section 6.4), with the automata of its figure 3 (`aut`: uniform over pairs of next state
and byte). For each row, independently:

    number of states        N    log-uniform from 2 to `max_states`
    size of the alphabet    A    log-uniform from 2 to V; the alphabet is a uniform set of A of the V tokens
    out-degree of a state   d    uniform from 1 to `max_out_degree`
    each of its d edges          next state uniform over the N states, token uniform over the alphabet, independent
    first state                  state 0, which is as good as any, for the states are alike
    each step                    one of the d edges, uniform

where log-uniform is the law of `up.sources.draws.log_uniform`. Two edges of a state may be the same. The automaton
`aut` of figure 3, with degrees 5, 2, 1, 1, 3, can be drawn.

Deviation: the paper names this source and gives no distribution over automata. The one here is ours: sizes log-uniform,
degrees, edges and tokens uniform. (Its figure 6 calls the automaton deterministic, the text non-deterministic; here it
is the text that counts.)

A row takes about 5 T operations, all rows at once, and N `max_out_degree` random edges. A step adds log2(d) bits at
most, so that the entropy rate of a typical automaton is about the mean of log2(d), 1.38 bits, or less.

Limits: an automaton may fall into a cycle without choices, where its row goes on periodically, or is constant. The
evaluated sets `aut` and `ndfa` are two fixed automata of the kind: nothing shipped should be tuned on them.

Shape suffixes: R rows, T tokens, E edges of a row's automaton (states x `max_out_degree`), N states, V vocabulary,
F states or edges of all rows.
"""

import dataclasses

import torch
from torch import Tensor

from theory.words import number_of
from up.device import single_thread
from up.sources.base import RowSource
from up.sources.draws import log_uniform, permutations, require_range


@dataclasses.dataclass(frozen=True)
class Automata:
    """One automaton for each row; edge e leaves state e // `max_out_degree`.

    Attributes:
        degree_RN: edges that leave each state, the first of its places.
        next_RE: where each edge leads.
        token_RE: what each edge writes, uint8.

    """

    degree_RN: Tensor
    next_RE: Tensor
    token_RE: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class AutomatonSource(RowSource):
    """Random walks on random automata.

    Attributes:
        kind: `automaton`.
        vocabulary_size: V, number of tokens.
        max_states: most states of an automaton, 2 to 4096.
        max_out_degree: most edges that leave a state, 1 to 256.

    """

    kind: str = "automaton"
    max_states: int = 64
    max_out_degree: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("source", "max_states", self.max_states, 2, 4096)
        require_range("source", "max_out_degree", self.max_out_degree, 1, 256)

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        return (
            f"automaton, up to {number_of(self.max_states, 'state')} of up to {number_of(self.max_out_degree, 'edge')}"
        )

    def draw_automata(self, num_rows: int, generator: torch.Generator) -> Automata:
        """Return an automaton for each row; those with fewer states than `max_states` never reach the others."""
        device, edges = generator.device, self.max_states * self.max_out_degree
        states_R = log_uniform(2, self.max_states, num_rows, generator)
        symbols_R = log_uniform(2, self.vocabulary_size, num_rows, generator)
        alphabet_RV = permutations(self.vocabulary_size, num_rows, generator)
        degree_RN = torch.randint(
            1, self.max_out_degree + 1, (num_rows, self.max_states), generator=generator, device=device
        )
        uniform_2RE = torch.rand((2, num_rows, edges), generator=generator, device=device, dtype=torch.float64)
        next_RE = (uniform_2RE[0] * states_R[:, None]).long()
        token_RE = alphabet_RV.gather(1, (uniform_2RE[1] * symbols_R[:, None]).long())
        return Automata(degree_RN, next_RE, token_RE.to(torch.uint8))

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, the tokens on a walk of T edges for each row."""
        with single_thread():
            automata = self.draw_automata(num_rows, generator)
            shape = (num_tokens, num_rows)
            uniform_TR = torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float64)
            return automata.token_RE.gather(1, walk(automata, uniform_TR))


def walk(automata: Automata, uniform_TR: Tensor) -> Tensor:
    """Return edges_RT, the edges of a walk from state 0: of d edges, number floor(d u) is taken."""
    num_tokens, num_rows = uniform_TR.shape
    states = automata.degree_RN.shape[1]
    edges = automata.next_RE.shape[1]
    row_R = torch.arange(num_rows, device=uniform_TR.device)
    degree_F, next_F = automata.degree_RN.flatten().double(), automata.next_RE.flatten()
    first_state_R, first_edge_R = row_R * states, row_R * edges
    state_R = torch.zeros_like(row_R)
    edges_TR = torch.empty(uniform_TR.shape, dtype=torch.long, device=uniform_TR.device)
    for t in range(num_tokens):
        choice_R = degree_F[first_state_R + state_R].mul_(uniform_TR[t]).long()
        torch.add(choice_R, state_R, alpha=edges // states, out=edges_TR[t])
        state_R = next_F[first_edge_R + edges_TR[t]]
    return edges_TR.T
