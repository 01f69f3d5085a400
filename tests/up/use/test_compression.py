"""Files that are compressed and decompressed: what is there afterwards, and what is not."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.up.model.mixing.test_stream import TEXT, wild_predictor
from up.errors import InputError, RunError
from up.use import compression
from up.use.compression import Coding
from up.use.compression_orders import Order, compression_orders, decompression_orders

SLOTS = 1 << 14
ROOT = Path(__file__).parents[3]


@pytest.fixture
def coding() -> Coding:
    return Coding(predictor=wild_predictor(), num_slots=SLOTS)


@pytest.fixture
def notes(tmp_path, monkeypatch) -> str:
    monkeypatch.chdir(tmp_path)
    Path("notes").write_bytes(TEXT)
    return "notes"


def compress(coding: Coding, path: str, **options):
    (order,) = compression_orders([path], **options)
    return coding.compress(order)


def decompress(coding: Coding, path: str, **options):
    (order,) = decompression_orders([path], **options)
    return coding.decompress(order)


def test_a_file_becomes_a_shorter_one_and_that_the_file_with_its_permissions_and_times(coding, notes):
    os.chmod(notes, 0o640)
    os.utime(notes, ns=(10**18, 10**18 + 7_000))
    before = os.stat(notes)
    done = compress(coding, notes)
    assert os.listdir() == ["notes.up"]
    assert done.compressed_bytes == os.stat("notes.up").st_size < done.data_bytes == len(TEXT)
    assert done.bits_per_byte == 8 * done.compressed_bytes / len(TEXT)
    assert stat.S_IMODE(os.stat("notes.up").st_mode) == 0o640
    assert os.stat("notes.up").st_mtime_ns == before.st_mtime_ns
    decompress(coding, "notes.up")
    assert os.listdir() == ["notes"]
    assert Path(notes).read_bytes() == TEXT
    assert (os.stat(notes).st_mode, os.stat(notes).st_mtime_ns) == (before.st_mode, before.st_mtime_ns)


def test_a_file_is_kept_where_that_is_asked_for_or_another_output_is(coding, notes):
    compress(coding, notes, keep=True)
    compress(coding, notes, output="other.up")
    assert sorted(os.listdir()) == ["notes", "notes.up", "other.up"]
    assert Path("other.up").read_bytes() == Path("notes.up").read_bytes()
    decompress(coding, "other.up", output="back")
    assert Path("back").read_bytes() == TEXT


@pytest.mark.usefixtures("notes")
def test_an_empty_file_has_no_bits_per_byte(coding):
    Path("empty").touch()
    done = compress(coding, "empty")
    assert (done.data_bytes, done.bits_per_byte) == (0, None)
    assert decompress(coding, "empty.up").data_bytes == 0


def test_a_file_that_is_there_is_replaced_only_by_force_and_then_has_the_permissions_of_the_other(coding, notes):
    Path("notes.up").write_bytes(b"precious")
    os.chmod(notes, 0o600)
    with pytest.raises(InputError, match="the output exists already"):
        compress(coding, notes)
    assert Path("notes.up").read_bytes() == b"precious"
    compress(coding, notes, force=True)
    assert stat.S_IMODE(os.stat("notes.up").st_mode) == 0o600
    decompress(coding, "notes.up")
    assert Path(notes).read_bytes() == TEXT


@pytest.mark.parametrize("verify", [True, False])
def test_streams_are_read_and_written(notes, verify):
    packed, back = io.BytesIO(), io.BytesIO()
    (order,) = compression_orders(["-"])
    Coding(predictor=wild_predictor(), num_slots=SLOTS, stdin=io.BytesIO(TEXT), stdout=packed).compress(
        order, verify=verify
    )
    (order,) = decompression_orders(["-"])
    packed.seek(0)
    Coding(predictor=wild_predictor(), num_slots=SLOTS, stdin=packed, stdout=back).decompress(order)
    assert back.getvalue() == TEXT
    assert os.listdir() == [notes]


def test_nothing_of_a_damaged_file_is_written_anywhere(coding, notes):
    compress(coding, notes)
    file = bytearray(Path("notes.up").read_bytes())
    file[-1] ^= 1
    Path("notes.up").write_bytes(file)
    with pytest.raises(InputError, match=r"cannot decompress notes\.up: the file is damaged"):
        decompress(coding, "notes.up")
    stdout = io.BytesIO()
    (order,) = decompression_orders(["notes.up"], output="-")
    with pytest.raises(InputError, match="damaged"):
        Coding(predictor=wild_predictor(), num_slots=SLOTS, stdout=stdout).decompress(order)
    assert stdout.getvalue() == b""
    assert os.listdir() == ["notes.up"]


def test_a_code_that_does_not_come_back_is_no_file_and_the_input_stays(coding, notes, monkeypatch):
    """As with faulty memory: the encoder writes another byte than it meant to."""
    write = compression.write

    def faulty(model, source, sink, **options):
        class Sink:
            def write(self, part):
                sink.write(part.replace(b"\x81up", b"\x82up"))

        return write(model, source, Sink(), **options)

    monkeypatch.setattr(compression, "write", faulty)
    with pytest.raises(RunError, match="notes comes out differently when it is decoded"):
        compress(coding, notes)
    assert os.listdir() == [notes]
    (order,) = compression_orders([notes])
    coding.compress(order, verify=False)  # nothing looks
    assert os.listdir() == ["notes.up"]


def test_data_that_came_out_otherwise_is_found_even_where_the_file_is_sound(coding, notes, monkeypatch):
    read = compression.read

    def faulty(model, source, sink, **options):
        sizes = read(model, source, sink, **options)
        sink.write(b"one byte more")
        return sizes

    monkeypatch.setattr(compression, "read", faulty)
    with pytest.raises(RunError, match="comes out differently"):
        compress(coding, notes)
    assert os.listdir() == [notes]


def test_a_file_that_is_written_to_meanwhile_stays(coding, notes):
    (order,) = compression_orders([notes])

    def append(_done, _total):
        with Path(notes).open("ab") as handle:
            handle.write(b"!")

    with pytest.raises(RunError, match="was changed while it was read"):
        coding.compress(order, progress=append)
    assert os.listdir() == [notes]


def test_progress_counts_verifying_too_and_knows_its_end(coding, notes):
    told: list[tuple[int, int | None]] = []
    (order,) = compression_orders([notes])
    coding.compress(order, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (2 * len(TEXT), 2 * len(TEXT))
    assert told == sorted(told)


@pytest.mark.parametrize("ended", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("command", ["compress", "decompress"])
def test_a_process_that_is_killed_leaves_nothing_under_the_final_name(notes, coding, ended, command):
    Path(notes).write_bytes(TEXT * 100)
    before = notes
    if command == "decompress":
        (order,) = compression_orders([notes])
        coding.compress(order, verify=False)
        before = "notes.up"
    program = (
        "import sys\n"
        "from tests.up.use.test_compression import *\n"
        f"(order,) = {command}ion_orders([{before!r}])\n"
        "def tell(done, total):\n"
        "    print('begun', flush=True)\n"
        "try:\n"
        f"    Coding(predictor=wild_predictor(), num_slots=SLOTS).{command}(order, progress=tell)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(130)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"begun\n"
    time.sleep(0.05)
    process.send_signal(ended)
    process.stdout.read()
    process.stdout.close()
    assert process.wait() == (-signal.SIGKILL if ended == signal.SIGKILL else 130)
    left = sorted(os.listdir())
    assert before in left
    assert all(name == before or name.endswith(".partial") for name in left)
    if ended == signal.SIGINT:
        assert left == [before]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "there is no such file"),
        (".", "this is a folder and no file"),
        ("link", "this is a symbolic link and no file"),
        ("pipe", "this is a pipe and no file"),
        ("/dev/null", "this is a device and no file"),
        ("done.up", "the file ends in .up already"),
        ("notes/more", "cannot read the file"),
        ("null\0byte", "cannot read the file"),
    ],
)
def test_what_is_no_file_to_compress_is_refused_before_anything_is_done(notes, path, said):
    Path("link").symlink_to(notes)
    os.mkfifo("pipe")
    Path("done.up").touch()
    with pytest.raises(InputError, match=said):
        compression_orders([notes, path])


@pytest.mark.parametrize(
    ("paths", "options", "said"),
    [
        (["notes", "notes"], {}, "named twice"),
        (["notes", "other"], {"output": "both"}, "one output for several files"),
        (["notes"], {"output": "."}, "the output is a folder"),
        (["notes"], {"output": "notes", "force": True}, "the output is the file itself"),
        (["notes"], {"output": "missing/notes.up"}, "the output has no folder to go to"),
        (["notes"], {"output": "n" * 300}, "cannot write the output"),
    ],
)
@pytest.mark.usefixtures("notes")
def test_outputs_that_cannot_be_are_refused(paths, options, said):
    Path("other").touch()
    with pytest.raises(InputError, match=said):
        compression_orders(paths, **options)


@pytest.mark.parametrize("name", ["notes", ".up"])
@pytest.mark.usefixtures("notes")
def test_a_file_whose_own_name_is_unknown_is_not_decompressed(name):
    Path(".up").touch()
    with pytest.raises(InputError, match=r"does not end in \.up"):
        decompression_orders([name])


def test_a_full_disk_is_told_and_leaves_the_file(coding, notes):
    order = Order(path=notes, output="/dev/full")
    with pytest.raises(RunError, match=r"cannot write /dev/full \(No space left on device\)"):
        coding.compress(order)
    assert os.listdir() == [notes]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_permissions_are_told(notes):
    os.chmod(notes, 0)
    with pytest.raises(InputError, match="Permission denied"):
        compression_orders([notes])
