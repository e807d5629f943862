"""Downloads against a real HTTP server on loopback that breaks off, refuses, and serves the wrong bytes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from selfinstruct_train.sources.fetch import Folders, Mirror, PinnedFile, fetch_all, mirror

CONTENT = b"0123456789" * 1000


def pinned(content: bytes = CONTENT, name: str = "a.txt", **fields: object) -> PinnedFile:
    sha256 = hashlib.sha256(content).hexdigest()
    return PinnedFile(
        **{"path": f"x/{name}", "repository": "o/r", "commit": "c0", "source": name, "sha256": sha256, **fields}
    )  # type: ignore[arg-type]


class Server:
    """Answers GET by `script`: a list of handlers, one a request; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None]] = []  # (path, Range header)
        self.script: list[Callable[[BaseHTTPRequestHandler], None]] = []
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:  # noqa: N805
                with lock:
                    self.requests.append((handler.path, handler.headers.get("Range")))
                    answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
                answer(handler)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def whole(content: bytes = CONTENT) -> Callable[[BaseHTTPRequestHandler], None]:
    """Serve the content, from where the Range header asks."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if start >= len(content):
            status(416)(handler)
            return
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        handler.wfile.write(content[start:])

    return answer


def cut(num_bytes: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """Promise the content, send a part, close."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:num_bytes])
        handler.close_connection = True

    return answer


def ignoring_range(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(CONTENT)))
    handler.end_headers()
    handler.wfile.write(CONTENT)


def status(code: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def get(server: Server, data: Path, *files: PinnedFile) -> list[float]:
    """Fetch; return the seconds that were waited for, without waiting."""
    waited: list[float] = []
    with mirror(server.url) as source:
        fetch_all(files or [pinned()], data, Mirror(source.client, source.url, waited.append))
    return waited


def test_a_file_comes_from_the_path_that_github_has_and_stands_in_the_manifest(server, tmp_path):
    server.script = [whole()]
    assert get(server, tmp_path) == []
    assert server.requests == [("/o/r/c0/a.txt", None)]
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT
    entry = json.loads((tmp_path / "manifest.json").read_text())["files"]["x/a.txt"]
    assert entry == {"sha256": hashlib.sha256(CONTENT).hexdigest(), "origin": "o/r/c0/a.txt"}


def test_a_download_that_breaks_off_goes_on_at_its_last_byte(server, tmp_path):
    server.script = [cut(3000), whole()]
    get(server, tmp_path)
    assert server.requests == [("/o/r/c0/a.txt", None), ("/o/r/c0/a.txt", "bytes=3000-")]
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["a.txt"]


def test_the_part_of_an_earlier_process_is_gone_on_with(server, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.txt.part").write_bytes(CONTENT[:7])
    server.script = [whole()]
    get(server, tmp_path)
    assert server.requests == [("/o/r/c0/a.txt", "bytes=7-")]
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"something else", CONTENT + b"and more"])
def test_a_part_that_is_not_of_the_file_is_thrown_away(server, tmp_path, part):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.txt.part").write_bytes(part)
    server.script = [whole()]
    get(server, tmp_path)
    assert [asked for _, asked in server.requests] == [f"bytes={len(part)}-", None]
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT


def test_a_server_without_ranges_sends_the_whole_again(server, tmp_path):
    server.script = [cut(3000), ignoring_range]
    get(server, tmp_path)
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT


def test_errors_of_the_server_are_tried_again_after_a_longer_and_longer_wait(server, tmp_path):
    server.script = [status(500), status(503), status(429, Retry_After="7"), whole()]
    assert get(server, tmp_path) == [1, 2, 7]
    assert (tmp_path / "x/a.txt").read_bytes() == CONTENT


def test_a_server_that_never_answers_well_is_one_line_with_the_address_and_what_to_do(server, tmp_path):
    server.script = [status(500)]
    with pytest.raises(
        ValueError, match=r"/o/r/c0/a\.txt: status 500 at the last of 5 attempts for x/a\.txt;.*--mirror"
    ):
        get(server, tmp_path)
    assert len(server.requests) == 5
    assert not (tmp_path / "x/a.txt").exists()


def test_a_file_that_is_not_there_is_told_at_once(server, tmp_path):
    server.script = [status(404)]
    with pytest.raises(ValueError, match=r"status 404 for x/a\.txt; check --mirror, or use --from"):
        get(server, tmp_path)
    assert len(server.requests) == 1


