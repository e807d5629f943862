"""What a language model answered, written down once before anything uses it.

One append-only JSONL file: line 1 is a header that says what the answers depend on (stage, seed, model, sampling,
method), each further line is one answer. `complete` is the only way in: it answers from the file what it can and asks
the model for the rest, so the same command after a `kill -9` goes on where it stopped and pays for no answer twice.

Not covered: it does not judge answers, and it never rewrites one. One process at a time (the file is locked).
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from .journal_lines import StoredAnswer, check_header, parse_lines, prompt_sha256, storable, to_json
from .records import Completion, Request, Sampling, UnansweredError

FORMAT = 1

Progress = Callable[[Sequence[Completion]], None]
"""Called with the answers of a call, each once: stored ones first, new ones as soon as they are on disk."""


class _LM(Protocol):
    """The part of `lm.base.LM` that is needed here; this module imports nothing of the lm package."""

    chunk_size: int

    def complete(
        self,
        requests: Sequence[Request],
        sampling: Sampling,
        on_answer: Callable[[Sequence[Completion]], None] | None = None,
    ) -> list[Completion]: ...


class Journal:
    """The answers of one stage. Make one with `Journal.open`; close it, or use it as a context manager."""

    def __init__(self, path: Path, fd: int, rows: dict[str, StoredAnswer]) -> None:
        self.path = path
        self._fd = fd
        self._rows = rows

    @classmethod
    def open(cls, path: str | Path, header: dict[str, Any]) -> Journal:
        """Open the journal at `path`, or begin it with `header`; a torn last line is cut.

        Args:
            path: the file; its folder is made if missing.
            header: JSON values that the answers depend on.

        Raises:
            ValueError: it was begun with another header, holds a broken line, or another process has it open.
            OSError: it cannot be written.
        """
        path = Path(path)
        header = json.loads(json.dumps({"format": FORMAT, **header}))
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            _lock(fd, path)
            content = _read_whole(fd)
            end = content.rfind(b"\n") + 1
            if end < len(content):
                os.ftruncate(fd, end)
            if end == 0:
                _append(fd, path, [header], num_safe=0)
                _sync_folder(path.parent)
                return cls(path, fd, {})
            stored_header, rows = parse_lines(path, content[:end])
            check_header(path, stored_header, header)
            return cls(path, fd, rows)
        except BaseException:
            os.close(fd)
            raise

    @staticmethod
    def check(path: str | Path, header: dict[str, Any]) -> None:
        """Refuse a journal begun with other values of the fields in `header`, without opening it for writing.

        For a check before the model is loaded, whose name is not known yet. An absent journal is fine.

        Raises:
            ValueError: as `open` would.
        """
        path = Path(path)
        if not path.is_file():
            return
        stored = read_header(path)
        if stored:
            header = json.loads(json.dumps({"format": FORMAT, **header}))
            check_header(path, {k: v for k, v in stored.items() if k in header}, header)

    def complete(
        self, lm: _LM, requests: Sequence[Request], sampling: Sampling, progress: Progress | None = None
    ) -> list[Completion]:
        """Answer each request, in order: from the file where it is there, else from `lm`.

        Each answer is on disk as soon as the model gives it. Chunks of `lm.chunk_size` are cut by position in the full
        list: an interrupted and resumed run asks in the same shapes as an undisturbed one.

        Raises:
            ValueError: a stored answer belongs to another prompt.
            OSError: the disk is full; the answers already written are safe.
            UnansweredError: some requests stayed open; all others were asked, if the model could be reached.
        """
        assert len({r.id for r in requests}) == len(requests), "request ids of one call must differ"
        for request in requests:
            self._check_prompt(request)
        size = max(1, lm.chunk_size)
        failure: UnansweredError | None = None
        for start in range(0, len(requests), size):
            chunk = requests[start : start + size]
            missing = [r for r in chunk if r.id not in self._rows]
            if progress is not None and len(missing) < len(chunk):
                progress([self._rows[r.id].completion for r in chunk if r.id in self._rows])
            try:
                if missing:
                    self._ask(lm, missing, sampling, progress)
            except UnansweredError as error:
                if not error.others_may_be:
                    raise
                failure = error
        if failure is not None:
            still_open = [r.id for r in requests if r.id not in self._rows]
            raise UnansweredError(f"{len(still_open)} of {len(requests)} are open, e.g. {still_open[0]!r}: {failure}")
        return [self._rows[r.id].completion for r in requests]

    def __contains__(self, request_id: str) -> bool:
        return request_id in self._rows

    def __getitem__(self, request_id: str) -> Completion:
        return self._rows[request_id].completion

    def find(self, request: Request) -> Completion | None:
        """Return the stored answer to a request; None if there is none.

        Raises:
            ValueError: the stored answer belongs to another prompt.
        """
        self._check_prompt(request)
        row = self._rows.get(request.id)
        return None if row is None else row.completion

    def completions(self) -> list[Completion]:
        """Return all answers, in the order in which they came."""
        return [row.completion for row in self._rows.values()]

    def __len__(self) -> int:
        return len(self._rows)

    def close(self) -> None:
        """Release the lock; the object cannot be used again."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_prompt(self, request: Request) -> None:
        row = self._rows.get(request.id)
        if row is not None and row.prompt_sha256 != prompt_sha256(request):
            raise ValueError(
                f"{self.path}: the stored answer to request {request.id!r} belongs to another prompt; seed tasks, "
                "templates or code changed since; use a new run_dir, or move this one away"
            )

    def _ask(self, lm: _LM, requests: Sequence[Request], sampling: Sampling, progress: Progress | None) -> None:
        asked = {r.id: r for r in requests}

        def keep(completions: Sequence[Completion]) -> None:
            self._store(asked, completions)
            if progress is not None and completions:
                progress([self._rows[c.request_id].completion for c in completions])

        completions = lm.complete(requests, sampling, keep)
        keep([c for c in completions if c.request_id not in self._rows])  # a simple model may not tell of its answers
        assert all(id in self._rows for id in asked), "the model gave fewer answers than it was asked for"

    def _store(self, asked: dict[str, Request], completions: Sequence[Completion]) -> None:
        for completion in completions:
            id = completion.request_id
            assert id in asked and id not in self._rows, f"the model answered {id!r}, which was not open"
        if not completions:
            return
        rows = [StoredAnswer(prompt_sha256(asked[c.request_id]), storable(c)) for c in completions]
        try:
            _append(self._fd, self.path, [to_json(row) for row in rows], num_safe=len(self))
        except OSError:
            self.close()  # it may end in a torn line now, which only opening cuts
            raise
        for row in rows:
            self._rows[row.completion.request_id] = row


def read_journal(path: str | Path) -> tuple[dict[str, Any], list[Completion]]:
    """Read a journal's header and answers without locking it, for reports; a torn last line is left out."""
    path = Path(path)
    content = path.read_bytes()
    header, rows = parse_lines(path, content[: content.rfind(b"\n") + 1])
    return header, [row.completion for row in rows.values()]


def read_header(path: str | Path) -> dict[str, Any]:
    """Read a journal's header without locking it; empty where it was torn."""
    path = Path(path)
    with path.open("rb") as file:
        first_line = file.readline()
    return parse_lines(path, first_line)[0] if first_line.endswith(b"\n") else {}


def _lock(fd: int, path: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ValueError(f"{path}: another process is using this run; wait for it to end, or stop it") from None


def _read_whole(fd: int) -> bytes:
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        return file.read()


def _append(fd: int, path: Path, records: Iterable[dict[str, Any]], num_safe: int) -> None:
    """Write one line for each record and wait until they are on disk."""
    data = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records).encode()
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        full = OSError(
            f"{path}: the disk is full; {num_safe} answers are safe there; free some space and give the same command"
        )
        full.errno = error.errno
        raise full from error


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
