"""Configuration as frozen dataclasses: to and from plain dictionaries, and `a.b=c` overrides.

Every component declares a frozen, keyword-only dataclass beside its code and checks it in `__post_init__`. This module
holds what they share: writing one out (`to_dict`), reading one back with clear errors (`from_dict`), changing single
fields from the command line (`override`), and groups of settings of which there are several kinds (`Family`).
"""

import dataclasses
import functools
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from up.errors import InputError

ConfigT = TypeVar("ConfigT")

_SELECTORS = ("kind", "arch")
"""Names of fields that tell which class is meant, in all families."""


class Family:
    """Base of configurations that are alternatives: one field tells which class is meant, as a rule `kind`.

    A field of the base's type is written out like any other, and read back as the class that its kind names.

    Attributes:
        selector: name of the field that tells.
        default: the kind that is meant where none is named; None: one must be named.
    """

    selector: ClassVar[str] = "kind"
    default: ClassVar[str | None] = None

    @classmethod
    def of_kind(cls, kind: str) -> type:
        """Return the class of a kind; raises `InputError` for an unknown one."""
        raise NotImplementedError


def to_dict(config: Any) -> dict[str, Any]:
    """Return the fields of a configuration as nested plain dictionaries, ready for JSON or TOML."""
    return dataclasses.asdict(config)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested dictionaries as one, with dotted names.

    >>> flatten({"seed": 0, "model": {"width": 128}})
    {'seed': 0, 'model.width': 128}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def from_dict(config_type: type[ConfigT], values: Mapping[str, Any], *, where: str = "") -> ConfigT:
    """Build a configuration from nested dictionaries.

    Args:
        config_type: the dataclass to build.
        values: field names to values; a field that is missing takes its default.
        where: dotted prefix for error messages, such as `"training."`.

    Raises:
        InputError: an unknown or missing field, a value of the wrong type, or one that the component refuses.

    """
    fields = {field.name: field for field in dataclasses.fields(config_type)}  # type: ignore[arg-type]
    hints = _type_hints(config_type)
    arguments: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise InputError(
                f"unknown setting {where}{name}",
                received=value,
                remedy=f"known settings here are {', '.join(fields)}",
            )
        arguments[name] = _coerce(hints[name], value, f"{where}{name}")
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in arguments:
            raise InputError(f"setting {where}{name} is missing", remedy="give it a value")
    return config_type(**arguments)


def override(config: ConfigT, assignments: Iterable[str]) -> ConfigT:
    """Return a copy of `config` with the fields named by `a.b=c` assignments replaced.

    The value is read as JSON where it is JSON (numbers, true, false, null) and as a string otherwise. Where the kind of
    a group is assigned (`Family`) and names another class, the group's other settings take the defaults of that class;
    it does not matter where among the assignments it stands.

    >>> from up.sources.buffer import BufferConfig
    >>> override(BufferConfig(), ["source_batch=64"]).source_batch
    64

    Raises:
        InputError: an assignment without `=`, an unknown name, or a value that does not fit.

    """
    values = to_dict(config)
    for assignment in sorted(assignments, key=_kinds_first):
        path, equals, text = assignment.partition("=")
        if not equals or not path:
            raise InputError(
                "an override must look like name=value", received=assignment, remedy="write e.g. model.dropout=0.1"
            )
        *parents, leaf = path.strip().split(".")
        level: Any = values
        for depth, parent in enumerate(parents):
            level = level.get(parent) if isinstance(level, dict) else None
            if not isinstance(level, dict):
                raise InputError(
                    f"unknown group of settings {'.'.join(parents[: depth + 1])}",
                    received=assignment,
                    remedy=f"known groups are {', '.join(k for k, v in values.items() if isinstance(v, dict))}",
                )
        if leaf in level and isinstance(level[leaf], dict):
            raise InputError(
                f"{path} is a group of settings",
                received=assignment,
                remedy=f"name one of its fields: {', '.join(level[leaf])}",
            )
        group = _group(config, parents)
        if isinstance(group, Family) and leaf == group.selector and not parents:
            raise InputError(f"the {leaf} cannot be set here", received=assignment, remedy=f"name {text} itself")
        if isinstance(group, Family) and leaf == group.selector:
            level[leaf] = text
            _take_defaults(level, group, ".".join(parents))
            config = from_dict(type(config), values)
            values = to_dict(config)
        else:
            level[leaf] = _parse(text)
    return from_dict(type(config), values)


def _kinds_first(assignment: str) -> tuple[bool, int]:
    """Return a key that sorts kinds before other settings, and those of outer groups before those of inner ones."""
    name = assignment.partition("=")[0].strip()
    return (False, name.count(".")) if name.rpartition(".")[2] in _SELECTORS else (True, 0)


