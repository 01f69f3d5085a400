"""Copy and reverse: a conveyor belt of relative heads, and a match of places counted from both ends."""

from typing import Any

from up.compiler.language import Match, Program, Relative, binary, categorical
from up.compiler.tracing import trace

BLANK = 2
_SYMBOLS = {"0": 0, "1": 1}


def copy() -> Program:
    """Return the program that copies a word into as many free places `_` behind it.

    In each layer everything moves one place to the right; as many layers as the word is long put it where it belongs.
    """
    variables = (categorical("belt", 3, _SYMBOLS, BLANK), binary("start", {"START": 1}))
    heads = (Relative("belt_left", "belt", -1),)

    def step(x: Any) -> None:
        if not x["start"]:
            x["belt"] = x["belt_left"]

    return Program(
        "copy",
        alphabet=("0", "1", "_"),
        variables=variables,
        heads=heads,
        rules=trace(step, variables, heads).rules,
        outputs=("belt",),
        layers=lambda length: length // 2,
        before=("START",),
    )


def reverse(longest: int = 8) -> Program:
    """Return the program that reverses a word of at most so many symbols.

    Every position learns its place from the left and from the right, counted by two waves, and then reads the symbol
    whose place from the right is its own from the left.
    """
    places = longest + 2
    variables = (
        categorical("symbol", 3, _SYMBOLS, BLANK),
        categorical("reversed", 3, {}, BLANK),
        categorical("from_left", places),
        categorical("from_right", places),
        binary("start", {"START": 1}),
        binary("end", {"END": 1}),
    )
    heads = (
        Relative("left_of_it", "from_left", -1),
        Relative("right_of_it", "from_right", 1),
        Relative("start_left", "start", -1),
        Relative("end_right", "end", 1),
        Match("mirrored", "symbol", key="from_right", query="from_left"),
    )

    def step(x: Any) -> None:
        if x["start"] or x["end"]:
            return
        place = x["from_left"]
        if place:
            x["reversed"] = x["mirrored"]
        elif x["start_left"]:
            x["from_left"] = 1
        else:
            left = x["left_of_it"]
            if 0 < left < places - 1:
                x["from_left"] = left + 1

    def count_back(x: Any) -> None:
        if x["start"] or x["end"] or x["from_right"]:
            return
        if x["end_right"]:
            x["from_right"] = 1
        else:
            right = x["right_of_it"]
            if 0 < right < places - 1:
                x["from_right"] = right + 1

    return Program(
        "reverse",
        alphabet=("0", "1"),
        variables=variables,
        heads=heads,
        rules=(*trace(step, variables, heads).rules, *trace(count_back, variables, heads).rules),
        outputs=("reversed",),
        layers=lambda length: length + 1,
        before=("START",),
        after=("END",),
        longest=longest,
    )
