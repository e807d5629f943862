"""Get pinned files, over HTTP from GitHub or a mirror, or out of a folder; each is checked before it is put in place.

A download that breaks off leaves `<name>.part` and goes on from there. What `manifest.json` lists with the right
sha256 is not fetched again. A file without a published sha256 is pinned by its commit: the sum noted at the first
download is what later runs compare with. No archive is opened and nothing that arrives is run.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..core.storage import write_json

if TYPE_CHECKING:
    import httpx

GITHUB = "https://raw.githubusercontent.com"
FOLDER = "folder"
"""The origin of a file taken from a folder."""
_MAX_ATTEMPTS = 5
_MAX_WAIT_SECONDS = 60.0
_AT_ONCE = 8
_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class PinnedFile:
    """One file of a GitHub repository at a commit; `path` is where it goes, under the data folder.

    `aliases` are other places under which a folder may hold it. `check` is given the bytes and raises ValueError where
    they are not what they should be.
    """

    path: str
    repository: str
    commit: str
    source: str
    sha256: str | None = None
    aliases: tuple[str, ...] = ()
    check: Callable[[bytes], None] | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, without the host: the same for every mirror."""
        return f"{self.repository}/{self.commit}/{self.source}"


class Source(Protocol):
    """Where files come from."""

    def fetch(self, file: PinnedFile, target: Path) -> bytes | None:
        """The checked bytes, which the caller puts at `target`; None where this source has no such file.

        Raises:
            ValueError: it cannot be had, or it is not the pinned one.
        """
        ...

    def origin(self, file: PinnedFile) -> str:
        """What the manifest says of a file from here."""
        ...


class Manifest:
    """What has been fetched: path -> sha256 and origin, kept in <data>/manifest.json; safe between threads."""

    def __init__(self, data: Path) -> None:
        self.path = data / "manifest.json"
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, str]] = {}
        if self.path.is_file():
            try:
                entries = json.loads(self.path.read_text(encoding="utf-8"))["files"]
                self._entries = {path: {"sha256": e["sha256"], "origin": e["origin"]} for path, e in entries.items()}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"{self.path}: not a manifest of this project; delete it and try again") from error

    def holds(self, file: PinnedFile, wanted_origin: str) -> bool:
        """Whether the file in place is the one wanted: by its published sum (then noted), else by the noted one."""
        target = self.path.parent / file.path
        if not target.is_file():
            return False
        if file.sha256 is not None:
            content = target.read_bytes()
            if _sha256(content) != file.sha256:
                return False
            if file.path not in self._entries:  # put there by hand, or the manifest was lost
                self.note(file, content, FOLDER)
            return True
        entry = self._entries.get(file.path)
        # a file without a published sum that came from a folder may be of another commit: the network's is better
        is_wanted = entry is not None and (wanted_origin == FOLDER or entry.get("origin") == wanted_origin)
        return entry is not None and is_wanted and _sha256(target.read_bytes()) == entry.get("sha256")

    def note(self, file: PinnedFile, data: bytes, origin: str) -> None:
        """Add one file and write the manifest whole."""
        with self._lock:
            self._entries[file.path] = {"sha256": _sha256(data), "origin": origin}
            write_json(self.path, {"files": dict(sorted(self._entries.items()))})


def fetch_all(files: Sequence[PinnedFile], data: Path, source: Source, num_workers: int = _AT_ONCE) -> list[PinnedFile]:
    """Bring every file into `data`, several at once, and return those that the source does not have.

    Raises:
        ValueError: a file cannot be had or is not the pinned one; the files that are there by then stay.
    """
    from ..core.progress import shown
    from ..core.storage import write_atomically

    manifest = Manifest(data)
    lacking: dict[str, PinnedFile] = {}
    failed = threading.Event()
    with shown("files", "files", len(files)) as live, ThreadPoolExecutor(num_workers) as pool:

        def bring(file: PinnedFile) -> None:
            if failed.is_set():
                return
            target = data / file.path
            origin = source.origin(file)
            if not manifest.holds(file, origin):
                try:
                    content = source.fetch(file, target)
                except ValueError:
                    failed.set()
                    raise
                if content is None:
                    lacking[file.path] = file
                else:
                    write_atomically(target, content)
                    manifest.note(file, content, origin)
                    _part(target).unlink(missing_ok=True)
            live.add(1)

        futures = [pool.submit(bring, file) for file in files]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            failed.set()  # after Ctrl-C too, what has not begun does not begin
            pool.shutdown(cancel_futures=True)
    for future in futures:
        if not future.cancelled():
            future.result()
    return [file for file in files if file.path in lacking]


