"""The universal machine as a prefix machine over bits: instructions in a complete prefix code, with a word for the end.

A stream of tokens never ends by itself. Here each of the seven instructions has a 3-bit word and so has `!`, the end of
the program: eight words, Kraft sum 1. A halting program is a sequence of words up to the first `!`, so the programs are
prefix-free, each has the mass 2^-|program|, and all masses are dyadic. With `reads_condition` there is the instruction
`,` too, which stores the next bit of the condition (0 beyond its end); `!` and `,` then have 4 bits each.

The cells are bits (A = 2), so the output is a bit string. The tape is longer than any run, so the head never wraps and
more space never changes a run that had enough: measures grow with the bound, string by string. Time is one step per bit
of program and one per instruction; space is the number of cells visited and bits written.

Limits: as with every machine here, a run that loops for ever is only known to be out of time.
"""

from dataclasses import dataclass
from functools import cache

from theory.machines.classes import ModelClass
from theory.machines.machine import Bound, Run, Status
from theory.machines.universal.interpreter import Interpreter
from theory.machines.universal.semantics import PROGRAM_END, SYMBOLS, MachineSize, ResultColumn, Stop
from theory.numbers.bit_strings import BitString, complete_code, require_bit_string

_STATUS = {
    Stop.HALTED: Status.HALTED,
    Stop.EXHAUSTED: Status.NEEDS_INPUT,
    Stop.TIMEOUT: Status.OUT_OF_TIME,
    Stop.OUT_OF_SPACE: Status.OUT_OF_SPACE,
}


@dataclass(frozen=True)
class UniversalMachine:
    """The bounded universal machine; see the module's docstring.

    >>> machine = UniversalMachine()
    >>> machine.encode("+.!")
    '000110111'
    >>> machine.run("000110111", "", Bound(time=20, space=4))
    Run(status=<Status.HALTED: 'halted'>, output='1', steps=11, space=2, bits_read=9)
    """

    reads_condition: bool = False
    wraps: bool = False
    """Whether the tape has as many cells as the bound on space and wraps, which no theorem survives; see
    `theory.checks.resources`."""

    @property
    def name(self) -> str:
        """The name under which tables show it."""
        return "universal" + " with condition" * self.reads_condition + " on a wrapping tape" * self.wraps

    @property
    def words(self) -> tuple[BitString, ...]:
        """The code word of each opcode, in the order of `SYMBOLS`."""
        return _words(self.reads_condition)

    @property
    def word_lengths(self) -> tuple[int, ...]:
        """Bits of each opcode's word; 0 for an instruction that this machine does not have."""
        return _word_lengths(self.words)

    def encode(self, program: str) -> BitString:
        """Return the bits of a program text."""
        return "".join(self.words[SYMBOLS.index(symbol)] for symbol in program)

    def decode(self, program: BitString) -> tuple[list[int], BitString]:
        """Return the opcodes up to the first `!`, and the bits after the last whole word."""
        opcode_of = _opcodes(self.words)
        opcodes, word = [], ""
        for place, bit in enumerate(program):
            word += bit
            if word in opcode_of:
                opcodes.append(opcode_of[word])
                word = ""
                if opcodes[-1] == PROGRAM_END:
                    return opcodes, program[place + 1 :]
        return opcodes, word

    def run(self, program: BitString, condition: BitString, bound: Bound) -> Run:
        """Run a program; see `theory.machines.machine.Machine`."""
        if bound.space < 1:
            return Run(Status.OUT_OF_SPACE, "", 0, 0, 0)
        opcodes, rest = self.decode(require_bit_string(program))
        if not opcodes or not bound.time:
            return _read_on(Run(Status.NEEDS_INPUT, "", 0, 1, 0), program, bound)
        interpreter = Interpreter(
            machine_size(bound, wraps=self.wraps), rows=1, stream_length=len(opcodes), compiled=False
        )
        interpreter.streams[0][:] = opcodes
        interpreter.run(word_lengths=self.word_lengths, inputs=[int(bit) for bit in condition])
        result = interpreter.results[0]
        output = "".join(map(str, interpreter.outputs[0][: result[ResultColumn.OUTPUT_LENGTH]]))
        bits_read = min(result[ResultColumn.BITS_READ], bound.time - result[ResultColumn.STEPS])
        run = Run(
            _STATUS[Stop(result[ResultColumn.STOP])],
            output,
            result[ResultColumn.STEPS] + bits_read,
            result[ResultColumn.CELLS] + len(output),
            bits_read,
        )
        return _read_on(run, rest, bound) if run.status is Status.NEEDS_INPUT else run


def machine_size(bound: Bound, *, wraps: bool = False) -> MachineSize:
    """Return the machine with cells that are bits, under a bound that is not 0, on a tape that no run can leave.

    A run that visits one cell more than its space allows is stopped there, and a step visits at most one more cell or
    writes one symbol. Hence this many cells, and this much room for the output, are as good as endless.
    """
    endless = min(bound.time, bound.space) + 1
    return MachineSize(
        alphabet_size=2,
        memory_cells=bound.space if wraps else endless,
        max_steps=bound.time,
        output_limit=bound.time + 1 if wraps else endless,
        max_space=None if wraps else min(bound.space, bound.time + 1),
    )


def universal_class(max_length: int = 2) -> ModelClass:
    """Return the class of the universal machine without and with a condition, one bit of name for each.

    Its members do not halt on every program: they are semimeasures, with unresolved mass.
    """
    machines = UniversalMachine(), UniversalMachine(reads_condition=True)
    return ModelClass.of("universal", machines, bound=Bound(time=15, space=6), max_length=max_length)


def _read_on(run: Run, rest: BitString, bound: Bound) -> Run:
    """Return the run after it has read a part of a word, as far as there are time and bits.

    Where no time is left for one more bit it is out of time, whether or not there is such a bit.
    """
    read = min(len(rest), bound.time - run.steps)
    status = Status.OUT_OF_TIME if run.steps + read == bound.time else Status.NEEDS_INPUT
    return Run(status, run.output, run.steps + read, run.space, run.bits_read + read)


@cache
def _words(reads_condition: bool) -> tuple[BitString, ...]:
    return complete_code(9 if reads_condition else 8)


@cache
def _word_lengths(words: tuple[BitString, ...]) -> tuple[int, ...]:
    return tuple(len(word) for word in words) + (0,) * (len(SYMBOLS) - len(words))


@cache
def _opcodes(words: tuple[BitString, ...]) -> dict[BitString, int]:
    return {word: opcode for opcode, word in enumerate(words)}
