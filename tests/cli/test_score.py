"""`up score`: the table of whole files under compressors, its JSON, and what is refused."""

import io
import json
import os
import re
import sys

import pytest

from cli.context import CliContext
from cli.main import main
from tests.cli.streams import Outcome, assert_refused
from up.evaluation.compressors import compressed_sizes

PROSE = b"the cat sat on the mat; the mat sat on the cat. " * 20
NOISE = bytes((37 * place * place + 11 * place) % 251 for place in range(5_000))
PACKAGES = ("zstandard", "brotli", "pyppmd")
HEADINGS = ["file", "bytes", "zlib", "bzip2", "xz", "zstd", "brotli", "PPMd"]


@pytest.fixture
def prose(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prose.txt").write_bytes(PROSE)
    (tmp_path / "noise").write_bytes(NOISE)
    return "prose.txt"


@pytest.fixture
def bare(monkeypatch) -> None:
    """No package of the extra is installed."""
    for package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)


def piped(data: bytes, *words: str) -> Outcome:
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(["score", *words], CliContext.from_streams(stdout, stderr, {}, io.BytesIO(data)))
    return Outcome(code, stdout.getvalue(), stderr.getvalue())


def row_of(outcome: Outcome, name: str) -> list[str]:
    (line,) = [line for line in outcome.stdout.splitlines() if line.startswith(name)]
    return line.removeprefix(name).split()


def cells(data: bytes) -> list[str]:
    bits = [each.bits_per_byte for each in compressed_sizes(data)]
    return [f"{len(data):,}", *("-" if each is None else f"{each:.3f}" for each in bits)]


def test_the_table_has_a_row_for_each_file_with_the_bits_of_every_compressor(run, prose):
    outcome = run("score", prose, "noise")
    assert outcome.code == 0
    assert [HEADINGS[0], *row_of(outcome, "file")] == HEADINGS
    assert row_of(outcome, prose) == cells(PROSE)
    assert row_of(outcome, "noise") == cells(NOISE)


def test_below_it_stands_which_streams_are_raw_and_what_is_left_of_headers(run, prose):
    said = " ".join(run("score", prose).stdout.split())
    for each in compressed_sizes(PROSE):
        assert re.search(
            rf"raw streams: [^;]*{each.name}" if each.stream == "raw" else f"{each.name} {each.stream}", said
        )
    assert "bzip2 with its header and checksums, zstd with 2 bytes of its header" in said
    assert "not installed" not in said or None in [each.size_bytes for each in compressed_sizes(PROSE)]


def test_the_smallest_of_each_file_is_bold_and_nothing_else_in_its_row(run, prose):
    outcome = run("score", prose, "noise", terminal=True)
    for name, data in ((prose, PROSE), ("noise", NOISE)):
        known = [each.bits_per_byte for each in compressed_sizes(data) if each.bits_per_byte is not None]
        (line,) = [line for line in outcome.stdout.splitlines() if line.startswith(name)]
        bold = re.findall(r"\x1b\[1m *([\d.]+)", line)
        assert bold == [f"{bits:.3f}" for bits in known if bits == min(known)]


@pytest.mark.usefixtures("bare")
def test_a_compressor_that_is_not_installed_has_no_number_and_its_extra_is_named(run, prose):
    outcome = run("score", prose)
    assert outcome.code == 0
    assert row_of(outcome, prose)[-3:] == ["-", "-", "-"]
    said = " ".join(outcome.stdout.split())
    assert "not installed: zstd, brotli, PPMd var. H (pip install 'universal-pretraining[compressors]')" in said
    (file,) = json.loads(run("score", prose, "--json").stdout)["files"]
    assert [each["missing_extra"] for each in file["baselines"]] == [None] * 3 + ["compressors"] * 3


@pytest.mark.parametrize("package", PACKAGES)
def test_a_compressor_that_is_installed_and_broken_is_not_called_missing(run, prose, package, tmp_path, monkeypatch):
    (tmp_path / f"{package}.py").write_text(f"raise ImportError('a library is gone', name={package!r})")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, package, raising=False)
    outcome = run("score", prose, "-q")
    said = f"up: cannot import {package} (a library is gone): up doctor tries every package\n"
    assert (outcome.code, outcome.stdout, outcome.stderr) == (1, "", said)
    assert package in json.loads(run("doctor", "--json").stdout)["broken"] or not installed(package)


def installed(package: str) -> bool:
    from importlib import metadata

    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.parametrize("columns", ["40", "60", "80", "140"])
def test_no_line_is_wider_than_the_terminal_and_no_number_is_lost(run, prose, tmp_path, columns):
    long = tmp_path / f"{'a-long-name-' * 10}.txt"
    long.write_bytes(b"a")
    outcome = run("score", prose, long.name, environment={"COLUMNS": columns})
    assert max(map(len, outcome.stdout.splitlines())) <= int(columns)
    words = outcome.stdout.split()
    for data in (PROSE, b"a"):
        assert set(cells(data)) <= set(words)


@pytest.mark.usefixtures("prose")
def test_a_name_that_is_no_text_is_shown_escaped_and_kept_in_json(run, tmp_path):
    bad = os.fsdecode(b"bad\xff")
    (tmp_path / bad).write_bytes(PROSE)
    assert row_of(run("score", bad), r"bad\xff") == cells(PROSE)
    assert [each["path"] for each in json.loads(run("score", bad, "--json").stdout)["files"]] == [bad]


def test_json_has_path_bytes_and_baselines_of_each_file_and_nothing_else(run, prose):
    outcome = run("score", prose, "noise", "--json", "-q")
    assert outcome.stderr == ""
    assert json.loads(outcome.stdout) == {
        "command": "score",
        "files": [
            {"path": name, "bytes": len(data), "baselines": [vars(each) for each in compressed_sizes(data)]}
            for name, data in ((prose, PROSE), ("noise", NOISE))
        ],
    }


def test_a_dash_is_standard_input(prose):
    outcome = piped(NOISE, "-", prose)
    assert row_of(outcome, "standard input") == cells(NOISE)
    assert row_of(outcome, prose) == cells(PROSE)
    assert [each["path"] for each in json.loads(piped(NOISE, "-", "--json").stdout)["files"]] == ["-"]


def test_progress_goes_to_stderr_and_can_be_silenced(run, prose):
    assert "compressions done: 6 of 6" in run("score", prose).stderr
    assert run("score", prose, "-q").stderr == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "missing argument 'FILE"),
        ("missing", "there is no such file (received 'missing')"),
        (".", "a folder cannot be scored (received '.'): name the files in it"),
        ("empty", "an empty file has no bits per byte (received 'empty')"),
        ("prose.txt empty", "an empty file has no bits per byte (received 'empty')"),
        ("/dev/null", "this is neither a file nor a pipe (received '/dev/null')"),
        ("- -", "standard input is named twice"),
        ("prose.txt/more", "cannot read the file (Not a directory)"),
    ],
)
def test_what_cannot_be_scored_is_one_line_and_exit_2(run, tmp_path, prose, words, said):
    (tmp_path / "empty").touch()
    assert (tmp_path / prose).exists()
    assert_refused(run("score", *words.split()), said)


def test_an_empty_path_and_an_empty_pipe_are_refused_too(run):
    assert_refused(run("score", ""), "the path is empty")
    assert_refused(piped(b"", "-"), "an empty file has no bits per byte (received '-')")
