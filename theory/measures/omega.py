"""Exact mass of the universal machine's outputs: all streams, walked depth first, with what is left open as the gap.

Two measures, both exact rationals.

`stream_measure`: tokens drawn uniformly from the seven instructions for ever, so that a leaf that has read n tokens has
mass 7^-n. The runs are cut after T steps; the leaves' masses sum to 1. An output only grows, so the leaves whose output
begins with x have already decided for x, and those whose output is a proper prefix of x may still: a lower and an upper
bound on the mass M(x_) of the streams whose output begins with x on the unbounded machine. The bounds close as T grows.
This is the measure of the monotone framework (Solomonoff induction).

`halting_measure`: the prefix machine over bits, `theory.machines.universal.machine`; its halting programs are
prefix-free, and their mass is m(x) for each output and, in all, Chaitin's Omega under the bound: the probability that
coin flips halt.

Numbers: T = 7, A = 2 and M >= 4 (from there on wrapping changes nothing) give 785,431 leaves, P(empty) = 0.3482 and the
prefix 000 the mass 4027/117649, where its shortest program `...` alone gives 7^-3 = 0.0029.

Source: Bloem 2025 (arXiv 2506.20057), sections 2 and 4.1; Li and Vitányi, chapters 4 and 5.
Limits: the number of leaves grows as 7^T and 8^(T/4); outputs are digit strings, so alphabets have at most ten symbols.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from theory.compiling import can_compile
from theory.errors import InputError
from theory.machines.machine import Bound
from theory.machines.universal.interpreter import UNCODED, Interpreter
from theory.machines.universal.machine import UniversalMachine, machine_size
from theory.machines.universal.semantics import INSTRUCTIONS, MachineSize, ResultColumn, Stop
from theory.measures.measure import Measure
from theory.numbers.bit_strings import BitString, require_bit_string

_STEPS_A_CALL = 1 << 28
"""About a second compiled: a call cannot be interrupted."""
_COMPILED_FROM = 20
"""A bound on time from which the walk is long enough to load the compiled interpreter for it."""


@dataclass(frozen=True)
class Leaves:
    """Leaves of the tree of streams that are alike: how many, why they stopped, what they did, read and wrote.

    The steps are those of instructions, without the bits that were read.
    """

    count: int
    stop: Stop
    steps: int
    tokens_read: int
    bits_read: int
    output: str


@dataclass(frozen=True)
class StreamMeasure:
    """The output of uniformly random streams, cut after T steps.

    Attributes:
        leaves: streams that were run.
        mass: probability of each output at the cut, an exact distribution.

    """

    leaves: int
    mass: Mapping[str, Fraction]


def leaf_interpreter(
    size: MachineSize, *, token_kinds: int, stream_length: int, compiled: bool | None = None
) -> Interpreter:
    """Return an interpreter with as many rows as a walk over the tree of streams can use at a time."""
    rows = 1 << (15 if compiled or (compiled is None and can_compile()) else 9)
    rows = min(rows, token_kinds ** min(stream_length, 15), max(1, _STEPS_A_CALL // size.max_steps))
    return Interpreter(size, rows=rows, stream_length=stream_length, compiled=compiled)


def walk_leaves(
    interpreter: Interpreter,
    *,
    token_kinds: int,
    word_lengths: Sequence[int] = UNCODED,
    inputs: Sequence[int] = (),
    target: Sequence[int] | None = None,
) -> Iterator[int]:
    """Run every leaf of the tree of streams, depth first; yield how many of the interpreter's rows hold new ones."""
    interpreter.streams[0][:] = [0] * interpreter.stream_length
    while True:
        rows = interpreter.run(token_kinds=token_kinds, word_lengths=word_lengths, inputs=inputs, target=target)
        if rows:
            yield rows
        if rows < interpreter.rows:
            return
        interpreter.streams[0][:] = interpreter.streams[rows]


def group_leaves(interpreter: Interpreter, rows: int) -> Iterator[Leaves]:
    """Sort the first rows of a finished call into groups of leaves that are alike, in the order of their first."""
    import numpy as np

    results = np.asarray(interpreter.results[:rows]).astype(np.uint16)
    outputs = np.array(interpreter.outputs[:rows], np.uint16)
    outputs[np.arange(outputs.shape[1]) >= results[:, [ResultColumn.OUTPUT_LENGTH]]] = 0
    keys = np.concatenate([results[:, : ResultColumn.CELLS], outputs], axis=1)
    as_bytes = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1] * keys.itemsize))).ravel()
    _, first, counts = np.unique(as_bytes, return_index=True, return_counts=True)
    in_order = np.argsort(first)
    for key, count in zip(keys[first[in_order]].tolist(), counts[in_order].tolist(), strict=True):
        stop, steps, tokens, bits, length, *symbols = key
        yield Leaves(count, Stop(stop), steps, tokens, bits, "".join(map(str, symbols[:length])))


