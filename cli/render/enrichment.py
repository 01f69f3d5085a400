"""Figure 1 of the paper, alive: each string, shaded by predictability, above its measures, and what was seen.

Source: Bloem (2025), figure 1. The paper shows the strings only; the measures beneath say in numbers what the shading
shows, so that nothing hangs on colour alone.
"""

import dataclasses
import itertools
import math
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from cli.render.predictability import legend, ramp_for, shaded_lines
from theory.words import number_of

if TYPE_CHECKING:  # up.experiments imports torch
    from up.experiments.enrichment import Enrichment, EnrichmentPass

_INDENT = "  "
_READ_ON = "Read on: the docs, Learn 1: enrichment"

_NOTABLE_BITS = 0.1
"""Changes of less than this many bits per character are called none: a short string cannot resolve them."""


@dataclasses.dataclass(frozen=True)
class Heading:
    """What was done, the settings that reproduce it, and the legend of the shading; for an `Enrichment`."""

    enrichment: "Enrichment"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        enrichment = self.enrichment
        config, noun = enrichment.config, enrichment.config.source.noun
        if enrichment.conditional:
            yield Text(f"A random string, passed through one random {noun} after another", style="bold")
        else:
            yield Text(f"A random string, and strings drawn from the source {noun}", style="bold")
        yield Text(
            f"seed {config.seed}, {number_of(config.length, 'character')}, {config.source.description}, "
            f"uniform code: {math.log2(enrichment.alphabet_size):.2f} bits",
            style="dim",
        )
        yield Text()
        yield legend(options.max_width, ramp_for(console))


@dataclasses.dataclass(frozen=True)
class PassView:
    """One string with its measures, within any width.

    Attributes:
        result: an `EnrichmentPass`.
        enrichment: the `Enrichment` that it belongs to.
        revealed: characters to draw, for the animation; all of them and the measures when None.

    """

    result: "EnrichmentPass"
    enrichment: "Enrichment"
    revealed: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text()
        source = self.enrichment.config.source
        title = pass_title(self.result.depth, source.noun, conditional=self.enrichment.conditional)
        yield Text(title, style="bold")
        rows = shaded_lines(
            self.result.text[: self.revealed],
            self.result.character_bits[: self.revealed],
            max(options.max_width - 2 * len(_INDENT), 1),
            ramp_for(console),
        )
        for row in rows:
            yield Text.assemble(_INDENT, row)
        if self.revealed is None:
            yield from _wrapped(_measures(self.result, self.enrichment.alphabet_size), options.max_width)


def closing(enrichment: "Enrichment") -> RenderableType:
    """Return what was seen in the strings, and where to read on."""
    seen = what_was_seen if enrichment.conditional else what_was_drawn
    said = seen(enrichment.passes, enrichment.config.source.noun)
    kind = enrichment.config.source.kind
    chosen = "" if kind == "lstm" else f" --source {shlex.quote(kind)}"
    onward = f"Next:    up train --preset tiny{chosen} --out runs/tiny"
    return Group(Text(), Text(said), Text(), *(Text(line, style="dim") for line in (_READ_ON, onward)))


def pass_title(number: int, noun: str = "LSTM", *, conditional: bool = True) -> str:
    """Name a string by what made it.

    >>> pass_title(0), pass_title(1), pass_title(2, "GRU"), pass_title(2, "coins", conditional=False)
    ('noise', 'after 1 random LSTM', 'after 2 random GRUs', 'coins, draw 2')
    """
    if number == 0:
        return "noise"
    return f"after {number_of(number, f'random {noun}')}" if conditional else f"{noun}, draw {number}"


def what_was_drawn(passes: "Sequence[EnrichmentPass]", noun: str) -> str:
    """Say in a sentence how predictable the strings of a source are that reads no condition."""
    noise, drawn = passes[0], passes[1:]
    if not drawn:
        return f"This is noise before anything was drawn from {noun}: give a --depth of 1 or more."
    bits = [each.markov_bits for each in drawn]
    found = f"{bits[0]:.2f}" if len(bits) == 1 else f"{min(bits):.2f} to {max(bits):.2f}"
    strings = "The string" if len(bits) == 1 else f"The {len(bits)} strings"
    return (
        f"{strings} drawn from {noun} cost the best Markov model {found} bits per character, and noise costs "
        f"{noise.markov_bits:.2f}. Each draw is independent of the others: try another --seed."
    )


def what_was_seen(passes: "Sequence[EnrichmentPass]", model: str = "LSTM") -> str:
    """Say in a sentence or two what the numbers show, also when the string did not become more predictable."""
    first, last = passes[0], passes[-1]
    count = len(passes) - 1
    change = f"from {first.markov_bits:.2f} to {last.markov_bits:.2f} bits per character"
    networks = number_of(count, f"random {model}")
    fall = first.markov_bits - last.markov_bits
    if count == 0:
        return f"This is noise before any random {model} has touched it: give a --depth of 1 or more to enrich it."
    if fall < -_NOTABLE_BITS:
        return (
            f"Here {networks} made the string less predictable: the best Markov model went {change}. "
            "Random networks differ: try another --seed."
        )
    if fall <= _NOTABLE_BITS:
        return (
            f"Here {networks} left predictability about as it was: the best Markov model went {change}. "
            "Random networks differ: try another --seed or a larger --depth."
        )
    seen = f"Computation alone made structure: through {networks} the best Markov model went {change}"
    rose = any(b.markov_bits > a.markov_bits + _NOTABLE_BITS for a, b in itertools.pairwise(passes))
    seen += ", though not at every step." if rose else "."
    if last.distinct_symbols <= 2:
        left = number_of(last.distinct_symbols, "distinct symbol")
        return f"{seen} Only {left} left: order can also swallow everything."
    before = "the symbol before" if last.markov_order == 1 else f"the {last.markov_order} symbols before"
    context = (
        "context did not help beyond that"
        if last.markov_order == 0
        else f"the last string is best predicted from {before}"
    )
    return (
        f"{seen} Entropy, which sees only how often each symbol occurs, went from {first.entropy_bits:.2f} to "
        f"{last.entropy_bits:.2f}; {context}."
    )


def _measures(result: "EnrichmentPass", alphabet_size: int) -> list[Text]:
    """Return the measures of one string, each a piece that is not to be broken over lines."""
    learned_nothing = round(result.markov_bits, 2) >= round(math.log2(alphabet_size), 2)  # then the order means nothing
    order = "(uniform)" if learned_nothing else f"(order {result.markov_order})"
    pieces = [
        ("entropy", f"{result.entropy_bits:5.2f}", ""),
        ("Markov", f"{result.markov_bits:5.2f}", f" {order}"),
        ("zlib", f"{result.zlib_bits:5.2f}", ""),
        ("lzma", f"{result.lzma_bits:5.2f}", ""),
        ("symbols", f"{result.distinct_symbols:3d}", ""),
    ]
    return [Text.assemble((name, "dim"), " ", (value, "bold"), (after, "dim")) for name, value, after in pieces]


def _wrapped(pieces: Sequence[Text], width: int) -> Iterator[Text]:
    """Join pieces into indented lines of at most `width` columns."""
    line = Text(_INDENT)
    for piece in pieces:
        gap = "" if line.cell_len == len(_INDENT) else "  "
        if gap and line.cell_len + len(gap) + piece.cell_len > width:
            yield line
            line, gap = Text(_INDENT), ""
        line = Text.assemble(line, gap, piece)
    yield line