def _group(config: Any, parents: Iterable[str]) -> Any:
    """Return the group of settings that dotted names lead to; None where they lead into a dictionary of settings."""
    return functools.reduce(lambda group, name: getattr(group, name, None), parents, config)


def _take_defaults(values: dict[str, Any], group: Family, path: str) -> None:
    """Replace the values of a group by the defaults of its new kind, if that is of another class than the group."""
    kind = values[group.selector]
    if (member := group.of_kind(kind)) is not type(group):
        defaults = to_dict(from_dict(member, {group.selector: kind}, where=f"{path}."))
        values.clear()
        values.update(defaults)


def require_positive(owner: str, **values: float) -> None:
    """Raise `InputError` unless every value is a finite number above zero; `owner` prefixes the field names."""
    _require_finite(owner, values)
    for name, value in values.items():
        if value <= 0:
            raise InputError(f"{owner}.{name} must be positive", received=value, remedy="give a number above 0")


def require_not_negative(owner: str, **values: float) -> None:
    """Raise `InputError` unless every value is a finite number of at least zero."""
    _require_finite(owner, values)
    for name, value in values.items():
        if value < 0:
            raise InputError(f"{owner}.{name} must not be negative", received=value, remedy="give 0 or more")


def require_at_most(owner: str, **limits: tuple[float, float]) -> None:
    """Raise `InputError` unless every value, the first of its pair, is finite and at most the second."""
    _require_finite(owner, {name: value for name, (value, _) in limits.items()})
    for name, (value, largest) in limits.items():
        if value > largest:
            raise InputError(f"{owner}.{name} is too large", received=value, remedy=f"give at most {largest:,}")


def require_one_of(owner: str, name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise `InputError` unless `value` is one of the allowed words."""
    allowed = list(allowed)
    if value not in allowed:
        raise InputError(f"unknown {owner}.{name}", received=value, remedy=f"use one of {', '.join(allowed)}")


@functools.cache
def _type_hints(config_type: type) -> dict[str, Any]:
    return typing.get_type_hints(config_type)


def _require_finite(owner: str, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise InputError(f"{owner}.{name} must be finite", received=value, remedy="give another number")


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, a number of too many digits, brackets without end
        return text


def _coerce(hint: Any, value: Any, path: str) -> Any:
    """Check `value` against a field's type; ints widen to floats, mappings become nested configurations."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (types.UnionType, typing.Union) else (hint,)
    for option in options:
        if isinstance(option, type) and issubclass(option, Family):
            if isinstance(value, option):
                return value
            if isinstance(value, str):  # a kind with its defaults
                value = {option.selector: value}
            if isinstance(value, Mapping):
                return from_dict(_member(option, value, path), value, where=f"{path}.")
        elif dataclasses.is_dataclass(option) and isinstance(option, type):
            if isinstance(value, option):
                return value
            if isinstance(value, Mapping):
                return from_dict(option, value, where=f"{path}.")
        elif option is float:
            if isinstance(value, int | float) and not isinstance(value, bool):
                return _float(value, path)
        elif option is int:
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        elif typing.get_origin(option) is tuple:
            if isinstance(value, list | tuple):
                element = typing.get_args(option)[0]
                return tuple(_coerce(element, item, path) for item in value)
        elif typing.get_origin(option) is dict:
            if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
                element = typing.get_args(option)[1]
                return {name: _coerce(element, item, f"{path}.{name}") for name, item in value.items()}
        elif option is Any or (isinstance(option, type) and isinstance(value, option)):
            return value
    expected = " or ".join(_describe(option) for option in options)
    raise InputError(f"{path} has the wrong type", received=value, remedy=f"give {expected}")


def _float(value: float, path: str) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        raise InputError(f"{path} is too large", received=f"{str(value)[:12]}...", remedy="give fewer digits") from None


def _member(family: type[Family], values: Mapping[str, Any], path: str) -> type:
    kind = values.get(family.selector, family.default)
    if not isinstance(kind, str):
        name = f"{path}.{family.selector}"
        raise InputError(f"setting {name} is missing or no word", received=kind, remedy=f"name a {family.selector}")
    return family.of_kind(kind)


def _describe(option: Any) -> str:
    """Say in words what a type asks for."""
    if typing.get_origin(option) is tuple:
        return 'a list such as ["one", "two"]' if typing.get_args(option)[0] is str else "a list such as [0.5, 2]"
    words = {int: "a whole number", float: "a number", str: "a word", bool: "true or false", type(None): "null"}
    return words.get(option, "a group of settings")
