"""Dyck: balanced brackets of up to 64 types, in tokens that mean something else in every row.

Procedural pre-training (Jiang, Shinnick, van den Hengel, Saratchandran and Teney 2026, arXiv 2601.21725) warms models
up on such sequences, which cannot be predicted without a stack. The generator is the one published with the paper
(github.com/zlshinnick/procedural-pretraining, `procedural_data/dyck.py`): with d brackets open and r tokens to go,

    d = 0            open
    r <= d + 1       close the latest bracket that is open
    otherwise        open with probability p = `opening_probability`, else close the latest

where every bracket that is opened has one of k types, all alike. So a row of even length is balanced, its end being
forced where it must be; one of odd length opens one more bracket at its very end.

Deviation: in the published code k is fixed (64 in its configuration), opening brackets are tokens 0 to k - 1 and the
bracket that closes v is v + k. Here each row draws k, log-uniform (`up.sources.draws`) from `min_types` to `max_types`,
or to V // 2 if that is less, and 2 k different tokens for its brackets, all choices alike: which tokens open, and which
closes which, is to be learnt from the row. `min_types` = `max_types` gives a fixed k. The paper's other languages
(Dyck with shuffled types, copies, sets, stacks and sorting) are not here.

A row takes about 5 T operations for the depths, all rows at once, and one sort of T tokens for the types: the
brackets between depths d and d + 1 open and close by turns in the order of their places, each closing the one before.

**The data set `dyck`, on which models are evaluated, is of this kind** (one type, p = 7/16, from one bracket until it
is closed). No weights that are shipped with this project are trained on this source.

Shape suffixes: R rows, T tokens, V vocabulary.
"""

import dataclasses

import torch
from torch import Tensor

from up.device import single_thread
from up.errors import InputError
from up.sources.base import RowSource
from up.sources.draws import log_uniform, permutations, require_range


@dataclasses.dataclass(frozen=True, kw_only=True)
class DyckSource(RowSource):
    """Balanced brackets.

    Attributes:
        kind: `dyck`.
        vocabulary_size: V, number of tokens.
        min_types: fewest types of brackets in a row.
        max_types: most types of brackets in a row, at most 128; where V // 2 is less, that many.
        opening_probability: p, that a bracket opens where it may open or close, 0 to 1; 0.49 in the published code.

    """

    kind: str = "dyck"
    min_types: int = 1
    max_types: int = 64
    opening_probability: float = 0.49

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("source", "max_types", self.max_types, 1, 128)
        require_range("source", "min_types", self.min_types, 1, min(self.max_types, self.vocabulary_size // 2))
        if not 0 <= self.opening_probability <= 1:
            raise InputError(
                "source.opening_probability is out of range", received=self.opening_probability, remedy="use 0 to 1"
            )

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        return f"dyck, {self.min_types} to {self.max_types} types of brackets"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT: depths first, then the types, then the tokens."""
        device, shape = generator.device, (num_rows, num_tokens)
        with single_thread():
            most = min(self.max_types, self.vocabulary_size // 2)
            types_R = log_uniform(self.min_types, most, num_rows, generator)
            token_RV = permutations(self.vocabulary_size, num_rows, generator)
            uniform_RT = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
            depth_RT = depths(uniform_RT < self.opening_probability)
            type_uniform_RT = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
            type_RT = (type_uniform_RT * types_R[:, None]).long()
            return token_RV.gather(1, brackets(depth_RT, type_RT)).to(torch.uint8)


def depths(wants_open_RT: Tensor) -> Tensor:
    """Return depth_RT, how many brackets are open after each token, from what each would do if it were free.

    >>> depths(torch.tensor([[True, True, False, True, True, True]])).tolist()
    [[1, 2, 1, 2, 1, 0]]
    """
    num_rows, num_tokens = wants_open_RT.shape
    step_TR = wants_open_RT.T.long() * 2 - 1
    depth_TR = torch.empty_like(step_TR)
    depth_R = torch.zeros(num_rows, dtype=torch.long, device=wants_open_RT.device)
    for t in range(num_tokens):
        most = max(num_tokens - t - 1, 1)  # so many can still be closed after this token; the last of an odd row opens
        depth_R = torch.add(depth_R, step_TR[t]).abs_()  # from 0 to 1 whatever was wanted
        depth_R = torch.where(depth_R > most, depth_R - 2, depth_R, out=depth_TR[t])
    return depth_TR.T


def brackets(depth_RT: Tensor, type_RT: Tensor) -> Tensor:
    """Return brackets_RT: twice the type of each bracket, plus 1 where it closes; a type is that of where it opens.

    >>> brackets(torch.tensor([[1, 2, 1, 2, 1, 0]]), torch.tensor([[3, 4, 0, 5, 0, 0]])).tolist()
    [[6, 8, 9, 10, 11, 7]]
    """
    before_RT = torch.nn.functional.pad(depth_RT, (1, 0))[:, :-1]
    closes_RT = depth_RT < before_RT
    order_RT = torch.minimum(depth_RT, before_RT).argsort(dim=1, stable=True)  # by the level, there by the place
    opener_RT = torch.where(closes_RT.gather(1, order_RT), order_RT.roll(1, 1), order_RT)
    opener_of_place_RT = torch.empty_like(order_RT).scatter_(1, order_RT, opener_RT)
    return 2 * type_RT.gather(1, opener_of_place_RT) + closes_RT
