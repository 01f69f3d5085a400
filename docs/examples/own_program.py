"""A looped program in a function: the running parity walks from right to left."""

from up.compiler.agreement import compare
from up.compiler.compile import compile_program
from up.compiler.language import Program, Relative, binary
from up.compiler.tracing import trace

VARIABLES = (
    binary("bit", initial={"1": 1}),
    binary("known", initial={"END": 1}),
    binary("parity"),
)
HEADS = (
    Relative("known_right", "known", 1),
    Relative("parity_right", "parity", 1),
)


def step(x):
    """Take the parity over from the right neighbour, once it is known."""
    if not x["known"] and x["known_right"]:
        x["known"] = 1
        x["parity"] = x["parity_right"] ^ x["bit"]


RULES = trace(step, VARIABLES, HEADS).rules

PARITY = Program(
    "parity",
    alphabet=("0", "1"),
    variables=VARIABLES,
    heads=HEADS,
    rules=RULES,
    outputs=("parity",),
    layers=lambda length: length + 1,
    before=("START",),
    after=("END",),
)

if __name__ == "__main__":
    for rule in RULES:
        changes = {update.variable: update.value for update in rule.then}
        print("where", dict(rule.when), "set", changes)
    compiled = compile_program(PARITY)
    print(compiled.network.sizes)
    words = [format(number, "08b") for number in range(256)]
    print("agrees on all 256 words:", compare(compiled, words).agree)
