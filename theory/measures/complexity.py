"""Complexity of a string under the universal machine: rigorous bounds on K and m, with a program as witness.

K(x | z) is the length of the shortest program that halts with output x, m(x | z) the sum of 2^-|p| over all that do.
Neither is computable. But all programs of up to so many tokens can be run within a bound on time and space, and an
output only grows: a run whose output has left x is settled. So the tree of streams is walked depth first, a branch ends
where its output deviates, and three kinds of leaf remain. Programs that halted with x: their mass bounds m from below,
the shortest bounds K from above. Programs that halted with less: settled. Open leaves, cut off while their output was a
prefix of x: their mass is the gap of m, and the shortest completion of one tells how far K could still fall.

Beside the search stands the literal program, which flips the cell where the bit changes, writes it, and ends: at most
six bits a symbol, and the word for the end. It is the witness where the search finds nothing shorter.

Source: Bloem 2025 (arXiv 2506.20057), section 4.1; Li and Vitányi, chapter 3 and section 7.1 (resource bounds).
Limits: the bounds are for this machine; another universal machine differs by its constant.
"""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

from theory.errors import InputError
from theory.machines.machine import Bound, Run, Status
from theory.machines.universal.machine import UniversalMachine, machine_size
from theory.machines.universal.semantics import PROGRAM_END, SYMBOLS, ResultColumn, Stop
from theory.measures.omega import leaf_interpreter, walk_leaves
from theory.numbers.bit_strings import BitString, require_bit_string

_MAX_TOKENS = 12
_MAX_TIME = 1_000_000


@dataclass(frozen=True)
class Witness:
    """A program that halts with the string, as text and as bits, and its run."""

    program: str
    bits: BitString
    run: Run


@dataclass(frozen=True, kw_only=True)
class Complexity:
    """What is proved about one string.

    Attributes:
        string: x.
        condition: z.
        bound: time and space of each run.
        max_tokens: all programs of up to so many tokens were run; the end of the program is one of them.
        k_lower_bits: no shorter program gives x, whatever time and space it has.
        k_bounded_lower_bits: no shorter program gives x within the bound; None if it is proved that none does at all.
        k_upper_bits: length of the witness, or None if there is none within the bound.
        m_lower: mass of the programs that are known to give x within the bound: all that the search found, and the
            literal program if it has more tokens than were searched.
        m_upper: an upper bound on m(x | z), whatever time and space the programs have.
        unresolved: mass of the open leaves.
        witness: the shortest program known, the first of equals.
        programs: how many programs are known to give x within the bound.
        leaves: how many runs it took.

    """

    string: BitString
    condition: BitString
    bound: Bound
    max_tokens: int
    k_lower_bits: int
    k_bounded_lower_bits: int | None
    k_upper_bits: int | None
    m_lower: Fraction
    m_upper: Fraction
    unresolved: Fraction
    witness: Witness | None
    programs: int
    leaves: int

    @property
    def is_shortest_within_bound(self) -> bool:
        """Whether K(x | z) under the bound is known exactly: the witness's length."""
        return self.k_upper_bits is not None and self.k_bounded_lower_bits == self.k_upper_bits


def complexity(
    string: BitString,
    *,
    condition: BitString = "",
    bound: Bound | None = None,
    max_tokens: int = 6,
    compiled: bool | None = None,
) -> Complexity:
    """Return bounds on K(x | z) and m(x | z) from all programs of up to `max_tokens` tokens.

    >>> result = complexity("11", max_tokens=4)
    >>> result.witness.program, result.k_lower_bits, result.k_upper_bits
    ('+..!', 12, 12)

    Args:
        string: x.
        condition: z; if it is not empty the machine has the instruction `,`.
        bound: time and space of each run; by default `default_bound(string)`.
        max_tokens: tokens of a program.
        compiled: see `theory.machines.universal.interpreter.Interpreter`.

    Raises:
        InputError: strings that are not binary, a bound under which nothing runs, a search too small or too large.

    """
    x, z = require_bit_string(string), require_bit_string(condition)
    bound = bound or default_bound(x)
    if not 1 <= max_tokens <= _MAX_TOKENS:
        raise InputError("max_tokens is out of range", received=max_tokens, remedy=f"give 1 to {_MAX_TOKENS}")
    if bound.time < 1 or bound.space < 1:
        least = min(bound.time, bound.space)
        raise InputError("nothing runs under this bound", received=least, remedy="give positive time and space")
    if bound.time > _MAX_TIME:
        raise InputError(
            "a search would take too long", received=bound.time, remedy=f"give a time of up to {_MAX_TIME}"
        )
    machine = UniversalMachine(reads_condition=bool(z))
    search = _Search(machine, x, z, bound, max_tokens, compiled)
    found = None if search.shortest is None else _witness(search.shortest, x, z, machine, bound)
    text = literal_program(x)
    literal = _witness(text, x, z, machine, bound) if len(text) > max_tokens else None
    witnesses = [each for each in (found, literal) if each is not None]
    witness = min(witnesses, key=lambda each: len(each.bits), default=None)
    upper = len(witness.bits) if witness else None
    ceiling = [] if upper is None else [upper]
    mass, unresolved = _mass(search.found), _mass(search.open)
    return Complexity(
        string=x,
        condition=z,
        bound=bound,
        max_tokens=max_tokens,
        k_lower_bits=min([*ceiling, *search.completions, *search.cut_off]),
        k_bounded_lower_bits=min([*ceiling, *search.completions], default=None),
        k_upper_bits=upper,
        m_lower=mass + (0 if literal is None else Fraction(1, 1 << len(literal.bits))),
        m_upper=mass + unresolved,
        unresolved=unresolved,
        witness=witness,
        programs=search.found.total() + (literal is not None),
        leaves=search.leaves,
    )


