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
2014), so that they are the same whenever it is met. A token takes W (`max_depth` + 2) such numbers, all rows at once.

Limits: the names are hashed to 64 bits, so that two nodes of a row share their draws with probability about 2^-64 times
the number of pairs. Arithmetic is numpy's, on the CPU. With many tokens few contexts recur within a row: at V = 256 a
context of two tokens is new nearly every time.

Shape suffixes: R rows, T tokens, W bits of a token, K depths 0 to `max_depth`.
"""

import dataclasses

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from up.config import require_at_most, require_not_negative
from up.sources.base import RowSource
from up.sources.draws import require_range

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)  # the increment of SplitMix64, odd


@dataclasses.dataclass(frozen=True, kw_only=True)
class TreeSource(RowSource):
    """Random variable-length Markov sources.

    Attributes:
        kind: `tree`.
        vocabulary_size: V, number of tokens; 2 gives the binary context-tree prior.
        max_depth: D, most tokens of context, 0 to 64.
        split_probability: s, of a node above the greatest depth; 1/2 in the paper.

    """

    kind: str = "tree"
    max_depth: int = 8
    split_probability: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        require_range("source", "max_depth", self.max_depth, 0, 64)
        require_not_negative("source", split_probability=self.split_probability)
        require_at_most("source", split_probability=(self.split_probability, 1))

    @property
    def description(self) -> str:
        """Kind and size in a few words."""
        return f"tree, up to {self.max_depth} tokens of context"

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, bit by bit; the tree of a row grows where the row leads."""
        width, device = (self.vocabulary_size - 1).bit_length(), generator.device
        largest = torch.iinfo(torch.int64).max
        key_R = torch.randint(largest, (num_rows,), generator=generator, device=device).cpu().numpy().astype(np.uint64)
        word_VK = context_words(self.vocabulary_size, self.max_depth)
        depth_K = np.arange(1, self.max_depth + 1)
        padded_RT = np.zeros((num_rows, self.max_depth + num_tokens), np.uint8)  # tokens 0 before the row
        name_RK = np.zeros((num_rows, self.max_depth + 1), np.uint64)
        for t in range(self.max_depth, self.max_depth + num_tokens):
            np.cumsum(word_VK[padded_RT[:, t - depth_K], depth_K - 1], axis=1, out=name_RK[:, 1:])
            uniform_RW = torch.rand((num_rows, width), generator=generator, device=device, dtype=torch.float64)
            padded_RT[:, t] = self._write_tokens(name_RK + key_R[:, None], uniform_RW.cpu().numpy())
        return torch.from_numpy(padded_RT[:, self.max_depth :].copy()).to(device)

    def _write_tokens(self, name_RK: NDArray[np.uint64], uniform_RW: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return token_R, from the names of its contexts, the root's first, and a uniform number for each bit."""
        num_rows, width = uniform_RW.shape
        coin_word_P, parameter_word_P = prefix_words()
        threshold = np.uint64(int(self.split_probability * 2.0**53))
        row_R, prefix_R = np.arange(num_rows), np.ones(num_rows, np.int64)  # a one, then the bits written so far
        for j in range(width):
            coin_RK = mix(name_RK + coin_word_P[prefix_R, None]) >> np.uint64(11)
            is_leaf_RK = coin_RK >= threshold
            is_leaf_RK[:, -1] = True
            leaf_name_R = name_RK[row_R, is_leaf_RK.argmax(1)]
            theta_R = beta_half(mix(leaf_name_R + parameter_word_P[prefix_R]))
            least_if_one_R = (2 * prefix_R + 1 << width - 1 - j) - (1 << width)  # the least token that goes on with 1
            is_one_R = (uniform_RW[:, j] < theta_R) & (least_if_one_R < self.vocabulary_size)
            prefix_R = 2 * prefix_R + is_one_R
        return prefix_R - (1 << width)


def mix(number: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the numbers scrambled by SplitMix64, a bijection of 64 bits.

    >>> int(mix(np.array([0x9E3779B97F4A7C15], np.uint64))[0]) == 0xE220A8397B1DCDAF  # its first output for seed 0
    True
    """
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


def prefix_words() -> NDArray[np.uint64]:
    """Return the words that stand for prefixes, (2, 256), one for the coin of a node and one for its parameter.

    A node's name is the sum of the row's key and the words of its prefix and of the tokens of its context.
    """
    return mix(_GOLDEN * np.arange(1, 513, dtype=np.uint64)).reshape(2, 256)


def context_words(vocabulary_size: int, max_depth: int) -> NDArray[np.uint64]:
    """Return the words that stand for tokens in a context, (V, max_depth), one for each distance."""
    first, count = 513, vocabulary_size * max_depth
    return mix(_GOLDEN * np.arange(first, first + count, dtype=np.uint64)).reshape(vocabulary_size, max_depth)


def beta_half(number: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return Beta(1/2, 1/2) variables, the arcsine law: sin^2 of a uniform angle of a quarter circle."""
    return np.sin((number >> np.uint64(11)) * (np.pi / 2 * 2.0**-53)) ** 2
