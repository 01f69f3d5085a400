"""How deep the buffer is: the exact distribution of the number of models that a row has passed since its reset.

Source: Bloem 2025 (arXiv 2506.20057), section 5.1, Algorithm 1 and appendix A.1. A buffer of N rows is updated in
batches: B rows are drawn without replacement, each passes one random model (depth + 1), and R of the B, drawn without
replacement, start again from noise (depth 0). What a row of depth k holds is a sample of m^k, so the distribution of
the depth is the mixture weight of m_C^mix on m_C^k.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from theory.errors import InputError
from theory.words import number_of


def reset_probability(source_batch: int, reset_rows: int) -> Fraction:
    """Return the probability R / B that a row which is drawn is also reset; 20/69 with the paper's 40 of 138.

    Raises:
        InputError: a batch that is empty, or more resets than rows.

    """
    if source_batch < 1:
        raise InputError("a source batch needs at least one row", received=source_batch, remedy="give 1 or more")
    if not 0 <= reset_rows <= source_batch:
        raise InputError(
            "the number of reset rows is out of range",
            received=reset_rows,
            remedy=f"give 0 to the source batch, {source_batch}",
        )
    return Fraction(reset_rows, source_batch)


def stationary_depth_probability(depth: int, *, source_batch: int, reset_rows: int) -> Fraction:
    """Return the stationary probability that a row has the given depth: r (1 - r)^depth with r = R / B.

    A row's depth changes only when it is drawn; between draws nothing happens, so the size of the buffer cancels.
    Balance of the flows into and out of depth k gives pi(0) = r and pi(k) = (1 - r) pi(k - 1).

    >>> stationary_depth_probability(0, source_batch=138, reset_rows=40)
    Fraction(20, 69)

    Raises:
        InputError: a negative depth, or no resets, where depth grows without bound and nothing is stationary.

    """
    if depth < 0:
        raise InputError("a depth is not negative", received=depth, remedy="give 0 or more")
    r = reset_probability(source_batch, reset_rows)
    if r == 0:
        raise InputError("without resets there is no stationary depth", received=reset_rows, remedy="give 1 or more")
    return r * (1 - r) ** depth


def depth_distributions(*, buffer_rows: int, source_batch: int, reset_rows: int) -> Iterator[list[Fraction]]:
    """Yield the exact distribution of one row's depth after 0, 1, 2, ... source batches, starting from noise.

    The list after t batches has t + 1 entries, the probabilities of depth 0 to t.

    Raises:
        InputError: a source batch larger than the buffer, or resets out of range.

    """
    distribution = [Fraction(1)]
    while True:
        following = after_batch(distribution, buffer_rows=buffer_rows, source_batch=source_batch, reset_rows=reset_rows)
        yield distribution
        distribution = following


def after_batch(
    distribution: Sequence[Fraction], *, buffer_rows: int, source_batch: int, reset_rows: int
) -> list[Fraction]:
    """Return the distribution of one row's depth after one more source batch; it has one entry more.

    A list that leaves out deeper rows is right up to its own depth, as depth k comes from k and k - 1 alone.

    >>> [str(p) for p in after_batch([Fraction(1)], buffer_rows=4, source_batch=2, reset_rows=1)]
    ['3/4', '1/4']

    Raises:
        InputError: a source batch larger than the buffer, or resets out of range.

    """
    r = reset_probability(source_batch, reset_rows)
    if source_batch > buffer_rows:
        raise InputError(
            "a source batch does not fit into the buffer",
            received=source_batch,
            remedy=f"draw at most the buffer's {number_of(buffer_rows, 'row')}",
        )
    drawn = Fraction(source_batch, buffer_rows)
    reset, deepened = drawn * r, drawn * (1 - r)
    kept = [probability * (1 - drawn) for probability in distribution]
    return [
        (kept[k] if k < len(kept) else Fraction(0)) + (distribution[k - 1] * deepened if k else reset)
        for k in range(len(distribution) + 1)
    ]
