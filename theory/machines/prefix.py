"""Prefix machines with an input and several outputs: what a model function is computed by.

A machine has a program tape, read one way, a tape with the input between two markers, read both ways, a work tape that
begins with a marker, and output tapes that are only appended to. All heads start on the left markers. In each step the
state and what the heads see select a rule; moving the program head on consumes a bit. A run has used a program when it
halts with the head on the program's last bit. Each output tape holds a rational logit (`theory.machines.logit_code`).

    >>> machine = PrefixMachine(
    ...     name="sign", inputs="1", work="_", outputs=1,
    ...     rules={("start", "*", "*", "*"): PrefixRule("read", program_move=1),
    ...            ("read", "0", "*", "*"): PrefixRule("end", emits=((0, "0"),)),
    ...            ("read", "1", "*", "*"): PrefixRule("end", emits=((0, "1"),)),
    ...            ("end", "*", "*", "*"): PrefixRule(HALT, emits=((0, "0"),))},
    ... )
    >>> run = machine.run("1", "11", Bound(time=9, space=4))
    >>> run.status.value, run.outputs, run.logits, run.steps
    ('halted', ('10',), (Fraction(0, 1),), 3)

Source: Shaw et al. 2025 (arXiv 2509.22445), B.3 and B.5.3.

Deviation (erratum): equations 30 and 31 of Shaw et al. ask for the output to lie in the domain of the encoding, where
its image is meant: strings that stand for a logit. And since equation 31 asks for a halt within R on all inputs, a
function whose run time grows with its input has no program under any R: its K_{T,R} is infinite, and the step from
there to K in equation 49 fails.

Limits: how much program a run reads may depend on the input; see `theory.machines.collisions`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, product

from theory.errors import InputError
from theory.machines.logit_code import decode_logit
from theory.machines.machine import Bound, Status
from theory.numbers.bit_strings import BitString, require_bit_string

HALT = "halt"
ANY = "*"
LEFT_END = "<"
RIGHT_END = ">"

Entry = tuple[str, str, str, str]
"""State, bit of the program or `ANY`, symbol of the input, a marker or `ANY`, symbol of the work tape likewise."""


@dataclass(frozen=True)
class PrefixRule:
    """What to do: go to a state, write a work symbol (None: leave it), move the heads, append bits to output tapes.

    `program_move` is 0 or 1, the other moves -1, 0 or 1; `emits` has pairs of an output tape and a bit.
    """

    state: str
    write: str | None = None
    program_move: int = 0
    input_move: int = 0
    work_move: int = 0
    emits: tuple[tuple[int, BitString], ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """Where a run is: the state, the heads (0 on the left marker), the work cells visited, and the output tapes."""

    state: str
    program_head: int = 0
    input_head: int = 0
    work_head: int = 0
    work: str = ""
    outputs: tuple[BitString, ...] = ()


@dataclass(frozen=True)
class PrefixRun:
    """How a run ended: what it wrote on each output tape, its steps, and the bits of program that it consumed."""

    status: Status
    outputs: tuple[BitString, ...]
    steps: int
    bits_read: int

    @property
    def logits(self) -> tuple[Fraction, ...]:
        """What the output tapes stand for; see `decode_logit`."""
        return tuple(map(decode_logit, self.outputs))


@dataclass(frozen=True, kw_only=True)
class PrefixMachine:
    """A machine from a table.

    Attributes:
        name: how results refer to it.
        inputs: the symbols of inputs.
        work: the symbols of the work tape, the blank first.
        outputs: how many output tapes.
        rules: the rule for each entry; where no entry applies, a run is stuck.
        start: the first state.

    """

    name: str
    inputs: str
    work: str
    outputs: int
    rules: Mapping[Entry, PrefixRule]
    start: str = "start"

    def __post_init__(self) -> None:
        for entry, rule in self.rules.items():
            problem = self._problem(entry, rule)
            if problem:
                raise InputError(f"machine {self.name}: {problem}", received=entry, remedy="correct this entry")
        states = self.states
        for state in (self.start, *(rule.state for rule in self.rules.values())):
            if state not in states:
                raise InputError(f"machine {self.name}: no rule begins in a state", received=state, remedy="add one")
        of_state: dict[str, list[Entry]] = {}
        for entry in self.rules:
            of_state.setdefault(entry[0], []).append(entry)
        for entries in of_state.values():
            for one, other in combinations(entries, 2):
                if all(ANY in pair or pair[0] == pair[1] for pair in zip(one, other, strict=True)):
                    problem = f"machine {self.name}: two entries apply at once"
                    raise InputError(problem, received=(one, other), remedy="name the symbols that tell them apart")

    def _problem(self, entry: Entry, rule: PrefixRule) -> str | None:
        """Say what is wrong with a rule, if anything is."""
        _, bit, seen, cell = entry
        if bit not in ("0", "1", ANY) or seen not in (*self.inputs, LEFT_END, RIGHT_END, ANY):
            return "it looks for a symbol that its tape does not have"
        if cell not in (*self.work, LEFT_END, ANY):
            return "it looks for a work symbol that there is not"
        if rule.program_move not in (0, 1) or not {rule.input_move, rule.work_move} <= {-1, 0, 1}:
            return "a head moves by one cell, that of the program to the right only"
        if (rule.input_move == -1 and seen in (LEFT_END, ANY)) or (rule.input_move == 1 and seen in (RIGHT_END, ANY)):
            return "the input head may leave its tape; the entry must name a symbol where it cannot"
        if rule.work_move == -1 and cell in (LEFT_END, ANY):
            return "the work head may leave its tape; the entry must name a symbol where it cannot"
        if rule.write is not None and (rule.write not in self.work or cell in (LEFT_END, ANY)):
            return "it writes what is no work symbol, or where the marker may be"
        tapes = [tape for tape, _ in rule.emits]
        if any(tape not in range(self.outputs) or bit not in ("0", "1") for tape, bit in rule.emits):
            return "it writes on an output tape that there is not, or no bit"
        return "it writes twice on an output tape" if len(set(tapes)) < len(tapes) else None

    @property
    def states(self) -> tuple[str, ...]:
        """All states, the first one first and `HALT` last."""
        return (*dict.fromkeys((self.start, *(entry[0] for entry in self.rules))), HALT)

    def check_input(self, given: str) -> str:
        """Return an input if it is made of the machine's symbols.

        Raises:
            InputError: it is not.

        """
        for symbol in given:
            if symbol not in self.inputs:
                remedy = f"take {' and '.join(self.inputs)}"
                raise InputError(f"machine {self.name} has no such input symbol", received=symbol, remedy=remedy)
        return given

    def snapshots(self, program: BitString, given: str) -> Iterator[Snapshot]:
        """Yield the run from its start on, until it halts or no rule applies; it may go on for ever.

        Raises:
            InputError: something else than bits in the program, or than the machine's symbols in the input.

        """
        require_bit_string(program)
        self.check_input(given)
        now = Snapshot(self.start, outputs=("",) * self.outputs)
        while True:
            yield now
            rule = self._rule(program, given, now)
            if rule is None:
                return
            work = now.work
            if rule.write is not None:
                work = work[: now.work_head - 1] + rule.write + work[now.work_head :]
            work_head = now.work_head + rule.work_move
            if work_head > len(work):
                work += self.work[0]
            emitted = dict(rule.emits)
            now = Snapshot(
                rule.state,
                now.program_head + rule.program_move,
                now.input_head + rule.input_move,
                work_head,
                work,
                tuple(bits + emitted.get(tape, "") for tape, bits in enumerate(now.outputs)),
            )

    def _rule(self, program: BitString, given: str, now: Snapshot) -> PrefixRule | None:
        """Return the rule that applies; None after a halt, or where none does."""
        bit = program[now.program_head - 1 : now.program_head] if now.program_head else LEFT_END
        seen = (LEFT_END + given + RIGHT_END)[now.input_head]
        cell = now.work[now.work_head - 1] if now.work_head else LEFT_END
        choices = product((bit, ANY), (seen, ANY), (cell, ANY))
        return next((self.rules[now.state, *each] for each in choices if (now.state, *each) in self.rules), None)

    def run(self, program: BitString, given: str, bound: Bound) -> PrefixRun:
        """Run on a program and an input.

        It needs more program when it moves the program head beyond its end. The bound on space holds for the work tape
        and for each output tape.

        Raises:
            InputError: something else than bits in the program, or than the machine's symbols in the input.

        """
        now, status, steps = Snapshot(self.start), Status.STUCK, -1
        for now in self.snapshots(program, given):
            steps += 1
            if now.program_head > len(program):
                status = Status.NEEDS_INPUT
            elif max(len(now.work), *map(len, now.outputs), 0) > bound.space:
                status = Status.OUT_OF_SPACE
            elif now.state == HALT:
                status = Status.HALTED
            elif steps == bound.time:
                status = Status.OUT_OF_TIME
            else:
                continue
            break
        return PrefixRun(status, now.outputs, steps, now.program_head)
