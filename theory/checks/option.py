"""What can be set for a check: name, type, default, limit and a line of help, from which its command is made."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Option:
    """Something that can be set.

    Attributes:
        name: of the function's parameter.
        help: what it is, in a line.
        default: its value; None stands for that of the check or of the class.
        kind: its type.
        flag: of the command, where it is not the name.
        metavar: what help calls the value, where the type does not say enough.
        most: the largest value, far beyond what is done in minutes: a slip of the keyboard should not fill the memory.

    """

    name: str
    help: str
    default: int | str | None = None
    kind: type = int
    flag: str = ""
    metavar: str | None = None
    most: int | None = None


MAX_LENGTH = Option(name="max_length", most=20, metavar="BITS", help="Strings and conditions of up to so many bits.")
CLASS_OPTIONS = (
    Option(
        name="class_name",
        kind=str,
        flag="--class",
        metavar="NAME",
        help="Model class: see up theory list; or path/to/file.py:NAME.",
    ),
    MAX_LENGTH,
    Option(name="time", most=100_000, help="Bound on the steps of each run."),
    Option(name="space", most=100_000, help="Bound on the cells of each run."),
)
"""What can be set for every check that goes through a model class."""
