"""Print the reference of all commands as Markdown; executed by docs/reference/commands.md."""

import re
import subprocess
import sys

document = subprocess.run(
    [sys.executable, "-m", "typer", "cli.main", "utils", "docs", "--name", "up"],
    capture_output=True,
    text=True,
    check=True,
).stdout
_, _, body = document.partition("\n")  # the page has its own title
# Lines that a help text sets apart with \b are shown as they stand.
print(re.sub(r"\x08?\n((?: {2}\S.*\n)+)", r"\n```text\n\1```\n", body))
