"""Figures are values: they are overlaid panel by panel, and drawn the same for the same values."""

import xml.etree.ElementTree as ElementTree

import pytest

from up import plotting
from up.errors import InputError
from up.experiments.drawing import write_figures
from up.experiments.figure import Figure, Line, Panel, Series, overlay


def a_figure(*titles, y=(3.0, 2.0), line=8.0, **changes):
    panels = tuple(
        Panel(
            title=title,
            series=(Series(name="trained", x=(1.0, 10.0), y=y, spread=(0.1, 0.2)),),
            lines=(Line(name="uniform", value=line),),
        )
        for title in titles
    )
    values = {"name": "bits", "title": "Bits", "x_label": "instances", "y_label": "bits", "panels": panels}
    return Figure(**{**values, **changes})


class TestOverlay:
    def test_panels_of_one_title_have_the_series_of_both_and_a_common_line_once(self):
        both = overlay({"one": a_figure("dyck"), "two": a_figure("dyck", "toy")})
        assert [panel.title for panel in both.panels] == ["dyck", "toy"]
        assert [series.name for series in both.panels[0].series] == ["trained, one", "trained, two"]
        assert both.panels[0].lines == (Line(name="uniform", value=8.0),)
        assert [series.name for series in both.panels[1].series] == ["trained, two"]

    def test_lines_of_other_heights_say_whose_they_are(self):
        both = overlay({"one": a_figure("dyck"), "two": a_figure("dyck", line=7.0)})
        assert [line.name for line in both.panels[0].lines] == ["uniform, one", "uniform, two"]

    def test_one_figure_stays_as_it_is(self):
        assert overlay({"one": a_figure("dyck")}) == a_figure("dyck")

    @pytest.mark.parametrize("change", [{"x_label": "seconds"}, {"log_x": True}, {"categories": ("a", "b")}])
    def test_other_axes_are_refused(self, change):
        with pytest.raises(InputError, match="figure 'bits' of two has other axes than in one"):
            overlay({"one": a_figure("dyck"), "two": a_figure("dyck", **change)})


class TestDrawing:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"log_x": True, "log_y": True},
            {"categories": tuple(f"source {number}" for number in range(11))},
            {"title": "costs $x^{$ & <less>"},
        ],
    )
    def test_the_same_values_give_the_same_bytes_for_light_and_dark_pages(self, tmp_path, monkeypatch, changes):
        settings = plotting._settings
        monkeypatch.setattr(plotting, "_settings", lambda ink: {**settings(ink), "svg.fonttype": "none"})
        figure = a_figure(*(f"set {number}" for number in range(5)), **changes)
        first, second = (write_figures(tmp_path / name, [figure]) for name in ("one", "two"))
        assert [path.name for path in first] == ["bits.svg", "bits-dark.svg", "bits.png"]
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
        words = {(element.text or "").strip() for element in ElementTree.parse(first[0]).iter()}
        assert {figure.title, "set 0", "set 4", "instances", "trained", "uniform"} <= words
        light, dark = (path.read_text() for path in first[:2])
        assert plotting.DARK.paper in dark
        assert plotting.DARK.paper not in light

    def test_ticks_of_a_logarithmic_axis_are_short_numbers(self, tmp_path, monkeypatch):
        settings = plotting._settings
        monkeypatch.setattr(plotting, "_settings", lambda ink: {**settings(ink), "svg.fonttype": "none"})
        series = Series(name="trained", x=(100.0, 2_000_000.0), y=(3.0, 2.0))
        figure = a_figure("dyck", panels=(Panel(title="dyck", series=(series,)),), log_x=True)
        path = write_figures(tmp_path, [figure])[0]
        words = {(element.text or "").strip() for element in ElementTree.parse(path).iter()}
        assert {"100", "1K", "10K", "100K", "1M"} <= words
