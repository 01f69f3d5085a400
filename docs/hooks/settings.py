"""Print all settings of all presets as Markdown tables; executed by docs/reference/settings.md.

Presets differ in architecture and source, and so in which settings they have.
"""

from typing import Any

from up.config import flatten, to_dict
from up.recipes.presets import PRESETS, load_preset

NONE = "–"


def show(value: Any) -> str:
    """Write one value as a table shows it."""
    if value is None:
        return "by rule"
    if isinstance(value, list | tuple):
        return ", ".join(map(show, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)


presets = {name: flatten(to_dict(load_preset(name))) for name in PRESETS}
every = dict.fromkeys(name for preset in presets.values() for name in preset)
rooms = list(dict.fromkeys(name.partition(".")[0] for name in every))
names = sorted(every, key=lambda name: rooms.index(name.partition(".")[0]))  # those of one room side by side

settings = {name: {label: show(preset[name]) for label, preset in presets.items() if name in preset} for name in names}
differing = {name: values for name, values in settings.items() if len(set(values.values())) > 1}

print("## What the presets change\n")
print(f"{NONE} means that the architecture or the source of the preset has no such setting.\n")
print("| setting | " + " | ".join(presets) + " |")
print("|---|" + "--:|" * len(presets))
for name, values in differing.items():
    print(f"| `{name}` | " + " | ".join(values.get(label, NONE) for label in presets) + " |")

print("\n## The same in every preset\n")
print("| setting | value |")
print("|---|--:|")
for name, values in settings.items():
    if name not in differing and len(values) == len(presets):
        print(f"| `{name}` | {values[PRESETS[0]]} |")

print("\n## The same in every preset that has it\n")
print("| setting | value | presets |")
print("|---|--:|---|")
for name, values in settings.items():
    if name not in differing and len(values) < len(presets):
        print(f"| `{name}` | {next(iter(values.values()))} | {', '.join(values)} |")
