"""How the figures of this project look, and how matplotlib is asked to draw one.

Okabe and Ito's colours are told apart in every colour vision; lines also differ in their dashes and marks. The same
drawing gives the same bytes with the same version of matplotlib: its own defaults stand in for the settings of the user
(matplotlibrc, MPLBACKEND), which are for other figures. matplotlib is imported only when something is drawn, and draws
into memory: it opens no window and needs no display.
"""

import contextlib
import io
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from up.packages import import_optional

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
"""Okabe and Ito's, without yellow and black."""

DASHES = ("-", "--", "-.", ":")
MARKS = ("o", "s", "^", "D", "v", "P")

PNG_DOTS_PER_INCH = 200


class Ink(NamedTuple):
    """Colours of a page."""

    paper: str
    text: str
    quiet: str
    grid: str


LIGHT = Ink("white", "#222222", "#6b6b6b", "#e6e6e6")
DARK = Ink("#1e2129", "#e8e8e8", "#a9adb5", "#3a3f4b")


def compact(value: float) -> str:
    """Return a number for an axis: thousands as K, M and B, small ones with an exponent.

    >>> compact(1_200_000), compact(300_000), compact(0.5), compact(0), compact(3e-4)
    ('1.2M', '300K', '0.5', '0', '3e-4')
    """
    size = abs(value)
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    if 0 < size < 0.01:
        exponent = math.floor(math.log10(size) + 1e-9)
        return f"{value / 10**exponent:.3g}e{exponent}"
    return f"{value:.4g}"


@contextlib.contextmanager
def style(ink: Ink = LIGHT) -> Iterator[None]:
    """Draw in the style of this project meanwhile.

    Raises:
        InputError: matplotlib is absent, or cannot be imported.
    """
    mpl = matplotlib()
    with mpl.rc_context({**_defaults(mpl), **_settings(ink)}):
        yield


def matplotlib() -> Any:
    """Return matplotlib; raises `InputError` where it is absent, or cannot be imported."""
    import_optional("matplotlib.figure", package="matplotlib", use="drawing a figure")
    return sys.modules["matplotlib"]


def drawn(figure: "Figure", suffix: str) -> memoryview:
    """Return a figure as the content of a file, `.svg` or `.png`; call it within `style`."""
    content = io.BytesIO()
    if suffix == ".svg":
        figure.savefig(content, format="svg", metadata={"Date": None})
    else:
        figure.savefig(content, format="png", dpi=PNG_DOTS_PER_INCH)
    return content.getbuffer()


def _defaults(mpl: Any) -> dict[str, Any]:
    """Return the settings that matplotlib comes with, but for the backend, which is for windows and none of ours."""
    return {name: value for name, value in mpl.rcParamsDefault.items() if name not in ("backend", "backend_fallback")}


def _settings(ink: Ink) -> dict[str, Any]:
    return {
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
        "font.size": 8,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlecolor": ink.text,
        "axes.labelcolor": ink.text,
        "axes.edgecolor": ink.quiet,
        "axes.facecolor": ink.paper,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "figure.facecolor": ink.paper,
        "savefig.facecolor": ink.paper,
        "text.color": ink.text,
        "grid.color": ink.grid,
        "grid.linewidth": 0.6,
        "xtick.color": ink.quiet,
        "ytick.color": ink.quiet,
        "xtick.labelcolor": ink.text,
        "ytick.labelcolor": ink.text,
        "legend.frameon": False,
        "svg.hashsalt": "up",
        "text.parse_math": False,  # a name may hold a dollar sign
    }