@dataclass
class Folders:
    """Files that are there already, looked for in each folder in turn under `path`, `aliases` and `source`."""

    folders: Sequence[Path]

    def __post_init__(self) -> None:
        for folder in self.folders:
            if not folder.is_dir():
                raise ValueError(f"{folder}: no such folder; --from names one that holds the files")

    def origin(self, file: PinnedFile) -> str:
        return FOLDER

    def fetch(self, file: PinnedFile, target: Path) -> bytes | None:
        for folder in self.folders:
            for name in (file.path, *file.aliases, file.source):
                found = folder / name
                if found.is_file() and found.resolve() != target.resolve():
                    content = found.read_bytes()
                    if problem := _problem(file, content):
                        raise ValueError(f"{found}: {problem}; put the right file there, or leave out --from")
                    return content
        return None


@dataclass
class Mirror:
    """GitHub's raw files, or a server with the same paths.

    `wait` is called with the seconds to wait before an attempt.
    """

    client: httpx.Client
    url: str = GITHUB
    wait: Callable[[float], object] = field(default_factory=lambda: threading.Event().wait)

    def origin(self, file: PinnedFile) -> str:
        return file.origin

    def fetch(self, file: PinnedFile, target: Path) -> bytes:
        import httpx

        address = f"{self.url.rstrip('/')}/{file.origin}"
        remedy = "the same command goes on from here; --mirror names another server, --from a folder with the files"
        part = _part(target)
        part.parent.mkdir(parents=True, exist_ok=True)
        problem = ""
        for attempt in range(_MAX_ATTEMPTS):
            pause = 2.0**attempt
            went_on = part.is_file() and part.stat().st_size > 0
            try:
                status, retry_after = self._download(address, part)
            except httpx.InvalidURL as error:
                raise ValueError(f"{address}: no valid address ({error}); check --mirror") from error
            except httpx.TransportError as error:
                problem = f"{type(error).__name__}: {error}"
            else:
                if status in (200, 206):
                    content = part.read_bytes()
                    if not (wrong := _problem(file, content)):
                        return content
                    part.unlink()
                    if not went_on:  # else what stood there before may be to blame: once more from the start
                        raise ValueError(
                            f"{address}: {wrong}; check --mirror, or take the file from a folder with --from"
                        )
                    problem, pause = wrong, 0.0
                elif status == 416:  # the part is as long as the file or longer, and yet not the file
                    part.unlink()
                    problem, pause = "status 416", 0.0
                elif status == 429 or status >= 500:
                    problem = f"status {status}"
                    pause = max(pause, retry_after)
                else:
                    raise ValueError(f"{address}: status {status} for {file.path}; check --mirror, or use --from")
            if attempt < _MAX_ATTEMPTS - 1:
                self.wait(min(pause, _MAX_WAIT_SECONDS))
        raise ValueError(f"{address}: {problem} at the last of {_MAX_ATTEMPTS} attempts for {file.path}; {remedy}")

    def _download(self, address: str, part: Path) -> tuple[int, float]:
        """Add to the part what it lacks; return the status and the seconds the server asks to wait."""
        size = part.stat().st_size if part.is_file() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={size}-"} if size else {})
        with self.client.stream("GET", address, headers=headers) as response:
            if response.status_code in (200, 206):
                goes_on = response.status_code == 206 and _range_start(response.headers.get("Content-Range")) == size
                with part.open("ab" if goes_on else "wb") as file:
                    for block in response.iter_bytes():  # as they come: a block size would keep the last bytes back
                        file.write(block)
            after = response.headers.get("Retry-After", "")
            return response.status_code, float(after) if after.isdigit() else 0.0


@contextmanager
def mirror(url: str = GITHUB) -> Iterator[Mirror]:
    """Open a mirror; `url` takes the place of https://raw.githubusercontent.com.

    Raises:
        ValueError: no http address.
    """
    import httpx

    if not url.startswith(("http://", "https://")):
        raise ValueError(f"--mirror {url}: no http address; give one that takes the place of {GITHUB}")
    with httpx.Client(follow_redirects=True, timeout=_TIMEOUT_SECONDS) as client:
        yield Mirror(client, url)


def _problem(file: PinnedFile, content: bytes) -> str:
    """What is wrong with the bytes, in a few words; empty if nothing is."""
    if file.sha256 is not None and _sha256(content) != file.sha256:
        return f"sha256 is {_sha256(content)}, but {file.sha256} is pinned for {file.path}"
    if file.check is not None:
        try:
            file.check(content)
        except ValueError as error:
            return f"{file.path} is {error}"
    return ""


def _part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def _range_start(header: Any) -> int | None:
    """The first byte that a Content-Range header tells of."""
    digits = str(header or "").removeprefix("bytes ").split("-")[0]
    return int(digits) if digits.isdigit() else None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
