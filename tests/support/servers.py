"""Real servers for the tests: one started here, and any that were started elsewhere.

`transformers serve` is started by the first test that needs it, once for a process of the tests, and killed at the end.
It loads a model folder when it is asked for it, so one process serves all models of `small_model.KINDS`.

Servers that were started elsewhere are named in the environment, and the contract suite then runs against them too:

    SELFINSTRUCT_TEST_SERVERS="llama.cpp:abc=http://127.0.0.1:8101/v1#abc,llama.cpp:random=http://127.0.0.1:8102/v1#m"

An entry is SERVER:KIND=BASE_URL#MODEL. SERVER is any name, best one that `LACKS` and `EXTRA_BODY` know; KIND one of
`small_model.KINDS`; MODEL what the server calls it (default: KIND). A test that needs a kind which a server does not
serve is skipped for it. SELFINSTRUCT_TEST_VLLM=1 adds the offline engine (model.backend vllm). One server alone:
`pytest tests/integration/lm/test_contract.py -k llama.cpp`. The models come from

    python -m tests.support.servers FOLDER [KIND ...]      writes FOLDER/<KIND>, in transformers format

What a server ignores or gets wrong stands in `LACKS` beside its reason. A test says by `backend.needs(...)` what it
rests on; where that lacks it is expected to fail, and a test that passes all the same fails the suite: mend the table.
What goes wrong only now and then is asked by `backend.skips_without(...)`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SERVE = "transformers serve"

LACKS: dict[str, dict[str, str]] = {
    SERVE: {
        "presence_penalty": "ignored",
        "frequency_penalty": "taken for a repetition penalty, which counts the prompt too",
        "parallel_seeds": "the seed is set for the whole process: right for one request at a time only",
        "bos_once": "a BOS written in the prompt gets another one in front",
        "context_limit": "a prompt beyond the context is run all the same",
        "nan_refused": "broken weights give some text",
    },
    "llama.cpp": {
        "bos_once": "a BOS written in the prompt gets another one in front",
        "context_limit": "max_tokens is lowered to what the context has left; a prompt alone too long is refused",
    },
    "vllm-server": {
        "empty_prompt": "refused, though a BOS would stand in front",
        "bos_once": "a BOS written in the prompt gets another one in front",
        "context_limit": "max_tokens is lowered to what the context has left; a prompt alone too long is refused",
    },
}
"""By server and feature: what is wrong with it there."""

EXTRA_BODY: dict[str, dict[str, object]] = {"llama.cpp": {"repeat_penalty": 1.0}}
"""What a server must be sent so that it samples as OpenAI says."""


@dataclass(frozen=True)
class Served:
    """A model on a server: what ModelConfig needs to reach it."""

    url: str
    model: str


def external_servers() -> dict[str, dict[str, Served]]:
    """Read SELFINSTRUCT_TEST_SERVERS: by server and kind, where it is served."""
    found: dict[str, dict[str, Served]] = {}
    for entry in filter(None, os.environ.get("SELFINSTRUCT_TEST_SERVERS", "").split(",")):
        name, _, address = entry.strip().partition("=")
        server, _, kind = name.rpartition(":")
        url, _, model = address.partition("#")
        assert server and kind and url.startswith("http"), f"SELFINSTRUCT_TEST_SERVERS: {entry!r} is not understood"
        found.setdefault(server, {})[kind] = Served(url, model or kind)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class TransformersServe:
    """A running `transformers serve`; `stop` kills it."""

    def __init__(self, folder: Path, timeout_seconds: float = 120.0) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.log = folder / "serve.log"
        home = folder / "hf_home"
        (home / "hub").mkdir(parents=True)  # without it GET /v1/models answers 500
        environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        for name in ("HF_HUB_CACHE", "HF_TOKEN", "TRANSFORMERS_CACHE", "SELFINSTRUCT_TEST_SERVERS"):
            environment.pop(name, None)
        program = Path(sys.executable).parent / "transformers"
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu", "--dtype", "float32"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(program), "serve", *options],
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(timeout_seconds)
        except BaseException:
            self.stop()
            raise

    def _wait(self, timeout_seconds: float) -> None:
        end = time.monotonic() + timeout_seconds
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError(f"transformers serve did not start: {self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def main() -> None:
    import argparse

    from tests.support.small_model import KINDS, make_kind

    parser = argparse.ArgumentParser(description="Write the models of the contract suite.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    arguments = parser.parse_args()
    for kind in arguments.kinds:
        print(make_kind(kind, arguments.folder / kind))


if __name__ == "__main__":
    main()
