"""The coding theorem: the shortest program against the whole mass, and where the converse fails.

The class complexity K_C(x) is the least |code(c)| + |r| over the members c and their programs r with c(r) = x. Each
such pair is one term of m_C(x), so 2^-K_C(x) <= m_C(x), always. For all machines the converse holds as well,
K(x) <= -log m(x) + O(1), because m can be turned into a code whose decoder is one more machine. A restricted class need
not hold that decoder, and then many long programs can make a string likely that has no short one: the gap
K_C(x) + log m_C(x) is 1.00 to 5.45 bits on class B. Adding a Shannon-Fano decoder for m_C, under a one-bit name, brings
it below 2: K <= 1 + ceil(-log m_C(x)).

Both sides come from the same runs, so that 2^-K <= m could not fail. K_C is therefore found once more, as the shortest
program of the one machine u that reads a member's word and is that member (Lemma 4.1), and of the decoder's code it is
shown that its words are free of prefixes and as long as the logarithm rounded up, and that each is read as its string.

Source: Bloem 2025 (arXiv 2506.20057), section 4.1; Li and Vitányi, theorem 4.3.3.
Limits: empty condition; strings that the class can write under its bound.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from theory.checks.equalities import mixture_equalities
from theory.checks.registry import CODING
from theory.checks.result import CheckResult, Counterexample, Equality, EqualityRow, Item, equality
from theory.errors import InputError
from theory.machines.class_interpreter import ClassInterpreter
from theory.machines.classes import ModelClass, nothing_halts
from theory.machines.machine import Bound, FunctionMachine, Tape
from theory.measures.measure import enumerate_programs
from theory.measures.mixture import Mixture
from theory.measures.programs import programs
from theory.numbers.bit_strings import BitString, is_prefix_free, shown
from theory.numbers.exact import at_least_power_of_two, log2_float, number_text


def shannon_fano_code(mass: Mapping[BitString, Fraction]) -> dict[BitString, BitString]:
    """Return a prefix code with a word of ceil(-log2 p) bits for each string of probability p.

    Words are given out in order of length, each the next binary number; Kraft's inequality makes them suffice.

    >>> shannon_fano_code({"0": Fraction(1, 2), "1": Fraction(1, 3)})
    {'0': '0', '1': '10'}
    """
    lengths = {x: _code_length(p) for x, p in mass.items() if p}
    code: dict[BitString, BitString] = {}
    word, before = 0, 0
    for x in sorted(lengths, key=lambda x: (lengths[x], len(x), x)):
        length = lengths[x]
        word <<= length - before
        code[x] = format(word, f"0{length}b") if length else ""
        word, before = word + 1, length
    return code


def decoder_machine(code: Mapping[BitString, BitString]) -> FunctionMachine:
    """Return the machine that reads a word of this code and writes its string."""
    string_of = {word: x for x, word in code.items()}
    longest = max(map(len, string_of), default=0)

    def decode(tape: Tape) -> None:
        word = ""
        while word not in string_of:
            if len(word) == longest:
                tape.stuck()
            word += str(tape.read())
        for bit in string_of[word]:
            tape.write(bit)

    return FunctionMachine("Shannon-Fano decoder", decode, reads_condition=False)


def check_coding(model_class: ModelClass, *, max_length: int | None = None, variant: str | None = None) -> CheckResult:
    """Check 2^-K_C(x) <= m_C(x), and that a decoder for m_C closes the gap to less than 2 bits.

    Args:
        model_class: the class C, with a prior 2^-|word|.
        max_length: strings of up to this length; by default that of the class.
        variant: None, or one of the declared ones.

    Raises:
        InputError: a class without a code, or an unknown variant.

    """
    CODING.require_variant(variant)
    longest = model_class.max_length if max_length is None else max_length
    shortest = class_complexity(model_class, names_cost_bits=variant != "free-name")
    mixture = Mixture(model_class)
    mass = mixture.measure("").mass
    code = shannon_fano_code(mass)
    decoded = _decoder_programs(code)
    strings = sorted((x for x in shortest if len(x) <= longest), key=lambda x: (len(x), x))
    if not strings:
        raise nothing_halts(model_class)
    items, gaps, gaps_with_decoder = [], [], []
    for x in strings:
        k, m = shortest[x], mass[x]
        gap = m * (1 << k)
        word = decoded.get(x, len(code[x]))
        both_k, both_m = min(k, word) + 1, (m + Fraction(1, 1 << word)) / 2
        if variant == "converse":
            both_k, both_m = k, m
        closed = both_m * (1 << both_k)
        numbers = {"K_C": k, "m_C": m, "gap in bits": log2_float(gap), "gap with decoder": log2_float(closed)}
        items.append(_item(f"2^-K <= m at {shown(x)}", gap >= 1, gap, x, numbers))
        items.append(_item(f"gap < 2 at {shown(x)}", closed < 4, 4 / closed, x, numbers))
        gaps.append(log2_float(gap))
        gaps_with_decoder.append(log2_float(closed))
    return CODING.result(
        items,
        equalities=_equalities(mixture, code, decoded, shortest),
        class_name=model_class.name,
        bound=f"time {model_class.bound.time}, space {model_class.bound.space}, strings up to length {longest}",
        constants={"p(decoder)": Fraction(1, 2)},
        counts={"strings": len(strings)},
        remarks=(
            f"gap K_C + log2 m_C of the class itself: {min(gaps):.2f} to {max(gaps):.2f} bits",
            f"with the decoder: {min(gaps_with_decoder):.2f} to {max(gaps_with_decoder):.2f} bits",
            *mixture.open_mass(),
        ),
        variant=variant,
        tightest=lambda item: item.name,
    )


def class_complexity(model_class: ModelClass, *, names_cost_bits: bool = True) -> dict[BitString, int]:
    """Return K_C(x) in bits for every string that the class writes under its bound.

    Raises:
        InputError: a class whose prior comes from no code, so that its machines have no names to pay for.

    """
    if not model_class.prior_is_of_code:
        raise InputError(
            f"class {model_class.name} has no code that its prior comes from",
            remedy="take a class with p(c) = 2^-|word|, such as mealy",
        )
    shortest: dict[BitString, int] = {}
    for machine, word in zip(model_class.members, model_class.words, strict=True):
        for group in programs(machine, "", model_class.bound):
            if group.output is not None:
                length = group.length_bits + (len(word) if names_cost_bits else 0)
                shortest[group.output] = min(length, shortest.get(group.output, length))
    return shortest


def _decoder_programs(code: Mapping[BitString, BitString]) -> dict[BitString, int]:
    """Run the decoder of a code on all its programs; return the length of each string's one."""
    cells = max(map(len, code), default=0)
    bound = Bound(time=max(map(len, code.values()), default=0) + cells, space=cells)
    return {x: len(word) for word, x in enumerate_programs(decoder_machine(code), "", bound).programs}


