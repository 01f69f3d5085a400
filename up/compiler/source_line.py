"""Where in the user's file something was written, so that what is refused can be shown."""

import linecache
import sys
from dataclasses import dataclass
from pathlib import Path

_ROOM = Path(__file__).parent
_OF_THE_LANGUAGE = {str(_ROOM / name) for name in ("language.py", "tracing.py", "source_line.py")} | {"<string>"}


@dataclass(frozen=True)
class SourceLine:
    """A line of a Python file; its text is read when it is asked for."""

    path: str
    number: int

    def __str__(self) -> str:
        text = linecache.getline(self.path, self.number).strip()
        return f"{Path(self.path).name} line {self.number}: {text}".rstrip(": ")


def calling_line() -> SourceLine:
    """Return the line, outside the language's own files, that is being executed."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename in _OF_THE_LANGUAGE and frame.f_back is not None:
        frame = frame.f_back
    return SourceLine(frame.f_code.co_filename, frame.f_lineno)
