"""zmap: from a prefix machine, a bound and a program to a transformer that computes the program's model function.

    >>> from theory.machines.machine import Bound
    >>> from theory.machines.prefix_machines import PREFIX_MACHINES
    >>> machine, bound = PREFIX_MACHINES["rational"], Bound(time=12, space=6)
    >>> mapped = zmap(machine, bound, "01000100")
    Traceback (most recent call last):
    ...
    theory.errors.InputError: the program does not fit a bound of so many registers (received 6): give at least 8
    >>> mapped = zmap(machine, Bound(time=20, space=8), "01000100")
    >>> exact_logits(mapped, "11"), interpreted_logits(mapped, "11"), mapping_fn(mapped)("11")
    ((Fraction(3, 1), Fraction(1, 1)), (Fraction(3, 1), Fraction(1, 1)), (3.0, 1.0))

Source: Shaw et al. 2025 (arXiv 2509.22445), B.5.3 and figure 6.

Deviation: of Shaw et al., B.5.7; layers are R_t + 1, not R_t + 2, since the average is read in the layer that computes
it.

Limits: the finite scale of attention leaves an error of about n e^(-c^2), and errors grow from layer to layer, since
nothing rounds: noise of 1e-4 in all weights leaves a run of 12 layers right and breaks one of 45. Exactness under every
bound needs hard attention, the limit of large scales.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import torch

from theory.machines.machine import Bound, Status
from theory.machines.prefix import HALT, PrefixMachine, PrefixRun
from theory.numbers.bit_strings import BitString, require_bit_string
from up.compiler.checked import run
from up.compiler.compile import Compiled, CompilerConfig, compile_program
from up.compiler.interpreter import interpret
from up.compiler.prefix_program import prefix_program, require_fit
from up.compiler.vectorised import Rational, interpret_all
from up.errors import InputError

_REMEDY = {
    Status.OUT_OF_TIME: "give a larger bound on time",
    Status.OUT_OF_SPACE: "give a larger bound on space",
    Status.NEEDS_INPUT: "give a longer program",
    Status.STUCK: "give a program that the machine can read",
}


@dataclass(frozen=True)
class MappedProgram:
    """A machine, a bound and a program, and the transformer that they became.

    Attributes:
        machine: T.
        bound: R: steps, and registers on each tape.
        program: z, whose bits are in the embeddings of the prompt tokens.
        compiled: the looped program and its network.

    """

    machine: PrefixMachine
    bound: Bound
    program: BitString
    compiled: Compiled


def zmap(
    machine: PrefixMachine, bound: Bound, program: BitString, config: CompilerConfig | None = None
) -> MappedProgram:
    """Write a machine and a program into the weights of a transformer, in float32 on the CPU.

    Raises:
        InputError: no bits, or more than the bound has registers.

    """
    looped = prefix_program(machine, bound, require_bit_string(program))
    return MappedProgram(machine, bound, program, compile_program(looped, config))


def mapping_fn(mapped: MappedProgram) -> Callable[[str], tuple[float, ...]]:
    """Return the model function that the network computes: from an input to logits, the output at START."""
    network, looped = mapped.compiled.network, mapped.compiled.program
    numbers = {token: number for number, token in enumerate(looped.vocabulary)}

    def model_function(given: str) -> tuple[float, ...]:
        device = network.embedding.weight.device
        tokens_BT = torch.tensor([[numbers[token] for token in looped.tokens(given)]], device=device)
        with torch.no_grad():
            outputs_BTY = network(tokens_BT, looped.layers(len(given)))
        return tuple(outputs_BTY[0, 0].tolist())

    return model_function


def interpreted_logits(mapped: MappedProgram, given: str) -> tuple[Fraction, ...]:
    """Return the logits that the looped program computes, exactly."""
    at_start = interpret(mapped.compiled.program, given)[0]
    return tuple(Fraction(at_start[name]) for name in mapped.compiled.program.outputs)


def exact_logits(mapped: MappedProgram, given: str) -> tuple[Fraction, ...]:
    """Return the logits that the machine itself computes.

    Raises:
        InputError: it does not halt within the bound with its head on the program's last bit and logits on its tapes.

    """
    return checked_run(mapped.machine, mapped.bound, mapped.program, given).logits


def checked_run(machine: PrefixMachine, bound: Bound, program: BitString, given: str) -> PrefixRun:
    """Run a machine and refuse what is not in Z_{T,R}; see `exact_logits`."""
    require_fit(program, bound)
    done = machine.run(program, given, bound)
    shown = f"machine {machine.name} on program {program or 'ε'} and input {given or 'ε'}"
    if done.status is not Status.HALTED:
        problem = f"{shown} does not {HALT} within the bound"
        raise InputError(problem, received=done.status.value, remedy=_REMEDY[done.status])
    if done.bits_read < len(program):
        remedy = f"give {program[: done.bits_read] or 'an empty program'}"
        raise InputError(f"{shown} halts before it has read it all", received=done.bits_read, remedy=remedy)
    assert done.logits  # each tape holds one, or it is refused
    return done


def smallest_bound(machine: PrefixMachine, bound: Bound, program: BitString, given: str) -> Bound:
    """Return the smallest bound under which a machine runs like this on an input, given one that is large enough.

    Raises:
        InputError: the given bound is not large enough; see `checked_run`.

    """
    done = checked_run(machine, bound, program, given)
    work = [len(now.work) for now in machine.snapshots(program, given)]
    return Bound(time=done.steps, space=max(*work, len(program), *map(len, done.outputs)))


def logits_on_all(mapped: MappedProgram, inputs: Sequence[str]) -> list[tuple[tuple[Fraction, ...], tuple[float, ...]]]:
    """Return what interpreter and network compute on many inputs of one length, at once.

    Raises:
        UndefinedValueError: something undefined is read.

    """
    looped = mapped.compiled.program
    exact = interpret_all(looped, inputs)
    floats, errors, _ = run(mapped.compiled, inputs)
    for error in (*exact.errors, *errors):
        if error is not None:
            raise error
    results: list[tuple[tuple[Fraction, ...], tuple[float, ...]]] = []
    for row in range(len(inputs)):
        fractions: list[Fraction] = []
        for name in looped.outputs:
            column = exact.columns[name]
            assert isinstance(column, Rational)
            fractions.append(column[row, 0])
        results.append((tuple(fractions), tuple(float(floats[name][row, 0]) for name in looped.outputs)))
    return results
