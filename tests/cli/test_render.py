import dataclasses
import io
import itertools
import math
import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.console import Console

from cli.render.bars import BARS, bar, sparkline
from cli.render.enrichment import Heading, PassView, closing, what_was_seen
from cli.render.evaluation import EvaluationTable, evaluation_view, finding
from cli.render.predictability import RAMPS, legend, level, ramp_for, shaded_lines, visible
from tests.cli.drawing import WIDTHS, drawn
from up.evaluation.rows import EvaluationRow, PositionBits
from up.experiments.enrichment import Enrichment, EnrichmentConfig, EnrichmentPass
from up.sources.noise import NoiseSource
from up.sources.recurrent import RecurrentSource

BITS = st.floats(0, 30)
EVERY_RAMP = [*RAMPS.values(), None]


def a_pass(text="abcabc", markov_bits=1.0, **changes):
    values = {
        "entropy_bits": 2.0,
        "markov_order": 1,
        "markov_smoothing": 0.1,
        "zlib_bits": 3.0,
        "lzma_bits": 4.0,
        "distinct_symbols": 3,
        "character_bits": (markov_bits,) * len(text),
        "depth": 0,
    }
    return EnrichmentPass(text=text, markov_bits=markov_bits, **{**values, **changes})


def an_enrichment(*passes, conditional=True, alphabet_size=256):
    config = EnrichmentConfig(source=RecurrentSource() if conditional else NoiseSource())
    return Enrichment(config=config, alphabet_size=alphabet_size, conditional=conditional, passes=passes)


@st.composite
def enrichment_passes(draw):
    text = draw(st.text(st.characters(max_codepoint=255), min_size=1, max_size=300))
    bits = draw(st.lists(BITS, min_size=len(text), max_size=len(text)))
    return a_pass(
        text,
        markov_bits=sum(bits) / len(bits),
        character_bits=tuple(bits),
        entropy_bits=draw(BITS),
        markov_order=draw(st.integers(0, 5)),
        distinct_symbols=len(set(text)),
        depth=draw(st.integers(0, 10_000)),
    )


def a_row(**changes):
    values = {
        "data": "stdlib",
        "source": "a book",
        "samples": 4000,
        "context_length": 512,
        "bits": 6.2,
        "stderr": 0.041,
        "tail_bits": 6.183,
        "tail_stderr": 0.009,
        "tail_positions": 64,
        "uniform_bits": 8.0,
        "symbols": 170,
        "markov_bits": 5.4,
        "markov_tail_bits": 5.32,
        "markov_order": 1,
        "markov_smoothing": 0.1,
        "markov256_bits": 5.6,
        "markov256_tail_bits": 5.57,
        "ppm_bits": 5.2,
        "ppm_tail_bits": 5.15,
        "ppm_order": 4,
        "ppm_exclusion_bits": 5.1,
        "ppm_exclusion_tail_bits": 5.02,
        "ppm_exclusion_order": 3,
        "ctw_bits": 5.3,
        "ctw_tail_bits": 5.25,
        "ctw_depth": 48,
        "untrained_bits": 7.9,
        "untrained_tail_bits": 7.85,
        "positions": positions([8 - 0.2 * octave for octave in range(9)]),
    }
    return EvaluationRow(**{**values, **changes})


def an_old_row(**changes):
    """A row of an earlier version, or of a model whose beginning is not known."""
    names = [f.name for f in dataclasses.fields(EvaluationRow) if f.name.startswith(("ppm", "ctw", "untrained"))]
    row = a_row(**{**dict.fromkeys(names), **changes})
    return dataclasses.replace(
        row, positions=tuple(dataclasses.replace(each, ppm_exclusion_bits=None) for each in row.positions)
    )


def positions(bits):
    return tuple(
        PositionBits(
            first_position=1 << i,
            last_position=(2 << i) - 1,
            bits=b,
            stderr=0.01,
            markov_bits=b / 2,
            ppm_exclusion_bits=b / 3,
        )
        for i, b in enumerate(bits)
    )


@st.composite
def evaluation_rows(draw):
    name = st.text(string.ascii_letters + "/._-é", min_size=1, max_size=60)
    bits = draw(st.lists(BITS, min_size=1, max_size=12))
    names = ["bits", "stderr", "tail_bits", "tail_stderr", "markov_bits"]
    newer = [f"{bar}_{of}" for bar in ("ppm", "ppm_exclusion", "ctw", "untrained") for of in ("bits", "tail_bits")]
    make, names = draw(st.sampled_from([(a_row, names + newer), (an_old_row, names)]))
    numbers = {"symbols": draw(st.integers(1, 256)), **{field: draw(BITS) for field in names}}
    numbers["model_context_length"] = draw(st.none() | st.integers(2, 512))
    return [make(data=draw(name), positions=positions(bits), **numbers) for _ in range(draw(st.integers(1, 3)))]


