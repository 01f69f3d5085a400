"""A corpus of random computation in a file, for people who train elsewhere: rows, and a datasheet beside them.

    write_corpus(Path("rows.npy"), source=up.make_source("restaurant"), rows=100_000, length=512, seed=0)

    rows.npy         uint8 of shape (rows, length), for `numpy.load(..., mmap_mode="r")`; or rows.parquet, one column
                     `tokens` of lists (the extra `parquet`)
    rows.npy.json    the datasheet: what the distribution is, settings, seed, statistics, versions, licence

Row i is row i of `RandomComputation` with the same seed. The rows are written to `rows.npy.partial` first; if that is
cut off, the same call goes on where it ended, for its datasheet lies beside it. The file has its name when it is whole.

Limits: at most 256 tokens, as uint8.
"""

import dataclasses
import errno
import json
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

import up
from theory.words import docstring_of
from up.config import require_at_most, require_not_negative, require_positive, to_dict
from up.errors import InputError, RunError
from up.evaluation.measures import row_statistics
from up.memory import is_out_of_memory
from up.packages import import_optional
from up.runs.files import beside, read_json, reason_of, replacing, sha256_of, write_text
from up.runs.lock import LockedError, locked
from up.sources.base import Source
from up.sources.nesting import all_sources, reads_real_data, seed_length, without_places
from up.use.dataset import RandomComputation, one_model_a_row

LICENCE = "MIT, as the program that drew it; random numbers entered, and no data"
_BLOCK_ROWS = 64
_MEASURED_ROWS = 1_000
_ROW_GROUP = 4_096
_SUFFIXES = (".npy", ".parquet")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Datasheet:
    """What is in a corpus.

    Attributes:
        source: kind of the source.
        description: kind and sizes.
        distribution: how a row is drawn, in full.
        settings: of the source.
        seed: row i depends on it, on i and on the settings alone.
        rows: number of rows.
        length: tokens in a row.
        block_rows: rows that are drawn together; part of what decides them.
        vocabulary_size: tokens are below this.
        versions: of this package, Python and what rounds numbers.
        licence: of the rows.
        statistics: of the first rows, in bits per token; empty until all rows are there.
        sha256: of the file, in hexadecimal; empty until then.

    """

    source: str
    description: str
    distribution: str
    settings: dict[str, Any]
    seed: int
    rows: int
    length: int
    block_rows: int
    vocabulary_size: int
    versions: dict[str, str]
    licence: str
    statistics: dict[str, float] = dataclasses.field(default_factory=dict)
    sha256: str = ""


