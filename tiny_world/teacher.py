"""A teacher for `selfinstruct relabel` on the tiny run: an OpenAI-compatible server that knows the little world.

    python -m tiny_world.teacher --config configs/tiny.yaml [--port 8011]

To an instruction with its input, as a row of the run's dataset has them, whose output is wrong it answers the world's truth: what a kind's rule
computes, or the label that its judge accepts. Where the output is right, or the world knows no single answer (no kind reads so, the input does not
fit, a free text is asked), it repeats the row's own output: it improves what it can and changes nothing else. Ctrl-C ends it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from selfinstruct_train.cli import exit_code_of
from selfinstruct_train.config.load import load_config
from selfinstruct_train.core.prompt_format import evaluation_prompt, user_message
from selfinstruct_train.dataset.rows import find_dataset, read_rows
from tiny_world.kind import Kind, Rule, Verdict, read_back
from tiny_world.kinds import NEAR
from tiny_world.review import FIELD_NAME, review

MODEL = "teacher"
RIGHT = Verdict(True, True)


def truth(instruction: str, input: str) -> str | None:
    """The world's answer, the first that any reading of the instruction gives; None where it knows none."""
    for kind, groups in read_back(instruction, NEAR):
        slots = {name: value for name, value in groups.items() if name != "input"}
        for text in _inputs(groups, instruction, input):
            for output in _answers(kind, text, slots):
                if kind.judge(text, output, slots) == RIGHT:
                    return output
    return None


def _inputs(groups: Mapping[str, str], instruction: str, input: str) -> list[str]:
    if "input" in groups:  # the instruction holds its input: the field must be empty
        text = groups["input"]
        mark = re.match("[.!]", instruction.rpartition(text)[2])  # read back without it, but a sentence's own
        return [] if input.strip() else [text + mark[0], text] if mark else [text]
    return list(dict.fromkeys([input, FIELD_NAME.sub("", input)]))


def _answers(kind: Kind, input: str, slots: Mapping[str, str]) -> Sequence[str]:
    # a judge of free texts accepts some that miss the point, so no drawn text is an answer
    return kind.judge.solve(input.strip(), slots) or () if isinstance(kind.judge, Rule) else kind.labels


def make_server(answers: Mapping[str, str], port: int = 0) -> ThreadingHTTPServer:
    """A server, not yet serving, that answers the prompts of a mapping and refuses all others; port 0: a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            self._send(200, {"data": [{"id": MODEL}]})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            is_chat = self.path.endswith("/chat/completions")
            prompt = asked["messages"][-1]["content"] if is_chat else asked["prompt"]
            answer = answers.get(prompt)
            if answer is None:
                self._send(
                    400,
                    {
                        "error": {
                            "message": "the teacher knows the rows of its run's dataset only; give both the same config"
                        }
                    },
                )
                return
            choice = {"message": {"role": "assistant", "content": answer}} if is_chat else {"text": answer}
            usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(answer.split())}
            self._send(200, {"model": MODEL, "choices": [{**choice, "finish_reason": "stop"}], "usage": usage})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64  # the client opens all its connections at once

    return Server(("127.0.0.1", port), Handler)


def main() -> None:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--port", type=int, default=8011)
    own, settings = parser.parse_known_args()
    config = load_config(settings)
    path: Path = find_dataset(config, "relabel.dataset", config.relabel.dataset)
    rows = [row for row in read_rows(path) if row.source == "generated"]
    answers: dict[str, str] = {}
    right = mended = 0
    for row in rows:
        is_right = review(row.instruction, row.input, row.output)[1] == RIGHT
        answer = None if is_right else truth(row.instruction, row.input)
        right += is_right
        mended += answer is not None
        for prompt in (
            user_message(row.instruction, row.input),
            evaluation_prompt(row.instruction, row.input, config.train.template),
        ):
            answers.setdefault(prompt, row.output if answer is None else answer)
    server = make_server(answers, own.port)
    print(f"{path}: of {len(rows)} generated rows {right} have a right output, {mended} others get one from the world")
    print(f"http://127.0.0.1:{server.server_address[1]}/v1, model {MODEL}; Ctrl-C ends it", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(exit_code_of(main, "ended"))
