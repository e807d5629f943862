"""What choosing a token costs beside the model that gives the logits: python -m benchmarks.sampling [--model PATH]

A step of 16 rows is one forward pass and one choice for each row. The forward pass is timed after short prompts, then
the choice on its logits: ours (`lm/transformers/sampling.py`) and what one does without this project, transformers' own
logits processors with `softmax` and `torch.multinomial`. Ours must stay below a tenth of the forward pass. The built-in
model's vocabulary of 8,000 says little: give a real model.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

TEXTS = ("Come up with a series of tasks:\n1.", "The capital of France is", "Task: Name three colours.", "In 1969, the")
SETTINGS = ((0, 1, 0), (0, 1, 1.5), (0.7, 0.5, 2), (1, 0.9, 0), (0.7, 1, 0), (0.3, 1, 0))
"""Temperature, top-p and presence penalty."""


def main() -> int:
    import torch

    from benchmarks.machine import describe_machine
    from selfinstruct_train.config import ModelConfig
    from selfinstruct_train.core.records import Sampling
    from selfinstruct_train.lm.transformers.batch import Batch, TokenSequence
    from selfinstruct_train.lm.transformers.loading import load_transformers_lm
    from selfinstruct_train.lm.transformers.penalties import TokenCounts
    from selfinstruct_train.lm.transformers.sampling import choose_tokens

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    lm = load_transformers_lm(ModelConfig(path=args.model, device=args.device, dtype="float32"))
    network = lm.decoder.network
    prompts: list[list[int]] = [lm._tokenizer(TEXTS[i % len(TEXTS)])["input_ids"] for i in range(args.rows)]
    rows = [TokenSequence(ids, seed) for seed, ids in enumerate(prompts)]
    with torch.inference_mode():
        batch = Batch(network, rows, Sampling(200), None)
        tokens = batch.logits.argmax(1)
        forward = seconds(lambda: batch.advance(tokens), args.repeats)
        logits = batch.logits
        generated = torch.randint(logits.shape[1], (args.rows, 100), generator=torch.Generator().manual_seed(0))
        generated = generated.to(logits.device)
        counts = TokenCounts(generated, torch.ones(generated.shape, device=logits.device))
        print(describe_machine())
        print(f"{args.model}: {args.rows} rows, vocabulary {logits.shape[1]:,}, float32, {args.threads} threads")
        print(f"{'':34} {'ms':>7} {'of a step':>10} {'transformers, ms':>17}")
        print(f"{'forward pass, one token a row':34} {1000 * forward:7.1f}")
        for temperature, top_p, penalty in SETTINGS:
            sampling = Sampling(200, temperature, top_p, penalty)

            def ours(sampling: Sampling = sampling) -> None:
                used = counts if sampling.presence_penalty else None
                choose_tokens(logits, used, batch.keys, batch.steps, sampling, network.margin)

            def plain(sampling: Sampling = sampling) -> None:
                plain_choice(logits, generated, sampling)

            own, other = seconds(ours, args.repeats), seconds(plain, args.repeats)
            name = f"temperature {temperature}, top-p {top_p}, presence {penalty}"
            print(f"{name:34} {1000 * own:7.1f} {own / forward:10.1%} {1000 * other:17.1f}")
    return 0


def plain_choice(logits: Any, generated: Any, sampling: Any) -> Any:
    """Choose tokens as `generate` does, with a presence penalty as one adds it."""
    import torch
    from transformers import TemperatureLogitsWarper, TopPLogitsWarper

    if sampling.presence_penalty:
        logits = logits - sampling.presence_penalty * torch.zeros_like(logits).scatter_(1, generated, 1.0)
    if sampling.temperature == 0:
        return logits.argmax(1)
    logits = TemperatureLogitsWarper(float(sampling.temperature))(generated, logits)
    if sampling.top_p < 1:
        logits = TopPLogitsWarper(sampling.top_p)(generated, logits)
    return torch.multinomial(logits.softmax(1), 1)


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the median time of several runs, after one that is not counted."""
    import torch

    taken = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[1:])


if __name__ == "__main__":
    raise SystemExit(main())