def stream_measure(size: MachineSize, *, compiled: bool | None = None) -> StreamMeasure:
    """Return the exact distribution of the output of a uniformly random stream.

    Raises:
        InputError: an alphabet of more than ten symbols, or so much time that the walk would take hours.

    """
    if size.alphabet_size > 10:
        raise InputError("outputs are digit strings", received=size.alphabet_size, remedy="use at most 10 symbols")
    if size.max_steps > 10:
        raise InputError("the tree of streams is too large", received=size.max_steps, remedy="use at most 10 steps")
    kinds = len(INSTRUCTIONS)
    interpreter = leaf_interpreter(size, token_kinds=kinds, stream_length=size.max_steps, compiled=compiled)
    counts: Counter[tuple[str, int]] = Counter()
    for rows in walk_leaves(interpreter, token_kinds=kinds):
        for group in group_leaves(interpreter, rows):
            counts[group.output, group.tokens_read] += group.count
    mass: dict[str, Fraction] = {}
    for (output, tokens), count in sorted(counts.items(), key=lambda item: (len(item[0][0]), item[0])):
        mass[output] = mass.get(output, Fraction(0)) + Fraction(count, kinds**tokens)
    return StreamMeasure(counts.total(), mass)


def halting_measure(bound: Bound, *, condition: BitString = "", compiled: bool | None = None) -> Measure:
    """Return m(x | z) of the universal machine under a bound, exactly; what did not halt is unresolved.

    If the condition is not empty the machine has the instruction `,`.

    Every program that halts within the bound is found: an instruction costs at least 3 steps to read and one to do.

    >>> measure = halting_measure(Bound(time=7, space=2))
    >>> measure.lower(""), measure.lower("0")
    (Fraction(7, 32), Fraction(1, 64))

    Raises:
        InputError: a condition that is not binary, or so much time that the walk would take hours.

    """
    machine = UniversalMachine(reads_condition=bool(require_bit_string(condition)))
    if bound.time > 36:
        raise InputError("the tree of programs is too large", received=bound.time, remedy="use a time of at most 36")
    mass: dict[str, Fraction] = {}
    unresolved = Fraction(0)
    for group in program_leaves(machine, condition, bound, compiled=compiled):
        share = Fraction(group.count, 1 << group.bits_read)
        if group.stop is Stop.HALTED:
            mass[group.output] = mass.get(group.output, Fraction(0)) + share
        else:
            unresolved += share
    return Measure(dict(sorted(mass.items(), key=lambda item: (len(item[0]), item[0]))), unresolved)


def program_leaves(
    machine: UniversalMachine, condition: BitString, bound: Bound, *, compiled: bool | None = None
) -> Iterator[Leaves]:
    """Run a universal machine on all that it can read under a bound; yield groups of leaves that are alike.

    Where a group's first leaf comes before that of another, the group does, except for leaves that are far apart: they
    come in several groups.

    Args:
        machine: any universal machine, with the condition or without, also on a wrapping tape.
        condition: the string on the conditional tape; a machine without the instruction for it does not see it.
        bound: time and space of each run.
        compiled: see `theory.machines.universal.interpreter.Interpreter`; if None, where the time makes it worth it.

    """
    if bound.time == 0 or bound.space == 0:
        yield Leaves(1, Stop.TIMEOUT, 0, 0, 0, "")
        return
    if compiled is None and bound.time < _COMPILED_FROM:
        compiled = False
    kinds = len(machine.words)
    tokens = bound.time // 4 + 1  # a token takes at least 3 steps to read and 1 to do; only the last may just be read
    size = machine_size(bound, wraps=machine.wraps)
    interpreter = leaf_interpreter(size, token_kinds=kinds, stream_length=tokens, compiled=compiled)
    inputs = [int(bit) for bit in condition]
    for rows in walk_leaves(interpreter, token_kinds=kinds, word_lengths=machine.word_lengths, inputs=inputs):
        yield from group_leaves(interpreter, rows)
