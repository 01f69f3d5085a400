"""Whether the number of ones is odd: the running parity walks from the right end to the left, a position per layer.

Source: Shaw et al. 2025 (arXiv 2509.22445), C.1, where the answer stands at the left end, too.
"""

from typing import Any

from up.compiler.language import Program, Relative, binary
from up.compiler.tracing import trace


def parity() -> Program:
    """Return the program; the answer is `parity` at position 0."""
    variables = (binary("bit", {"1": 1}), binary("known", {"END": 1}), binary("parity"))
    heads = (Relative("known_right", "known", 1), Relative("parity_right", "parity", 1))
    return Program(
        "parity",
        alphabet=("0", "1"),
        variables=variables,
        heads=heads,
        rules=trace(_step, variables, heads).rules,
        outputs=("parity",),
        layers=lambda length: length + 1,
        before=("START",),
        after=("END",),
    )


def _step(x: Any) -> None:
    if not x["known"] and x["known_right"]:
        x["known"] = 1
        x["parity"] = x["parity_right"] ^ x["bit"]
