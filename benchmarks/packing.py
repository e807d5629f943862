"""Packs against padding: python -m benchmarks.packing [--rows 320] [--repeats 3] [--threads 1]

One epoch on the same Self-Instruct rows with the same model, optimizer and rows in a step, in one process, in turns.
Padding is what one does without this project: rows at random, batches of 8 padded to the longest, with transformers'
Trainer and with TRL's SFTTrainer. Ours is shown without packs too (rows of a step sorted by length). Tokens a second
count no padding. A step of packs holds as many rows as the others' on average: 64. The ratio is of the processor's
seconds, which a busy machine hardly changes; tokens a second are given by the wall clock too.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

STEP_ROWS, MICRO_BATCH = 64, 8
VARIANTS = ("transformers, padded", "TRL, padded", "ours, padded by length", "ours, packed")


def main() -> int:
    import torch
    import transformers

    from benchmarks.lengths import random_rows
    from benchmarks.machine import describe_machine

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data/self_instruct_5k.jsonl")
    parser.add_argument("--model", default="builtin:tiny")
    parser.add_argument("--rows", type=int, default=320)
    parser.add_argument("--max-length", type=int, default=1024)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        plan = plan_of(args, folder)
        if not args.data.exists():
            rows = tuple(random_rows(args.rows, len(plan.tokenizer)))
            plan = replace(plan, encoding=replace(plan.encoding, rows=rows))
        run = runner(plan)
        tokens = sum(len(row.input_ids) for row in plan.rows)
        print(describe_machine(), f"{args.threads} threads", sep=", ")
        print(
            f"{args.model}, {len(plan.rows)} rows, {tokens} tokens, {'real' if args.data.exists() else 'made-up'} rows"
        )
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
        padding = {}
        for _ in range(args.repeats):
            for name in VARIANTS:
                *taken, seen = run(name)
                seconds[name].append((taken[0], taken[1]))
                padding[name] = 1 - tokens / seen
    table(seconds, padding, tokens)
    return 0


def plan_of(args: Any, folder: str) -> Any:
    """Make the plan of one epoch over `--rows` rows, or over rows enough for a plan where there are no data."""
    import json

    from selfinstruct_train.config import Config, ModelConfig, TrainConfig
    from selfinstruct_train.train.plan import make_plan

    file = Path(folder) / "rows.jsonl"
    if args.data.exists():
        lines = args.data.read_text(encoding="utf-8").splitlines(keepends=True)
        lines = lines[:: max(1, len(lines) // args.rows)][: args.rows]
    else:
        lines = [json.dumps({"instruction": "Wait.", "input": "", "output": "Yes."}) + "\n"]
    file.write_text("".join(lines), encoding="utf-8")
    train = TrainConfig(
        dataset=str(file), epochs=1.0, max_length=args.max_length, batch_size=STEP_ROWS, save_steps=10**6
    )
    return make_plan(
        Config(run_dir=folder, model=ModelConfig(path=args.model, device="cpu"), train=train), "seeds+generated"
    )


def runner(plan: Any) -> Callable[[str], tuple[float, float, int]]:
    """Return what trains one epoch and tells seconds of the processor and of the wall, and tokens with padding."""
    from selfinstruct_train.train.arguments import make_arguments
    from selfinstruct_train.train.data.packing import make_collator, num_examples
    from selfinstruct_train.train.network.model import load_network
    from selfinstruct_train.train.row_trainer import make_trainer

    packed = replace(plan.config.train, packing=True)
    # as many packs in a step as hold its rows
    packs = max(1, round(STEP_ROWS * num_examples(plan.rows, packed) / len(plan.rows)))
    packed_plan = replace(plan, config=replace(plan.config, train=replace(packed, batch_size=packs)))

    def run(name: str) -> tuple[float, float, int]:
        is_packed = name == "ours, packed"
        chosen = packed_plan if is_packed else plan
        network = load_network(plan.config.model, plan.config.train, False, len(plan.tokenizer))
        shape = (1, packs) if is_packed else (MICRO_BATCH, STEP_ROWS // MICRO_BATCH)
        arguments = make_arguments(chosen, network.num_parameters(), *shape, on_gpu=False)
        arguments.save_strategy, arguments.disable_tqdm = "no", True
        if name.startswith("ours"):
            trainer = make_trainer(chosen, network, arguments)
        else:
            trainer = plain_trainer(name, plan, network, arguments, make_collator(plan.tokenizer, plan.config.train))
        collate, seen = trainer.data_collator, [0]

        def counted(examples: Any) -> Any:
            batch = collate(examples)
            seen[0] += batch["input_ids"].numel()
            return batch

        trainer.data_collator = counted
        processor, wall = time.process_time(), time.perf_counter()
        trainer.train()
        return time.process_time() - processor, time.perf_counter() - wall, seen[0]

    return run


def plain_trainer(name: str, plan: Any, network: Any, arguments: Any, collate: Any) -> Any:
    """Return a trainer of another project's making, on the same rows in random order."""
    from transformers import PrinterCallback, Trainer
    from trl import SFTTrainer

    from selfinstruct_train.train.data.packing import make_dataset

    trainer = (SFTTrainer if name.startswith("TRL") else Trainer)(
        model=network,
        args=arguments,
        data_collator=collate,
        train_dataset=make_dataset(plan.rows, plan.config.train),
        processing_class=plan.tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def table(seconds: dict[str, list[tuple[float, float]]], padding: dict[str, float], tokens: int) -> None:
    """Print medians of tokens a second, and the ratio of packs to each with its range over the repetitions."""
    print("\n| | padding | tokens/s (processor) | tokens/s (wall) | packs are faster by |\n|---|---|---|---|---|")
    packed = [processor for processor, _ in seconds["ours, packed"]]
    for name, taken in seconds.items():
        rates = [tokens / statistics.median(clock) for clock in zip(*taken, strict=True)]
        ratios = [theirs / ours for (theirs, _), ours in zip(taken, packed, strict=True)]
        ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})" if min(ratios) != 1 else ""
        print(f"| {name} | {padding[name]:.0%} | {rates[0]:,.0f} | {rates[1]:,.0f} | {ratio} |")


if __name__ == "__main__":
    sys.exit(main())
