"""The files of a tasks folder, out of a folder, a zip or a tar; nothing of an archive is written to disk.

Of an archive only tasks/*.json and splits/*/*_tasks.txt are looked at, under the one top folder that GitHub's archives
have or under none. A member with a path that leads out of the archive, and one too large to be a task, is refused.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Protocol

MAX_FILE = 1 << 28
"""256 MiB unpacked; no official task comes near."""
MAX_TAR = 1 << 36
"""64 GiB unpacked, all members together."""
MAX_MEMBERS = 100_000
"""The official repository has some 2,000."""
_WANTED = re.compile(r"(?:(?P<top>[^/]+)/)?(?P<path>tasks/[^/]+\.json|splits/[^/]+/[^/]+_tasks\.txt)")


class Files(Protocol):
    """Files by their path in a tasks folder, e.g. tasks/task001_a.json."""

    def list(self) -> Iterable[str]: ...

    def prepare(self, paths: Sequence[str]) -> None:
        """Told what will be read next, so that it may be read in one go."""
        ...

    def read(self, path: str) -> bytes: ...

    def shown(self, path: str) -> str: ...


@dataclass
class Folder:
    root: Path

    def list(self) -> Iterable[str]:
        found = [*self.root.glob("tasks/*.json"), *self.root.glob("splits/*/*_tasks.txt")]
        return [path.relative_to(self.root).as_posix() for path in found]

    def prepare(self, paths: Sequence[str]) -> None:
        pass

    def read(self, path: str) -> bytes:
        try:
            return (self.root / path).read_bytes()
        except OSError as error:
            raise ValueError(f"{self.shown(path)}: cannot be read ({error.strerror})") from None

    def shown(self, path: str) -> str:
        return str(self.root / path)


@dataclass
class Zip:
    """Stays open: to read the list of its members again for each task takes longer than the tasks."""

    path: Path
    _archive: zipfile.ZipFile = field(init=False)
    _members: dict[str, str] = field(default_factory=dict)

    def list(self) -> Iterable[str]:
        try:
            self._archive = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError) as error:
            raise ValueError(f"{self.path}: no zip archive that can be read ({error}); get it again") from None
        self._members = _inside(self.path, {i.filename: i.file_size for i in self._archive.infolist()})
        return self._members

    def prepare(self, paths: Sequence[str]) -> None:
        pass

    def read(self, path: str) -> bytes:
        try:
            return self._archive.read(self._members[path])
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            raise ValueError(f"{self.shown(path)}: cannot be unpacked ({error}); get the archive again") from None

    def shown(self, path: str) -> str:
        return f"{self.path}:{path}"


@dataclass
class Tar:
    """A packed tar can only be read from its start: once for the lists, then once for all tasks that are prepared
    together, which are kept in memory, packed."""

    path: Path
    _members: dict[str, str] = field(default_factory=dict)
    _lists: dict[str, bytes] = field(default_factory=dict)
    _tasks: dict[str, bytes] = field(default_factory=dict)

    def list(self) -> Iterable[str]:
        sizes, lists = {}, {}
        for name, size, content in self._walk(lambda name: name.endswith("_tasks.txt")):
            sizes[name] = size
            if content is not None:
                lists[name] = content
        self._members = _inside(self.path, sizes)
        self._lists = {path: lists[name] for path, name in self._members.items() if name in lists}
        return self._members

    def prepare(self, paths: Sequence[str]) -> None:
        wanted = {self._members[path]: path for path in paths}
        self._tasks = {}
        for name, _, content in self._walk(lambda name: name in wanted):
            if content is not None:
                self._tasks[wanted[name]] = zlib.compress(content, level=1)
            if len(self._tasks) == len(wanted):
                return

    def read(self, path: str) -> bytes:
        if path in self._lists:
            return self._lists[path]
        if path not in self._tasks:
            self.prepare([path])
        return zlib.decompress(self._tasks[path])

    def shown(self, path: str) -> str:
        return f"{self.path}:{path}"

    def _walk(self, is_read: Callable[[str], bool]) -> Iterator[tuple[str, int, bytes | None]]:
        """Yield name, size and, of those that are to be read, content of each regular file."""
        total = count = 0
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    total, count = total + member.size, count + 1
                    if total > MAX_TAR or count > MAX_MEMBERS:
                        raise ValueError(
                            f"{self.path}: holds more than {MAX_TAR >> 30} GiB or {MAX_MEMBERS:,} files; it is no "
                            "archive of tasks"
                        )
                    if not member.isreg():
                        continue
                    file = archive.extractfile(member) if is_read(member.name) and member.size <= MAX_FILE else None
                    yield member.name, member.size, file.read() if file is not None else None
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{self.path}: no tar archive that can be read ({reason}); get it again") from None


def _inside(archive: Path, sizes: Mapping[str, int]) -> dict[str, str]:
    """Return path -> member for what belongs to a tasks folder."""
    found: dict[str, str] = {}
    tops = set()
    for member, size in sizes.items():
        clean = member.replace("\\", "/").removeprefix("./")
        if clean.startswith("/") or ".." in PurePosixPath(clean).parts:
            raise ValueError(f"{archive}: holds {member!r}, a path that leads out of the archive; do not trust it")
        match = _WANTED.fullmatch(clean)
        if match is None or match["top"] == "__MACOSX":
            continue
        if size > MAX_FILE:
            raise ValueError(f"{archive}: {member} has {size:,} bytes; a task has at most {MAX_FILE:,}")
        found[match["path"]] = member
        tops.add(match["top"] or ".")
    if not found:
        raise ValueError(f"{archive}: holds no tasks/*.json and no splits/*/test_tasks.txt")
    if len(tops) > 1:
        raise ValueError(f"{archive}: holds tasks in several folders ({', '.join(sorted(tops))}); pack one of them")
    return found
