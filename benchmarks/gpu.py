"""What a GPU makes of this project: python -m benchmarks.gpu [--small --device cpu]

A 1B Llama shape with random weights, nothing downloaded; rows of random tokens with the lengths of Self-Instruct rows.
Full finetuning (float32 weights, bfloat16 autocast) on packs of 2,048 tokens, the same padded, TRL's defaults, LoRA;
then generation with a shared prefix against plain `generate`. Figures of training are counted as gpu_training.py says.
No measurement begins after 8 minutes. Not every library need be there: what is missing is told and left out.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from importlib.util import find_spec
from typing import Any

VARIANTS = ("full, packed", "full, padded by length", "TRL's defaults, padded", "LoRA, packed")


def main() -> int:
    import torch
    import transformers

    from benchmarks.gpu_training import Shape, measure
    from benchmarks.machine import describe_machine
    from selfinstruct_train.lm.transformers.speed import measured_flops
    from selfinstruct_train.train.checks.devices import known_peak

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=8, help="optimizer steps, after two that are not counted")
    parser.add_argument("--requests", type=int, default=256, help="prompts of the generation")
    parser.add_argument("--minutes", type=float, default=8.0, help="no measurement begins later")
    parser.add_argument("--small", action="store_true", help="a shape for a CPU, to see that all of it runs")
    args = parser.parse_args()
    shape = Shape(args.layers, args.hidden, max(1, args.hidden // 64), steps=args.steps)
    if args.small:
        shape, args.requests = Shape(1, 64, 1, 512, packs=2, micro_packs=1, steps=1), 8
    start = time.perf_counter()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    missing = [name for name in ("trl", "datasets", "accelerate", "peft") if find_spec(name) is None]
    peak = None if args.device == "cpu" else known_peak(torch.cuda.get_device_name(args.device))
    measured = measured_flops(args.device, torch.bfloat16)
    print(f"{describe_machine()}, transformers {transformers.__version__}")
    sheet = f"{peak / 1e12:,.0f}" if peak else "unknown"
    print(f"bf16 TFLOPs a second: {sheet} by its data sheet, {measured / 1e12:,.3g} in a product of two large matrices")
    if missing:
        print(f"training is left out, for it needs {', '.join(missing)}: pip install {' '.join(missing)}")
    speeds = []
    for name in () if missing else VARIANTS:
        if time.perf_counter() - start > 60 * args.minutes:
            print(f"{name}: left out, the {args.minutes:g} minutes are over")
            continue
        speeds.append(measure(name, shape, args.device))
        free(args.device)
    training_table(speeds, peak or measured)
    if time.perf_counter() - start <= 60 * args.minutes:
        generation_table(shape, args.device, args.requests, args.small)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return 0


def free(device: str) -> None:
    import torch

    gc.collect()
    if device != "cpu":
        torch.cuda.empty_cache()


def training_table(speeds: list[Any], peak: float) -> None:
    """Print the trainings; the last column compares tokens a second with the first row's."""
    if not speeds:
        return
    print(
        "\n| training | tokens/s | MFU | MFU by 6 N | memory, GiB | micro-batch | attention | full, packed: faster by |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for speed in speeds:
        shares = (speed.flops_per_second / peak, speed.flops_per_second_6n / peak)
        print(
            f"| {speed.name} | {speed.tokens_per_second:,.0f} | {shares[0]:.1%} | {shares[1]:.1%} "
            f"| {speed.memory / 2**30:.1f} | {speed.micro_batch} | {speed.attention} "
            f"| {speeds[0].tokens_per_second / speed.tokens_per_second:.2f} |"
        )


def generation_table(shape: Any, device: str, num_requests: int, small: bool) -> None:
    """Ask a model of this shape the few-shot prompts of stages 2 and 3, through our backend and plainly."""
    import torch

    from benchmarks.decoding import workload
    from selfinstruct_train.config import ModelConfig
    from selfinstruct_train.core.records import Request
    from selfinstruct_train.lm.transformers.transformers_lm import TransformersLM
    from selfinstruct_train.train.network.model import load_tokenizer

    tokenizer = load_tokenizer(ModelConfig())
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token
    torch.manual_seed(0)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    network = shape.network(dtype, device, None, vocabulary=len(tokenizer)).eval()
    # No answer ends early, so that both sides make the same number of tokens.
    network.generation_config.eos_token_id = network.config.eos_token_id = None
    batch = 8 if small else 64
    ours = TransformersLM(network, tokenizer, "random", batch, device)
    print(
        "\n| generation | prompts | new tokens | ours, s | plain `generate`, s | faster by |\n|---|---|---|---|---|---|"
    )

    def plain(prompts: list[str], sampling: Any) -> None:
        for start in range(0, len(prompts), batch):
            inputs = tokenizer(prompts[start : start + batch], return_tensors="pt", padding=True).to(device)
            with torch.inference_mode():
                network.generate(**inputs, max_new_tokens=sampling.max_new_tokens, do_sample=False)

    def through_ours(prompts: list[str], sampling: Any) -> None:
        ours.complete([Request(str(i), prompt, i) for i, prompt in enumerate(prompts)], sampling)

    for stage in (2, 3):
        prompts, sampling, _ = workload(stage, "builtin:tiny", num_requests)
        seconds = []
        for answer in (through_ours, plain):
            answer(prompts[:2], sampling)
            start = time.perf_counter()
            answer(prompts, sampling)
            seconds.append(time.perf_counter() - start)
        ratio = seconds[1] / seconds[0]
        tokens = sampling.max_new_tokens
        print(f"| stage {stage} | {num_requests} | {tokens} | {seconds[0]:.2f} | {seconds[1]:.2f} | {ratio:.1f} |")


if __name__ == "__main__":
    sys.exit(main())
