"""Charts in files: whole or absent, and the same bytes for the same metrics."""

import os
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cli.render.figures import require_figure_file, write_figure
from cli.render.run_panels import run_panels
from tests.cli.run_cases import CURVES, a_history
from theory.words import readable
from up import plotting
from up.errors import InputError
from up.runs.metrics import History
from up.sources.buffer import BufferConfig

PNG_START = b"\x89PNG"


class TestFigures:
    def all_panels(self):
        shown = run_panels(a_history(), CURVES, BufferConfig(), points=100)
        assert shown.loss is not None
        return [shown.loss, *shown.bits, *shown.schedules, *shown.throughput], shown.depths

    def test_an_svg_holds_every_panel_and_the_same_metrics_give_the_same_bytes(self, tmp_path, monkeypatch):
        settings = plotting._settings
        monkeypatch.setattr(
            plotting, "_settings", lambda ink: {**settings(ink), "svg.fonttype": "none"}
        )  # letters as text
        drawn_panels, depths = self.all_panels()
        for name in ("one.svg", "two.svg"):
            write_figure(tmp_path / name, "runs/tiny", drawn_panels, depths)
        assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
        tree = ElementTree.parse(tmp_path / "one.svg")
        words = {text for element in tree.iter() if (text := (element.text or "").strip())}
        titles = {"Loss", "stdlib", "pydoc", "Learning rate", "Enabled blocks", "Throughput", "Source", "Buffer depth"}
        assert titles <= words
        assert {"runs/tiny", "instances", "bits per character", "Markov, order 1: 5.000", "model"} <= words
        assert "Batch: 8 instances a step throughout." in words
        assert sorted(path.name for path in tmp_path.iterdir()) == ["one.svg", "two.svg"]

    @pytest.mark.parametrize("name", ["bad\udcff", "\udcc3\udca9", "costs $x^{$ and $\\nothing$"])
    def test_a_name_is_written_as_it_is_and_bytes_that_are_no_text_escaped(self, tmp_path, monkeypatch, name):
        settings = plotting._settings
        monkeypatch.setattr(plotting, "_settings", lambda ink: {**settings(ink), "svg.fonttype": "none"})
        shown = run_panels(a_history(data=(name,)), CURVES, BufferConfig(), points=100)
        write_figure(tmp_path / "charts.svg", name, shown.bits)
        words = [element.text for element in ElementTree.parse(tmp_path / "charts.svg").iter()]
        assert words.count(readable(name)) >= 2  # the figure's title and the panel's

    def test_a_png_replaces_an_older_one(self, tmp_path):
        drawn_panels, depths = self.all_panels()
        path = tmp_path / "charts.PNG"
        path.write_text("old")
        write_figure(path, "runs/tiny", drawn_panels, depths)
        assert path.read_bytes().startswith(PNG_START)

    def test_what_fails_while_writing_leaves_the_older_file_and_nothing_else(self, tmp_path, monkeypatch):
        def full(_descriptor):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        path = tmp_path / "charts.svg"
        path.write_text("old")
        with pytest.raises(InputError, match="cannot write the figure") as caught:
            write_figure(path, "runs/tiny", *self.all_panels())
        assert str(path) in str(caught.value)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("name", ["charts.svg", f"{'n' * 251}.png"])
    def test_a_figure_is_written_through_a_link_and_keeps_the_mode_of_what_it_replaces(self, tmp_path, name):
        target = tmp_path / "shared" / name
        target.parent.mkdir()
        target.write_text("old")
        target.chmod(0o604)
        (tmp_path / name).symlink_to(target)
        write_figure(tmp_path / name, "runs/tiny", *self.all_panels())
        assert (tmp_path / name).is_symlink()
        assert target.stat().st_size > 1_000
        assert stat.S_IMODE(target.stat().st_mode) == 0o604

    def test_a_figure_of_a_run_that_has_not_trained_has_its_schedules(self, tmp_path):
        nothing = run_panels(History(steps=(), evaluations=(), timings=()), CURVES, BufferConfig(), points=100)
        write_figure(tmp_path / "charts.svg", "runs/new", nothing.schedules)
        assert (tmp_path / "charts.svg").stat().st_size > 1_000

    def test_without_matplotlib_the_remedy_is_to_install_it(self, tmp_path, monkeypatch):
        require_figure_file(tmp_path / "charts.svg", ".svg")
        monkeypatch.setitem(sys.modules, "matplotlib", None)  # importing it then raises ModuleNotFoundError
        monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
        with pytest.raises(InputError, match="pip install matplotlib"):
            require_figure_file(tmp_path / "charts.svg", ".svg")


DRAW = """
import sys
from pathlib import Path
from cli.render.figures import write_figure
from tests.cli.test_render_figures import TestFigures
for name in ("charts.svg", "charts.png"):
    write_figure(Path(name), "runs/tiny", *TestFigures().all_panels())
"""
# What differs visibly from matplotlib's own defaults, and what would need programs that are not there.
SETTINGS = """
backend: module://nowhere
text.usetex: True
font.family: cursive
axes.prop_cycle: cycler("color", ["red"])
axes.xmargin: 0.4
lines.linewidth: 9
path.sketch: 1, 100, 2
legend.loc: lower left
figure.constrained_layout.h_pad: 1
savefig.bbox: tight
savefig.dpi: 10
savefig.transparent: True
svg.fonttype: none
"""


@pytest.mark.parametrize("name", ["MPLBACKEND", "MATPLOTLIBRC"])
def test_neither_the_backend_of_a_notebook_nor_the_settings_of_the_user_change_a_byte(name, tmp_path):
    (tmp_path / "settings").write_text(SETTINGS)
    value = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MATPLOTLIBRC": str(tmp_path / "settings")}[
        name
    ]
    drawn = []
    for folder, more in (("plain", {}), ("settled", {name: value})):
        (tmp_path / folder).mkdir()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MPL")}
        said = subprocess.run(
            [sys.executable, "-c", DRAW],
            cwd=tmp_path / folder,
            env={**environment, "PYTHONPATH": str(Path(__file__).parents[2]), **more},
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stderr
        drawn.append([(tmp_path / folder / f"charts.{kind}").read_bytes() for kind in ("svg", "png")])
    assert drawn[0] == drawn[1]
