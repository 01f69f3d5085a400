"""Programs that carry a number along: binary increment, balanced brackets, and the share of ones."""

from typing import Any

from up.compiler.language import Average, Copy, Program, Relative, binary, categorical, numeric
from up.compiler.tracing import trace


def increment() -> Program:
    """Return the program that adds 1 to a binary number; what is carried out of it ends up in `carry` at position 0."""
    variables = (binary("bit", {"1": 1}), binary("known", {"END": 1}), binary("carry", {"END": 1}))
    heads = (Relative("known_right", "known", 1), Relative("carry_right", "carry", 1))

    def step(x: Any) -> None:
        if not x["known"] and x["known_right"]:
            x["known"] = 1
            if x["carry_right"]:
                # At the left end, whose bit is 0, the carry goes no further and is kept as the bit.
                x["carry"] = x["bit"]
                x["bit"] = 1 - x["bit"]

    return Program(
        "increment",
        alphabet=("0", "1"),
        variables=variables,
        heads=heads,
        rules=trace(step, variables, heads).rules,
        outputs=("bit",),
        layers=lambda length: length + 1,
        before=("START",),
        after=("END",),
    )


def brackets(longest: int = 8) -> Program:
    """Return the program that says at its last position whether brackets are balanced; the depth is at most longest."""
    variables = (
        categorical("change", 3, {"(": 1, ")": 2}),
        categorical("depth", longest + 1),
        binary("known", {"START": 1}),
        binary("broken"),
        binary("end", {"END": 1}),
        binary("balanced"),
    )
    heads = (
        Relative("known_left", "known", -1),
        Relative("depth_left", "depth", -1),
        Relative("broken_left", "broken", -1),
    )

    def step(x: Any) -> None:
        if x["known"] or not x["known_left"]:
            return
        x["known"] = 1
        if x["broken_left"]:
            x["broken"] = 1
            return
        depth, change = x["depth_left"], x["change"]
        if change == 1 and depth < longest:
            x["depth"] = depth + 1
        elif change == 2 and depth > 0:
            x["depth"] = depth - 1
        elif change:
            x["broken"] = 1
        elif x["end"] and depth == 0:
            x["balanced"] = 1

    return Program(
        "brackets",
        alphabet=("(", ")"),
        variables=variables,
        heads=heads,
        rules=trace(step, variables, heads).rules,
        outputs=("balanced",),
        layers=lambda length: length + 1,
        before=("START",),
        after=("END",),
        longest=longest,
    )


def share() -> Program:
    """Return the program that gives the share of ones, a fraction, at every position: one average, one layer."""
    variables = (
        binary("bit", {"0": 1, "1": 1}),
        numeric("one", {"1": 1}),
        numeric("share"),
    )
    return Program(
        "share",
        alphabet=("0", "1"),
        variables=variables,
        heads=(Average("mean", "one", key="bit"),),
        rules=(),
        copies=(Copy("share", "mean"),),
        outputs=("share",),
        layers=lambda _length: 1,
        before=("START",),
    )
