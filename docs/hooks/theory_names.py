"""Print the public names of `import theory` as a Markdown table; executed by docs/reference/names.md."""

import inspect

import theory


def first_line(value: object) -> str:
    """Return what something is, in the first line of its documentation."""
    text = inspect.getdoc(value) or ""
    return text.partition("\n")[0].rstrip(".") if callable(value) else "every check by its name"


print("| name | what it is |")
print("|---|---|")
for module, names in theory._PUBLIC.items():
    for name in names:
        value = getattr(theory, name)
        print(f"| [`theory.{name}`][theory.{module}.{name}] | {first_line(value).replace('|', chr(92) + '|')} |")
