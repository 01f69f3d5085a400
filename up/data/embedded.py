"""The two corpora that every Python brings along: `stdlib`, its library's sources, and `pydoc`, its language reference.

Limits: their bytes depend on the version of Python.
"""

import platform
import sysconfig
from pathlib import Path

from theory.words import number_of
from up.data.folders import in_hashed_order, join, read_file, walk
from up.errors import InputError

EMBEDDED_CORPORA = ("stdlib", "pydoc")

# Folders of the standard library's directory that are not its sources: installed packages, tests (text made up to be
# parsed), the other corpus.
_NOT_STDLIB = {"site-packages", "dist-packages", "test", "tests", "idle_test", "pydoc_data", "__pycache__"}
# Generated when Python is built; it holds that machine's paths and compiler flags.
_GENERATED = "_sysconfigdata"


def embedded_text(name: str) -> tuple[bytes, str]:
    """Return the bytes of an embedded corpus, and where they come from in words.

    Raises:
        InputError: this Python was installed without them.

    """
    return _stdlib() if name == "stdlib" else _pydoc()


def _stdlib() -> tuple[bytes, str]:
    root = Path(sysconfig.get_path("stdlib"))
    files = [file for file in walk(root, skip=_NOT_STDLIB) if file.suffix == ".py"]
    files = in_hashed_order(root, (file for file in files if not file.name.startswith(_GENERATED)))
    source = f"{number_of(len(files), 'file')} of Python {platform.python_version()}'s standard library"
    return join(map(read_file, files)), source


def _pydoc() -> tuple[bytes, str]:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise InputError(
            "this Python was installed without pydoc_data", remedy="use stdlib or the path of a text"
        ) from None
    texts = [topics[topic] for topic in sorted(topics) if isinstance(topics[topic], str)]
    source = f"{number_of(len(texts), 'topic')} of Python {platform.python_version()}'s language reference"
    return join(text.encode() for text in texts), source
