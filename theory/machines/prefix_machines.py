"""Prefix machines by name: one that reads its logits off the program, one that runs automata, one that is universal.

`rational` copies two logits from its program and adds the length of the input to the first numerator. `automaton` reads
the four transitions of an automaton with two states onto its work tape, runs it on the input, and gives the logit 1 to
the state in which it ends. `tag` reads the productions of a cyclic tag system, runs it on the input as its first queue,
and gives as logits how many zeros and how many ones it has taken from the queue. Cyclic tag systems compute whatever a
Turing machine computes (Cook 2004), so the programs of `tag` describe machines of any power.

    >>> PREFIX_MACHINES["automaton"].run("0110", "101", Bound(time=99, space=9)).logits
    (Fraction(1, 1), Fraction(0, 1))

Limits: `tag` is universal in what it can compute; that its programs are the shortest up to a constant is not shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from theory.errors import InputError
from theory.machines.collisions import require_prefix_free
from theory.machines.machine import Bound
from theory.machines.prefix import ANY, HALT, Entry, PrefixMachine, PrefixRule
from theory.user_file import load_object

_CHECKED = Bound(time=200, space=60)
"""Under which a machine of the user's own is searched for colliding programs."""
_MOST_INPUTS = 30


@dataclass
class _Table:
    """Collects entries; what an entry does not name is `ANY`."""

    rules: dict[Entry, PrefixRule]

    def add(
        self,
        state: str,
        to: str,
        *,
        bit: str = ANY,
        seen: str = ANY,
        cells: str = ANY,
        write: str | None = None,
        program: int = 0,
        given: int = 0,
        work: int = 0,
        emits: str = "",
    ) -> None:
        """Add an entry for each of the work symbols `cells`; `emits` has pairs of characters, tape and bit."""
        for cell in cells:
            pairs = tuple((int(emits[at]), emits[at + 1]) for at in range(0, len(emits), 2))
            self.rules[state, bit, seen, cell] = PrefixRule(to, write, program, given, work, pairs)


def _rational() -> PrefixMachine:
    """Return the machine whose program is sign, 1^a 0 1^(b-1) 0, and the same with c and d: logits (a + |x|)/b, c/d."""
    table = _Table({})
    table.add("start", "sign 0", program=1)
    for tape in "01":
        for bit in "01":
            table.add(f"sign {tape}", f"over {tape}", bit=bit, program=1, emits=tape + bit)
        table.add(f"over {tape}", f"over {tape}", bit="1", program=1, emits=tape + "1")
        table.add(f"under {tape}", f"under {tape}", bit="1", program=1, emits=tape + "1")
    table.add("over 0", "count", bit="0")
    table.add("count", "count", seen="<", given=1)
    table.add("count", "count", seen="1", given=1, emits="01")
    table.add("count", "under 0", seen=">", program=1, emits="00")
    table.add("under 0", "sign 1", bit="0", program=1)
    table.add("over 1", "under 1", bit="0", program=1, emits="10")
    table.add("under 1", HALT, bit="0")
    return PrefixMachine(name="rational", inputs="1", work="_", outputs=2, rules=table.rules)


def _automaton() -> PrefixMachine:
    """Return the machine whose program has the next state after (state, symbol) = 00, 01, 10, 11; it starts in 0."""
    table = _Table({})
    table.add("start", "load 1", program=1, cells="<", work=1)
    for bit in "01":
        for cell in "123":
            table.add(f"load {cell}", f"load {int(cell) + 1}", bit=bit, cells="_", write=bit, program=1, work=1)
        table.add("load 4", "back 0", bit=bit, cells="_", write=bit, work=-1)
    for q in "01":
        other = str(1 - int(q))
        table.add(f"back {q}", f"back {q}", cells="01", work=-1)
        table.add(f"back {q}", f"back {q}", seen="<", cells="<", given=1)
        for symbol in "01":
            table.add(f"back {q}", f"go {2 * int(q) + int(symbol)}", seen=symbol, cells="<", given=1, work=1)
        table.add(f"back {q}", f"says {q}", seen=">", cells="<", emits="0010")
        table.add(f"says {q}", f"ends {q}", emits=f"{q}1{other}0")
        table.add(f"ends {q}", HALT, emits=f"{q}0")
        table.add("go 0", f"back {q}", cells=q)
    for cells in "123":
        table.add(f"go {cells}", f"go {int(cells) - 1}", cells="01", work=1)
    return PrefixMachine(name="automaton", inputs="01", work="_01", outputs=2, rules=table.rules)


