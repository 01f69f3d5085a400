"""What is drawn of runs: at any width, in colour and without, and in files; the numbers are those of the metrics."""

import io
import itertools
import re
import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from cli.render import figures
from cli.render.charts import Chart, ChartGrid, DepthChart, nice_ticks, schedules_view
from cli.render.comparison import ComparisonPage
from cli.render.figures import require_figure_file, write_figure
from cli.render.panels import Curve, Level, Panel, compact
from cli.render.run_panels import bits_panels, depth_bars, loss_panel, run_panels, schedule_panels
from cli.render.runs import RunPage, RunsTable, moment
from tests.up.training.cases import small_config
from tests.up.training.test_overview import a_row, a_step
from theory.iteration import depth_distributions
from up.errors import InputError
from up.sources.buffer import BufferConfig
from up.training.comparison import compare_bits, settings_that_differ
from up.training.metrics import EvaluationRecord, History, TimingRecord
from up.training.overview import RunOverview
from up.training.schedule import ScheduleCurves, schedule_curves

WIDTHS = st.integers(40, 200)
PNG_START = b"\x89PNG"


def drawn(*renderables, width=80, colour=None):
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour is not None, color_system=colour, _environ={}
    )
    for renderable in renderables:
        console.print(renderable)
    return console.file.getvalue()


def a_panel(y, x=None, **changes):
    x = tuple(range(1, len(y) + 1)) if x is None else x
    values = {"title": "Loss", "unit": "bits", "curves": (Curve(name="loss", x=x, y=tuple(y)),), "until": x[-1]}
    return Panel(**{**values, **changes})


def canvas_of(page):
    """The rows of a chart between its axes, from the top, without the labels."""
    return [re.split("[┤│]", line, maxsplit=1)[1] for line in page.splitlines() if re.match(r" *[-\d.eKMB]*[┤│]", line)]


def a_history(*, losses=(8.0, 7.0, 6.0), bits=((8, 7.5), (24, 6.5)), data=("stdlib", "pydoc"), batch=8):
    return History(
        progress=tuple(a_step(batch * (i + 1), loss_bits=loss) for i, loss in enumerate(losses)),
        evaluations=tuple(
            EvaluationRecord(instances=at, rows=tuple(a_row(name, tail_bits=value) for name in data))
            for at, value in bits
        ),
        timings=tuple(
            TimingRecord(instances=batch * (i + 1), instances_per_second=20.0 + i, source_share=0.25, elapsed_seconds=i)
            for i in range(len(losses))
        ),
    )


CURVES = ScheduleCurves(
    instances=(0, 8, 16, 63),
    learning_rate=(0.001, 0.002, 0.0015, 0.001),
    batch=(8, 8, 8, 8),
    enabled_blocks=(8, 8, 16, 16),
)


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

    def test_a_moment_is_told_in_utc(self):
        assert moment("2026-11-02T01:30:00+02:00") == "2026-11-01 23:30 UTC"


