"""Counts, names and docstrings as words to show: plurals, names that are no text, and what a function says of itself.

On disk a name is bytes. Python reads those that are no text in the locale as lone surrogates (PEP 383), with which the
file is found, but which can be written nowhere: not to a terminal, an SVG file, or an event of TensorBoard.
"""

import os
from typing import Any


def number_of(number: int, noun: str) -> str:
    """Return a number with its noun in the form that it asks for.

    >>> number_of(1, "instance"), number_of(1_000, "instance"), number_of(0, "byte")
    ('1 instance', '1,000 instances', '0 bytes')
    """
    return f"{number:,} {noun if number == 1 else f'{noun}s'}"


def readable(text: str) -> str:
    r"""Return a text in which names that are no text can be read: bytes that are UTF-8 as such, others escaped.

    >>> readable("runs/bad\udcff"), readable("runs/\udcc3\udca9t\udcc3\udca9"), readable("runs/été")
    ('runs/bad\\xff', 'runs/été', 'runs/été')
    """
    return _bytes(text).decode("utf-8", "backslashreplace")


def visible(text: str) -> str:
    r"""Return a text that obeys nothing where it is shown: control characters in it can be read, as escapes.

    >>> visible("a\x1b[2J\nb")
    'a\\x1b[2J\\nb'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in readable(text))


def findable(name: str) -> str:
    r"""Return a name, which may have been written down in another locale, as this process finds the file."""
    return os.fsdecode(_bytes(name))


def docstring_of(owner: Any) -> str:
    """Return what a module or function says of itself, without its indentation; empty if it says nothing.

    Under `python -OO`, which leaves docstrings out, it is read from the source.
    """
    import ast
    import inspect
    import textwrap

    if owner.__doc__ is not None:
        return inspect.cleandoc(owner.__doc__)
    try:
        parsed = ast.parse(textwrap.dedent(inspect.getsource(owner)))
    except (OSError, SyntaxError, TypeError):  # there is no source
        return ""
    return ast.get_docstring(parsed if inspect.ismodule(owner) else parsed.body[0]) or ""  # pyright: ignore


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates, which are no name's
        return text.encode("utf-8", "backslashreplace")
