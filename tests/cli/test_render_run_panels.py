"""What the metrics of a run become before they are drawn: the numbers are those of the metrics."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render.charts import DepthChart
from cli.render.panels import Curve, Level
from cli.render.run_panels import bits_panels, depth_bars, loss_panel, run_panels, schedule_panels
from tests.cli.drawing import drawn
from tests.cli.run_cases import CURVES, a_history, a_panel
from tests.up.runs.test_overview import a_row, a_step
from theory.measures.buffer_depth import depth_distributions
from up.runs.events import Evaluated
from up.sources.buffer import BufferConfig


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

    def test_the_level_is_ppm_with_update_exclusion_where_it_was_measured(self):
        rows = (a_row(ppm_exclusion_tail_bits=2.5, ppm_exclusion_order=3),)
        (panel,) = bits_panels({"model": (Evaluated(instances=8, rows=rows),)}, points=50)
        assert panel.levels == (Level(name="PPM-D with update exclusion, order 3", value=2.5),)

    def test_runs_with_different_markov_models_have_no_common_level(self):
        one, other = ((Evaluated(instances=8, rows=(a_row(markov_tail_bits=bits),)),) for bits in (5.0, 5.5))
        (panel,) = bits_panels({"one": one, "other": other}, points=50)
        assert panel.levels == ()
        assert [curve.name for curve in panel.curves] == ["one", "other"]

    def test_a_curve_breaks_where_the_text_changes_and_two_texts_of_one_name_are_not_drawn_together(self):
        before, after = (a_row(sha256=digit * 64) for digit in "ab")
        run = [Evaluated(instances=8 * (i + 1), rows=(row,)) for i, row in enumerate((before, before, after))]
        panels = bits_panels({"one": run, "other": run[:1]}, points=50)
        assert [panel.title for panel in panels] == [f"stdlib, SHA-256 {'a' * 12}", f"stdlib, SHA-256 {'b' * 12}"]
        drawn_as = [[(curve.name, curve.x) for curve in panel.curves] for panel in panels]
        assert drawn_as == [[("one", (8, 16)), ("other", (8,))], [("one", (24,))]]

    def test_a_text_whose_digest_is_not_known_is_told_apart_by_what_it_is_made_of(self):
        rows = (a_row(source="the file x"), a_row(sha256="a" * 64))
        panels = bits_panels({"one": [Evaluated(instances=8, rows=rows)]}, points=50)
        assert [panel.title for panel in panels] == ["stdlib, the file x", f"stdlib, SHA-256 {'a' * 12}"]

    def test_one_text_under_two_names_is_one_panel(self):
        one, other = ([Evaluated(instances=8, rows=(a_row(name, sha256="a" * 64),))] for name in ("x", "there/x"))
        (panel,) = bits_panels({"one": one, "other": other}, points=50)
        assert (panel.title, [curve.name for curve in panel.curves]) == ("x", ["one", "other"])

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
        bars = depth_bars(a_step(8, observations={"depth": (80, 60, 20)}), buffer)
        assert bars.shares == (0.5, 0.375, 0.125)
        assert bars.stationary == (0.25, 0.1875, 0.140625)
        assert (bars.mean, bars.stationary_mean, bars.rows) == (0.625, 3.0, 160)
        assert bars.labels == ("0", "1", "2")

    def test_the_deepest_rows_share_a_bar_on_both_sides(self):
        buffer = BufferConfig(source_batch=4, capacity_multiple=2, reset_constant=1, reset_noise=1)
        bars = depth_bars(a_step(8, observations={"depth": (10,) * 20}), buffer)
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
