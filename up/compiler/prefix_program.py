"""A prefix machine as a looped program: START, the program's bits on prompt tokens, SEP, the input, END.

START and the prompt tokens carry the program tape and the work tape, SEP to END the input tape; every position knows
the state. Each entry of the machine's table is a few rules. An output tape is decoded while it is written: its first
bit is the sign, each further 1 changes the numerator `sum` at START, and after a 0 each 1 sets the `key` of one more
position, from START on. In the end the average of `sum` over the positions with a key is numerator over denominator.

Source: Shaw et al. 2025 (arXiv 2509.22445), B.5.3.

Deviation (erratum): B.5.4 of Shaw et al. has bits 0 and 1, and equation 54 has -1 and 1. The literal of B.5.4 for "the
bit is 0", a weight of -1 that is not counted, adds 1 for a bit of -1, and the rule then fires where another of its
literals fails. Here bits are -1 and 1, and literals of both are counted.

Deviation: of Shaw et al., B.5.5; an output tape takes 2 heads, not 3, and all other tapes 8, not 7.
"""

from collections.abc import Iterator

from theory.machines.machine import Bound
from theory.machines.prefix import ANY, LEFT_END, RIGHT_END, Entry, PrefixMachine, PrefixRule
from theory.numbers.bit_strings import BitString
from up.compiler.language import (
    Add,
    Average,
    Copy,
    Head,
    Match,
    Program,
    Relative,
    Rule,
    Set,
    Update,
    Variable,
    binary,
    categorical,
    numeric,
    sign,
)
from up.errors import InputError

SIGN_PHASE, NUMERATOR_PHASE, DENOMINATOR_PHASE = range(3)
_BIT = {"0": -1, "1": 1}


def prompt_tokens(registers: int) -> tuple[str, ...]:
    """Return the names of the prompt tokens."""
    return tuple(f"p{place}" for place in range(1, registers + 1))


def prefix_program(machine: PrefixMachine, bound: Bound, program: BitString) -> Program:
    """Return the looped program that runs a machine on a program, for any input.

    Args:
        machine: which one.
        bound: as many prompt tokens as its space, and a layer more than its time.
        program: the bits on the program tape.

    Raises:
        InputError: the program does not fit the bound, or the machine has no output.

    """
    require_fit(program, bound)
    if not machine.outputs:
        raise InputError(f"machine {machine.name} has no output", received=0, remedy="give it an output tape")
    prompts = prompt_tokens(bound.space)
    bits = {token: _BIT[bit] for token, bit in zip(prompts, program, strict=False)}
    return Program(
        f"{machine.name} on {program or 'ε'}",
        alphabet=tuple(machine.inputs),
        variables=_variables(machine, prompts, bits),
        heads=_heads(machine),
        rules=tuple(rule for entry, does in machine.rules.items() for rule in _rules(machine, entry, does)),
        copies=tuple(Copy(f"logit_{tape}", f"mean_{tape}") for tape in range(machine.outputs)),
        outputs=tuple(f"logit_{tape}" for tape in range(machine.outputs)),
        layers=lambda _length: bound.time + 1,
        before=("START", *prompts, "SEP"),
        after=("END",),
    )


def require_fit(program: BitString, bound: Bound) -> None:
    """Refuse a program that is longer than the bound has registers.

    Raises:
        InputError: it is.

    """
    if len(program) > bound.space:
        remedy = f"give at least {len(program)}"
        raise InputError("the program does not fit a bound of so many registers", received=bound.space, remedy=remedy)


def _variables(machine: PrefixMachine, prompts: tuple[str, ...], bits: dict[str, int]) -> tuple[Variable, ...]:
    seen = input_symbols(machine)
    cells = work_symbols(machine)
    tapes = [
        variable
        for tape in range(machine.outputs)
        for variable in (
            categorical(f"phase_{tape}", 3),
            binary(f"sign_{tape}"),
            numeric(f"sum_{tape}"),
            binary(f"key_{tape}", {"START": 1}),
            numeric(f"logit_{tape}"),
        )
    ]
    return (
        categorical("state", len(machine.states)),
        categorical("input", len(seen), {**{each: seen.index(each) for each in machine.inputs}, "END": len(seen) - 1}),
        categorical("work", len(cells), dict.fromkeys(prompts, 1)),
        sign("bit", bits),
        binary("program_head", {"START": 1}),
        binary("input_head", {"SEP": 1}),
        binary("work_head", {"START": 1}),
        binary("start", {"START": 1}),
        binary("end", {"END": 1}),
        *tapes,
    )