class TestBars:
    @given(st.lists(st.floats(-100, 100), max_size=300), st.integers(0, 200))
    def test_a_sparkline_has_one_bar_for_each_value_or_fills_the_width(self, values, width):
        line = sparkline(values, width)
        assert len(line) == min(len(values), width)
        assert set(line) <= set(BARS)

    @given(st.lists(st.floats(-100, 100), min_size=1, max_size=300), st.integers(1, 200))
    def test_falling_values_give_bars_that_do_not_rise(self, values, width):
        line = sparkline(sorted(values, reverse=True), width)
        assert list(line) == sorted(line, reverse=True)

    def test_the_ends_of_the_scale_are_the_lowest_and_the_highest_bar(self):
        assert sparkline([0, 8], 2) == "▁█"
        assert sparkline([0, 8], 2, lowest=0, highest=16) == "▁▅"
        assert [bar(value, 0, 1) for value in (-5.0, 5.0)] == ["▁", "█"]

    def test_neighbours_are_averaged_where_there_is_little_room(self):
        assert sparkline([0, 2, 6, 8], 2, lowest=0, highest=8) == sparkline([1, 7], 2, lowest=0, highest=8)

    def test_values_that_are_not_finite_are_blank_and_do_not_move_the_scale(self):
        assert sparkline([0, math.nan, math.inf, 8], 4) == "▁  █"
        assert sparkline([math.nan], 4) == " "


class TestPredictability:
    def test_a_level_is_whole_bits_up_to_seven(self):
        assert [level(bits) for bits in (0.0, 0.99, 1.0, 6.57, 7.0, 31.0)] == [0, 0, 1, 6, 7, 7]

    @given(st.characters(max_codepoint=255))
    def test_every_byte_takes_one_column_and_printable_ones_stay_themselves(self, character):
        assert cell_len(visible(character)) == 1
        assert visible(character) == (character if character in string.printable[:95] else "·")

    @given(st.text(string.printable[:95], min_size=1, max_size=300), st.integers(1, 200), st.sampled_from(EVERY_RAMP))
    def test_no_character_is_lost_and_no_row_is_too_long(self, text, width, ramp):
        rows = [row.plain for row in shaded_lines(text, [1.5] * len(text), width, ramp)]
        assert "".join(rows if ramp else rows[::2]) == text
        assert max(map(len, rows)) <= width

    def test_without_colour_the_bars_beneath_say_the_same_as_the_cells(self):
        characters, bits = zip(*[(str(step), step + 0.5) for step in range(8)], strict=True)
        (coloured,) = shaded_lines("".join(characters), bits, 80, RAMPS["truecolor"])
        assert [span.style for span in coloured.spans] == list(RAMPS["truecolor"])
        _, bars = shaded_lines("".join(characters), bits, 80, None)
        assert bars.plain == BARS

    @pytest.mark.parametrize(
        ("colours", "ramp"), [("truecolor", "truecolor"), ("256", "256"), ("standard", None), (None, None)]
    )
    def test_a_terminal_with_few_colours_gets_bars(self, colours, ramp):
        console = Console(file=io.StringIO(), force_terminal=True, color_system=colours, _environ={})
        assert ramp_for(console) == RAMPS.get(ramp)

    @pytest.mark.parametrize("name", RAMPS)
    def test_the_ramp_is_strictly_ordered_by_lightness_and_its_ink_is_readable(self, name):
        cells = [luminance(style.bgcolor) for style in RAMPS[name]]
        assert all(darker < lighter for darker, lighter in itertools.pairwise(cells))
        for style in RAMPS[name]:
            low, high = sorted((luminance(style.bgcolor), luminance(style.color)))
            assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2.1, contrast of text

    def test_eight_steps_stay_eight_colours_in_a_terminal_with_256(self):
        console = Console(file=io.StringIO(), force_terminal=True, color_system="256", width=80, _environ={})
        console.print(legend(80, ramp_for(console)))
        assert len(set(re.findall(r"48;5;\d+", console.file.getvalue()))) == 8

    @given(WIDTHS, st.sampled_from(EVERY_RAMP))
    def test_the_legend_is_one_line_with_every_step(self, width, ramp):
        line = legend(width, ramp)
        assert line.cell_len <= width
        assert all(label in line.plain for label in "01234567")


