"""NCA: every row is the history of a cellular automaton whose local rule is a random neural network.

Whoever is to predict the next grid has to find the rule in the grids before it (Lee, Han, Kumar and Agrawal 2026, arXiv
2603.10055, "Training language models via neural cellular automata"). For each row, independently:

    rule     3 x 3 cells, each one of k states as k numbers, -> 4 numbers -> 16 units, ReLU -> k logits; weights normal
             around 0, no biases. The new state is that of the greatest logit, of equal ones the lowest
    grid     `grid` x `grid` cells whose opposite edges touch; at first each cell independent, state j with probability
             softmax(g)_j, g normal
    history  `skipped_steps` steps that are not read, then one grid after the other
    tokens   each grid in patches of `patch` x `patch` cells from left to right and from top to bottom; a patch is a
             number of base k, and each number a token, by a random injection into the vocabulary

Sizes, rule, first grid, the 10 skipped steps and the patches are those of the code published with the paper
(github.com/danihyunlee/nca-pre-pretraining, read in a fork). Since there are no biases, the scale of the weights does
not matter.

Deviation: the paper has k = 10 states and 10,000 patches, too many for bytes. Here k is the greatest number of states,
up to 10, whose patches fit: 4 for 256 tokens, 3 for 95. The injection is ours, and there are no tokens before and after
a grid. Weights are normal, not truncated at two deviations. The paper samples states at temperature 10^-4, which is the
greatest logit in all but name. It keeps the rules whose histories gzip leaves at half their size or more (other shares
for other uses); here a rule is kept if its grid is not all of one state after the skipped steps, and the next step
changes at least the share `min_change` of its cells, which is cheaper and depends on no library; of `ATTEMPTS` rules
the last is taken as it is. Without that a fifth of the rows are one token for ever at k = 4.

A row takes about T / (grid / patch)^2 + 1.5 `skipped_steps` grids, each of grid^2 (36 k + 64 + 16 k) multiplications.

Limits: a rule that lives when it is looked at may die later, or repeat itself. Arithmetic is float64; where two logits
agree to 16 digits, a GPU may take another state than a CPU.

Shape suffixes: R rows, T tokens, G grids, N cells of a grid, K states, H hidden units.
"""

import dataclasses
import math

import torch
from torch import Tensor

from up.config import require_at_most, require_not_negative
from up.device import single_thread
from up.errors import InputError
from up.sources.base import RowSource
from up.sources.draws import permutations, require_range

ATTEMPTS = 8
MOST_STATES = 10
_CHANNELS, _HIDDEN = 4, 16


@dataclasses.dataclass(frozen=True)
class Automata:
    """A rule and a grid for each row.

    Attributes:
        in_R9KC: weights from the states of the 3 x 3 cells, row by row, to C channels, (R, 9 K, C).
        hidden_RCH: weights from the channels to the hidden units.
        out_RHK: weights from there to the logits.
        state_RN: the grid, row by row.

    """

    in_R9KC: Tensor
    hidden_RCH: Tensor
    out_RHK: Tensor
    state_RN: Tensor


