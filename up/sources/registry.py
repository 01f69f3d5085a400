"""The sources of the house by name: a new one is a file beside this one, and a line here.

Nothing is imported until a source is asked for, so that a help page can list the names.
"""

import importlib
from typing import Any

from up.errors import InputError

SOURCES = {
    "lstm": "up.sources.recurrent:RecurrentSource",
    "gru": "up.sources.recurrent:RecurrentSource",
    "lstm-nobuf": "up.sources.ablations:UnbufferedSource",
    "lstm-noit": "up.sources.ablations:UniteratedSource",
    "lstm-published": "up.sources.published:PublishedSource",
    "transformer": "up.sources.transformer:TransformerSource",
    "utm": "up.sources.utm:UniversalSource",
    "noise": "up.sources.noise:NoiseSource",
    "restaurant": "up.sources.restaurant:RestaurantSource",
    "mix": "up.sources.mix:MixSource",
    "chain": "up.sources.chain:ChainSource",
    "band": "up.sources.band:BandSource",
    "pointwise": "up.sources.pointwise:PointwiseSource",
    "automaton": "up.sources.automaton:AutomatonSource",
    "tree": "up.sources.tree:TreeSource",
    "dyck": "up.sources.dyck:DyckSource",
    "nca": "up.sources.nca:NcaSource",
    "lexicon": "up.sources.lexicon:LexiconSource",
}
"""Kind of source to `module:class`."""

REAL_DATA = {"text": "up.sources.text:TextSource"}
"""Likewise, but no random computation: an upper line, and what finetuning trains on. No model that ships saw any."""

_OF_A_FILE = "up.sources.file:FileSource"


def is_of_a_file(kind: str) -> bool:
    """Whether a kind is a user's own: `path/to/file.py:NAME`.

    >>> is_of_a_file("coins.py:Coins"), is_of_a_file("lstm")
    (True, False)
    """
    path, _, name = kind.rpartition(":")
    return path.endswith(".py") and name != ""


def source_type(kind: str) -> type[Any]:
    """Return the class of a kind of source, a subclass of `up.sources.base.Source`.

    Raises:
        InputError: there is no such kind.
    """
    known = {**SOURCES, **REAL_DATA}
    if not is_of_a_file(kind) and kind not in known:
        raise InputError(
            "unknown source", received=kind, remedy=f"use one of {', '.join(SOURCES)}, or path/to/file.py:NAME"
        )
    module, _, name = known.get(kind, _OF_A_FILE).partition(":")
    return getattr(importlib.import_module(module), name)
