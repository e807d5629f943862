"""A small server of the Hub's protocol for uploads and downloads, on this machine: for tests.

It keeps repositories, branches and commits in memory, takes large files by LFS and refuses one whose bytes do not have
the announced sha256. `faults` breaks it on purpose. That huggingface_hub's calls to it are well-formed is what it
proves; what the real Hub accepts beyond that (rights, quotas, names, Xet) it does not know.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

USERS = {"hf_writer" + "0" * 28: ("me", "write"), "hf_reader" + "0" * 28: ("me", "read")}
WRITER, READER = USERS
LFS_SUFFIXES = (".safetensors", ".parquet", ".png")


@dataclass
class Repo:
    private: bool
    branches: dict[str, str]
    commits: dict[str, dict[str, str]]
    """Files of each commit: path to "git:<oid>" or "lfs:<sha256>"."""
    messages: list[str] = field(default_factory=list)


@dataclass
class Store:
    """What outlives a killed server. Objects are by "git:<oid>" or "lfs:<sha256>"."""

    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    faults: dict[str, list[object]] = field(default_factory=dict)
    """By kind of request, what becomes of the next ones: None (nothing), a status, "cut" (connection closed), or
    "die" (the server is gone in the middle of the request's body)."""
    writable: bool = True
    read_only: set[tuple[str, str]] = field(default_factory=set)
    """(kind, name) of repositories that the token may read alone."""

    def sent(self) -> list[str]:
        """The sha256 of each LFS file that arrived whole, in order."""
        return [line.rpartition("/")[2] for line in self.requests if line.startswith("stored ")]

    def head(self, kind: str, name: str, branch: str = "main") -> str:
        return self.repos[kind, name].branches[branch]

    def files(self, kind: str, name: str, branch: str = "main") -> dict[str, bytes]:
        repo = self.repos[kind, name]
        return {path: self.objects[place] for path, place in repo.commits[repo.branches[branch]].items()}

    def commit(self, repo: Repo, branch: str, files: dict[str, str], message: str) -> str:
        text = json.dumps([branch, repo.branches.get(branch), sorted(files.items()), message])
        sha = hashlib.sha1(text.encode()).hexdigest()
        repo.commits[sha], repo.branches[branch] = files, sha
        repo.messages.append(message)
        return sha

    def make(self, kind: str, name: str, private: bool) -> Repo:
        repo = self.repos[kind, name] = Repo(private, {}, {})
        self.commit(repo, "main", {".gitattributes": self.keep(b"*.safetensors filter=lfs\n")}, "initial commit")
        return repo

    def keep(self, content: bytes) -> str:
        place = "git:" + hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self.objects[place] = content
        return place


class RefusedError(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(status)
        self.status, self.code, self.message = status, code, message


class HubServer:
    """Serves a store; `kill` closes it as a crash would, and another one on the same port and store goes on."""

    def __init__(self, store: Store, port: int = 0) -> None:
        self.store = store

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False  # a killed server's handler calls shutdown itself

            def handle_error(self, request: object, client_address: object) -> None:
                if not isinstance(sys.exc_info()[1], ConnectionError | ValueError):
                    super().handle_error(request, client_address)

        self._server = Server(("127.0.0.1", port), _handler(self))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def kill(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        store = hub.store

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self._answer()

        do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815

        def _answer(self) -> None:
            url = urlsplit(self.path)
            self.query = parse_qs(url.query)
            path = url.path
            self.store.requests.append(f"{self.command} {path}")
            try:
                self._break_on_purpose(path)
                length = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(length) if length else b""
                for pattern, method in ROUTES:
                    found = re.fullmatch(pattern, path)
                    if found:
                        getattr(self, method)(*(unquote(part or "") for part in found.groups()))
                        return
                raise RefusedError(404, "", f"no such address: {path}")
            except RefusedError as refused:
                headers = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
                self._reply(refused.status, json.dumps({"error": refused.message}).encode(), headers)

        def _break_on_purpose(self, path: str) -> None:
            kinds = ("whoami", "create", "preupload", "batch", "commit", "branch")
            kind = "put" if self.command == "PUT" else next((k for k in kinds if f"/{k}" in path), "")
            queue = self.store.faults.get(kind)
            fault = queue.pop(0) if queue else None
            if fault in ("cut", "die"):
                self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
                self.close_connection = True
                self.connection.close()
                if fault == "die":
                    hub.kill()
                raise ConnectionAbortedError
            if isinstance(fault, int):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                raise RefusedError(fault, "", "broken on purpose")

        def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                if value:
                    self.send_header(name, value)
            if "Content-Length" not in (headers or {}):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def _json(self, value: object) -> None:
            self._reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

        def _user(self) -> tuple[str, str] | None:
            given = self.headers.get("Authorization", "")
            if not given:
                return None
            user = USERS.get(given.removeprefix("Bearer "))
            if user is None:
                raise RefusedError(401, "", "Invalid credentials in Authorization header")
            return user

        def _writer(self, *place: str) -> str:
            user = self._user()
            if user is None:
                raise RefusedError(401, "", "Invalid username or password.")
            if user[1] != "write" or not self.store.writable or place in self.store.read_only:
                raise RefusedError(403, "", "You don't have the rights to create or change this repository")
            return user[0]

        def _repo(self, kind: str, name: str) -> Repo:
            repo = self.store.repos.get((kind, name))
            if repo is None or (repo.private and self._user() is None):
                raise RefusedError(404 if self._user() else 401, "RepoNotFound", "Repository not found")
            return repo

        def _commit_of(self, repo: Repo, revision: str) -> str:
            sha = repo.branches.get(revision, revision)
            if sha not in repo.commits:
                raise RefusedError(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return sha

        def whoami(self) -> None:
            user = self._user()
            if user is None:
                raise RefusedError(401, "", "Invalid username or password.")
            role = {"displayName": "a token", "role": user[1]}
            self._json({"type": "user", "name": user[0], "auth": {"type": "access_token", "accessToken": role}})

        def validate_yaml(self) -> None:
            text = json.loads(self.body)["content"]
            head = yaml.safe_load(re.match(r"---\n(.*?)\n---", text, re.DOTALL)[1])
            errors = [{"message": f"{name} is missing"} for name in ("license",) if name not in head]
            self._reply(400 if errors else 200, json.dumps({"errors": errors, "warnings": []}).encode())

        def create(self) -> None:
            self._writer()
            wish = json.loads(self.body)
            kind, name = wish.get("type", "model"), f"{wish.get('organization')}/{wish['name']}"
            if (kind, name) in self.store.repos:
                raise RefusedError(409, "", "You already created this repo")
            self.store.make(kind, name, wish.get("visibility") == "private" or wish.get("private") is True)
            self._json({"url": f"{hub.url}/{'datasets/' if kind == 'dataset' else ''}{name}"})

        def info(self, kind: str, name: str, revision: str) -> None:
            repo = self._repo(kind, name)
            sha = self._commit_of(repo, revision or "main")
            siblings = [{"rfilename": path} for path in sorted(repo.commits[sha])]
            self._json({"id": name, "sha": sha, "private": repo.private, "siblings": siblings, "tags": []})

        def refs(self, kind: str, name: str) -> None:
            branches = [
                {"name": name, "ref": f"refs/heads/{name}", "targetCommit": sha}
                for name, sha in self._repo(kind, name).branches.items()
            ]
            self._json({"branches": branches, "converts": [], "tags": []})

        def auth_check(self, kind: str, name: str) -> None:
            self._repo(kind, name)
            self._writer(kind, name)
            self._json({})

        def branch(self, kind: str, name: str, branch: str) -> None:
            self._writer(kind, name)
            repo = self._repo(kind, name)
            if branch in repo.branches:
                raise RefusedError(409, "", "Reference already exists")
            repo.branches[branch] = repo.branches["main"]
            self._json({})

        def tree(self, kind: str, name: str, revision: str, folder: str) -> None:
            repo = self._repo(kind, name)
            files = repo.commits[self._commit_of(repo, revision)]
            prefix = f"{folder}/" if folder else ""
            inside = [path for path in files if path.startswith(prefix)]
            if prefix and not inside:
                raise RefusedError(404, "EntryNotFound", f"{folder} does not exist")
            deeper = [path for path in inside if "/" in path[len(prefix) :]]
            folders = sorted({path[: path.index("/", len(prefix))] for path in deeper})
            is_recursive = self.query.get("recursive", ["false"])[0].lower() in ("true", "1")
            shown = inside if is_recursive else [path for path in inside if path not in deeper]
            entries = [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in folders]
            self._json(entries + self._entries(files, shown))

        def paths_info(self, kind: str, name: str, revision: str) -> None:
            repo = self._repo(kind, name)
            files = repo.commits[self._commit_of(repo, revision)]
            is_json = "json" in self.headers.get("Content-Type", "")
            given = json.loads(self.body)["paths"] if is_json else parse_qs(self.body.decode()).get("paths", [])
            wanted = [given] if isinstance(given, str) else given
            folders = [p for p in wanted if p not in files and any(f.startswith(f"{p}/") for f in files)]
            entries = [{"type": "directory", "path": p, "oid": "0" * 40, "size": 0} for p in folders]
            self._json(entries + self._entries(files, [p for p in wanted if p in files]))

        def _entries(self, files: dict[str, str], paths: list[str]) -> list[dict[str, object]]:
            entries: list[dict[str, object]] = []
            for path in sorted(paths):
                system, _, oid = files[path].partition(":")
                size = len(self.store.objects[files[path]])
                entry = {"type": "file", "path": path, "size": size, "oid": oid[:40]}
                lfs = {"lfs": {"oid": oid, "sha256": oid, "size": size, "pointerSize": 130}} if system == "lfs" else {}
                entries.append(entry | lfs)
            return entries

        def preupload(self, kind: str, name: str, revision: str) -> None:
            self._writer()
            repo = self._repo(kind, name)
            files = repo.commits[self._commit_of(repo, revision)]
            told = []
            for wish in json.loads(self.body)["files"]:
                mode = "lfs" if wish["path"].endswith(LFS_SUFFIXES) else "regular"
                oid = files.get(wish["path"], ":").partition(":")[2] or None
                told.append({"path": wish["path"], "uploadMode": mode, "shouldIgnore": False, "oid": oid})
            self._json({"files": told})

        def batch(self, dataset: str, name: str) -> None:
            self._writer()
            self._repo("dataset" if dataset else "model", name)
            objects = []
            for wish in json.loads(self.body)["objects"]:
                upload = {"href": f"{hub.url}/lfs/{wish['oid']}"}
                is_new = f"lfs:{wish['oid']}" not in self.store.objects
                objects.append(wish | ({"actions": {"upload": upload}} if is_new else {}))
            self._json({"transfer": "basic", "objects": objects})

        def put(self, oid: str) -> None:
            if hashlib.sha256(self.body).hexdigest() != oid:
                raise RefusedError(400, "", "the content does not have the announced sha256")
            self.store.objects[f"lfs:{oid}"] = self.body
            self.store.requests.append(f"stored /lfs/{oid}")
            self._reply(200)

        def commit(self, kind: str, name: str, branch: str) -> None:
            self._writer(kind, name)
            repo = self._repo(kind, name)
            files = dict(repo.commits[self._commit_of(repo, branch)])
            message = ""
            for line in self.body.decode().splitlines():
                item = json.loads(line)
                value = item["value"]
                if item["key"] == "header":
                    message = value["summary"]
                elif item["key"] == "file":
                    files[value["path"]] = self.store.keep(base64.b64decode(value["content"]))
                elif item["key"] == "lfsFile":
                    place = f"lfs:{value['oid']}"
                    if place not in self.store.objects:
                        raise RefusedError(400, "", f"{value['path']}: its content was not uploaded")
                    files[value["path"]] = place
                elif item["key"] == "deletedFile":
                    del files[value["path"]]
                else:
                    raise RefusedError(400, "", f"unknown operation {item['key']}")
            sha = self.store.commit(repo, branch, files, message)
            self._json({"success": True, "commitOid": sha, "commitUrl": f"{hub.url}/{name}/commit/{sha}"})

        def resolve(self, dataset: str, name: str, revision: str, path: str) -> None:
            repo = self._repo("dataset" if dataset else "model", name)
            sha = self._commit_of(repo, revision)
            place = repo.commits[sha].get(path)
            if place is None:
                raise RefusedError(404, "EntryNotFound", f"{path} does not exist")
            content = self.store.objects[place]
            headers = {"ETag": f'"{place.partition(":")[2]}"', "X-Repo-Commit": sha, "Accept-Ranges": "bytes"}
            headers["Last-Modified"] = formatdate(0, usegmt=True)
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if asked and self.command == "GET":
                first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
                headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
                self._reply(206, content[first : last + 1], headers)
            else:
                headers["Content-Length"] = str(len(content))
                self._reply(200, content, headers)

    return Handler


_API = r"/api/(model|dataset)s/([^/]+/[^/]+)"
ROUTES = (
    (r"/api/whoami-v2", "whoami"),
    (r"/api/validate-yaml", "validate_yaml"),
    (r"/api/repos/create", "create"),
    (rf"{_API}(?:/revision/([^/]+))?", "info"),
    (rf"{_API}/refs", "refs"),
    (rf"{_API}/auth-check/write", "auth_check"),
    (rf"{_API}/branch/([^/]+)", "branch"),
    (rf"{_API}/tree/([^/]+)(?:/(.+))?", "tree"),
    (rf"{_API}/paths-info/([^/]+)", "paths_info"),
    (rf"{_API}/preupload/([^/]+)", "preupload"),
    (rf"{_API}/commit/([^/]+)", "commit"),
    (r"/(datasets/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch", "batch"),
    (r"/lfs/([0-9a-f]{64})", "put"),
    (r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", "resolve"),
)