def luminance(color: Color) -> float:
    """Relative luminance of sRGB (WCAG 2.1)."""
    channels = [value / 255 for value in color.get_truecolor()]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


class TestEnrichment:
    @settings(deadline=None)
    @given(
        st.lists(enrichment_passes(), min_size=1, max_size=4),
        WIDTHS,
        st.sampled_from([None, "256", "truecolor"]),
        st.booleans(),
    )
    def test_everything_fits_at_any_width_in_colour_and_without(self, passes, width, colour, conditional):
        enrichment = an_enrichment(*passes, conditional=conditional)
        views = [Heading(enrichment), *(PassView(each, enrichment) for each in passes), closing(enrichment)]
        for line in strip(drawn(*views, width=width, colour=colour)).splitlines():
            assert cell_len(line) <= width

    def test_each_string_stands_above_its_measures(self):
        lines = drawn(PassView(a_pass("abcabc", 1.25, depth=2), an_enrichment())).splitlines()
        assert lines[1:3] == ["after 2 random LSTMs", "  abcabc"]
        assert " ".join(lines[4].split()) == "entropy 2.00 Markov 1.25 (order 1) zlib 3.00 lzma 4.00 symbols 3"

    def test_a_model_that_learned_nothing_is_called_uniform(self):
        assert "(uniform)" in drawn(
            PassView(a_pass(markov_bits=math.log2(95), markov_order=3), an_enrichment(alphabet_size=95))
        )

    def test_a_string_being_written_out_has_no_measures_yet(self):
        out = drawn(PassView(a_pass("abcabc"), an_enrichment(), revealed=2))
        assert "  ab\n" in out
        assert "entropy" not in out

    @pytest.mark.parametrize(
        ("bits", "said"),
        [
            ([6.57, 1.98], "Computation alone made structure: through 1 random LSTM"),
            (
                [6.57, 1.0, 3.0],
                "from 6.57 to 3.00 bits per character, though not at every step",
            ),
            ([6.57, 6.55], "left predictability about as it was"),
            ([2.0, 5.0], "less predictable"),
            ([6.57], "noise before any random LSTM"),
        ],
    )
    def test_the_closing_sentence_says_what_the_numbers_say(self, bits, said):
        passes = [a_pass(markov_bits=value, depth=depth) for depth, value in enumerate(bits)]
        assert said in what_was_seen(passes)
        assert ("made structure" in what_was_seen(passes)) == (bits[-1] < bits[0] - 0.1)

    @pytest.mark.parametrize(
        ("order", "said"),
        [(0, "context did not help beyond"), (1, "from the symbol before."), (3, "from the 3 symbols before.")],
    )
    def test_the_closing_sentence_says_how_much_context_helped(self, order, said):
        assert said in what_was_seen([a_pass(markov_bits=6.57), a_pass(markov_bits=2.0, markov_order=order)])

    @pytest.mark.parametrize(
        ("bits", "said"),
        [
            ([6.57, 2.0], "The string drawn from noise cost the best Markov model 2.00 bits per character"),
            ([6.57, 3.0, 1.5], "The 2 strings drawn from noise cost the best Markov model 1.50 to 3.00 bits"),
            ([6.57], "before anything was drawn from noise"),
        ],
    )
    def test_strings_that_are_draws_of_their_own_are_called_so(self, bits, said):
        passes = [a_pass(markov_bits=value, depth=depth) for depth, value in enumerate(bits)]
        enrichment = an_enrichment(*passes, conditional=False)
        out = drawn(Heading(enrichment), *(PassView(each, enrichment) for each in passes), closing(enrichment))
        assert said in " ".join(out.split())
        assert ("noise, draw 1" in out) == (len(bits) > 1)
        assert "strings drawn from the source noise" in out

    def test_a_collapse_is_called_one(self):
        passes = [a_pass(markov_bits=6.57), a_pass("aaaa", 0.1, distinct_symbols=1, depth=1)]
        assert "Only 1 distinct symbol left" in what_was_seen(passes)