@dataclasses.dataclass(frozen=True, kw_only=True)
class NcaSource(RowSource):
    """Histories of random neural cellular automata.

    Attributes:
        kind: `nca`.
        vocabulary_size: number of tokens.
        num_states: k; None stands for as many as the vocabulary has room for, at most 10.
        grid: cells along an edge of the grid, 3 to 64, a multiple of `patch`.
        patch: cells along an edge of a patch, 1 or more.
        skipped_steps: steps before the first grid that is read.
        min_change: share of the cells that the step after the skipped ones must change, 0 to 1.

    """

    kind: str = "nca"
    num_states: int | None = None
    grid: int = 12
    patch: int = 2
    skipped_steps: int = 10
    min_change: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("source", "grid", self.grid, 3, 64)
        require_range("source", "patch", self.patch, 1, self.grid)
        require_range("source", "skipped_steps", self.skipped_steps, 0, 1_000)
        require_not_negative("source", min_change=self.min_change)
        require_at_most("source", min_change=(self.min_change, 1))
        if self.grid % self.patch:
            raise InputError(
                "source.grid is no multiple of source.patch",
                received=self.grid,
                remedy=f"use {self.grid - self.grid % self.patch}",
            )
        room = self._room()
        if room < 2:
            raise InputError(
                f"source.vocabulary_size has no room for patches of {self.patch} x {self.patch} cells",
                received=self.vocabulary_size,
                remedy="use source.patch=1",
            )
        if self.num_states is not None:
            require_range("source", "num_states", self.num_states, 2, room)

    def _room(self) -> int:
        """Return the greatest number of states whose patches fit the vocabulary."""
        return max(k for k in range(1, self.vocabulary_size + 1) if k ** (self.patch**2) <= self.vocabulary_size)

    @property
    def states(self) -> int:
        """The number of states, k."""
        return min(self._room(), MOST_STATES) if self.num_states is None else self.num_states

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        return f"nca, {self.grid} x {self.grid} cells in patches of {self.patch} x {self.patch}"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, grid after grid; the last may be cut."""
        num_grids = -(-num_tokens // (self.grid // self.patch) ** 2)
        with single_thread():
            automata = self.draw_automata(num_rows, generator)
            token_RV = permutations(self.vocabulary_size, num_rows, generator)
            patch_RT = self.read(self.history(automata, num_grids))[:, :num_tokens]
            return token_RV.gather(1, patch_RT).to(torch.uint8)

    def draw_automata(self, num_rows: int, generator: torch.Generator) -> Automata:
        """Return automata after the skipped steps, those that have died replaced by others, up to `ATTEMPTS` times."""
        automata = self.draw_any(num_rows, generator)
        for _ in range(ATTEMPTS - 1):
            dead_D = (~self._is_alive(automata)).nonzero().flatten()
            if not len(dead_D):
                break
            others = self.draw_any(len(dead_D), generator)
            for field in dataclasses.fields(Automata):
                getattr(automata, field.name)[dead_D] = getattr(others, field.name)
        return automata

    def draw_any(self, num_rows: int, generator: torch.Generator) -> Automata:
        """Return automata after the skipped steps, whatever became of them."""
        device, states, cells = generator.device, self.states, self.grid**2

        def normal(*shape: int) -> Tensor:
            return torch.randn((num_rows, *shape), generator=generator, device=device, dtype=torch.float64)

        weights = normal(9 * states, _CHANNELS), normal(_CHANNELS, _HIDDEN), normal(_HIDDEN, states)
        bound_RK = normal(states).softmax(1).cumsum(1)
        uniform_RN = torch.rand((num_rows, cells), generator=generator, device=device, dtype=torch.float64)
        state_RN = torch.searchsorted(bound_RK, uniform_RN, right=True).clamp_(max=states - 1)
        automata = Automata(*weights, state_RN)
        for _ in range(self.skipped_steps):
            automata = self.step(automata)
        return automata

    def _is_alive(self, automata: Automata) -> Tensor:
        """Return a boolean for each row: whether its grid has two states or more, and the next step changes enough."""
        state_RN = automata.state_RN
        changed_R = (self.step(automata).state_RN != state_RN).sum(1)
        least = math.ceil(self.min_change * self.grid**2)
        return (state_RN != state_RN[:, :1]).any(1) & (changed_R >= least)

    def step(self, automata: Automata) -> Automata:
        """Return the automata after one step."""
        num_rows, states = len(automata.state_RN), self.states
        one_hot_RNK = torch.nn.functional.one_hot(automata.state_RN, states).to(torch.float64)
        around_N9 = neighbourhoods(self.grid, automata.state_RN.device)
        around_RN9K = one_hot_RNK[:, around_N9].view(num_rows, self.grid**2, 9 * states)
        hidden_RNH = (around_RN9K @ automata.in_R9KC @ automata.hidden_RCH).relu_()
        return dataclasses.replace(automata, state_RN=(hidden_RNH @ automata.out_RHK).argmax(2))

    def history(self, automata: Automata, num_grids: int) -> Tensor:
        """Return state_RGN, the grid as it is and those of the steps after it."""
        grids = []
        for _ in range(num_grids):
            grids.append(automata.state_RN)
            automata = self.step(automata)
        return torch.stack(grids, 1)

    def read(self, state_RGN: Tensor) -> Tensor:
        """Return patch_RT, the patches of all grids as numbers of base k; the first cell of a patch counts least."""
        side = self.grid // self.patch
        place_P = self.states ** torch.arange(self.patch**2, device=state_RGN.device)
        cells = state_RGN.unflatten(2, (side, self.patch, side, self.patch)).transpose(3, 4)
        return (cells.flatten(4) * place_P).sum(4).flatten(1)


def neighbourhoods(grid: int, device: torch.device) -> Tensor:
    """Return around_N9, the 3 x 3 cells around each cell, row by row, on a grid whose opposite edges touch.

    >>> neighbourhoods(3, torch.device("cpu"))[0].tolist()
    [8, 6, 7, 2, 0, 1, 5, 3, 4]
    """
    cell_YX = torch.arange(grid**2, device=device).view(grid, grid)
    shifts = [(y, x) for y in (1, 0, -1) for x in (1, 0, -1)]
    return torch.stack([cell_YX.roll(shift, (0, 1)).flatten() for shift in shifts], 1)
