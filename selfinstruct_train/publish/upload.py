"""Send staged folders to the Hub: one commit each, resumable, and every failure in one clear line.

A file whose content the Hub holds already (by its hash) is not sent again, and a folder that has not changed makes no
commit; so the same command goes on after any interruption. Large files go one after another: a cut connection loses at
most the one on its way; with hf_xet, which huggingface_hub uses where it is installed, not even that: its chunks count.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..config import Config
from ..core.storage import write_json
from .contents import File
from .ready import read_record

if TYPE_CHECKING:
    from huggingface_hub import HfApi

log = logging.getLogger(__name__)
Kind = Literal["model", "dataset"]
T = TypeVar("T")

_WAITS = (2.0, 8.0)
"""Seconds before each new attempt."""
_CLIENT_RETRIED = 15.0
"""A failure after so many seconds: the client has tried again by itself, so it is not tried once more here."""
_PATIENCE = 5.0
"""Seconds to wait for what a publication can do without."""
_WEIGHTS = re.compile(r"(adapter/)?([^/]*\.safetensors(\.index\.json)?|adapter_config\.json)")
"""What a model is loaded from; of an earlier publication it would be loaded in place of the new one. Other folders are
not of our making."""


@dataclass(frozen=True)
class Published:
    """Where a folder went; `is_new` is False if the Hub held all of it already."""

    kind: Kind
    repo: str
    branch: str
    commit: str
    url: str
    private: bool
    is_new: bool


class Hub:
    """A connection with a token that was found good; the token itself is kept by the client alone."""

    def __init__(self, api: HfApi) -> None:
        self._api = api

    def prepare(self, repos: Mapping[Kind, str], branch: str, private: bool) -> None:
        """Look at all repositories, then make those that are missing, and the branch.

        Raises:
            ValueError: one is public though `private` is asked for, or may not be written to. Where they are there
                already, nothing was changed; one that is missing shows the right to write by being made.
        """
        missing = [kind for kind, repo in repos.items() if not self._may_be_written(repo, kind, private)]
        for kind in missing:
            self._make(repos[kind], kind, private)
        for kind, repo in repos.items():
            if branch != "main":
                self._make_branch(repo, kind, branch)

    def look_up_card(self, name: str, revision: str | None) -> None:
        """Put a base model's card into the Hub's cache, where its licence is read; a failure is told and no more."""
        doing = f"looking up the licence of {name}"
        try:
            self._api.hf_hub_download(name, "README.md", revision=revision, etag_timeout=_PATIENCE)
        except Exception as error:  # whatever it is: a card can say that the licence is not known
            line, _ = _diagnose(doing, error)
            log.warning("%s; going on with what is known here", line or f"{doing}: {type(error).__name__}")

    def upload(self, folder: Path, files: tuple[File, ...], repo: str, kind: Kind, branch: str) -> Published:
        """Commit a staged folder to a repository that `prepare` looked at.

        Weights of an earlier publication on the branch that are not part of this one are deleted in the same commit.
        """
        return _told(
            f"uploading to the {kind} repository {repo}", lambda: self._commit(folder, files, repo, kind, branch)
        )

    def _commit(self, folder: Path, files: tuple[File, ...], repo: str, kind: Kind, branch: str) -> Published:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        before = self._api.repo_info(repo, repo_type=kind, revision=branch)
        ours = {file.path for file in files}
        stale = [
            path
            for path in self._api.list_repo_files(repo, repo_type=kind, revision=branch)
            if kind == "model" and path not in ours and _WEIGHTS.fullmatch(path)
        ]
        operations: list[Any] = [CommitOperationAdd(file.path, folder / file.path) for file in files]
        operations += [CommitOperationDelete(path) for path in stale]
        done = self._api.create_commit(
            repo,
            operations,
            commit_message=f"Publish the {kind} with selfinstruct-train",
            repo_type=kind,
            revision=branch,
            num_threads=1,
        )
        commit, is_new = str(done.oid), done.oid != before.sha
        return Published(kind, repo, branch, commit, str(done.commit_url), bool(before.private), is_new)

    def _may_be_written(self, repo: str, kind: Kind, private: bool) -> bool:
        """Whether a repository is there; one that may not be published to is refused."""
        what = f"{kind} repository {repo}"
        is_private = _told(what, lambda: self._visibility(repo, kind))
        if is_private is None:
            return False
        if private and not is_private:
            raise ValueError(
                f"{what} is public, but publish.private is set: set publish.private to false to publish there, or name "
                "another repository; nothing was sent"
            )
        if is_private and not private:
            log.warning("%s is private and stays so; change that on the Hub", what)
        _told(f"writing to the {what}", lambda: self._api.auth_check(repo, repo_type=kind, write=True))
        return True

    def _make(self, repo: str, kind: Kind, private: bool) -> None:
        what = f"{kind} repository {repo}"
        _told(
            f"making the {what}",
            lambda: self._api.create_repo(repo, repo_type=kind, private=private, exist_ok=True),
        )
        log.info("made the %s %s", "private" if private else "public", what)

    def _make_branch(self, repo: str, kind: Kind, branch: str) -> None:
        _told(
            f"branch {branch} of the {kind} repository {repo}",
            lambda: self._api.create_branch(repo, branch=branch, repo_type=kind, exist_ok=True),
        )

    def _visibility(self, repo: str, kind: Kind) -> bool | None:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            return bool(self._api.repo_info(repo, repo_type=kind).private)
        except RepositoryNotFoundError:
            return None


def connect() -> Hub:
    """Find the token and ask the Hub whose it is.

    Raises:
        ValueError: there is no token, the Hub does not know it, it may only read, or the Hub cannot be reached.
    """
    import huggingface_hub

    if huggingface_hub.get_token() is None:
        raise ValueError("no token for the Hub: run `hf auth login`, or set HF_TOKEN; nothing was sent")
    api = huggingface_hub.HfApi(library_name="selfinstruct-train")
    user = _told("asking whose token it is", api.whoami)
    role = user.get("auth", {}).get("accessToken", {}).get("role")
    if role == "read":
        raise ValueError("the token may only read; make one with write access on the Hub; nothing was sent")
    return Hub(api)


def record_path(config: Config) -> Path:
    """Return the file that says what of a run is published where."""
    return Path(config.run_dir) / "publish" / "published.json"


def remember(config: Config, published: Published, files: tuple[File, ...]) -> None:
    """Write down a publication beside those of the other kind; the file holds the last of each."""
    path = record_path(config)
    entry = asdict(published) | {"files": {file.path: file.sha256 for file in files}}
    del entry["is_new"]
    write_json(path, read_record(path) | {published.kind: entry})


def known_commit(config: Config, kind: Kind, files: tuple[File, ...] | None = None) -> str | None:
    """Return the commit under which the repository and branch of the settings hold a publication of this run.

    Args:
        files: then only if it holds exactly these.
    """
    entry = read_record(record_path(config)).get(kind, {})
    repo = config.publish.model_repo if kind == "model" else config.publish.dataset_repo
    if entry.get("repo") != repo or entry.get("branch") != config.publish.revision:
        return None
    if files is not None and entry.get("files") != {file.path: file.sha256 for file in files}:
        return None
    return str(entry["commit"])


def _told(doing: str, call: Callable[[], T]) -> T:
    """Call the Hub, again where the network or the server failed; a failure that stays becomes one line.

    Raises:
        ValueError: saying what to do. It never holds the answer's text as a whole, nor any token.
    """
    for wait in (*_WAITS, None):
        start = time.monotonic()
        try:
            return call()
        except Exception as error:
            line, passes = _diagnose(doing, error)
            if line is None:
                raise
            if wait is None or not passes or time.monotonic() - start > _CLIENT_RETRIED:
                raise ValueError(line) from error
            log.warning("%s; trying again in %.0f s", line.partition(":")[0], wait)
            time.sleep(wait)
    raise AssertionError("the last attempt returns or raises")


def _diagnose(doing: str, error: BaseException) -> tuple[str | None, bool]:
    """Return the line for a failure of the Hub or the network (None: of neither) and whether it may pass by itself."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, json.JSONDecodeError):  # a gateway's page in place of the Hub's answer
        return f"{doing}: the Hub's answer cannot be read; give the same command again: it goes on", True
    for cause in _causes(error):
        if isinstance(cause, OfflineModeIsEnabled):
            return f"{doing}: HF_HUB_OFFLINE is set; unset it to publish", False
        if isinstance(cause, HfHubHTTPError) and getattr(cause, "response", None) is not None:
            return _of_status(doing, cause.response.status_code, getattr(cause, "server_message", None))
        if type(cause).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2", "hf_xet"):
            remedy = "look at the network and give the same command again: it goes on, what was sent stays"
            return f"{doing}: the Hub cannot be reached ({type(cause).__name__}); {remedy}", True
    return None, False


def _of_status(doing: str, status: int, message: str | None) -> tuple[str, bool]:
    said = f" ({' '.join(message.split())[:200]})" if message else ""
    if status == 401:
        return f"{doing}: the Hub does not accept the token (401); run `hf auth login`, or mend HF_TOKEN", False
    if status == 403:
        return f"{doing}: the token has no right to write there (403){said}; give it that right, or name another", False
    if status == 404:
        return f"{doing}: not found, or hidden from this token (404){said}; look at the name and the token", False
    if status == 429 or status >= 500:
        return f"{doing}: the Hub failed ({status}){said}; give the same command again: it goes on", True
    return f"{doing}: the Hub refused it ({status}){said}", False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
