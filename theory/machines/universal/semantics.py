"""The bounded universal machine: one scalar interpreter over integer opcodes, compiled where numba is installed.

The machine reads a one-way stream of instructions `+-><[].,`. Its code is only appended to, and a new instruction
executes at once, so every stream is a program and no program is malformed. That is what makes random programs useful:
they can be drawn token by token, and the mass of the streams that give an output can be summed exactly.

A cell holds 0 to A - 1 and wraps, the head wraps modulo M. The kind of a loop is decided when its bracket is appended:
where the cell is not zero the loop is entered, `[`; where it is zero the loop is skipped, `{`: its body is not in the
stream yet, and what follows is its continuation. The part that is missing is appended at the end of the code when it is
first needed, and a jump table remembers where it went. `interpret_rows` has the rules, one step each.

Source: the resource-bounded machine of Grau-Moya et al. 2024 (arXiv 2401.14953), which Bloem 2025 (arXiv 2506.20057),
section 6.4, tries as a source of data. Where two reasons to stop meet, running out of time wins over the output limit.
The end of the program halts the run and costs no step.

Limits: an alphabet of at most 256 symbols. `,` stores the next input symbol (modulo A), and 0 when there is none left.
"""

import dataclasses
import enum
from typing import Any

from theory.errors import InputError

SYMBOLS = "+-><[].!,"
"""The instruction of each opcode in a stream; `!`, which is no instruction, ends the program."""
INSTRUCTIONS = "+-><[]."
"""The seven instructions of a random stream; each has its place here as opcode."""
PROGRAM_END = SYMBOLS.index("!")
LARGEST = 2**31 - 1
"""The largest size of anything, so that all counts fit into the compiled function's integers."""


class Stop(enum.IntEnum):
    """Why a run stopped."""

    HALTED = 0
    """The end of the program was read."""
    EXHAUSTED = 1
    """The stream has no further token, though the program did not end."""
    TIMEOUT = 2
    OUTPUT_LIMIT = 3
    OUT_OF_SPACE = 4
    DEVIATED = 5
    """The output is no longer a prefix of the target that was to be followed."""