def _equalities(
    mixture: Mixture,
    code: Mapping[BitString, BitString],
    decoded: Mapping[BitString, int],
    shortest: Mapping[BitString, int],
) -> Iterator[Equality]:
    """Yield that K_C is u's shortest program, that the code of the decoder is what it should be, and the mixture's."""
    u = ClassInterpreter(mixture.model_class)
    of_u: dict[BitString, int] = {}
    for program, x in enumerate_programs(u, "", u.bound).programs:
        of_u[x] = min(len(program), of_u.get(x, len(program)))
    rows = (((("x", x),), of_u.get(x, 0), shortest.get(x, 0)) for x in {**of_u, **shortest})
    yield equality("K_C(x) is the length of u's shortest program", rows)
    yield equality("the decoder's words are prefix-free, |word| = ceil(-log2 m_C(x))", _code_rows(mixture, code))
    read = (((("x", x),), len(word), decoded.get(x, 0)) for x, word in code.items())
    yield equality("the decoder reads a word as its string", read)
    yield from mixture_equalities(mixture, [""])


def _code_rows(mixture: Mixture, code: Mapping[BitString, BitString]) -> Iterator[EqualityRow]:
    yield (("", "all words"),), 1, int(is_prefix_free(list(code.values())))
    for x, m in mixture.measure("").mass.items():
        length = len(code.get(x, ""))
        yield (("x", x),), 1, int(m * (1 << length) >= 1 and (not length or m * (1 << length - 1) < 1))


def _code_length(p: Fraction) -> int:
    """Return ceil(-log2 p), on integers."""
    length = max(0, p.denominator.bit_length() - p.numerator.bit_length() - 1)
    while not at_least_power_of_two(p, -length):
        length += 1
    return length


def _item(name: str, holds: bool, slack: Fraction, x: BitString, numbers: Mapping[str, Fraction | float | int]) -> Item:
    failure = None
    if not holds:
        k, m = numbers["K_C"], number_text(Fraction(numbers["m_C"]))
        ratio = number_text(slack)
        sentence = f"with K = {k} and m = {m} the two sides have the ratio {ratio}; less than 1 is a failure"
        failure = Counterexample(where=name, claimed=Fraction(1), observed=slack, sentence=sentence)
    return Item(
        name=name,
        holds=holds,
        slack=slack,
        slack_bits=log2_float(slack),
        witness=shown(x),
        numbers=numbers,
        failure=failure,
    )
