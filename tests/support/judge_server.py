"""A chat server of the OpenAI kind whose model is a judge by rule."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from selfinstruct_train.core.records import Request


class JudgeServer:
    """Answers every chat by `rule`; `num_asked` counts them."""

    def __init__(self, rule: Callable[[Request], str]) -> None:
        self.rule = rule
        self.num_asked = 0
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"judge": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    judge: JudgeServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(200, {"data": [{"id": "judge-8b"}]})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.path.endswith("/chat/completions") or asked["model"] != "judge-8b":
            self._answer(404, {"error": {"message": "not here"}})
            return
        with self.judge.lock:
            self.judge.num_asked += 1
        request = Request("", asked["messages"][-1]["content"], asked.get("seed") or 0, True)
        message = {"role": "assistant", "content": self.judge.rule(request)}
        self._answer(
            200,
            {
                "model": "judge-8b",
                "choices": [{"message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 300, "completion_tokens": 3},
            },
        )

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