class ResultColumn(enum.IntEnum):
    """The columns of a result."""

    STOP = 0
    STEPS = 1
    TOKENS_READ = 2
    """Tokens of the stream, the end of the program included."""
    BITS_READ = 3
    """Their code words' bits."""
    OUTPUT_LENGTH = 4
    CELLS = 5
    """Memory cells visited; the first is visited from the start."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class MachineSize:
    """How large the machine is and when it stops; the defaults are those of the published source of data.

    Raises:
        InputError: a size that is not 1 to `LARGEST`, or an alphabet that is not 2 to 256 symbols.

    """

    alphabet_size: int = 9
    """A: symbols of a cell."""
    memory_cells: int = 10
    """M: cells before the head wraps."""
    max_steps: int = 1000
    """T: a run of this many steps is a TIMEOUT; where tokens have code words, their bits count as steps."""
    output_limit: int = 256
    """O: a run with this many output symbols stops."""
    max_space: int | None = None
    """Cells visited and symbols written, together, that a run may use; no limit if None."""

    def __post_init__(self) -> None:
        for name in ("memory_cells", "max_steps", "output_limit", "max_space"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= LARGEST:
                raise InputError(f"{name} is out of range", received=value, remedy=f"give 1 to {LARGEST}")
        if not 2 <= self.alphabet_size <= 256:
            raise InputError("the alphabet is out of range", received=self.alphabet_size, remedy="give 2 to 256")


def interpret_rows(
    streams: Any,
    outputs: Any,
    results: Any,
    rows: int,
    token_kinds: int,
    word_lengths: Any,
    inputs: Any,
    target: Any,
    follow: bool,
    alphabet_size: int,
    memory_cells: int,
    max_steps: int,
    output_limit: int,
    max_space: int,
    code: Any,
    links: Any,
    stack: Any,
    memory: Any,
) -> int:
    """Run one program a row and return the number of rows that were run; plain on lists, compiled on arrays.

    With `token_kinds` = 0 the rows are independent. Otherwise only the first is given, and each next row is the
    successor of the stream before it: the tokens that were read count up like an odometer in that base, and 0s follow.
    As a run depends only on the tokens that it read, this walks the tree of all streams depth first and visits every
    leaf once. The walk is over when the first token overflows to `token_kinds`; `streams` has one row more than there
    are results, from which a next call can go on.

    Args:
        streams: opcodes, a row per program, at least one token wide.
        outputs: receives the output symbols of each row.
        results: receives the columns of `ResultColumn`.
        rows: how many rows to run.
        token_kinds: 0, or the base of the odometer.
        word_lengths: bits of each opcode's code word; all 0 where tokens are not coded, and reading costs nothing.
        inputs: the symbols that `,` reads.
        target: the output to follow; a run that leaves it stops at once.
        follow: whether there is a target.
        alphabet_size: A, symbols of a cell.
        memory_cells: M, cells before the head wraps.
        max_steps: T.
        output_limit: O.
        max_space: cells visited and symbols written, together.
        code: scratch, as long as a stream or T if that is less: the code read so far.
        links: scratch of that length: a loop's missing part (a continuation or a body), a closing bracket's loop; -1
            unknown.
        stack: scratch of that length: the positions of the loops that are open.
        memory: scratch, M long, all 0; it is left so.

    """
    for row in range(rows):
        stream, output, result = streams[row], outputs[row], results[row]
        if token_kinds > 0 and stream[0] >= token_kinds:
            return row
        code_length = depth = pc = 0
        head = place = lowest = highest = 0
        steps = bits = tokens = written = input_read = 0
        stop = -1
        while stop < 0:
            is_new = pc == code_length
            if is_new:
                if tokens == len(stream):
                    stop = 1  # EXHAUSTED
                    break
                opcode = stream[tokens]
                tokens += 1
                bits += word_lengths[opcode]
                if steps + bits + (opcode != 7) > max_steps:
                    stop = 2  # TIMEOUT: no time to read the whole word, or to do what it says
                    break
                if opcode == 7:  # !
                    stop = 0  # HALTED
                    break
                code[pc] = 9 if opcode == 4 and memory[head] == 0 else opcode
                links[pc] = -1
                code_length += 1
            opcode = code[pc]
            pc += 1
            if opcode == 0:  # +
                memory[head] = memory[head] + 1 if memory[head] + 1 < alphabet_size else 0
            elif opcode == 1:  # -
                memory[head] = memory[head] - 1 if memory[head] > 0 else alphabet_size - 1
            elif opcode == 2:  # >
                head = head + 1 if head + 1 < memory_cells else 0
                place += 1
                highest = max(highest, place)
            elif opcode == 3:  # <
                head = head - 1 if head > 0 else memory_cells - 1
                place -= 1
                lowest = min(lowest, place)
            elif opcode == 4:  # [ : a loop that is entered when it is new
                if is_new:
                    stack[depth] = pc - 1
                    depth += 1
                elif memory[head] == 0:
                    if links[pc - 1] < 0:
                        links[pc - 1] = code_length  # the continuation
                    pc = links[pc - 1]
            elif opcode == 9:  # { : a loop that is skipped when it is new
                if not is_new and memory[head] != 0:
                    if links[pc - 1] < 0:
                        links[pc - 1] = code_length  # the body
                        stack[depth] = pc - 1
                        depth += 1
                    pc = links[pc - 1]
            elif opcode == 5:  # ]
                if is_new and depth > 0:
                    depth -= 1
                    links[pc - 1] = stack[depth]
                if links[pc - 1] >= 0:
                    pc = links[pc - 1]
            elif opcode == 6:  # .
                if follow and (written == len(target) or target[written] != memory[head]):
                    stop = 5  # DEVIATED
                output[written] = memory[head]
                written += 1
            else:  # ,
                memory[head] = inputs[input_read] % alphabet_size if input_read < len(inputs) else 0
                input_read += 1
            steps += 1
            if stop < 0:
                if min(highest - lowest + 1, memory_cells) + written > max_space:
                    stop = 4  # OUT_OF_SPACE
                elif steps + bits >= max_steps:
                    stop = 2  # TIMEOUT
                elif written >= output_limit:
                    stop = 3  # OUTPUT_LIMIT
        for visited in range(lowest, min(highest, lowest + memory_cells - 1) + 1):
            memory[visited % memory_cells] = 0
        result[0], result[1], result[2], result[3], result[4] = stop, steps, tokens, bits, written
        result[5] = min(highest - lowest + 1, memory_cells)
        if token_kinds > 0:
            successor = streams[row + 1]
            turned = tokens - 1
            while turned > 0 and stream[turned] == token_kinds - 1:
                turned -= 1
            for position in range(len(stream)):
                successor[position] = stream[position] if position < turned else 0
            successor[turned] = stream[turned] + 1
    return rows
