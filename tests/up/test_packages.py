"""A package that is absent, or that fails in any way when it is imported, is one line that names it."""

import os
import sys

import pytest

from up.errors import InputError
from up.packages import import_optional, why_broken

USE = {"package": "lamp", "extra": "light", "use": "reading at night"}


@pytest.fixture
def lamp(tmp_path, monkeypatch):
    """Write the text of a package `lamp`, which can then be imported."""

    def write(text: str) -> None:
        (tmp_path / "lamp.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        monkeypatch.delitem(sys.modules, "lamp", raising=False)

    yield write
    sys.modules.pop("lamp", None)


def test_an_absent_one_is_told_with_the_extra_that_brings_it():
    with pytest.raises(InputError) as caught:
        import_optional("lamp", **USE)
    line = "reading at night needs the package lamp: pip install 'universal-pretraining[light]'"
    assert str(caught.value) == line


@pytest.mark.parametrize(
    "text",
    [
        "raise TypeError('descriptors cannot be\\ncreated directly')",
        "raise AttributeError('no attribute')",
        "raise SystemError('initialization failed')",
        "raise SystemExit(3)",
        "import no_such_package",
        "def (",
    ],
)
def test_a_broken_one_is_told_with_what_it_raises(lamp, text):
    lamp(text)
    with pytest.raises(InputError) as caught:
        import_optional("lamp", **USE)
    line = str(caught.value)
    assert line.startswith("reading at night needs the package lamp, which is installed and cannot be imported (")
    assert "\n" not in line
    assert "pip install" not in line
    assert why_broken("lamp") in line


def test_a_good_one_is_imported_without_the_backend_of_a_notebook(lamp, monkeypatch):
    lamp("import os\nfound = os.environ.get('MPLBACKEND')")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    assert import_optional("lamp", **USE).found is None
    assert os.environ["MPLBACKEND"] == "module://matplotlib_inline.backend_inline"
    assert why_broken("lamp") is None
