"""No count of one is told in the plural: what is printed with a noun goes through one function."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What is never one, or no count but a measure.
CONSTANTS = re.compile(r"[A-Z_]+( [*+] .*)?|len\(LETTERS\)|.*:\.\d+[ef]|.*:g|found|.*\.mean\(\)|_with_error\(.*\)")
NEVER_ONE = {
    "len(text)",  # of a certificate
    "mark.bytes",  # of lines
    "left_out",  # beyond the patience
    "len(bits)",  # one has a branch of its own
    "last.markov_order",  # likewise
    "rounded(steps)",
    "self.grid",
    "self.patch",
    "self.max_types",
    "self.symbols",  # of a source: two at least
    "lstm.parameter_count",
    "bits_cell(item.slack_bits)",
    "bits_cell(result.slack_bits)",
    "bits_cell(log2_float(tightest.slack))",
    "_number(step.loss_bits, 3)",
    "_digits(gained)",
    "_digits(below)",
    "before",  # means with their errors, as are the next ones
    "after",
    "mine",
    "lost[worst]",
}
NOUNS = (
    "instances|bytes|rows|blocks|characters|files|steps|checkpoints|bits|tokens|slices|columns|items|topics|programs|"
    "strings|runs|heads|layers|units|states|edges|symbols|cells|networks|coins|ones|zeros|draws|models|levels"
)


def plurals(text: str) -> list[str]:
    """Expressions of f-strings that stand right before a noun in the plural."""
    found = re.findall(rf"\{{([^{{}}]+)\}} (?:{NOUNS})\b", text)
    counts = [each.removesuffix(":,") for each in found]
    return [each for each in counts if each not in NEVER_ONE and not CONSTANTS.fullmatch(each)]


@pytest.mark.parametrize("room", ["theory", "up", "cli"])
def test_no_number_stands_before_a_noun_that_is_always_in_the_plural(room):
    found = {str(path.relative_to(ROOT)): plurals(path.read_text()) for path in (ROOT / room).rglob("*.py")}
    assert {path: each for path, each in found.items() if each} == {}
