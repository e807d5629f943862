"""A proxy that makes trouble on the way to a real server, and writes down every request.

    python faulty_proxy.py --target http://127.0.0.1:8000 --port 8001 --log requests.jsonl --faults ok,500,cut

Each POST takes the next fault of the list; after the last one everything passes (with --cycle the list begins anew).

    ok         pass                          timeout    no answer until the client leaves
    401 404 500 502 503 529 429 429@2        that status; after @ the Retry-After header, in seconds or "date" (in 1 s)
    cut        half of the real body, then the connection closes       reset      closed without an answer
    malformed  200 with half of the real JSON     empty      200 with empty choices    filter   ended by content_filter
    echo401 echo500                          that status, with the request's Authorization header in the message
    context    400 that names the context length     nocompletions   404 of a server that has no such endpoint

The log has two lines for a request: {"event": "asked", ...} when it came, and {"event": "done", ...} with the fault,
the status and `delivered`: the whole real answer was written to the client. `key` is a hash of path and body, so two
equal keys are the same request asked twice. GET requests pass and are not logged. Only the standard library is used.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json"}


class FaultyProxy:
    """A proxy on a loopback port; use it as a context manager."""

    def __init__(
        self, target: str, faults: list[str], log: Path | None = None, port: int = 0, cycle: bool = False
    ) -> None:
        parts = urlsplit(target)
        assert parts.hostname is not None
        self.target = (parts.hostname, parts.port or 80)
        self.events: list[dict[str, Any]] = []
        self.authorizations: list[str] = []
        self.stopping = threading.Event()
        self._faults, self._cycle, self._log = faults, cycle, log
        self._num_asked = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def ask(self, key: str) -> str:
        """Log a request and return its fault."""
        with self._lock:
            number, self._num_asked = self._num_asked, self._num_asked + 1
            self._write({"event": "asked", "key": key})
        if self._cycle and self._faults:
            number %= len(self._faults)
        return self._faults[number] if number < len(self._faults) else "ok"

    def done(self, key: str, fault: str, status: int, delivered: bool) -> None:
        with self._lock:
            self._write({"event": "done", "key": key, "fault": fault, "status": status, "delivered": delivered})

    def _write(self, event: dict[str, Any]) -> None:
        event = {"time": round(time.time(), 3), **event}
        self.events.append(event)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(json.dumps(event) + "\n")

    @property
    def num_asked(self) -> int:
        return self._num_asked


def asked_after_delivery(events: list[dict[str, Any]]) -> list[str]:
    """Return the keys of requests that were asked again after their answer had been delivered whole."""
    delivered: set[str] = set()
    again = []
    for event in events:
        if event["event"] == "asked" and event["key"] in delivered:
            again.append(event["key"])
        elif event["event"] == "done" and event["delivered"]:
            delivered.add(event["key"])
    return again


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultyProxy

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        status, body = self._forward("GET", b"")
        self._answer(status, body, JSON)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = hashlib.sha256(self.path.encode() + b"\0" + body).hexdigest()[:16]
        self.proxy.authorizations.append(self.headers.get("Authorization", ""))
        fault = self.proxy.ask(key)
        status, delivered = 0, False
        try:
            status, delivered = self._play(fault, body)
        except OSError:
            self.close_connection = True  # the client has left
        finally:
            self.proxy.done(key, fault, status, delivered)

    def _play(self, fault: str, body: bytes) -> tuple[int, bool]:
        kind, _, wish = fault.partition("@")
        authorization = self.headers.get("Authorization", "")
        if kind in ("ok", "cut", "malformed", "empty", "filter"):
            status, answer = self._forward("POST", body)
            if kind == "ok":
                self._answer(status, answer, JSON)
                return status, status == 200
            if kind == "cut":
                self._answer(status, answer, JSON, part=answer[: len(answer) // 2])
                self.close_connection = True
                return status, False
            if kind == "malformed":
                self._answer(200, answer[: len(answer) // 2], JSON)
                return 200, False
            choices = [] if kind == "empty" else [{"index": 0, "text": "", "finish_reason": "content_filter"}]
            self._answer(200, json.dumps({"choices": choices}).encode(), JSON)
            return 200, False
        if kind == "timeout":
            self.proxy.stopping.wait(30)
            self.close_connection = True
            return 0, False
        if kind == "reset":
            self.close_connection = True
            return 0, False
        message, status = {
            "echo401": (f"wrong credentials: {authorization}", 401),
            "echo500": (f"crashed while handling {authorization}", 500),
            "context": ("This model's maximum context length is 256 tokens. However, you requested 900 tokens.", 400),
            "nocompletions": ("This is a chat model and not supported in this endpoint", 404),
            "401": ("Incorrect API key provided", 401),
            "404": ("The model does not exist", 404),
        }.get(kind) or (f"trouble {kind}", int(kind))
        headers = dict(JSON)
        if wish:
            headers["Retry-After"] = formatdate(time.time() + 2, usegmt=True) if wish == "date" else wish
        self._answer(status, json.dumps({"error": {"message": message}}).encode(), headers)
        return status, False

    def _forward(self, method: str, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.proxy.target, timeout=120)
        try:
            connection.request(method, self.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes, headers: dict[str, str], part: bytes | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if part is None else part)
        self.wfile.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="A proxy that makes trouble; see the top of this file.")
    parser.add_argument("--target", required=True, help="scheme, host and port of the real server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--faults", default="", help="comma-separated, e.g. ok,500,429@1,cut")
    parser.add_argument("--cycle", action="store_true", help="begin the list anew after its last fault")
    arguments = parser.parse_args()
    faults = [fault for fault in arguments.faults.split(",") if fault]
    proxy = FaultyProxy(arguments.target, faults, arguments.log, arguments.port, arguments.cycle)
    print(proxy.url, flush=True)
    proxy.serve_forever()


if __name__ == "__main__":
    main()
