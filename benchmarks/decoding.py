"""Our transformers backend against plain `model.generate`: python -m benchmarks.decoding [--threads 2]

Same model, dtype and threads, in one process, taking turns. Plain is what one writes without this project: left-padded
batches of 8, 32 and 64 in the order of the prompts, of which the best counts. Stages 2 and 3 are greedy and must give
the same tokens; stage 1 samples, so its ratio is of tokens a second. `--model` takes any causal LM, and
`--device cuda --dtype bfloat16` a GPU; in 16 bits equal rows are counted, not demanded.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from functools import partial
from typing import Any

PLAIN_BATCHES = (8, 32, 64)
CONTEXT = 2048  # the built-in model's rotary positions reach further than the 1024 it was trained on; speed only


def main() -> int:
    import torch

    from benchmarks.machine import describe_machine
    from selfinstruct_train.config import ModelConfig
    from selfinstruct_train.core.records import Request, Sampling
    from selfinstruct_train.lm.transformers.batch import TokenSequence
    from selfinstruct_train.lm.transformers.loading import load_transformers_lm

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:tiny")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--requests", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=64, help="of our backend")
    parser.add_argument("--stages", default="2,3,1")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    config = ModelConfig(path=args.model, device=args.device, dtype=args.dtype, batch_size=args.batch_size)
    ours, theirs = load_transformers_lm(config), load_transformers_lm(config)
    model: Any = theirs.decoder.network.model
    tokenizer = theirs._tokenizer
    if args.model == "builtin:tiny":
        ours.decoder.network.model.config.max_position_embeddings = CONTEXT
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token

    def run_ours(prompts: list[str], sampling: Sampling) -> list[list[int]]:
        ids = ours.encoded([Request(str(i), p, i) for i, p in enumerate(prompts)], sampling)
        rows = [TokenSequence(prompt, seed) for seed, prompt in enumerate(ids)]
        for share in ours.cut(ids):
            ours.run_share([rows[i] for i in share.indices], share.prefix_length, sampling, lambda answers: None)
        return [row.new_ids for row in rows]

    def run_plain(prompts: list[str], sampling: Sampling, batch_size: int) -> list[list[int]]:
        from transformers import LogitsProcessorList

        answers = []
        for start in range(0, len(prompts), batch_size):
            inputs = tokenizer(prompts[start : start + batch_size], return_tensors="pt", padding=True).to(args.device)
            length = inputs["input_ids"].shape[1]
            options: dict[str, Any] = {"do_sample": False}
            if sampling.temperature:
                options = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
            if sampling.presence_penalty:

                def penalize(ids: Any, scores: Any, length: int = length) -> Any:
                    seen = torch.zeros_like(scores).scatter_(1, ids[:, length:], 1.0)
                    return scores - sampling.presence_penalty * seen

                options["logits_processor"] = LogitsProcessorList([penalize])
            if sampling.stop:
                options |= {"stop_strings": list(sampling.stop), "tokenizer": tokenizer}
            with torch.inference_mode():
                output = model.generate(
                    **inputs, max_new_tokens=sampling.max_new_tokens, pad_token_id=tokenizer.pad_token_id, **options
                )
            answers += [useful(row, sampling) for row in output[:, length:].tolist()]
        return answers

    def run_alone(prompts: list[str], sampling: Sampling, i: int) -> list[int]:
        return run_plain([prompts[i]], sampling, 1)[0]

    def useful(row: list[int], sampling: Sampling) -> list[int]:
        """Cut what `generate` pads a finished row with."""
        ends = [
            i + 1 for i, token in enumerate(row) if token in ours.decoder.eos_ids or token == tokenizer.pad_token_id
        ]
        return row[: min(ends)] if ends else row

    print(describe_machine())
    print(f"{args.model}, {model.num_parameters() / 1e6:.1f} M parameters, {args.dtype}, {args.threads} threads")
    ok = True
    for stage in args.stages.split(","):
        prompts, sampling, wanted = workload(int(stage), args.model, args.requests)
        first = len(tokenizer(prompts[0])["input_ids"])
        run_ours(prompts[:9], sampling), run_plain(prompts[:2], sampling, 8)
        seconds: dict[Any, list[float]] = {name: [] for name in ("ours", *PLAIN_BATCHES)}
        answers: dict[Any, list[list[int]]] = {}
        for _ in range(args.repeats):
            for name, taken in seconds.items():
                start = time.perf_counter()
                answers[name] = run_ours(prompts, sampling) if name == "ours" else run_plain(prompts, sampling, name)
                taken.append(time.perf_counter() - start)
        tokens = {name: sum(map(len, rows)) for name, rows in answers.items()}
        rate = {name: tokens[name] / statistics.median(taken) for name, taken in seconds.items()}
        best = max(PLAIN_BATCHES, key=rate.__getitem__)
        print(f"stage {stage}: {len(prompts)} prompts of about {first} tokens, {sampling.max_new_tokens} new at most")
        for name, taken in seconds.items():
            print(
                f"  {name!s:>5}: {statistics.median(taken):8.2f} s {tokens[name]:7d} tokens {rate[name]:8.0f} tokens/s"
            )
        print(f"  ours is {rate['ours'] / rate[best]:.1f} times the best plain batch ({best}); wanted: {wanted}")
        if not sampling.temperature:
            ok &= same_tokens(answers["ours"], answers[best], partial(run_alone, prompts, sampling), args.dtype)
    return 0 if ok else 1


def workload(stage: int, model: str, num_requests: int) -> tuple[list[str], Any, str]:
    """Return prompts at the paper's length, how they are answered, and the ratio wanted."""
    import random

    from selfinstruct_train.core.builtin import resolve
    from selfinstruct_train.core.records import Sampling
    from selfinstruct_train.generate.seeds import read_seed_tasks
    from selfinstruct_train.generate.self_instruct.prompts import (
        classification_prompt,
        instance_prompt,
        instruction_prompt,
        read_templates,
    )

    # of stage 1 the built-in model knows its own world only: elsewhere it stops after a few words
    seed_tasks = model if (stage, model) == (1, "builtin:tiny") else "builtin:english"
    tasks = read_seed_tasks(resolve(seed_tasks, "seed_tasks"))
    templates = read_templates(resolve("builtin:english", "templates"))
    rng = random.Random(stage)
    asked = [rng.choice(tasks).instruction + f" ({i})" for i in range(num_requests)]
    if stage == 1:
        prompts = [instruction_prompt([t.instruction for t in rng.sample(tasks, 8)]) for _ in asked]
        return prompts, Sampling(200, 0.7, 0.5, 2.0, 0.0, ("\n\n", "\n16", "16.", "16 .")), ">= 1.5"
    if stage == 2:
        return [classification_prompt(templates, text) for text in asked], Sampling(3), ">= 10"
    return [instance_prompt(templates, text, is_classification=False) for text in asked], Sampling(96), ">= 4"


def same_tokens(ours: list[list[int]], plain: list[list[int]], alone: Any, dtype: str) -> bool:
    """Print how many rows are equal; where a plain batch differs from ours, plain without a batch decides."""
    differing = [i for i, (a, b) in enumerate(zip(ours, plain, strict=True)) if a != b]
    wrong = [i for i in differing if ours[i] != alone(i)]
    print(
        f"  {len(ours) - len(differing)} of {len(ours)} rows have the tokens of the plain batch, "
        f"{len(differing) - len(wrong)} those of plain batch 1 only, {len(wrong)} neither"
    )
    return not wrong or dtype != "float32"


if __name__ == "__main__":
    sys.exit(main())
