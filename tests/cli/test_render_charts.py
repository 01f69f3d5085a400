"""Charts in the terminal: at any width, in colour and without; ticks and short numbers."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.render.charts import Chart, ChartGrid, DepthChart, nice_ticks, schedules_view
from cli.render.panels import Curve, Level, Panel, compact
from cli.render.run_panels import depth_bars
from tests.cli.drawing import WIDTHS, drawn
from tests.cli.run_cases import CURVES, a_panel
from tests.up.runs.cases import small_config
from tests.up.runs.test_overview import a_step
from up.sources.buffer import BufferConfig
from up.training.schedule import schedule_curves


def canvas_of(page):
    """The rows of a chart between its axes, from the top, without the labels."""
    return [re.split("[┤│]", line, maxsplit=1)[1] for line in page.splitlines() if re.match(r" *[-\d.eKMB]*[┤│]", line)]


class TestNumbers:
    @given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e9), st.sampled_from([(2, 3), (2, 3, 4, 6), (1, 2)]))
    def test_ticks_enclose_the_values_in_even_steps_of_1_2_or_5(self, lowest, span, counts):
        highest = lowest + span
        ticks = nice_ticks(lowest, highest, counts)
        assert len(ticks) - 1 in counts
        assert ticks[0] <= lowest + 1e-6 * span
        assert ticks[-1] >= highest - 1e-6 * span
        step = ticks[1] - ticks[0]
        assert all(abs(b - a - step) <= 1e-6 * step for a, b in itertools.pairwise(ticks))
        assert f"{step:.4e}"[0] in "125"
        assert f"{step:.4e}"[1:6] == ".0000"

    def test_values_that_are_all_the_same_have_ticks_around_them(self):
        assert nice_ticks(8.0, 8.0, (2, 3, 4, 6)) == pytest.approx([7.6, 7.8, 8.0, 8.2, 8.4])
        assert nice_ticks(0.0, 0.0, (2, 3)) == [-1.0, 0.0, 1.0]

    @given(st.floats(1e-9, 1e12))
    def test_a_short_number_read_back_is_the_number_to_three_digits(self, value):
        said = compact(value)
        assert len(said) <= 8
        units = {"K": 1e3, "M": 1e6, "B": 1e9}
        read = float(said[:-1]) * units[said[-1]] if said[-1] in units else float(said)
        assert abs(read - value) <= 0.006 * value


@st.composite
def panels(draw):
    counts = draw(st.lists(st.integers(1, 60), min_size=1, max_size=4))
    curves = []
    for number, count in enumerate(counts):
        steps = draw(st.lists(st.integers(1, 100_000), min_size=count, max_size=count))
        x = tuple(float(sum(steps[: i + 1])) for i in range(count))
        y = tuple(draw(st.lists(st.floats(0, 1e5), min_size=count, max_size=count)))
        curves.append(Curve(name=f"run {number}", x=x, y=y))
    until = max(curve.x[-1] for curve in curves)
    return Panel(
        title="stdlib",
        unit="bits per character, last 64",
        curves=tuple(curves),
        until=until,
        levels=tuple(
            Level(name="Markov, order 2", value=value) for value in draw(st.lists(st.floats(0, 10), max_size=1))
        ),
        now=draw(st.none() | st.integers(1, int(until))),
        from_zero=draw(st.booleans()),
        marked=draw(st.booleans()),
        note=draw(st.sampled_from(["", "each point is the mean of up to 12 steps"])),
    )


class TestCharts:
    @settings(max_examples=25)
    @given(panels(), WIDTHS, st.sampled_from([None, "256", "truecolor"]))
    def test_a_chart_fits_any_width_in_colour_and_without(self, panel, width, colour):
        page = re.sub(r"\x1b\[[\d;]*m", "", drawn(Chart(panel), ChartGrid([panel] * 3), width=width, colour=colour))
        assert all(cell_len(line) <= width for line in page.splitlines())
        assert "stdlib" in page
        if panel.statement is None:
            assert page.count("┤") >= 3
            for level in panel.levels:
                assert f"{level.value:.3f}" in page

    def test_a_falling_line_falls_and_its_axes_name_its_ends(self):
        page = drawn(Chart(a_panel([8.0, 2.0], x=(0, 1_200_000))), width=60)
        rows = canvas_of(page)
        left = [
            next(i for i, row in enumerate(rows) if column < len(row) and "⠀" < row[column] <= "⣿")
            for column in range(0, 50, 10)
        ]
        assert left == sorted(left)
        assert (left[0], len(rows)) == (0, 13)
        assert re.search(r"^ *8┤", page, re.MULTILINE)
        assert re.search(r"0 .*500K .*1M", page)

    def test_a_level_and_the_place_of_the_run_are_drawn_where_they_are(self):
        page = drawn(Chart(a_panel([0.0, 12.0], x=(0, 100), levels=(Level(name="Markov", value=6.0),), now=50)))
        rows = canvas_of(page)
        assert [i for i, row in enumerate(rows) if "╌" in row] == [6]
        columns = {row.index("│") for row in rows if "│" in row}
        assert len(columns) == 1
        assert abs(columns.pop() - len(rows[6]) / 2) <= 2
        assert "╌╌ Markov 6.000" in page
        assert "│ now, 50" in page

    def test_points_that_were_measured_are_marked(self):
        page = drawn(Chart(a_panel([8.0, 6.0, 5.0], marked=True)))
        assert page.count("●") == 3

    def test_runs_are_told_apart_without_colour(self):
        curves = tuple(
            Curve(name=name, x=(1, 100), y=(height, height)) for name, height in (("one", 1.0), ("two", 9.0))
        )
        page = drawn(Chart(Panel(title="Loss", unit="bits", curves=curves, until=100)))
        rows = canvas_of(page)
        lettered = {letter: {i for i, row in enumerate(rows) if letter in row} for letter in "AB"}
        assert "A one   B two" in page
        assert lettered["A"] > set() < lettered["B"]
        assert min(lettered["A"]) > max(lettered["B"])

    def test_one_chart_leaves_nothing_behind_for_the_next(self):
        panel = a_panel([8.0, 6.0, 7.0])
        alone = drawn(Chart(panel))
        drawn(Chart(a_panel([100.0, 3.0], levels=(Level(name="x", value=50.0),), now=1, marked=True)))
        assert drawn(Chart(panel)) == alone

    def test_the_size_of_the_real_terminal_is_not_asked(self, monkeypatch):
        page = drawn(Chart(a_panel([8.0, 6.0])), width=120)
        monkeypatch.setenv("COLUMNS", "20")
        monkeypatch.setenv("LINES", "5")
        assert drawn(Chart(a_panel([8.0, 6.0])), width=120) == page

    def test_without_colour_there_is_no_escape_sequence_and_with_it_the_characters_are_the_same(self):
        view = Chart(a_panel([8.0, 6.0], levels=(Level(name="Markov", value=7.0),)))
        plain, coloured = drawn(view), drawn(view, colour="truecolor")
        assert "\x1b" not in plain
        assert "\x1b[36m" in coloured
        assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain

    def test_panels_stand_side_by_side_in_80_columns_and_below_each_other_in_60(self):
        grid = ChartGrid([a_panel([8.0, 6.0]), a_panel([3.0, 2.0], title="Other")])
        wide, narrow = drawn(grid), drawn(grid, width=60)
        assert re.search("Loss.*Other", wide)
        assert not re.search("Loss.*Other", narrow)
        assert len(wide.splitlines()) < len(narrow.splitlines())

    def test_the_plan_shows_what_changes_as_charts_and_what_does_not_as_text(self):
        page = drawn(schedules_view(CURVES))
        assert re.search("Learning rate.*Enabled blocks", page)
        assert "Batch  8 instances a step throughout" in page
        assert max(map(len, page.splitlines())) <= 80

    def test_every_schedule_of_a_real_configuration_is_drawn(self):
        page = drawn(schedules_view(schedule_curves(small_config("training.warmup_instances=16"))))
        assert "Learning rate  at the base width" in page
        assert "┤" in page

    def test_depth_bars_are_to_scale_with_their_numbers(self):
        buffer = BufferConfig(source_batch=8, capacity_multiple=20, reset_constant=2, reset_noise=2)
        page = drawn(DepthChart(depth_bars(a_step(8, observations={"depth": (40, 80, 40)}), buffer)))
        lines = page.splitlines()[1:4]
        lengths = [line.count("█") + ("│" in line and "█│█" in line) for line in lines]
        assert lengths[1] in (2 * lengths[0], 2 * lengths[0] + 1, 2 * lengths[0] - 1)
        assert [re.findall(r"[\d.]+%", line) for line in lines] == [
            ["25.0%", "50.0%"],
            ["50.0%", "25.0%"],
            ["25.0%", "12.5%"],
        ]
        assert all(line.count("│") == 1 for line in lines)
        assert "mean 1.00, settles at 1.00" in page


def test_the_legend_has_the_height_of_a_level_itself_where_the_axis_is_logarithmic():
    panel = Panel(
        title="Bits",
        unit="bits",
        curves=(Curve(name="network", x=(0.0, 1.0), y=(2.0, 3.0)),),
        until=1.0,
        levels=(Level(name="paper", value=2.0),),
        log_y=True,
    )
    assert "paper 100.000" in drawn(Chart(panel), width=60)


@pytest.mark.parametrize("ends", [(-4.0, 4.0), (-1.4, 1.4), (-11.0, 21.0), (0.5, 1.0)])
@pytest.mark.parametrize("width", [30, 38, 80])
def test_an_axis_that_does_not_begin_at_0_names_two_places_at_least(ends, width):
    panel = Panel(title="t", unit="", curves=(Curve(name="a", x=ends, y=(0.0, 1.0)),), since=ends[0], until=ends[1])
    named = re.findall(r"-?[\d.]+", drawn(Chart(panel, 4), width=width).splitlines()[-2])
    assert len(named) >= 2
    assert [float(name) for name in named] == sorted(float(name) for name in named)
    assert all(ends[0] <= float(name) <= ends[1] for name in named)
