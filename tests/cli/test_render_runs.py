"""Pages of runs: the list, one run, and runs side by side, at any width."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from cli.render import figures
from cli.render.comparison import ComparisonPage
from cli.render.run_panels import loss_panel, run_panels
from cli.render.runs import RunPage, RunsTable, moment
from tests.cli.drawing import WIDTHS, drawn
from tests.cli.run_cases import CURVES, a_history
from tests.up.runs.cases import small_config
from tests.up.runs.test_overview import a_row
from up.runs.comparison import compare_bits, settings_that_differ
from up.runs.metrics import History
from up.runs.overview import RunOverview


def an_overview(**changes):
    values = {
        "path": "runs/tiny", "state": "stopped", "arch": "modern", "shape": "modern, width 128, 4 blocks", "seed": 7,
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
            "  modern, width 128, 4 blocks, seed 7; started 2026-11-02 14:03 UTC",
            "half  broken",
            "  cannot read config.json: restore the file",
        ]

    def test_skipped_steps_are_said_where_there_are_any(self):
        assert "3 steps skipped" in drawn(RunsTable([an_overview(skipped_steps=3)]), width=100)
        assert "skipped" not in drawn(RunsTable([an_overview()]))

    def test_a_column_with_two_texts_of_one_name_says_so(self):
        runs = [an_overview(rows=(a_row("x", sha256=digest), a_row("y"))) for digest in ("12ab", "34cd")]
        assert "not the same text in all runs, so do not compare: x\n" in re.sub(" +\n", "\n", drawn(RunsTable(runs)))
        assert "do not compare" not in drawn(RunsTable(runs[:1] * 2))

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
    def test_a_moment_is_told_in_utc(self):
        assert moment("2026-11-02T01:30:00+02:00") == "2026-11-01 23:30 UTC"

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

    def test_a_page_names_the_hardest_bar_that_was_measured(self):
        harder = a_row(ppm_exclusion_tail_bits=2.5, ppm_exclusion_order=3)
        assert "6,000 instances; PPM-D with update exclusion 2.500" in " ".join(drawn(a_page(rows=(harder,))).split())
        assert "6,000 instances; Markov 5.000" in " ".join(drawn(a_page(rows=(a_row(),))).split())

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
        nothing = History(steps=(), evaluations=(), timings=())
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

    def test_a_comparison_names_both_texts_that_are_called_alike(self):
        page = " ".join(drawn(a_comparison(sha256="12ab", size_bytes=7)).split())
        assert "not subtracted" not in page  # of the first run's text nothing is known
        both = (a_row(sha256="12ab", size_bytes=7),), (a_row(sha256="34cd", size_bytes=8),)
        runs = [an_overview(rows=rows) for rows in both]
        page = drawn(ComparisonPage(runs=runs, settings=(), bits=compare_bits(both), panels=()))
        said = "not subtracted: B has another text of the name stdlib than A (SHA-256 34cd and 12ab)"
        assert said in " ".join(page.split())
        assert "no difference" not in page

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