def input_symbols(machine: PrefixMachine) -> str:
    """Return the symbols of the input tape in the order of the variable `input`."""
    return LEFT_END + machine.inputs + RIGHT_END


def work_symbols(machine: PrefixMachine) -> str:
    """Return the symbols of the work tape in the order of the variable `work`."""
    return LEFT_END + machine.work


def _heads(machine: PrefixMachine) -> tuple[Head, ...]:
    return (
        Match("bit_read", "bit", key="program_head"),
        Match("input_read", "input", key="input_head"),
        Match("work_read", "work", key="work_head"),
        Relative("program_head_left", "program_head", -1),
        Relative("input_head_left", "input_head", -1),
        Relative("input_head_right", "input_head", 1),
        Relative("work_head_left", "work_head", -1),
        Relative("work_head_right", "work_head", 1),
        *(Relative(f"key_{tape}_left", f"key_{tape}", -1) for tape in range(machine.outputs)),
        *(Average(f"mean_{tape}", f"sum_{tape}", key=f"key_{tape}") for tape in range(machine.outputs)),
    )


def _rules(machine: PrefixMachine, entry: Entry, does: PrefixRule) -> Iterator[Rule]:
    """Yield the rules of one entry of the table."""
    state, bit, seen, cell = entry
    when = {"state": machine.states.index(state)}
    if bit != ANY:
        when["bit_read"] = _BIT[bit]
    if seen != ANY:
        when["input_read"] = input_symbols(machine).index(seen)
    if cell != ANY:
        when["work_read"] = work_symbols(machine).index(cell)
    if does.state != state:
        yield Rule(when, (Set("state", machine.states.index(does.state)),))
    yield from _move(when, "program_head", does.program_move)
    yield from _move(when, "input_head", does.input_move)
    if does.write is None:
        yield from _move(when, "work_head", does.work_move)
    else:
        written: tuple[Update, ...] = (Set("work", work_symbols(machine).index(does.write)),)
        yield from _move({**when}, "work_head", does.work_move, here={"work": when["work_read"]}, also=written)
    for tape, emitted in does.emits:
        yield from _emit(when, tape, emitted)


def _move(
    when: dict[str, int], head: str, move: int, here: dict[str, int] | None = None, also: tuple[Update, ...] = ()
) -> Iterator[Rule]:
    """Yield the rules that take a head from its position, with what else changes there, and give it to a neighbour."""
    leaves = (Set(head, 0),) if move else ()
    if leaves or also:
        yield Rule({**when, head: 1, **(here or {})}, (*also, *leaves))
    if move == 1:
        yield Rule({**when, head: 0, "start": 0, f"{head}_left": 1}, (Set(head, 1),))
    elif move == -1:
        yield Rule({**when, head: 0, "end": 0, f"{head}_right": 1}, (Set(head, 1),))


def _emit(when: dict[str, int], tape: int, bit: BitString) -> Iterator[Rule]:
    """Yield the rules that decode one more bit of an output tape."""
    phase, sign_of, total, key = (f"{name}_{tape}" for name in ("phase", "sign", "sum", "key"))
    negative = (Set(sign_of, 1),) if bit == "1" else ()
    yield Rule({**when, phase: SIGN_PHASE, sign_of: 0}, (Set(phase, NUMERATOR_PHASE), *negative))
    if bit == "0":
        yield Rule({**when, phase: NUMERATOR_PHASE}, (Set(phase, DENOMINATOR_PHASE),))
        return
    at_start = {**when, phase: NUMERATOR_PHASE, "start": 1}
    yield Rule({**at_start, sign_of: 0}, (Add(total, 1),))
    yield Rule({**at_start, sign_of: 1}, (Add(total, -1),))
    yield Rule({**when, phase: DENOMINATOR_PHASE, key: 0, f"{key}_left": 1}, (Set(key, 1),))
