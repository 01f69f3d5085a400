import dataclasses
import hashlib
import http.server
import re
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from tests.up.data.test_real_sets import zipped
from up.data.download import get_real_set
from up.data.real_sets import REAL_SETS
from up.errors import InputError

DATA = bytes(range(256)) * 1200  # of several blocks


class Server(http.server.ThreadingHTTPServer):
    """Serves one body; it can stop in the middle, ignore ranges, and answer with an error."""

    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.heeds_ranges, self.lies_about_ranges, self.status = body, True, False, 200
        self.stops_after: int | None = None
        self.asked: list[str | None] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked, server = self.headers.get("Range"), self.server
        server.asked.append(asked)
        first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.heeds_ranges else 0
        if server.status != 200:
            self.send_error(server.status)
            return
        if first >= len(server.body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.body)}")
            self.end_headers()
            return
        self.send_response(206 if asked and server.heeds_ranges else 200)
        if asked and server.heeds_ranges:
            first = 0 if server.lies_about_ranges else first
            self.send_header("Content-Range", f"bytes {first}-{len(server.body) - 1}/{len(server.body)}")
        self.send_header("Content-Length", str(len(server.body) - first))
        self.end_headers()
        self.wfile.write(server.body[first:][: server.stops_after])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch):
    """A server of the set `code`, on this machine."""
    monkeypatch.setenv("no_proxy", "*")
    with Server(DATA) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        serve("code", server, monkeypatch, characters=None)
        yield server
        server.shutdown()
        thread.join()


def serve(name, server, monkeypatch, path="file", text=DATA, **changes):
    facts = {"size_bytes": len(text), "sha256": hashlib.sha256(text).hexdigest(), **changes}
    address = f"http://127.0.0.1:{server.server_port}/{path}"
    monkeypatch.setitem(REAL_SETS, name, dataclasses.replace(REAL_SETS[name], address=address, **facts))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


@pytest.mark.usefixtures("server")
def test_what_is_got_is_the_file_and_nothing_else_is_left(tmp_path):
    heard = []
    found = get_real_set("code", tmp_path / "new", progress=lambda done, total: heard.append((done, total)))
    assert found == tmp_path / "new" / "d3.min.js"
    assert found.read_bytes() == DATA
    assert names_in(tmp_path / "new") == {"d3.min.js"}
    assert heard == sorted(heard)
    assert heard[-1] == (len(DATA), len(DATA))


def test_what_is_there_already_is_not_got_again(server, tmp_path):
    (tmp_path / "d3.min.js").write_bytes(DATA)
    assert get_real_set("code", tmp_path) == tmp_path / "d3.min.js"
    assert server.asked == []
    (tmp_path / "d3.min.js").write_bytes(DATA[:-1])
    with pytest.raises(InputError, match="the file is not code"):
        get_real_set("code", tmp_path)
    assert (tmp_path / "d3.min.js").read_bytes() == DATA[:-1]


def test_an_interrupted_download_says_so_and_goes_on_where_it_stopped(server, tmp_path):
    server.stops_after = 100_000
    with pytest.raises(InputError, match=r"interrupted after 100,000 of 307,200 bytes.*up data get code again"):
        get_real_set("code", tmp_path)
    assert (tmp_path / "code.part").read_bytes() == DATA[:100_000]
    with pytest.raises(InputError, match="after 200,000 of 307,200"):
        get_real_set("code", tmp_path)
    server.stops_after, heard = None, []
    assert get_real_set("code", tmp_path, progress=lambda done, _: heard.append(done)).read_bytes() == DATA
    assert server.asked == [None, "bytes=100000-", "bytes=200000-"]
    assert min(heard) > 200_000


def test_a_server_that_ignores_or_misreads_ranges_is_read_from_the_beginning(server, tmp_path):
    (tmp_path / "code.part").write_bytes(DATA[:1000])
    server.heeds_ranges = False
    assert get_real_set("code", tmp_path).read_bytes() == DATA
    (tmp_path / "d3.min.js").unlink()
    (tmp_path / "code.part").write_bytes(DATA[:1000])
    server.heeds_ranges = server.lies_about_ranges = True
    assert get_real_set("code", tmp_path).read_bytes() == DATA
    assert server.asked[-1] is None


