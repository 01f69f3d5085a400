"""Tables that are copied from records or made of the code say what these say."""

import json
import re
import runpy
from pathlib import Path

import pytest

from benchmarks.bench_pieces import piece_bits, table
from up.config import flatten, to_dict
from up.evaluation.compressors import compressed_sizes
from up.model.mixing.stream import Stream
from up.recipes.presets import PRESETS, load_preset
from up.use.predictor import load_predictor

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["README.md", "benchmarks/README.md"])
def test_the_table_of_short_files_is_that_of_the_record(page: str) -> None:
    record = json.loads((ROOT / "benchmarks/records/2026-11-26-pieces.json").read_text(encoding="utf-8"))
    assert table(record["rows"]) in (ROOT / page).read_text(encoding="utf-8")


def test_the_table_of_short_files_has_means_and_the_lowest_of_each_column_in_bold() -> None:
    rows = [
        {"corpus": "stdlib", "bytes": 1000, "bits": {"one": [1.0, 2.0], "other": [3.0, 1.0]}},
        {"corpus": "pydoc", "bytes": 4000, "bits": {"one": [2.0, 2.0], "other": [1.0, 2.5]}},
    ]
    assert table(rows).splitlines() == [
        "| bits per byte | stdlib, 1 kB | pydoc, 4 kB |",
        "|---|---:|---:|",
        "| one | **1.500** | 2.000 |",
        "| other | 2.000 | **1.750** |",
    ]


def test_every_piece_is_a_file_of_its_own_to_the_predictor_as_to_the_compressors() -> None:
    predictor, piece = load_predictor("builtin:mixing"), b"a rose is a rose is a rose. " * 8
    bits = piece_bits(piece, {"mixing": predictor})
    assert bits == piece_bits(piece, {"mixing": predictor})  # nothing is carried over
    assert bits["mixing"] == Stream(predictor).score(piece).mean()
    sizes = {size.name: size.bits_per_byte for size in compressed_sizes(piece) if size.bits_per_byte is not None}
    assert bits == {"mixing": bits["mixing"], **sizes}


def test_the_page_of_settings_has_every_setting_of_every_preset_once(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(ROOT / "docs/hooks/settings.py"))
    printed = capsys.readouterr().out
    presets = {name: flatten(to_dict(load_preset(name))) for name in PRESETS}
    every = {setting for preset in presets.values() for setting in preset}
    listed = re.findall(r"^\| `(\S+)` \|", printed, re.M)
    assert sorted(listed) == sorted(every)
    (heading, widths) = re.findall(r"^\| (?:setting|`model.width`) \| (.* \| .* \| .*) \|$", printed, re.M)[:2]
    shown = dict(zip(heading.split(" | "), widths.split(" | "), strict=True))
    assert list(shown) == list(PRESETS)
    assert (shown["tiny"], shown["mixing"], shown["paper-1024"]) == ("128", "–", "1,024")
    assert "| `model.learned_bytes` | 256 | mixing, mixing-small |" in printed
