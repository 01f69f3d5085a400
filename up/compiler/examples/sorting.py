"""Sort digits: neighbours compare and swap, in pairs that change in every layer (odd-even transposition sort).

Which pairs, a wave from the left end decides: it gives every position a side, in turns. Both ends hold a digit that
nothing swaps with.
"""

from typing import Any

from up.compiler.language import Program, Relative, binary, categorical
from up.compiler.tracing import trace


def sort(digits: int = 4) -> Program:
    """Return the program that sorts digits below `digits`."""
    alphabet = tuple(map(str, range(digits)))
    variables = (
        categorical("digit", digits, {**{each: int(each) for each in alphabet}, "END": digits - 1}),
        binary("start", {"START": 1}),
        binary("end", {"END": 1}),
        binary("known", {"START": 1}),
        binary("side"),
        binary("turn"),
    )
    heads = (
        Relative("digit_left", "digit", -1),
        Relative("digit_right", "digit", 1),
        Relative("known_left", "known", -1),
        Relative("known_right", "known", 1),
        Relative("side_left", "side", -1),
    )

    def step(x: Any) -> None:
        x["turn"] = 1 - x["turn"]

    def swap(x: Any) -> None:
        if not x["known"]:
            if x["known_left"]:
                x["known"] = 1
                x["side"] = 1 - x["side_left"]
        elif x["side"] == x["turn"]:
            if not x["end"] and x["known_right"]:
                x["digit"] = min(x["digit"], x["digit_right"])
        elif not x["start"]:
            x["digit"] = max(x["digit"], x["digit_left"])

    return Program(
        "sort",
        alphabet=alphabet,
        variables=variables,
        heads=heads,
        rules=(*trace(step, variables, heads).rules, *trace(swap, variables, heads).rules),
        outputs=("digit",),
        layers=lambda length: 2 * length + 2,
        before=("START",),
        after=("END",),
    )
