"""Print the deviations that the docstrings state as Markdown; executed by docs/errata.md."""

import os
import sys
from pathlib import Path

root = Path(os.environ["MKDOCS_CONFIG_DIR"] or ".").resolve()
sys.path.insert(0, str(root / "docs/hooks"))
from docstrings import deviations_as_markdown  # noqa: E402

for kind, heading in (("", ""), ("erratum", "Places where the code follows the corrected statement:")):
    print(f"{heading}\n\n{deviations_as_markdown(root, ('theory', 'up', 'cli'), kind=kind)}")
