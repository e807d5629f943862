"""Kill a run again and again while a real server answers it: python -m benchmarks.kills [--kills 50]

`transformers serve` answers with the built-in tiny model, a proxy before it writes down every request and every answer
that was delivered whole. One run goes undisturbed; another is killed (SIGKILL) at random moments over its three stages
and resumed each time. Then: are the datasets equal, was an answer asked for again that the journal held, and how many
answers were on their way at a kill, delivered but not yet in the journal? Needs the extra `dev`; greedy in all stages,
since this server draws samples of requests in flight from one common generator.

The killed process may leave up to as many requests as it had in flight without a journal line; they are asked again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe_machine
from selfinstruct_train.core.names import STAGES

ROOT = Path(__file__).resolve().parents[1]


def journaled(run_dir: Path) -> dict[str, int]:
    """Whole answer lines, by stage."""
    contents = {s: run_dir / f"journal/{s}.jsonl" for s in STAGES}
    return {s: max(0, p.read_bytes().count(b"\n") - 1) if p.exists() else 0 for s, p in contents.items()}


def events(log: Path) -> list[dict]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def start(run_dir: Path, model: Path, url: str, args: argparse.Namespace) -> subprocess.Popen[bytes]:
    greedy = {"instruction_sampling": {"temperature": 0.0}, "instance_sampling": {"temperature": 0.0}}
    settings = {
        "run_dir": str(run_dir),
        "model.path": str(model),
        "model.backend": "http",
        "model.server.base_urls": json.dumps([url]),
        "model.server.max_in_flight": args.in_flight,
        "generate.num_instructions": args.num,
        "generate.requests_per_round": 4,
        "generate.rouge_l_threshold": 1.0,  # greedy answers repeat each other
        "generate.instruction_sampling.max_new_tokens": 80,
        "generate.instance_sampling.max_new_tokens": 48,
        **{f"generate.{section}.{k}": v for section, values in greedy.items() for k, v in values.items()},
    }
    command = [sys.executable, "-m", "selfinstruct_train", "generate", str(ROOT / "configs/tiny.yaml")]
    command += [part for key, value in settings.items() for part in (f"--{key}", str(value))]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> None:
    _, stderr = process.communicate(timeout=1800)
    assert process.returncode == 0, stderr.decode()[-2000:]


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill and resume a run before a real server's log.")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--num", type=int, default=60, help="instructions of the run")
    parser.add_argument("--in-flight", type=int, default=4)
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the servers are stopped too
    from selfinstruct_train.core.builtin import resolve
    from tests.support.servers import TransformersServe, free_port

    model = Path(resolve("builtin:tiny", "model"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        server = TransformersServe(folder)
        port = free_port()
        proxies = {}
        try:
            urls = {}
            for name in ("whole", "killed"):
                command = [sys.executable, str(ROOT / "tests/support/faulty_proxy.py"), "--target", server.url]
                command += ["--port", str(port), "--log", str(folder / f"{name}.log")]
                proxies[name] = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                urls[name] = f"http://127.0.0.1:{port}/v1"
                proxies[name].stdout.readline()  # type: ignore[union-attr]
                port = free_port()
            clock = time.perf_counter()
            finish(start(folder / "whole", model, urls["whole"], args))
            print(
                f"undisturbed: {journaled(folder / 'whole')} answers, {time.perf_counter() - clock:.0f} s", flush=True
            )
            total = sum(journaled(folder / "whole").values())

            rng = random.Random(1)
            log, run_dir = folder / "killed.log", folder / "killed"
            lost, in_stage = [], dict.fromkeys(STAGES, 0)
            clock = time.perf_counter()
            for threshold in sorted(rng.sample(range(total - args.in_flight), args.kills)):
                seen = len(events(log))
                before = sum(journaled(run_dir).values())
                process = start(run_dir, model, urls["killed"], args)
                while process.poll() is None and (
                    sum(journaled(run_dir).values()) < threshold or len(events(log)) <= seen
                ):
                    time.sleep(0.005)
                time.sleep(rng.random() * 0.3)
                process.send_signal(signal.SIGKILL)
                process.communicate()
                assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"
                time.sleep(0.5)  # what the server still answers is not delivered any more
                delivered = sum(e["event"] == "done" and e["delivered"] for e in events(log)[seen:])
                counts = journaled(run_dir)
                lost.append(delivered - (sum(counts.values()) - before))
                in_stage[next((s for s in reversed(STAGES) if counts[s]), STAGES[0])] += 1
            finish(start(run_dir, model, urls["killed"], args))
            seconds = time.perf_counter() - clock
            all_events = events(log)
        finally:
            for proxy in proxies.values():
                proxy.kill()
            server.stop()
        digests = {
            name: hashlib.sha256((folder / name / "dataset/train.parquet").read_bytes()).hexdigest()
            for name in ("whole", "killed")
        }
    delivered_keys: dict[str, int] = {}
    for event in all_events:
        if event["event"] == "done" and event["delivered"]:
            delivered_keys[event["key"]] = delivered_keys.get(event["key"], 0) + 1
    twice = sum(number - 1 for number in delivered_keys.values())
    print(describe_machine())
    print(f"{args.kills} kills in {seconds:.0f} s, by the stage at work: {in_stage}")
    print(
        f"datasets {'byte-identical' if digests['whole'] == digests['killed'] else 'DIFFER'}: {digests['killed'][:16]}"
    )
    print(f"requests asked: {sum(e['event'] == 'asked' for e in all_events)}, distinct {len(delivered_keys)}")
    print(
        f"delivered but not in the journal when the kill came: {sum(lost)} in all, at most {max(lost)} at one kill "
        f"(in flight: up to {args.in_flight}); answers delivered again: {twice}"
    )
    assert digests["whole"] == digests["killed"] and twice == sum(lost) and max(lost) <= args.in_flight


if __name__ == "__main__":
    main()
