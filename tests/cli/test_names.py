"""Names and places of files that are unusual: links that lead nowhere, names that are not UTF-8, a locale that has none.

On disk a name is bytes. Python reads those that are no text in the locale as surrogates, which no file can be written
with; they are shown as the shell writes them, such as `bad\\xff`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.streams import assert_refused

ROOT = Path(__file__).parents[2]


def test_every_command_tells_of_a_link_that_leads_nowhere_in_the_same_line(run, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").symlink_to("gone")
    told = set()
    for words in (
        arguments("runs"),
        arguments("runs/new"),
        arguments("runs/new", "--plan"),
        ["train", "--resume", "--out", "runs"],
        ["runs"],
        ["runs", "--folder", "runs"],
        ["runs", "show", "runs"],
        ["runs", "compare", "runs/a", "runs/b"],
        ["eval", "runs"],
    ):
        outcome = run(*words)
        assert_refused(outcome, "runs is a link to gone, which is not there")
        told.add(outcome.stderr)
    assert len(told) == 1
    assert os.listdir() == ["runs"]