class TestPanels:
    @given(st.lists(st.floats(0, 20), min_size=1, max_size=400), st.integers(2, 50))
    def test_a_thinned_curve_keeps_the_mean_and_says_what_a_point_is(self, losses, points):
        panel = loss_panel({"loss": a_history(losses=losses)}, points=points)
        assert panel is not None
        (curve,) = panel.curves
        assert len(curve.x) == len(curve.y) <= points
        each = -(-len(losses) // points)
        assert panel.note == (f"each point is the mean of up to {each} steps" if each > 1 else "")
        sizes = [min(each, len(losses) - start) for start in range(0, len(losses), each)]
        weighted = sum(size * y for size, y in zip(sizes, curve.y, strict=True))
        assert weighted == pytest.approx(sum(losses))
        assert panel.until == 8 * len(losses)

    def test_runs_in_one_panel_are_thinned_alike(self):
        runs = {"short": a_history(losses=[8.0] * 10), "long": a_history(losses=[8.0] * 100)}
        panel = loss_panel(runs, points=50)
        assert panel is not None
        assert [len(curve.x) for curve in panel.curves] == [5, 50]
        assert panel.note == "each point is the mean of up to 2 steps"

    def test_steps_without_a_finite_loss_are_left_out_and_counted(self):
        panel = loss_panel({"loss": a_history(losses=[8.0, None, 6.0])}, points=50)
        assert panel is not None
        assert panel.curves[0].y == (8.0, 6.0)
        assert panel.note == "steps left out, without a finite loss: 1"
        assert loss_panel({"loss": a_history(losses=[None])}, points=50) is None

    def test_each_data_set_has_its_bits_with_errors_and_the_markov_model_as_a_level(self):
        stdlib, pydoc = bits_panels({"model": a_history().evaluations}, points=50)
        assert (stdlib.title, pydoc.title) == ("stdlib", "pydoc")
        assert stdlib.curves == (Curve(name="model", x=(8, 24), y=(7.5, 6.5), errors=(0.03, 0.03)),)
        assert stdlib.levels == (Level(name="Markov, order 1", value=5.0),)
        assert stdlib.unit == "bits per character, last 8"

    def test_runs_with_different_markov_models_have_no_common_level(self):
        one, other = ((EvaluationRecord(instances=8, rows=(a_row(markov_tail_bits=bits),)),) for bits in (5.0, 5.5))
        (panel,) = bits_panels({"one": one, "other": other}, points=50)
        assert panel.levels == ()
        assert [curve.name for curve in panel.curves] == ["one", "other"]

    def test_throughput_is_in_instances_a_second_and_the_share_of_the_source_in_percent(self):
        shown = run_panels(a_history(), CURVES, BufferConfig(), points=50)
        speed, source = shown.throughput
        assert (speed.unit, speed.curves[0].x, speed.curves[0].y) == ("instances/s", (8, 16, 24), (20.0, 21.0, 22.0))
        assert (source.unit, source.curves[0].y) == ("% of the training time", (25.0, 25.0, 25.0))

    def test_the_run_is_marked_on_its_schedules_until_it_is_complete(self):
        assert {panel.now for panel in schedule_panels(CURVES, now=16)} == {16}
        assert {panel.now for panel in schedule_panels(CURVES, now=64)} == {None}

    def test_a_schedule_that_never_changes_is_a_sentence_and_so_is_a_single_measurement(self):
        rate, batch, blocks = schedule_panels(CURVES)
        assert (rate.statement, batch.statement, blocks.statement) == (None, "8 instances a step throughout", None)
        assert a_panel([6.5], x=(8,)).statement == "6.5 bits after 8 instances, the only one so far"
        assert a_panel([6.5, 6.5]).statement is None

    def test_depths_stand_beside_the_distribution_that_they_settle_at(self):
        buffer = BufferConfig(source_batch=8, capacity_multiple=20, reset_constant=1, reset_noise=1)
        bars = depth_bars(a_step(8, depth_histogram=(80, 60, 20)), buffer)
        assert bars.shares == (0.5, 0.375, 0.125)
        assert bars.stationary == (0.25, 0.1875, 0.140625)
        assert (bars.mean, bars.stationary_mean, bars.rows) == (0.625, 3.0, 160)
        assert bars.labels == ("0", "1", "2")

    def test_the_deepest_rows_share_a_bar_on_both_sides(self):
        buffer = BufferConfig(source_batch=4, capacity_multiple=2, reset_constant=1, reset_noise=1)
        bars = depth_bars(a_step(8, depth_histogram=(10,) * 20), buffer)
        assert bars.labels[-2:] == ("11", "12+")
        assert bars.shares[-1] == 8 / 20
        assert sum(bars.shares) == pytest.approx(1)
        distributions = depth_distributions(buffer_rows=8, source_batch=4, reset_rows=2)
        settled = next(each for batch, each in enumerate(distributions) if batch == 200)
        assert bars.stationary is not None
        assert bars.stationary[-1] == pytest.approx(float(sum(settled[12:], Fraction(0))))
        assert sum(bars.stationary) == pytest.approx(1)

    def test_without_resets_nothing_is_stationary(self):
        bars = depth_bars(a_step(8), BufferConfig(reset_constant=0, reset_noise=0))
        assert (bars.stationary, bars.stationary_mean) == (None, None)
        assert "without resets the depth grows on" in drawn(DepthChart(bars))


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
        page = drawn(DepthChart(depth_bars(a_step(8, depth_histogram=(40, 80, 40)), buffer)))
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


def an_overview(**changes):
    values = {
        "path": "runs/tiny", "state": "stopped", "arch": "modern", "width": 128, "depth": 4, "seed": 7,
        "instances": 6_400, "instances_saved": 6_000, "total_instances": 12_000_000, "loss_bits": 6.25,
        "skipped_steps": 0, "evaluated_at": 6_000, "rows": (a_row(), a_row("pydoc", tail_bits=5.5)),
        "started": "2026-11-02T14:03:22+00:00",
    }  # fmt: skip
    values = {**values, **changes}
    return RunOverview(**{**values, "path": figures.Path(values["path"])})


BROKEN = RunOverview(
    path=figures.Path("runs/half"), state="broken", problem="cannot read config.json: restore the file"
)


class TestList:
    def test_a_run_takes_two_lines_with_its_figures_and_its_model(self):
        lines = [line.rstrip() for line in drawn(RunsTable([an_overview(), BROKEN])).splitlines()]
        assert lines[:5] == [
            "run   state    instances   loss  stdlib  pydoc",
            "tiny  stopped   6.4K/12M  6.250   6.000  5.500",
            "  modern, width 128, depth 4, seed 7; started 2026-11-02 14:03 UTC",
            "half  broken",
            "  cannot read config.json: restore the file",
        ]

    def test_skipped_steps_are_said_where_there_are_any(self):
        assert "3 steps skipped" in drawn(RunsTable([an_overview(skipped_steps=3)]), width=100)
        assert "skipped" not in drawn(RunsTable([an_overview()]))

    @given(WIDTHS, st.integers(1, 12), st.integers(1, 60))
    def test_it_fits_any_width_and_no_number_is_lost(self, width, data_sets, name_length):
        rows = tuple(a_row(f"data/{i}/text.txt", tail_bits=1 + i / 8) for i in range(data_sets))
        runs = [an_overview(path="runs/" + "x" * name_length + "end", rows=rows), BROKEN]
        page = drawn(RunsTable(runs), width=width)
        assert all(cell_len(line) <= width for line in page.splitlines())
        assert all(f"{row.tail_bits:.3f}" in page for row in rows)
        assert "end " in page


PROVENANCE = [
    {
        "started": "2026-11-02T14:03:22+00:00", "instances": 0, "command": ["/a/bin/up", "train", "--out", "my runs/x"],
        "commit": "0123456789abcdef", "commit_dirty": False, "device": "cpu", "device_description": "AVX2",
        "threads": 2, "platform": "Linux", "python": "3.11.7", "versions": {"up": "0.1.0", "torch": "2.13.0"},
        "seeds": {"run": 7},
    },
    {
        "started": "2026-11-03T09:00:00+00:00", "instances": 3200, "command": ["up", "train", "--resume"],
        "commit": "fedcba9876543210", "commit_dirty": True, "device": "cpu", "device_description": "AVX2",
        "threads": 2, "platform": "Linux", "python": "3.11.7", "versions": {"up": "0.1.0", "torch": "2.13.0"},
        "seeds": {"run": 7},
    },
]  # fmt: skip


def a_page(history=None, provenance=PROVENANCE, **changes):
    config = small_config()
    shown = run_panels(history or a_history(), CURVES, config.buffer, points=100)
    return RunPage(overview=an_overview(**changes), config=config, provenance=provenance, panels=shown)


class TestPages:
    def test_a_page_says_where_the_run_comes_from(self):
        page = drawn(a_page())
        assert page.splitlines()[0] == "runs/tiny  stopped, 6,400 of 12,000,000 instances, 6,000 of them saved"
        for said in (
            "cpu (AVX2), 2 threads\n",
            "up 0.1.0, torch 2.13.0, Python 3.11.7\n",
            "0123456789; then fedcba9876 with uncommitted changes\n",
            "2026-11-02 14:03 UTC at 0 instances: up train --out 'my runs/x'\n",
            "2026-11-03 09:00 UTC at 3,200 instances: up train --resume\n",
            "6.250 bits per character at the latest step\n",
        ):
            assert said in re.sub(" +\n", "\n", page)
        assert "skipped" not in page
        assert "3 steps whose loss or gradient" in drawn(a_page(skipped_steps=3))

    def test_a_page_draws_everything_that_was_measured(self):
        page = drawn(a_page())
        for title in (
            "Loss  bits",
            "stdlib  bits",
            "pydoc  bits",
            "Learning rate",
            "Throughput",
            "Source",
            "Buffer depth",
        ):
            assert title in page
        assert "nothing trained yet" not in page

    def test_a_run_that_has_not_trained_has_its_header_and_schedules(self):
        nothing = History(progress=(), evaluations=(), timings=())
        page = drawn(a_page(nothing, loss_bits=None, rows=(), instances=0, instances_saved=0))
        assert "nothing trained yet" in page
        assert "Learning rate" in page
        assert "Throughput" not in page

    @pytest.mark.parametrize(
        "provenance", [[], [{}], [{"started": 3, "instances": "x", "command": "up", "versions": []}]]
    )
    def test_provenance_that_is_missing_or_strange_does_not_hide_the_run(self, provenance):
        page = drawn(a_page(provenance=provenance))
        assert "seed" in page
        assert "Loss" in page

    @settings(max_examples=15)
    @given(WIDTHS)
    def test_pages_fit_any_width(self, width):
        pages = drawn(a_page(), a_comparison(), width=width)
        assert all(cell_len(line) <= width for line in pages.splitlines())

    def test_a_comparison_names_what_differs_with_both_values_and_the_difference_of_the_bits(self):
        page = re.sub(" +\n", "\n", drawn(a_comparison()))
        assert page.startswith("A runs/one  stopped")
        assert re.search(r"seed +1 +2\n", page)
        assert re.search(r"model\.width +16 +32\n", page)
        assert "model.depth" not in page
        assert re.search(r"B +6,000 +5\.750 ± 0\.040 +-0\.250 ± 0\.050\n", page)
        assert re.search(r"A +6,000 +6\.000 ± 0\.030\n", page)
        assert "too large if both saw the same slices" in page
        assert "no difference" not in page
        assert "A one   B two" in page

    def test_a_comparison_says_why_there_is_no_difference(self):
        page = drawn(a_comparison(source="another text"))
        assert "no difference: A lacks the data set" in page
        assert "too large if both" not in page

    def test_runs_with_the_same_settings_and_no_evaluation_are_said_to_be_so(self):
        runs = [an_overview(rows=(), evaluated_at=None)] * 2
        page = drawn(ComparisonPage(runs=runs, settings=(), bits=(), panels=()))
        assert "All settings are the same" in page
        assert "no evaluation yet" in page


def a_comparison(**changes):
    rows = (a_row(tail_stderr=0.03),), (a_row(tail_bits=5.75, tail_stderr=0.04, **changes),)
    runs = [an_overview(path=f"runs/{name}", rows=each) for name, each in zip(("one", "two"), rows, strict=True)]
    histories = {"one": a_history(), "two": a_history(losses=(8.0, 6.5, 5.0))}
    loss = loss_panel(histories, points=100)
    assert loss is not None
    configs = [small_config("seed=1"), small_config("seed=2", "model.width=32", "source.hidden_size=4")]
    return ComparisonPage(runs=runs, settings=settings_that_differ(configs), bits=compare_bits(rows), panels=[loss])


class TestFigures:
    def all_panels(self):
        shown = run_panels(a_history(), CURVES, BufferConfig(), points=100)
        assert shown.loss is not None
        return [shown.loss, *shown.bits, *shown.schedules, *shown.throughput], shown.depths

    def test_an_svg_holds_every_panel_and_the_same_metrics_give_the_same_bytes(self, tmp_path, monkeypatch):
        monkeypatch.setitem(figures._STYLE, "svg.fonttype", "none")  # letters as text, to be read here
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

    def test_a_png_replaces_an_older_one(self, tmp_path):
        drawn_panels, depths = self.all_panels()
        path = tmp_path / "charts.PNG"
        path.write_text("old")
        write_figure(path, "runs/tiny", drawn_panels, depths)
        assert path.read_bytes().startswith(PNG_START)

    def test_what_fails_while_writing_leaves_the_older_file_and_nothing_else(self, tmp_path, monkeypatch):
        from matplotlib.figure import Figure

        def fail(_self, path, **_):
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Figure, "savefig", fail)
        path = tmp_path / "charts.svg"
        path.write_text("old")
        with pytest.raises(InputError, match="cannot write the figure") as caught:
            write_figure(path, "runs/tiny", *self.all_panels())
        assert str(path) in str(caught.value)
        assert path.read_text() == "old"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_figure_of_a_run_that_has_not_trained_has_its_schedules(self, tmp_path):
        nothing = run_panels(History(progress=(), evaluations=(), timings=()), CURVES, BufferConfig(), points=100)
        write_figure(tmp_path / "charts.svg", "runs/new", nothing.schedules)
        assert (tmp_path / "charts.svg").stat().st_size > 1_000

    def test_without_matplotlib_the_remedy_is_the_extra(self, tmp_path, monkeypatch):
        require_figure_file(tmp_path / "charts.svg", ".svg")
        monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
        with pytest.raises(InputError, match=re.escape("pip install 'universal-pretraining[plots]'")):
            require_figure_file(tmp_path / "charts.svg", ".svg")
