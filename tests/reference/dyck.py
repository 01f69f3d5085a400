"""Balanced brackets with a stack, one token at a time."""

from collections.abc import Sequence


def brackets(wants_open: Sequence[bool], types: Sequence[int]) -> list[tuple[int, bool]]:
    """Return pairs (type, whether it closes), from what each token would do if it were free and the type it would have.

    >>> brackets([True, True, False, True], [3, 4, 0, 5])
    [(3, False), (4, False), (4, True), (3, True)]
    """
    stack: list[int] = []
    row = []
    for place, (wants, kind) in enumerate(zip(wants_open, types, strict=True)):
        remaining = len(wants_open) - place
        if not stack or (wants and remaining > len(stack) + 1):
            stack.append(kind)
            row.append((kind, False))
        else:
            row.append((stack.pop(), True))
    return row


def open_brackets(tokens: Sequence[int], closes: dict[int, int]) -> list[int]:
    """Return what is open at the end, where `closes` tells for a closing token what it closes; raises if they cross."""
    stack: list[int] = []
    for token in tokens:
        if token not in closes:
            stack.append(token)
        elif not stack or stack.pop() != closes[token]:
            raise ValueError(f"{token} closes nothing")
    return stack