def test_wrong_bytes_are_never_put_in_place(server, tmp_path):
    server.script = [whole(b"something else")]
    wrong = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(ValueError, match=f"sha256 is {wrong}, but {pinned().sha256} is pinned") as caught:
        get(server, tmp_path)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "x").iterdir()) == []


def test_finished_files_are_not_fetched_again_and_changed_ones_are(server, tmp_path):
    unsummed = pinned(name="b.txt", sha256=None)
    server.script = [whole()]
    get(server, tmp_path, pinned(), unsummed)
    assert len(server.requests) == 2
    get(server, tmp_path, pinned(), unsummed)
    assert len(server.requests) == 2
    for name in ("a.txt", "b.txt"):
        (tmp_path / "x" / name).write_bytes(b"changed")
    get(server, tmp_path, pinned(), unsummed)
    assert len(server.requests) == 4
    assert (tmp_path / "x/b.txt").read_bytes() == CONTENT


def test_a_right_file_that_the_manifest_lacks_is_noted_and_not_fetched(server, tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.txt").write_bytes(CONTENT)
    assert get(server, tmp_path) == []
    assert server.requests == []
    entry = json.loads((tmp_path / "manifest.json").read_text())["files"]["x/a.txt"]
    assert entry == {"sha256": hashlib.sha256(CONTENT).hexdigest(), "origin": "folder"}


@pytest.mark.parametrize("content", ["[]", "{", '{"files": []}', '{"files": {"x/a.txt": "sum"}}'])
def test_a_broken_manifest_is_one_line(server, tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(ValueError, match="not a manifest of this project; delete it and try again"):
        get(server, tmp_path)


def test_one_failure_stops_the_rest_and_what_is_there_stays(server, tmp_path):
    server.script = [whole(), status(404)]
    with mirror(server.url) as source, pytest.raises(ValueError, match="status 404"):
        fetch_all([pinned(name=f"{i}.txt") for i in range(50)], tmp_path, source, num_workers=1)
    assert (tmp_path / "x/0.txt").is_file()
    assert len(server.requests) == 2


def test_a_check_of_the_content_refuses_what_it_does_not_like(server, tmp_path):
    def check(content: bytes) -> None:
        raise ValueError("no task")

    server.script = [whole()]
    with pytest.raises(ValueError, match=r"x/a\.txt is no task"):
        get(server, tmp_path, pinned(sha256=None, check=check))


def test_no_server_at_all_is_one_line(tmp_path, server):
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(ValueError, match=r"ConnectError.* at the last of 5 attempts") as caught:
        get(server, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["github.com", "ftp://host", ""])
def test_a_mirror_needs_an_http_address(url):
    with pytest.raises(ValueError, match="no http address"), mirror(url):
        pass


def test_a_folder_gives_what_it_has_under_any_of_its_names_and_the_rest_is_named(tmp_path):
    files = [
        pinned(name="path.txt"),
        pinned(name="alias.txt", aliases=("other/alias.txt",)),
        pinned(name="source.txt", source="data/source.txt"),
        pinned(name="none.txt"),
    ]
    for name in ("one/x/path.txt", "one/other/alias.txt", "two/data/source.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(CONTENT)
    lacking = fetch_all(files, tmp_path / "data", Folders([tmp_path / "one", tmp_path / "two"]))
    assert [file.path for file in lacking] == ["x/none.txt"]
    assert sorted(p.name for p in (tmp_path / "data/x").iterdir()) == ["alias.txt", "path.txt", "source.txt"]


def test_a_wrong_file_in_a_folder_is_refused(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"other")
    with pytest.raises(ValueError, match=r"a\.txt: sha256 is .* is pinned for x/a\.txt"):
        fetch_all([pinned()], tmp_path / "data", Folders([tmp_path]))


def test_a_file_without_a_sum_that_came_from_a_folder_gives_way_to_the_network(server, tmp_path):
    unsummed = pinned(name="b.txt", sha256=None)
    (tmp_path / "b.txt").write_bytes(b"of some commit")
    fetch_all([unsummed], tmp_path / "data", Folders([tmp_path]))
    assert (tmp_path / "data/x/b.txt").read_bytes() == b"of some commit"
    server.script = [whole()]
    get(server, tmp_path / "data", unsummed)
    assert (tmp_path / "data/x/b.txt").read_bytes() == CONTENT
    fetch_all([unsummed], tmp_path / "data", Folders([tmp_path]))
    assert (tmp_path / "data/x/b.txt").read_bytes() == CONTENT
