"""A scripted server for what no real one does on request: its clock, its models, its silence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StubServer:
    """Answers "owl" to every prompt, after `seconds`; change its fields while it runs."""

    def __init__(self) -> None:
        self.status = 200
        self.models: list[str] | None = []
        """What /models lists; with any in the list, /completions is answered by 404; None: /models is 404 too."""
        self.seconds = 0.0
        self.slow: set[str] = set()
        self.slow_seconds = 0.7
        self.reported: Iterator[str] = iter(())
        self.authorizations: list[str] = []
        self.num_asked = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        self.at_once = 0
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stub: StubServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.stub.authorizations.append(self.headers.get("Authorization", ""))
        models = self.stub.models
        status = 404 if models is None else self.stub.status
        self._answer(status, {"data": [{"id": name} for name in models or []]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.stub.models is None or self.stub.models:
            self._answer(404, {"error": {"message": "not here"}})
            return
        with self.stub.lock:
            self.stub.num_asked += 1
            self.stub.at_once += 1
            self.stub.most_at_once = max(self.stub.most_at_once, self.stub.at_once)
        self.stub.closing.wait(self.stub.slow_seconds if asked["prompt"] in self.stub.slow else self.stub.seconds)
        with self.stub.lock:
            self.stub.at_once -= 1
        self._answer(
            200,
            {
                "model": next(self.stub.reported, asked["model"]),
                "choices": [{"text": "owl", "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 1},
            },
        )

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True
