"""A universal machine with bounded resources, run on random programs: the explicit alternative to random networks.

The machine reads a stream of the seven instructions `+-><[].` once, executes each as it is read, and comes back to what
it has read in loops; `theory` has its rules and the interpreter that runs it. With scale s it has M = 10 s cells, each
holding a value 0 to A - 1, runs T = 100 s steps, and its program has L = 100 s instructions.

The distribution of a row of N tokens, in full: draw L instructions independently and uniformly from the seven; run them
from M cells that are all 0 until T steps are done or N symbols are written; let y be the output, of length n <= N. If
n = 0, draw again. Symbol i of the row is y at i mod n. Draw a permutation pi of the vocabulary, uniformly, afresh for
every row; token i is pi of symbol i. So the probability of a program of k instructions that are read is 7^-k, and the
row's law is the machine's bounded prior, given that there is output, up to the names of the symbols.

Source: Bloem 2025 (arXiv 2506.20057), section 6.4, after Grau-Moya et al. 2024 (arXiv 2401.14953): "We scale the
resource bounds (on memory, program length, and time) up by factors of 10, 50, 250". A step reads at most one
instruction, so L = T never binds.

Cost of a row: at most T steps of a scalar loop for each program that is tried, about 1.1 of them on average, L random
numbers for each, and a sort of V random numbers. It works on the CPU, on one thread, compiled by numba;
where that cannot be imported the same function gives the same rows, a hundred times as slowly at scale 10.

Deviation: the paper does not say what becomes of programs without output, 6 to 9 in a hundred. Here they are drawn
again, 32 times in all; after that the row would be constant (fewer than one row in 10^30).

Deviation: the paper does not give the number of values of a cell. A = 128 by default, and never above the vocabulary.

Deviation: the default scale is 10, the smallest that the paper names. Measured on one thread of a CPU, a row then costs
less than a tenth of one of `lstm` (benchmarks/bench_source_kinds.py).

Limits: no condition, no buffer, no depth. Half of all outputs have at most 10 symbols, at every scale; a row whose
output is shorter than it is periodic. Of 1,024 rows of 512 at scale 10, 18 % were constant and 65 % had a period of at
most 64. Random numbers are drawn for all L instructions though most programs read few.

Shape suffixes: R rows, T tokens, N symbols of an output at most, L instructions, V vocabulary, U rows still without
output.
"""

import dataclasses

import torch
from torch import Tensor

from theory.machines.universal.interpreter import Interpreter
from theory.machines.universal.semantics import MachineSize, ResultColumn
from theory.words import number_of
from up.config import require_at_most, require_positive
from up.errors import InputError
from up.sources.base import RowSource

CELLS = 10
STEPS = 100
INSTRUCTIONS = 7
ATTEMPTS = 32
_PIECE = 256  # rows at a time; programs of 25,000 instructions then take 6 MB


@dataclasses.dataclass(frozen=True, kw_only=True)
class UniversalSource(RowSource):
    """Outputs of random programs on the bounded universal machine, repeated to the length of a row.

    Attributes:
        scale: 10 cells, 100 instructions and 100 steps, each times this; the paper tries 10, 50 and 250.
        alphabet_size: A, values of a cell; where the vocabulary is smaller, its size counts.

    """

    kind: str = "utm"
    scale: int = 10
    alphabet_size: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        require_positive("source", scale=self.scale)
        require_at_most("source", scale=(self.scale, 10_000))
        if not 2 <= self.alphabet_size <= 256:
            raise InputError("source.alphabet_size is out of range", received=self.alphabet_size, remedy="use 2 to 256")

    @property
    def description(self) -> str:
        """Kind and size, such as `utm, 100 cells of 128 values, 1,000 steps`."""
        values = number_of(self.num_values, "value")
        return f"{self.kind}, {CELLS * self.scale:,} cells of {values}, {STEPS * self.scale:,} steps"

    @property
    def num_values(self) -> int:
        """Values that a cell takes in fact."""
        return min(self.alphabet_size, self.vocabulary_size)

    def machine(self, num_tokens: int) -> MachineSize:
        """Return the machine that writes at most so many symbols."""
        return MachineSize(
            alphabet_size=self.num_values,
            memory_cells=CELLS * self.scale,
            max_steps=STEPS * self.scale,
            output_limit=num_tokens,
        )

    def rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        """Return tokens_RT, rows of random programs each under a permutation of its own."""
        sizes = [min(_PIECE, num_rows - start) for start in range(0, num_rows, _PIECE)]
        pieces = [self._rows(size, num_tokens, generator) for size in sizes]
        return torch.cat(pieces) if pieces else torch.empty(0, num_tokens, dtype=torch.uint8, device=generator.device)

    def _rows(self, num_rows: int, num_tokens: int, generator: torch.Generator) -> Tensor:
        device = generator.device
        symbols_RT = torch.zeros(num_rows, num_tokens, dtype=torch.uint8)
        waiting_U = torch.arange(num_rows)
        for _ in range(ATTEMPTS):
            shape = (len(waiting_U), STEPS * self.scale)
            programs_UL = torch.randint(INSTRUCTIONS, shape, generator=generator, device=device, dtype=torch.uint8)
            outputs_UN, length_U = run_programs(programs_UL.cpu(), self.machine(num_tokens))
            wrote_U = length_U > 0
            symbols_RT[waiting_U[wrote_U]] = repeated(outputs_UN[wrote_U], length_U[wrote_U], num_tokens)
            waiting_U = waiting_U[~wrote_U]
            if not len(waiting_U):
                break
        order_RV = torch.rand(num_rows, self.vocabulary_size, generator=generator, device=device, dtype=torch.float64)
        return order_RV.argsort(1).gather(1, symbols_RT.to(device).long()).to(torch.uint8)


def run_programs(programs_RL: Tensor, machine: MachineSize, *, compiled: bool | None = None) -> tuple[Tensor, Tensor]:
    """Run programs of opcodes and return outputs_RN with length_R; what lies beyond a length means nothing.

    Args:
        programs_RL: opcodes 0 to 6, uint8, on the CPU.
        machine: its sizes.
        compiled: whether to compile; None: where numba is installed.

    """
    num_rows, program_length = programs_RL.shape
    interpreter = Interpreter(machine, rows=num_rows, stream_length=program_length, compiled=compiled)
    interpreter.streams[:num_rows] = programs_RL.numpy() if interpreter.compiled else programs_RL.tolist()
    interpreter.run()
    outputs_RN = torch.as_tensor(interpreter.outputs, dtype=torch.uint8)
    return outputs_RN, torch.as_tensor(interpreter.results)[:, ResultColumn.OUTPUT_LENGTH]


def repeated(outputs_RN: Tensor, length_R: Tensor, num_tokens: int) -> Tensor:
    """Return the first symbols of each row, so many as its length says, repeated to `num_tokens`.

    >>> repeated(torch.tensor([[3, 1, 0]]), torch.tensor([2]), 5).tolist()
    [[3, 1, 3, 1, 3]]
    """
    return outputs_RN.gather(1, torch.arange(num_tokens) % length_R[:, None])