def _tag() -> PrefixMachine:
    """Return the machine that runs cyclic tag systems.

    The program has 00 and 01 for the symbols 0 and 1 of a production, 10 for its end, 11 for the end of the last one.
    On the work tape each production ends in ; or, that whose turn it is, in : and behind # comes the queue, with x for
    what has been taken. While a production is appended, a and b stand for the 0 or 1 that is being carried.
    """
    table = _Table({})
    table.add("start", "load", cells="<", program=1, work=1, emits="0010")
    table.add("load", "symbol", bit="0", program=1)
    table.add("load", "end", bit="1", program=1)
    for bit in "01":
        table.add("symbol", "load", bit=bit, cells="_", write=bit, program=1, work=1)
    table.add("end", "load", bit="0", cells="_", write=";", program=1, work=1)
    table.add("end", "queue", bit="1", cells="_", write=";", work=1)
    table.add("queue", "input", cells="_", write="#", work=1)
    table.add("input", "input", seen="<", given=1)
    for symbol in "01":
        table.add("input", "input", seen=symbol, cells="_", write=symbol, given=1, work=1)
    table.add("input", "rewind", seen=">", cells="_", work=-1)
    table.add("rewind", "rewind", cells="01;:#x", work=-1)
    table.add("rewind", "first", cells="<", work=1)
    for state in ("first", "next"):  # the production whose turn it is from now on
        table.add(state, state, cells="01", work=1)
        table.add(state, "seek", cells=";", write=":", work=1)
    table.add("next", "rewind", cells="#", work=-1)
    table.add("seek", "seek", cells="01;", work=1)
    table.add("seek", "take", cells="#", work=1)
    table.add("take", "take", cells="x", work=1)
    table.add("take", "turn", cells="0", write="x", work=-1, emits="01")
    table.add("take", "append", cells="1", write="x", work=-1, emits="11")
    table.add("take", HALT, cells="_", emits="0010")
    table.add("append", "append", cells="01;#x", work=-1)
    table.add("append", "begin", cells=":", work=-1)
    table.add("begin", "begin", cells="01", work=-1)
    table.add("begin", "carry", cells="<;", work=1)
    table.add("carry", "turn", cells=":")
    for bit, carried in (("0", "a"), ("1", "b")):
        table.add("carry", f"put {bit}", cells=bit, write=carried, work=1)
        table.add(f"put {bit}", f"put {bit}", cells="01;:#x", work=1)
        table.add(f"put {bit}", "return", cells="_", write=bit, work=-1)
        table.add("return", "carry", cells=carried, write=bit, work=1)
    table.add("return", "return", cells="01;:#x", work=-1)
    table.add("turn", "turn", cells="01;#x", work=-1)
    table.add("turn", "next", cells=":", write=";", work=1)
    return PrefixMachine(name="tag", inputs="01", work="_01;:#xab", outputs=2, rules=table.rules)


PREFIX_MACHINES: Mapping[str, PrefixMachine] = {each.name: each for each in (_rational(), _automaton(), _tag())}


def load_prefix_machine(name: str) -> PrefixMachine:
    """Return a machine by its name, or one of the user's own.

    Args:
        name: `rational`, `automaton` or `tag`; or `path/to/file.py:NAME` where NAME is a `PrefixMachine`, the file
            being executed. Its programs of up to 8 bits must be prefix-free, on inputs of up to 3 symbols, fewer where
            the alphabet is large.

    Raises:
        InputError: no machine of that name, a file that does not hold one, or two colliding programs.

    """
    if name in PREFIX_MACHINES:
        return PREFIX_MACHINES[name]
    found = load_object(name, PrefixMachine, "user_machine")
    if found is None:
        remedy = f"take one of {', '.join(PREFIX_MACHINES)} or give path/to/file.py:NAME"
        raise InputError("there is no such prefix machine", received=name, remedy=remedy)
    longest = max((length for length in range(4) if len(found.inputs) ** length <= _MOST_INPUTS), default=0)
    require_prefix_free(found, _CHECKED, max_input=longest)
    return found
