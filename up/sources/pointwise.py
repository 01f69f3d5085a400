"""Pointwise: every row has a categorical distribution of its own, drawn from a Dirichlet prior, and independent tokens.

There is no structure over time; what can be learnt in context is how often each token occurs, and nothing else (Bloem
2025, arXiv 2506.20057, section 6.4, which takes it as an ablation). With V tokens and the parameter alpha,

    p ~ Dirichlet(alpha, ..., alpha),    x_1, ..., x_T independent given p,    P(x_t = v | p) = p_v.

p itself is never drawn. Given x_1, ..., x_t, of which n_v are v, the next token is v with probability
(n_v + alpha) / (t + V alpha), which is Polya's urn (Blackwell and MacQueen 1973): with probability t / (t + V alpha) a
copy of one of the t tokens before it, each equally likely, and otherwise a fresh uniform token. The law of a row is the
same, for every alpha, without a sampler of gamma variables, which underflows for small ones. For alpha = 1/2 this
is the estimator of Krichevsky and Trofimov, so that the ideal code length of a row is known exactly.

A row takes 2 T random numbers and T log2 T steps along the copies, all rows at once. It is the source itself that has
order 0: a Markov model of order 0 with smoothing alpha is the best predictor. Two tokens of a row are equal with
probability (alpha + 1) / (V alpha + 1). At a small alpha most rows are constant.

Shape suffixes: R rows (sequences), T tokens.
"""

import dataclasses

import torch
from torch import Tensor

from up.config import require_at_most, require_positive
from up.sources.base import RowSource


@dataclasses.dataclass(frozen=True, kw_only=True)
class PointwiseSource(RowSource):
    """Independent tokens from a random categorical distribution for each row.

    Attributes:
        kind: `pointwise`.
        vocabulary_size: V, number of tokens.
        alpha: parameter of the symmetric Dirichlet prior; 1/2 in the paper.

    """

    kind: str = "pointwise"
    alpha: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("source", alpha=self.alpha)
        require_at_most("source", alpha=(self.alpha, 1e9))

    @property
    def description(self) -> str:
        """Kind and prior in a few words."""
        return f"pointwise, alpha {self.alpha:g}"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT: each the copy of an earlier one of its row, or fresh, as Polya's urn has it."""
        device, shape = generator.device, (num_rows, num_tokens)
        fresh_RT = torch.randint(self.vocabulary_size, shape, generator=generator, device=device, dtype=torch.uint8)
        uniform_RT = torch.rand(shape, generator=generator, device=device, dtype=torch.float64)
        place_T = torch.arange(num_tokens, device=device)
        copied_RT = (uniform_RT * (place_T + self.vocabulary_size * self.alpha)).long()
        origin_RT = torch.where(copied_RT < place_T, copied_RT, place_T)
        for _ in range(num_tokens.bit_length()):  # each time twice as far back, until every copy knows its fresh token
            origin_RT = origin_RT.gather(1, origin_RT)
        return fresh_RT.gather(1, origin_RT)
