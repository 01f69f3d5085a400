"""Tree: every row is written by a random tree source, drawn from the prior of the context-tree weighting method.

A tree source looks back only as far as it has to: the context, read backwards from the latest token, leads from the
root of a tree to a leaf, and the parameter there decides. Willems, Shtarkov and Tjalkens 1995 (IEEE Transactions on
Information Theory 41) mix over all trees of depth at most D and all parameters, exactly and in time linear in the
length. This source draws the tree and the parameters of which that is the mixture, so that its ideal code length can be
computed.

The prior in full. A token below V has W = ceil(log2 V) bits, written from the highest on. Before each bit stands a
*prefix*, the bits of the token that are already written; where only one continuation stays below V (which needs a V
that is no power of two), the bit follows and nothing is drawn. Every other prefix has a tree of its own, V - 1 in all;
at V = 2 there is one, the binary method of the paper. In the tree of a prefix, independently for every node and row:

    a node at depth k stands for k tokens x_(t-1), ..., x_(t-k) before the one being written; the root for none
    a node at depth k < `max_depth` is split with probability s = `split_probability`, into V children, one for each
        x_(t-k-1); otherwise, and always at depth `max_depth`, it is a leaf
    a leaf has a parameter theta ~ Beta(1/2, 1/2), of Krichevsky and Trofimov
    the next bit is 1 with probability theta of the leaf that the context leads to

and the tokens before the row are all 0, as the method takes a past for granted. So the probability of a row is the
product over prefixes of P(root), where a node's own bits, n_0 zeros and n_1 ones, are those written in its context:

    P(node) = s prod over children P(child) + (1 - s) KT(n_0, n_1)   at depth < D,    KT(n_0, n_1)   at depth D,
    KT(n_0, n_1) = (1/2)(3/2)...(n_0 - 1/2) (1/2)(3/2)...(n_1 - 1/2) / (n_0 + n_1)!

For bytes this is the decomposition of Tjalkens, Volf and Willems 1997 (Data Compression Conference): a binary tree
source for each node of the alphabet's own binary tree, whose contexts are whole bytes.

Nodes are grown lazily: a node is drawn when it is first met. It is not stored: its coin and its parameter are computed
from the row's key and the node's name, prefix and context, by the mixing function of SplitMix64 (Steele, Lea and Flood
2014), so that they are the same whenever it is met (`up.sources.tree_kernel`). A token takes about W (1 / (1 - s) + 1)
such numbers where numba can be imported, and W (`max_depth` + 2) otherwise.

Limits: the names are hashed to 64 bits, so that two nodes of a row share their draws with probability about 2^-64 times
the number of pairs. The work is done on the CPU. With many tokens few contexts recur within a row: at V = 256 a
context of two tokens is new nearly every time.

Shape suffixes: R rows, T tokens, W bits of a token, K depths 0 to `max_depth`.
"""

import dataclasses

import numpy as np
import torch
from torch import Tensor

from theory.compiling import can_compile
from theory.words import number_of
from up.config import require_at_most, require_not_negative
from up.sources.base import RowSource
from up.sources.draws import require_range, require_symbols
from up.sources.tree_kernel import compiled_write_rows, write_rows

_ROWS_AT_ONCE = 256  # 8 MiB of random numbers for rows of 512 bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class TreeSource(RowSource):
    """Random variable-length Markov sources.

    Attributes:
        kind: `tree`.
        vocabulary_size: V, number of tokens; 2 gives the binary context-tree prior.
        max_depth: D, most tokens of context, 0 to 64.
        split_probability: s, of a node above the greatest depth; 1/2 in the paper.
        symbols: tokens that are written, the first so many of the vocabulary, which V then stands for in the prior; 2
            gives bits to a model of bytes. None: all.

    """

    kind: str = "tree"
    max_depth: int = 8
    split_probability: float = 0.5
    symbols: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        require_symbols(self.symbols, self.vocabulary_size)
        require_range("source", "max_depth", self.max_depth, 0, 64)
        require_not_negative("source", split_probability=self.split_probability)
        require_at_most("source", split_probability=(self.split_probability, 1))

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        of_symbols = "" if self.symbols is None else f", {self.symbols} symbols"
        return f"tree, up to {number_of(self.max_depth, 'token')} of context{of_symbols}"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, bit by bit; the tree of a row grows where the row leads."""
        write = compiled_write_rows() if can_compile() else write_rows
        symbols = self.symbols or self.vocabulary_size
        width, device = (symbols - 1).bit_length(), generator.device
        threshold, largest = int(self.split_probability * 2.0**53), torch.iinfo(torch.int64).max
        tokens_RT = torch.empty((num_rows, num_tokens), dtype=torch.uint8)
        for first in range(0, num_rows, _ROWS_AT_ONCE):
            count = min(num_rows - first, _ROWS_AT_ONCE)
            key_R = torch.randint(largest, (count,), generator=generator, device=device).cpu().numpy()
            shape = (num_tokens, count, width)
            uniform_TRW = torch.rand(shape, generator=generator, device=device, dtype=torch.float64).cpu().numpy()
            block_RT = write(key_R.astype(np.uint64), uniform_TRW, symbols, self.max_depth, threshold)
            tokens_RT[first : first + count] = torch.from_numpy(block_RT)
        return tokens_RT.to(device)
