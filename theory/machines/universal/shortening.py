"""Shortening a program of the universal machine without losing its output.

In one pass: cut everything that was first read after the last executed `.`; drop the brackets that did nothing; cancel
`+-`, `-+`, `<>` and `><`. What remains writes the output of the original, and perhaps more, in no more steps. So a
random program that is short after this bounds the mass of its output's prefix set from below by 7^-n, and its
complexity from above.

Why it is sound: code is only appended, so neighbours in the stream are neighbours in the code, and a jump into the end
of the code happens only at a bracket: nothing ever jumps between two instructions that cancel. A `[` that was never
closed and a `]` that closed nothing are steps without effect, and so is a `{` whose body was never entered; but a `{`
whose body was entered leads there and stays, closed or not.

Limits: a heuristic; the result need not be the shortest program.
"""

from theory.errors import InputError
from theory.machines.universal.interpreter import Interpreter, assemble
from theory.machines.universal.semantics import PROGRAM_END, SYMBOLS, MachineSize, ResultColumn

_CANCELLING = {"+": "-", "-": "+", "<": ">", ">": "<"}


def shorten(program: str, size: MachineSize) -> str:
    """Return a program, no longer, whose output on this machine begins with that of `program`.

    >>> shorten("+-+.][>", MachineSize(alphabet_size=2))
    '+.'

    Raises:
        InputError: a character that is no instruction, or `,`, whose input is not part of the program.

    """
    if "," in program:
        raise InputError("a program that reads input cannot be shortened", received=program, remedy="leave out ,")
    opcodes = assemble(program.partition("!")[0])
    length = _links(opcodes, size)[0]
    opcodes = opcodes[:length]
    _, links = _links(opcodes, size)
    useful = {place for place, opcode in enumerate(opcodes) if SYMBOLS[opcode] not in "[]"}
    for place, link in enumerate(links):
        if link >= 0:
            useful.add(place)  # a loop whose missing part was needed, or a bracket that closed a loop
            if SYMBOLS[opcodes[place]] == "]":
                useful.add(link)
    shortened: list[str] = []
    for place, opcode in enumerate(opcodes):
        symbol = SYMBOLS[opcode]
        if place not in useful:
            continue
        if shortened and _CANCELLING.get(shortened[-1]) == symbol:
            shortened.pop()
        else:
            shortened.append(symbol)
    return "".join(shortened)


def _links(opcodes: list[int], size: MachineSize) -> tuple[int, list[int]]:
    """Run the program; return its length up to the last output, and the jump table of the code that was read."""
    interpreter = Interpreter(size, rows=1, stream_length=len(opcodes) + 1, compiled=False)
    interpreter.streams[0][:] = [*opcodes, PROGRAM_END]
    interpreter.run()
    result = interpreter.results[0]
    read = min(result[ResultColumn.TOKENS_READ], len(opcodes))
    return result[ResultColumn.TOKENS_AT_LAST_OUTPUT], interpreter.links(read)
