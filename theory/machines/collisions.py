"""Programs of a prefix machine, and two of them of which one begins with the other.

For one input the programs are always prefix-free, since moving on is what consumes a bit. But where the input decides
how much is read, a program for one input may be the start of a program for another, and no length of program then
serves all inputs. Limits: programs and inputs up to a length, under a bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from theory.errors import InputError
from theory.machines.machine import Bound, Status
from theory.machines.prefix import PrefixMachine
from theory.numbers.bit_strings import BitString, shown


def programs(machine: PrefixMachine, given: str, bound: Bound, max_bits: int) -> Iterator[BitString]:
    """Yield every program of at most so many bits on which the machine halts, given an input, in lexicographic order.

    A machine that halts on the empty program has only that one.
    """
    waiting = [""]
    while waiting:
        program = waiting.pop()
        run = machine.run(program, given, bound)
        if run.status is Status.HALTED:
            yield program
        elif run.status is Status.NEEDS_INPUT and len(program) < max_bits:
            waiting += [program + "1", program + "0"]


@dataclass(frozen=True)
class Collision:
    """Two programs of a machine, one the start of the other, each with an input on which it is used."""

    shorter: BitString
    shorter_input: str
    longer: BitString
    longer_input: str


def find_collision(machine: PrefixMachine, bound: Bound, *, max_bits: int = 8, max_input: int = 3) -> Collision | None:
    """Return two programs that show that a machine's programs are not prefix-free, or None where none so short do."""
    used: dict[BitString, str] = {}
    for length in range(max_input + 1):
        for symbols in product(machine.inputs, repeat=length):
            given = "".join(symbols)
            for program in programs(machine, given, bound, max_bits):
                used.setdefault(program, given)
    for longer in sorted(used):
        for end in range(len(longer)):
            if longer[:end] in used:
                return Collision(longer[:end], used[longer[:end]], longer, used[longer])
    return None


def require_prefix_free(machine: PrefixMachine, bound: Bound, *, max_bits: int = 8, max_input: int = 3) -> None:
    """Refuse a machine of which `find_collision` finds two colliding programs.

    Raises:
        InputError: it does; both programs and their inputs are named.

    """
    found = find_collision(machine, bound, max_bits=max_bits, max_input=max_input)
    if found is not None:
        raise InputError(
            f"machine {machine.name} is not prefix-free: it halts on program {shown(found.shorter)} given "
            f"{shown(found.shorter_input)}, and on {shown(found.longer)} given {shown(found.longer_input)}",
            received=(found.shorter, found.longer),
            remedy="let it read as much program on every input",
        )