def write_corpus(
    out: Path,
    *,
    source: Source,
    rows: int,
    length: int = 512,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Datasheet:
    """Write rows of a source to a file, with its datasheet; go on where an earlier call was cut off.

    Args:
        out: `.npy` or `.parquet`.
        source: of the rows.
        rows: number of rows.
        length: tokens in a row.
        seed: of all rows.
        progress: called with rows done and rows in all.

    Raises:
        InputError: the file exists, its folder does not, another suffix, a number out of range, a source that cannot
            serve it, or a half-written file of other settings.
        RunError: a file cannot be written; what there is, is kept.
    """
    require_positive("corpus", rows=rows, length=length)
    require_at_most("corpus", rows=(rows, 10**9), length=(length, 65_536))
    require_not_negative("corpus", seed=seed)
    require_at_most("corpus", vocabulary_size=(source.vocabulary_size, 256))
    if reads_real_data(source):
        raise InputError(
            "what is written is random computation, and this source is real data",
            received=source.description,
            remedy="name another source (up sources lists them)",
        )
    _require_writable(out)
    source = one_model_a_row(source).resolve(torch.device("cpu"))
    dataset = RandomComputation(seed, length=length, source=source, block_rows=_BLOCK_ROWS, stop=rows)
    sheet = _datasheet(source, rows=rows, length=length, seed=seed)
    partial, begun = beside(out, ".partial"), beside(out, ".partial.json")
    lock = beside(out, ".partial.lock")
    try:
        with locked(lock, seconds=1):
            done = _begin(partial, begun, sheet)
            with partial.open("r+b") as handle:
                handle.seek(done * length)
                for block in range(done // _BLOCK_ROWS, -(-rows // _BLOCK_ROWS)):
                    progress(block * _BLOCK_ROWS, rows)
                    tokens_BT = dataset.block(block)[: rows - block * _BLOCK_ROWS]
                    handle.write(tokens_BT.to(torch.uint8).numpy().tobytes())
                    handle.flush()
                os.fsync(handle.fileno())
            progress(rows, rows)
            sheet = _finish(out, partial, begun, sheet, seed_length(source))
            lock.unlink(missing_ok=True)
            return sheet
    except LockedError as error:
        raise InputError(
            "another process is writing the corpus",
            received=str(out),
            remedy=f"wait until it has ended{error.hint}",
        ) from None
    except OSError as error:
        if is_out_of_memory(error):
            raise
        if error.errno in _NO_ROOM:
            raise RunError(
                f"cannot write {error.filename or out} ({reason_of(error)}): make room, then the same command goes on"
            ) from None
        raise InputError(
            f"cannot write the corpus ({reason_of(error)})", received=str(out), remedy="choose another --out"
        ) from None


def _datasheet(source: Source, *, rows: int, length: int, seed: int) -> Datasheet:
    versions = {"up": up.__version__, "python": sys.version.split()[0]}
    versions |= {name: metadata.version(name) for name in ("torch", "numpy")}
    return Datasheet(
        source=source.kind,
        description=source.description,
        distribution="\n\n".join(dict.fromkeys(map(_distribution, all_sources(source)))),
        settings=to_dict(source),
        seed=seed,
        rows=rows,
        length=length,
        block_rows=_BLOCK_ROWS,
        vocabulary_size=source.vocabulary_size,
        versions=versions,
        licence=LICENCE,
    )


def _distribution(source: Source) -> str:
    """Return how a source draws, in full: the text of its file, or what its module says."""
    if source.text is not None:
        return source.text
    return docstring_of(sys.modules[type(source).__module__])


def _begin(partial: Path, begun: Path, sheet: Datasheet) -> int:
    """Return how many whole blocks of rows lie in the half-written file already, in rows; make it if there is none."""
    said = json.loads(json.dumps(to_dict(sheet)))
    if partial.exists() and begun.exists():
        found = read_json(begun, dict, remedy="remove it, and the command starts again")
        found |= {"source": said["source"]}  # `settings` tells kind and SHA-256; a file may have moved
        then, now = without_places(found), without_places(said)
        differing = [name for name, value in now.items() if then.get(name) != value]
        if differing:
            raise InputError(
                f"{partial} was begun with another {', '.join(differing[:3])}",
                remedy="give the same settings to go on, or remove it",
            )
        whole = partial.stat().st_size // (sheet.length * _BLOCK_ROWS) * _BLOCK_ROWS
        return min(whole, sheet.rows // _BLOCK_ROWS * _BLOCK_ROWS)
    write_text(begun, json.dumps(said, indent=2) + "\n")
    partial.write_bytes(b"")
    return 0


def _finish(out: Path, partial: Path, begun: Path, sheet: Datasheet, given: int) -> Datasheet:
    """Turn the raw rows into the file that was asked for, and write its datasheet."""
    tokens_RT = np.memmap(partial, dtype=np.uint8, mode="r", shape=(sheet.rows, sheet.length))
    measured = row_statistics(np.array(tokens_RT[:_MEASURED_ROWS]), sheet.vocabulary_size, seed_length=given)
    with replacing(out) as handle:
        if out.suffix == ".npy":
            np.lib.format.write_array_header_1_0(handle, np.lib.format.header_data_from_array_1_0(tokens_RT))
            handle.write(tokens_RT.data)  # `write_array` would not say why it cannot be written
        else:
            _write_parquet(handle, tokens_RT)
        handle.flush()
        sheet = dataclasses.replace(sheet, statistics=vars(measured), sha256=sha256_of(Path(handle.name)))
        write_text(_datasheet_of(out), json.dumps(to_dict(sheet), indent=2) + "\n")
    del tokens_RT
    partial.unlink()
    begun.unlink()
    return sheet


def _write_parquet(handle: BinaryIO, tokens_RT: np.ndarray) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kind = pa.list_(pa.uint8(), tokens_RT.shape[1])
    schema = pa.schema([("tokens", kind)])
    with parquet.ParquetWriter(handle, schema) as writer:
        for start in range(0, len(tokens_RT), _ROW_GROUP):
            part = np.ascontiguousarray(tokens_RT[start : start + _ROW_GROUP])
            column = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), type=kind)
            writer.write_table(pa.table([column], schema=schema))


def _datasheet_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.json")


def _require_writable(out: Path) -> None:
    if out.suffix not in _SUFFIXES:
        raise InputError(
            "the corpus has another suffix", received=str(out), remedy=f"name it with {' or '.join(_SUFFIXES)}"
        )
    if out.suffix == ".parquet":
        import_optional("pyarrow.parquet", package="pyarrow", extra="parquet", use="writing .parquet")
    if os.path.lexists(out):
        raise InputError("the corpus exists already", received=str(out), remedy="choose another --out, or remove it")
    if not out.parent.is_dir():
        raise InputError("the corpus has no folder to go to", received=str(out), remedy="make the folder first")
    try:
        _datasheet_of(out).lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # a name that is too long
        raise InputError(
            f"cannot write the corpus and its datasheet beside it ({error.strerror})",
            received=str(out),
            remedy="choose another --out",
        ) from None
