"""The slow, obvious way to find the programs of a prefix machine: try every string."""

from theory.machines.machine import Status
from theory.numbers.bit_strings import strings


def halting_programs(machine, condition, bound, max_length):
    """Every string, in any order, on which the machine halts after reading exactly all of it; with the output."""
    found = {}
    for program in strings(max_length):
        run = machine.run(program, condition, bound)
        if run.status is Status.HALTED and run.bits_read == len(program):
            found[program] = run.output
    return found