def test_a_download_that_was_whole_already_is_only_checked_and_a_longer_one_begun_again(server, tmp_path):
    (tmp_path / "code.part").write_bytes(DATA)
    assert get_real_set("code", tmp_path).read_bytes() == DATA
    assert len(server.asked) == 1
    (tmp_path / "d3.min.js").unlink()
    (tmp_path / "code.part").write_bytes(DATA + b"more")
    assert get_real_set("code", tmp_path).read_bytes() == DATA


def test_what_is_something_else_is_kept_aside_and_named_and_the_next_attempt_begins_anew(server, tmp_path):
    server.body = b"another file"
    with pytest.raises(InputError, match=r"not code: its SHA-256 is [0-9a-f]{64}, not.*kept as .*code\.wrong"):
        get_real_set("code", tmp_path)
    assert names_in(tmp_path) == {"code.wrong"}
    assert (tmp_path / "code.wrong").read_bytes() == b"another file"
    server.body = DATA
    assert get_real_set("code", tmp_path).read_bytes() == DATA
    assert names_in(tmp_path) == {"code.wrong", "d3.min.js"}


def test_an_archive_is_unpacked_and_takes_the_place_of_a_prefix(server, tmp_path, monkeypatch):
    proof = {"prefix_bytes": 100, "prefix_sha256": hashlib.sha256(DATA[:100]).hexdigest()}
    serve("wp", server, monkeypatch, "enwik8.zip", **proof)
    (tmp_path / "enwik8-head.bin").write_bytes(DATA[:5000])
    zipped(tmp_path / "archive", "enwik8", DATA)
    server.body = (tmp_path / "archive").read_bytes()
    assert get_real_set("wp", tmp_path) == tmp_path / "enwik8"
    assert (tmp_path / "enwik8").read_bytes() == DATA
    (tmp_path / "enwik8").unlink()
    server.body = b"no archive"
    with pytest.raises(InputError, match=r"what was downloaded is not wp: it is no archive with enwik8 in it"):
        get_real_set("wp", tmp_path)
    assert (tmp_path / "wp.wrong").exists()


def test_of_the_german_book_what_surrounds_it_is_cut_off(server, tmp_path, monkeypatch):
    real = REAL_SETS["german"]
    book = f"{real.opening} und so fort\n\nmehr als süß\n{real.closing}"
    text = book.encode("utf-8-sig")
    serve("german", server, monkeypatch, text=text, characters=(20, 10))
    server.body = f"\ufeffheader {real.opening[:15]}\n{book}\n*** END\n".replace("\n", "\r\n").encode()
    assert get_real_set("german", tmp_path).read_bytes() == text
    (tmp_path / "german.txt").unlink()
    for body in (b"another book", b"\xff\xfe"):
        server.body = body
        with pytest.raises(InputError, match="not german: its text does not begin and end as the set does"):
            get_real_set("german", tmp_path)


def test_errors_of_the_server_and_no_server_are_one_line_that_names_what_needs_none(server, tmp_path):
    for status in (404, 416):
        server.status = status
        with pytest.raises(InputError, match=rf"the server answers {status}.*stdlib, pydoc and the synthetic sets"):
            get_real_set("code", tmp_path)
    server.server_close()
    server.shutdown()
    with pytest.raises(
        InputError, match=r"code cannot be downloaded: .*stdlib, pydoc and the synthetic sets"
    ) as caught:
        get_real_set("code", tmp_path)
    assert "\n" not in str(caught.value)
    assert names_in(tmp_path) == set()


@pytest.mark.usefixtures("server")
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot write to the data folder: .*--data-dir or UP_DATA_DIR"):
        get_real_set("code", tmp_path / "file" / "below")


@pytest.mark.usefixtures("server")
def test_two_processes_do_not_get_the_same_set_at_once(tmp_path):
    with (
        FileLock(tmp_path / "code.lock", thread_local=False),
        pytest.raises(InputError, match="another process is getting code"),
    ):
        get_real_set("code", tmp_path)


def test_what_cannot_be_got_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no real data set has this name.*'toy'.*use wp, german, code, linux"):
        get_real_set("toy", tmp_path)
    with pytest.raises(InputError, match=r"linux cannot be downloaded.*put linux or linux.txt there"):
        get_real_set("linux", tmp_path)
