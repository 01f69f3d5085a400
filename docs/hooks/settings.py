"""Print all settings of all presets as a Markdown table; executed by docs/reference/settings.md."""

from collections.abc import Iterator
from typing import Any

from up.config import to_dict
from up.recipes.presets import PRESETS, load_preset


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted name, value) of nested settings."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def show(value: Any) -> str:
    """Write one value as a table shows it."""
    if value is None:
        return "by rule"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


presets = {name: dict(flatten(to_dict(load_preset(name)))) for name in PRESETS}
names = list(next(iter(presets.values())))

settings = {name: [show(preset[name]) for preset in presets.values()] for name in names}
differing = {name: values for name, values in settings.items() if len(set(values)) > 1}

print("## What the presets change\n")
print("| setting | " + " | ".join(presets) + " |")
print("|---|" + "--:|" * len(presets))
for name, values in differing.items():
    print(f"| `{name}` | " + " | ".join(values) + " |")

print("\n## The same in every preset\n")
print("| setting | value |")
print("|---|--:|")
for name, values in settings.items():
    if name not in differing:
        print(f"| `{name}` | {values[0]} |")