def default_bound(x: BitString) -> Bound:
    """Return a time and a space of 64 each, and more for strings whose literal program needs it."""
    return Bound(time=max(64, 8 * len(x) + 8), space=max(64, len(x) + 1))


def literal_program(x: BitString) -> str:
    """Return the program that writes x bit by bit.

    >>> literal_program("0110")
    '.+..+.!'
    """
    return "".join("." if bit == before else "+." for before, bit in zip("0" + x, x, strict=False)) + "!"


def _witness(program: str, x: BitString, z: BitString, machine: UniversalMachine, bound: Bound) -> Witness | None:
    """Run a program by the plain interpreter; return it as a witness if it gives x within the bound."""
    bits = machine.encode(program)
    run = machine.run(bits, z, bound)
    return Witness(program, bits, run) if run.status is Status.HALTED and run.output == x else None


class _Search:
    """One walk over all programs; lengths in bits, counted.

    `completions` holds the least length of a program beyond the last token that was looked at, `cut_off` that of a
    program beyond a run that ran out of time or space.
    """

    def __init__(
        self,
        machine: UniversalMachine,
        x: BitString,
        z: BitString,
        bound: Bound,
        max_tokens: int,
        compiled: bool | None,
    ) -> None:
        import numpy as np

        self.found: Counter[int] = Counter()
        self.open: Counter[int] = Counter()
        self.completions: set[int] = set()
        self.cut_off: set[int] = set()
        self.shortest: str | None = None
        self.leaves = 0
        size = machine_size(bound)
        size = replace(size, output_limit=min(size.output_limit, len(x) + 1))  # one symbol more, and a run deviates
        interpreter = leaf_interpreter(
            size, token_kinds=len(machine.words), stream_length=max_tokens, compiled=compiled
        )
        end_bits, least = len(machine.words[PROGRAM_END]), None
        for rows in walk_leaves(
            interpreter,
            token_kinds=len(machine.words),
            word_lengths=machine.word_lengths,
            inputs=[int(bit) for bit in z],
            target=[int(bit) for bit in x],
        ):
            self.leaves += rows
            results, streams = np.asarray(interpreter.results[:rows]), np.asarray(interpreter.streams[:rows])
            stop, bits = results[:, ResultColumn.STOP], results[:, ResultColumn.BITS_READ]
            found = (stop == Stop.HALTED) & (results[:, ResultColumn.OUTPUT_LENGTH] == len(x))
            exhausted, cut = stop == Stop.EXHAUSTED, (stop == Stop.TIMEOUT) | (stop == Stop.OUT_OF_SPACE)
            ended = streams[np.arange(rows), results[:, ResultColumn.TOKENS_READ] - 1] == PROGRAM_END
            self.found.update(bits[found].tolist())
            self.open.update(bits[exhausted | cut].tolist())
            self.completions.update((bits[exhausted] + end_bits).tolist())
            self.cut_off.update((bits[cut] + np.where(ended[cut], 0, end_bits)).tolist())
            if found.any():
                row = int(np.flatnonzero(found)[bits[found].argmin()])
                if least is None or bits[row] < least:
                    least = int(bits[row])
                    tokens = streams[row, : results[row, ResultColumn.TOKENS_READ]].tolist()
                    self.shortest = "".join(SYMBOLS[token] for token in tokens)


def _mass(lengths: Counter[int]) -> Fraction:
    return sum((Fraction(count, 1 << bits) for bits, count in lengths.items()), Fraction(0))
