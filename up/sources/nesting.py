"""What sources that are made of other sources share."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from up.errors import InputError
from up.sources.base import Source, make_source
from up.sources.registry import REAL_DATA, is_of_a_file

DEEPEST = 8
"""Sources within sources; more would hardly be meant, and a chain of chains without end never is."""

MOST_MEMBERS = 64


def of_kind(*kinds: str) -> tuple[Source, ...]:
    """Return sources of these kinds with their default settings."""
    return tuple(map(make_source, kinds))


def inner_sources(source: Source) -> tuple[Source, ...]:
    """Return the sources that a source is made of; none for most."""
    found: list[Source] = []
    for field in dataclasses.fields(source):
        value = getattr(source, field.name)
        found += [each for each in (value if isinstance(value, tuple) else (value,)) if isinstance(each, Source)]
    return tuple(found)


def all_sources(source: Source) -> tuple[Source, ...]:
    """Return a source and all that it is made of, however deep, in their order."""
    return (source, *(each for inner in inner_sources(source) for each in all_sources(inner)))


def seed_length(source: Source) -> int:
    """Return how many tokens at the start of a row are given, at most, by any of the sources that it is made of."""
    return max(getattr(each, "seed_length", 0) for each in all_sources(source))


def with_innermost(source: Source, change: Callable[[Source], Source]) -> Source:
    """Return a source with those changed that are made of no other, which may be itself."""
    if not inner_sources(source):
        return change(source)
    values = {field.name: getattr(source, field.name) for field in dataclasses.fields(source)}
    changes: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Source):
            changes[name] = with_innermost(value, change)
        elif isinstance(value, tuple) and any(isinstance(each, Source) for each in value):
            changes[name] = tuple(with_innermost(each, change) for each in value)
    return dataclasses.replace(source, **changes)


def reads_real_data(source: Source) -> bool:
    """Whether anything that a source is made of is real data, and no random computation."""
    return any(each.kind in REAL_DATA for each in all_sources(source))


def program_texts(source: Source) -> tuple[str, ...]:
    """Return the program texts of the files that a source is made of, each once."""
    texts = (each.text for each in all_sources(source))
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def without_places(settings: Any) -> Any:
    """Return plain settings without the places of files whose SHA-256 stands beside them: their content counts.

    >>> without_places({"kind": "there/coins.py:Coins", "sha256": "12ab", "settings": {}})
    {'kind': 'Coins', 'sha256': '12ab', 'settings': {}}
    """
    if isinstance(settings, list | tuple):
        return [without_places(each) for each in settings]
    if not isinstance(settings, Mapping):
        return settings
    bare = {name: without_places(value) for name, value in settings.items()}
    if bare.get("sha256") and isinstance(kind := bare.get("kind"), str) and is_of_a_file(kind):
        bare["kind"] = kind.rpartition(":")[2]
    if bare.get("sha256") and bare.get("kind") in REAL_DATA:
        del bare["place"], bare["data"]
    return bare


def nesting(source: Source) -> int:
    """Return how deep sources lie within a source: 0 for one that is made of no other."""
    return max((1 + nesting(inner) for inner in inner_sources(source)), default=0)


def require_members(source: Source, members: Sequence[Source], *, least: int) -> None:
    """Raise `InputError` unless there are enough members, not too many, and none too deep."""
    if not least <= len(members) <= MOST_MEMBERS:
        raise InputError(
            f"source.members of a {source.kind} must be {least} to {MOST_MEMBERS}",
            received=len(members),
            remedy='give a list such as ["lstm", {"kind": "gru", "hidden_size": 51}]',
        )
    deepest = max(map(nesting, members))
    if deepest >= DEEPEST:
        raise InputError(
            "sources lie too deep within each other", received=deepest + 1, remedy=f"use at most {DEEPEST} levels"
        )


def with_vocabulary(sources: Iterable[Source], vocabulary_size: int) -> tuple[Source, ...]:
    """Return sources with another vocabulary; raises `InputError` where one cannot serve it."""
    return tuple(dataclasses.replace(source, vocabulary_size=vocabulary_size) for source in sources)


def described(source: Source) -> str:
    """Return the description of a member, in parentheses where it has commas of its own."""
    return f"({source.description})" if "," in source.description else source.description