def strip(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


class TestEvaluation:
    @settings(deadline=None)
    @given(evaluation_rows(), WIDTHS, st.lists(st.text(string.ascii_letters + "/._-é", min_size=1), max_size=2))
    def test_everything_fits_at_any_width_and_no_number_is_cut(self, rows, width, labels):
        shift = itertools.count(1)
        others = {
            label: [dataclasses.replace(row, tail_bits=row.tail_bits + next(shift)) for row in rows] for label in labels
        }
        out = drawn(evaluation_view(rows, others), width=width)
        assert all(cell_len(line) <= width for line in out.splitlines())
        for row in (*rows, *itertools.chain(*others.values())):
            assert f"{row.tail_bits:.3f}" in out
        for row in rows:
            bars = [getattr(row, name) for name in vars(row) if name.startswith(("markov_", "ppm", "ctw", "untrained"))]
            bars = [bits for bits in bars if isinstance(bits, float) and bits != row.markov_smoothing]
            for number in (row.bits, row.stderr, row.tail_bits, row.tail_stderr, *bars, row.uniform_bits):
                assert f"{number:.3f}" in out
            assert f"Markov, {row.symbols} symbol" in " ".join(out.split())
            last = row.positions[-1]
            assert f"{row.positions[0].bits:4.2f}" in out
            assert f"{last.markov_bits if last.ppm_exclusion_bits is None else last.ppm_exclusion_bits:4.2f}" in out

    def test_the_table_has_the_model_above_the_bars_and_uniform(self):
        rows = [a_row(), a_row(data="pydoc", symbols=97, bits=11.08)]
        lines = [line.rstrip() for line in drawn(evaluation_view(rows), width=80).splitlines()]
        assert lines[1:4] == [
            "4,000 slices of 512 characters; ± is one standard error",
            "the bars learn from the same slice and know which symbols occur in the data;",
            "the paper's bar is the Markov model",
        ]
        start = lines.index("data                              last character   last 64")
        assert lines[start + 1 : start + 10] == [
            "stdlib  model                     6.200 ± 0.041    6.183 ± 0.009",
            "        model, untrained          7.900            7.850",
            "        PPM-D, update exclusion   5.100            5.020 order 3",
            "        PPM-D                     5.200            5.150 order 4",
            "        CTW                       5.300            5.250 depth 48",
            "        Markov, 170 symbols       5.400            5.320 order 1",
            "        uniform                   8.000            8.000",
            "pydoc   model                    11.080 ± 0.041    6.183 ± 0.009",
            "        model, untrained          7.900            7.850",
        ]

    def test_other_models_stand_below_the_model_each_above_itself_untrained(self):
        others = {
            "builtin:tiny": [a_row(tail_bits=2.5, tail_stderr=0.021, bits=2.25, untrained_tail_bits=3.0)],
            "runs/a-folder/with-a-long-name": [an_old_row(tail_bits=2.0, model_context_length=96)],
        }
        lines = [line.rstrip() for line in drawn(evaluation_view([a_row()], others), width=80).splitlines()]
        assert "…ith-a-long-name reads the last 96 of them, the bars all" in lines
        start = lines.index("data                              last character   last 64")
        assert lines[start + 1 : start + 11] == [
            "stdlib  model                     6.200 ± 0.041    6.183 ± 0.009",
            "        model, untrained          7.900            7.850",
            "        builtin:tiny              2.250 ± 0.041    2.500 ± 0.021",
            "        builtin:tiny, untrained   7.900            3.000",
            "        …ith-a-long-name          6.200 ± 0.041    2.000 ± 0.009",
            "        PPM-D, update exclusion   5.100            5.020 order 3",
            "        PPM-D                     5.200            5.150 order 4",
            "        CTW                       5.300            5.250 depth 48",
            "        Markov, 170 symbols       5.400            5.320 order 1",
            "        uniform                   8.000            8.000",
        ]
        assert lines[start + 11] == "…ith-a-long-name is runs/a-folder/with-a-long-name"

    def test_two_long_names_that_end_alike_are_two_models(self):
        others = {f"{first}/the/same/long/ending": [a_row(tail_bits=bits)] for first, bits in (("a", 1.25), ("b", 1.5))}
        for width in (80, 40):
            out = " ".join(drawn(evaluation_view([a_row()], others), width=width).split())
            assert all(said in out for said in ("1.250", "1.500", "is a/the/", "is b/the/"))

    def test_rows_of_an_earlier_version_have_the_bars_that_they_have(self):
        lines = [line.rstrip() for line in drawn(evaluation_view([an_old_row()]), width=60).splitlines()]
        start = lines.index("data                          last character   last 64")
        assert lines[start + 1 : start + 5] == [
            "stdlib  model                 6.200 ± 0.041    6.183 ± 0.009",
            "        Markov, 170 symbols   5.400            5.320 order 1",
            "        uniform               8.000            8.000",
            "",
        ]
        assert any(line.strip().startswith("Markov  4.00") for line in lines)
        assert lines[-1].endswith("in-context Markov model of the paper")

    def test_the_table_says_where_the_model_reads_less_than_the_bars(self):
        out = drawn(evaluation_view([a_row(context_length=2048, model_context_length=512)]), width=80)
        assert "4,000 slices of 2,048 characters" in out
        assert "the model reads the last 512 of them, the bars all" in out
        assert "the model reads" not in drawn(evaluation_view([a_row()]), width=80)

    def test_a_long_name_folds_beside_the_numbers(self):
        lines = drawn(evaluation_view([a_row(data="x" * 30)]), width=80).splitlines()
        start = next(place for place, line in enumerate(lines) if line.startswith("x"))
        assert lines[start + 1].split() == ["x" * 9, "model,", "untrained", "7.900", "7.850"]

    def test_where_there_is_no_room_for_the_table_each_data_set_is_a_list(self):
        lines = [line.rstrip() for line in drawn(evaluation_view([a_row()]), width=40).splitlines()]
        start = lines.index("stdlib")
        assert lines[start + 1 : start + 14] == [
            "  last character",
            "    model                  6.200 ± 0.041",
            "    model, untrained       7.900",
            "    PPM-D, update          5.100",
            "    exclusion",
            "    PPM-D                  5.200",
            "    CTW                    5.300",
            "    Markov, 170 symbols    5.400",
            "    uniform                8.000",
            "  last 64",
            "    model                 6.183 ± 0.009",
            "    model, untrained      7.850",
            "    PPM-D, update         5.020 order 3",
        ]

    @pytest.mark.parametrize(
        ("tail_bits", "said"),
        [
            (
                6.183,
                "1.82 bits below uniform, 0.86 bits above the in-context Markov model of the paper, 1.16 bits above",
            ),
            (4.0, "4.00 bits below uniform, 1.32 bits below the in-context Markov model"),
            (4.0, "1.02 bits below the best PPM, training took off 3.85 bits"),
            (8.01, "no different from uniform, 2.69 bits above"),
            (8.01, "training added 0.16 bits"),
            (9.0, "1.00 bits above uniform"),
            (7.86, "training changed nothing"),
            (5.33, "level with the in-context Markov model of the paper, 0.31 bits above the best PPM"),
            (5.03, "level with the best PPM"),
        ],
    )
    def test_the_sentence_claims_a_difference_only_beyond_two_standard_errors(self, tail_bits, said):
        assert said in finding(a_row(tail_bits=tail_bits))

    @pytest.mark.parametrize(
        ("error", "said"), [(0.05, "training took off 0.25 bits"), (0.2, "changed nothing that can be seen")]
    )
    def test_what_training_did_is_judged_by_the_error_of_the_difference(self, error, said):
        row = a_row(tail_bits=2.5, tail_stderr=0.2, untrained_tail_bits=2.75, untrained_tail_difference_stderr=error)
        assert said in finding(row)

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"ppm_exclusion_tail_difference_stderr": 0.04}, "0.10 bits below the best PPM"),
            ({"ppm_exclusion_tail_difference_stderr": 0.06}, "level with the best PPM"),
            ({"ppm_tail_difference_stderr": 0.001}, "level with the best PPM"),  # of the one that is not the best
            ({"markov_tail_difference_stderr": 0.3}, "level with the in-context Markov model"),
            ({"markov_tail_difference_stderr": 0.1}, "0.40 bits below the in-context Markov model"),
        ],
    )
    def test_each_bar_is_compared_by_the_error_of_its_own_difference(self, changes, said):
        assert said in finding(a_row(tail_bits=4.92, tail_stderr=0.5, **changes))

    def test_a_small_difference_that_is_certain_is_not_called_zero(self):
        row = a_row(tail_bits=2.5, untrained_tail_bits=2.504, untrained_tail_difference_stderr=0.001)
        assert "training took off 0.004 bits" in finding(row)

    def test_one_number_of_each_column_is_bold_the_lowest(self):
        def bold(**changes):
            out = drawn(EvaluationTable((a_row(**changes),)), colour="truecolor")
            return re.findall(r"\x1b\[1m *(\d\.\d{3})\x1b", out)

        assert bold() == ["5.100", "5.020"]
        assert bold(tail_bits=5.0) == ["5.000", "5.100"]
        assert bold(bits=4.9, tail_bits=5.1) == ["4.900", "5.020"]  # below all bars but the hardest

    def test_longer_names_keep_their_ends_in_the_curves(self):
        out = drawn(evaluation_view([a_row(data="data/" + "x" * 70 + "/corpus.txt")]), width=60)
        assert "/corpus.txt  model" in out
