"""The picture of surprise along a file, and its text shaded by bits, in colour and without."""

import io
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from cli.render.bars import BARS
from cli.render.predictability import RAMPS, level
from cli.render.surprise import ShownText, SurpriseChart
from tests.cli.drawing import WIDTHS, drawn
from up.use.score import FileScore
from up.use.surprise import Surprise

COLOURS = st.sampled_from([None, "256", "truecolor"])
# Escape sequences, bytes that are no UTF-8, a direction mark, a combining mark, wide characters, the mark of line ends.
HOSTILE = (
    "Gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n \x1b[31m\t\r\n\x00\x7f\x9b \u202e e\u0301 \u65e5\u672c ↵ ".encode()
)
HOSTILE += b"\xff\xc3"


def score_of(data: bytes, bits: list[float], name: str = "name", size: int | None = None) -> FileScore:
    surprise = Surprise()
    surprise.add(np.array(bits))
    return FileScore(
        path=name,
        size_bytes=size or len(data),
        bits_per_byte=surprise.bits_per_byte,
        frozen_bits_per_byte=None,
        scratch_bits_per_byte=None,
        baselines=(),
        surprise=surprise,
        first_bytes=data,
        first_bits=tuple(bits),
    )


def strip(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def text_rows(data: bytes, bits: list[float] | None = None, width: int = 80) -> list[str]:
    return drawn(ShownText(score_of(data, [1.5] * len(data) if bits is None else bits)), width=width).splitlines()[2:]


class TestSurpriseChart:
    def test_columns_are_as_high_as_the_bits_of_their_piece(self):
        lines = drawn(SurpriseChart(score_of(b"abcdef", [0.0, 0.5, 1.0, 2.25, 3.9, 4.0]))).splitlines()
        assert lines == [
            "Surprise along name  bits per byte, in 6 equal pieces",
            "4     ▇█",
            "     ▂██",
            "     ███",
            "0 ▁▄████",
            "  0 6 bytes",
        ]

    @given(st.lists(st.floats(0, 128), min_size=1, max_size=3000), WIDTHS, COLOURS)
    def test_no_line_is_wider_than_the_terminal(self, bits, width, colour):
        out = strip(drawn(SurpriseChart(score_of(bytes(len(bits)), bits)), width=width, colour=colour))
        assert max(cell_len(line) for line in out.splitlines()) <= width

    @given(st.lists(st.floats(0, 8), min_size=1, max_size=3000), WIDTHS)
    def test_the_scale_ends_at_the_whole_number_above_the_highest_piece(self, bits, width):
        out = drawn(SurpriseChart(score_of(bytes(len(bits)), bits)), width=width)
        highest = max(score_of(bytes(len(bits)), bits).surprise.pieces(width - 4))
        rows = out.splitlines()[-5:-1]
        assert rows[0].startswith(f"{max(math.ceil(highest), 1)} ")
        assert rows[-1].startswith("0 ")

    def test_a_file_that_costs_nothing_is_a_flat_line_and_no_division_by_zero(self):
        lines = drawn(SurpriseChart(score_of(bytes(5), [0.0] * 5))).splitlines()
        assert lines[-2] == "0 ▁▁▁▁▁"

    def test_the_pictures_of_a_terminal_and_of_a_pipe_are_the_same_characters(self):
        chart = SurpriseChart(score_of(bytes(200), [float(place % 9) for place in range(200)]))
        assert strip(drawn(chart, colour="truecolor")) == drawn(chart)


class TestShownText:
    def test_lines_end_where_those_of_the_file_do_and_bars_stand_beneath(self):
        assert text_rows(b"ab\n\ncd", [0, 1, 2, 7.5, 3, 90]) == ["ab↵", "▁▂▃", "↵", "█", "cd", "▄█"]

    def test_a_long_line_goes_on_in_the_next_row(self):
        rows = text_rows(b"x" * 100, width=40)
        assert [len(row) for row in rows] == [40, 40, 40, 40, 20, 20]

    def test_nothing_that_could_steer_a_terminal_is_left(self):
        assert text_rows(HOSTILE)[::2] == [
            r"Grün \x1b[31m\t\r↵",
            r"\x00\x7f\xc2\x9b \xe2\x80\xae e\xcc\x81 日本 \xe2\x86\xb5 \xff\xc3",
        ]

    @given(st.one_of(st.binary(min_size=1, max_size=300), st.text(min_size=1).map(str.encode)), WIDTHS, COLOURS)
    def test_every_character_that_is_shown_is_printable_and_no_row_is_too_wide(self, data, width, colour):
        out = strip(drawn(ShownText(score_of(data, [1.0] * len(data))), width=width, colour=colour))
        for line in out.splitlines():
            assert line.isprintable()
            assert cell_len(line) <= width

    @given(st.one_of(st.binary(min_size=1, max_size=300), st.text(min_size=1).map(str.encode)))
    def test_the_text_can_be_read_back(self, data):
        data = data.replace(b"\\", b"/")  # a backslash of the file's own looks like that of an escape
        shown = "".join(text_rows(data)[::2])
        named = {r"\t": b"\t", r"\r": b"\r", "↵": b"\n"}
        parts = re.findall(r"\\x[0-9a-f]{2}|\\t|\\r|.", shown)
        read = (bytes.fromhex(part[2:]) if part[:2] == r"\x" else named.get(part, part.encode()) for part in parts)
        assert b"".join(read) == data

    def test_a_character_of_several_bytes_has_the_bits_of_all_and_an_escaped_one_each_its_own(self):
        assert text_rows("é".encode(), [2.0, 3.5]) == ["é", BARS[5]]
        assert text_rows(b"\xff\x1b", [2.0, 3.5]) == [r"\xff\x1b", BARS[2] * 4 + BARS[3] * 4]

    def test_a_wide_character_has_a_bar_of_two_columns(self):
        assert text_rows("日x".encode(), [0.5, 0.5, 1.5, 0.5]) == ["日x", BARS[2] * 2 + BARS[0]]

    @pytest.mark.parametrize("name", RAMPS)
    def test_in_colour_each_character_has_the_cell_of_its_bits(self, name):
        bits = [step + 0.5 for step in range(9)]
        rows = list(ShownText(score_of(b"abcdefghi", bits)).__rich_console__(*console_of(name)))[2:]
        assert [span.style for span in rows[0].spans] == [RAMPS[name][level(each)] for each in bits]
        assert len(rows) == 1

    def test_it_says_how_much_of_the_file_it_is(self):
        assert "its first 3 bytes" in drawn(ShownText(score_of(b"abc", [1.0] * 3, size=10)))
        assert "all of it" in drawn(ShownText(score_of(b"abc", [1.0] * 3)))


def console_of(colours: str):
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=colours, _environ={})
    return console, console.options
