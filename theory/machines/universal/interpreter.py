"""Running the universal machine: buffers, the choice between compiled and plain, and one program at a time.

`Interpreter` holds preallocated buffers and runs many programs a call: arrays for the compiled function, lists for the
plain one, which Python indexes faster. Where numba cannot be imported (`theory.compiling`), only the plain one runs;
numba's own variable `NUMBA_DISABLE_JIT=1` switches compilation off everywhere, `compiled=False` for one interpreter.
Both give the same results bit for bit.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from theory.compiling import can_compile, compile_function
from theory.errors import InputError
from theory.machines.universal.semantics import LARGEST, SYMBOLS, MachineSize, ResultColumn, Stop, interpret_rows

UNCODED = (0,) * len(SYMBOLS)
"""Word lengths of tokens that are drawn as they are, not coded in bits."""


@functools.cache
def compiled_interpreter() -> Callable[..., int]:
    """Return `interpret_rows` compiled by numba."""
    return compile_function(interpret_rows)


class Interpreter:
    """Buffers for many runs, and the function that fills them.

    Write opcodes into `streams`, (rows + 1, stream_length), call `run`, read `results`, (rows, len(ResultColumn)), and
    `outputs`, (rows, output_limit): as many symbols of a row are valid as its result says. The next call reuses them.

    Args:
        size: the machine.
        rows: how many programs run in a call.
        stream_length: tokens of each program, the end of the program included.
        compiled: whether to compile; if None, where numba can be.

    Raises:
        InputError: no rows, or programs without tokens.

    """

    def __init__(self, size: MachineSize, *, rows: int, stream_length: int, compiled: bool | None = None) -> None:
        if rows < 1 or stream_length < 1:
            shape = (rows, stream_length)
            raise InputError("rows and stream_length must be positive", received=shape, remedy="give 1 or more")
        self.size, self.rows, self.stream_length = size, rows, stream_length
        self.compiled = can_compile() if compiled is None else compiled
        self._interpret = compiled_interpreter() if self.compiled else interpret_rows
        self.streams: Any = self._buffer(rows + 1, stream_length)
        self.outputs: Any = self._buffer(rows, min(size.output_limit, size.max_steps))
        self.results: Any = self._buffer(rows, len(ResultColumn), wide=True)
        longest = min(size.max_steps, stream_length)  # each step appends one token of the stream to the code, or none
        code, links, stack = (self._buffer(1, longest, wide=True)[0] for _ in range(3))
        self._scratch = (code, links, stack, self._buffer(1, size.memory_cells, wide=True)[0])

    def run(
        self,
        rows: int | None = None,
        *,
        token_kinds: int = 0,
        word_lengths: Sequence[int] = UNCODED,
        inputs: Sequence[int] = (),
        target: Sequence[int] | None = None,
    ) -> int:
        """Run the first `rows` programs, or all; return how many there were. See `interpret_rows` for the arguments."""
        size = self.size
        return self._interpret(
            self.streams,
            self.outputs,
            self.results,
            self.rows if rows is None else rows,
            token_kinds,
            self._symbols(word_lengths),
            self._symbols(inputs),
            self._symbols(target or ()),
            target is not None,
            size.alphabet_size,
            size.memory_cells,
            size.max_steps,
            size.output_limit,
            2 * LARGEST if size.max_space is None else size.max_space,
            *self._scratch,
        )

    def _buffer(self, rows: int, width: int, *, wide: bool = False) -> Any:
        if not self.compiled:
            return [[0] * width for _ in range(rows)]
        import numpy as np

        return np.zeros((rows, width), np.int64 if wide else np.uint8)

    def _symbols(self, symbols: Sequence[int]) -> Any:
        if not self.compiled:
            return symbols
        import numpy as np

        return np.array(symbols, np.int64)


@dataclasses.dataclass(frozen=True)
class UniversalRun:
    """What one program did: why it stopped, its output, and what it used; see `ResultColumn`."""

    stop: Stop
    output: tuple[int, ...]
    steps: int
    tokens_read: int
    cells: int


def assemble(program: str) -> list[int]:
    """Return the opcodes of a program text; `{` may stand for `[`, whose kind the cell decides.

    >>> assemble("+[.]!")
    [0, 4, 6, 5, 7]

    Raises:
        InputError: a character that is no instruction.

    """
    text = program.replace("{", "[")
    unknown = sorted(set(text) - set(SYMBOLS))
    if unknown:
        raise InputError("a program has unknown instructions", received="".join(unknown), remedy=f"use {SYMBOLS}")
    return [SYMBOLS.index(symbol) for symbol in text]


def run_program(program: str, size: MachineSize, *, inputs: Sequence[int] = ()) -> UniversalRun:
    """Run one program text by the plain function; its end halts the run.

    >>> run_program("+.>.", MachineSize(alphabet_size=2))
    UniversalRun(stop=<Stop.HALTED: 0>, output=(1, 0), steps=4, tokens_read=4, cells=2)

    Raises:
        InputError: a character that is no instruction.

    """
    stream = assemble(program.partition("!")[0] + "!")
    interpreter = Interpreter(size, rows=1, stream_length=len(stream), compiled=False)
    interpreter.streams[0][:] = stream
    interpreter.run(inputs=inputs)
    result = interpreter.results[0]
    stop = Stop(result[ResultColumn.STOP])
    return UniversalRun(
        stop,
        tuple(interpreter.outputs[0][: result[ResultColumn.OUTPUT_LENGTH]]),
        result[ResultColumn.STEPS],
        result[ResultColumn.TOKENS_READ] - (stop is Stop.HALTED),
        result[ResultColumn.CELLS],
    )
