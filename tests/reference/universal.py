"""The bounded universal machine from its prose: one object per instruction, an endless tape in a dictionary."""

from dataclasses import dataclass, field


@dataclass
class Instruction:
    symbol: str  # + - > < . , [ { ]
    missing_part: int | None = None  # of a loop: where its continuation ([) or its body ({) was appended
    loop: int | None = None  # of a closing bracket: the place of its loop


@dataclass
class Outcome:
    stop: str
    output: list[int] = field(default_factory=list)
    steps: int = 0
    tokens_read: int = 0
    places: set[int] = field(default_factory=lambda: {0})


def run_from_prose(
    program: str, *, alphabet_size: int, memory_cells: int, max_steps: int, output_limit: int, inputs: list[int]
) -> Outcome:
    memory: dict[int, int] = {}
    code: list[Instruction] = []
    open_loops: list[int] = []
    stream, symbols = iter(program), iter(inputs)
    outcome = Outcome("")
    pc, place = 0, 0

    def cell() -> int:
        return memory.get(place % memory_cells, 0)

    while True:
        new = pc == len(code)
        if new:
            symbol = next(stream, None)
            if symbol is None:
                outcome.stop = "HALTED"
                return outcome
            outcome.tokens_read += 1
            if symbol in "[{":
                symbol = "[" if cell() != 0 else "{"
            code.append(Instruction(symbol))
        here = code[pc]
        target = pc + 1
        match here.symbol:
            case "+":
                memory[place % memory_cells] = (cell() + 1) % alphabet_size
            case "-":
                memory[place % memory_cells] = (cell() - 1) % alphabet_size
            case ">":
                place += 1
            case "<":
                place -= 1
            case ".":
                outcome.output.append(cell())
            case ",":
                memory[place % memory_cells] = next(symbols, 0) % alphabet_size
            case "[" if new:
                open_loops.append(pc)
            case "[" if cell() == 0:
                if here.missing_part is None:
                    here.missing_part = len(code)
                target = here.missing_part
            case "{" if not new and cell() != 0:
                if here.missing_part is None:
                    here.missing_part = len(code)
                    open_loops.append(pc)
                target = here.missing_part
            case "]" if new and open_loops:
                here.loop = open_loops.pop()
                target = here.loop
            case "]" if not new:
                assert here.loop is not None, "a closing bracket that closed nothing is never met again"
                target = here.loop
        pc = target
        outcome.places.add(place)
        outcome.steps += 1
        if outcome.steps == max_steps:
            outcome.stop = "TIMEOUT"
            return outcome
        if len(outcome.output) >= output_limit:
            outcome.stop = "OUTPUT_LIMIT"
            return outcome
