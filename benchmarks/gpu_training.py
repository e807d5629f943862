"""Speed of one way to train a Llama shape with random weights: tokens a second, share of the peak, memory.

Counted is the work that a step needs, forward and backward: 6 FLOPs for each weight of the layers and token, as much
for each weight of the head and token that is learnt (no logits are computed elsewhere), and 6 * layers * width * length
for the causal attention of a token in a document of that length. Nothing that is computed twice, no padding.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

PACK, WARM_UP = 2048, 2


@dataclass(frozen=True)
class Shape:
    """A Llama, and how much of it is trained in a step. The default is Llama 3.2 1B's shape."""

    layers: int = 16
    hidden: int = 2048
    heads: int = 32
    vocabulary: int = 128_256
    packs: int = 16
    micro_packs: int = 8
    steps: int = 8

    def network(self, dtype: Any, device: str, attention: str | None, vocabulary: int | None = None) -> Any:
        """Make the model with random weights on its device."""
        import torch
        from transformers import AutoModelForCausalLM, LlamaConfig

        config = LlamaConfig(
            vocab_size=vocabulary or self.vocabulary,
            hidden_size=self.hidden,
            intermediate_size=4 * self.hidden,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            num_key_value_heads=max(1, self.heads // 4),
            max_position_embeddings=2 * PACK,
            tie_word_embeddings=True,
        )
        with torch.device(device):
            options = {"attn_implementation": attention} if attention else {}
            return AutoModelForCausalLM.from_config(config, dtype=dtype, **options)


@dataclass(frozen=True)
class Speed:
    """What a training reached; `memory` is the peak in bytes, `micro_batch` what fitted."""

    name: str
    tokens_per_second: float
    flops_per_second: float
    flops_per_second_6n: float
    memory: int
    micro_batch: int
    attention: str


def measure(name: str, shape: Shape, device: str) -> Speed:
    """Train some steps; a micro-batch that does not fit is halved."""
    import torch

    is_packed = "packed" in name
    micro = shape.micro_packs if is_packed else 8 if name.startswith("TRL") else 32
    # Of rows as many as the packs of a step hold on average.
    in_step = shape.packs if is_packed else 32 * max(1, shape.packs * PACK // 92 // 32)
    while True:
        try:
            return _measure(name, shape, device, micro, in_step)
        except torch.OutOfMemoryError:
            if micro == 1:
                raise
            micro //= 2
            print(f"{name}: out of memory, next with micro-batches of {micro}", flush=True)
        gc.collect()
        torch.cuda.empty_cache()


def _measure(name: str, shape: Shape, device: str, micro: int, in_step: int) -> Speed:
    import torch

    on_gpu = device != "cpu"
    with tempfile.TemporaryDirectory() as folder:
        trainer = _trainer(name, shape, device, micro, in_step, folder)
        work, started = _watch(trainer, WARM_UP * (in_step // micro), on_gpu)
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        trainer.train()
        if on_gpu:
            torch.cuda.synchronize()
    seconds = time.perf_counter() - started[0]
    tokens, learnt, squares = (sum(counts) for counts in zip(*work, strict=True))
    network = trainer.accelerator.unwrap_model(trainer.model)
    head = network.get_output_embeddings().weight.numel()
    weights = sum(p.numel() for n, p in network.named_parameters() if "lora" not in n)
    attention = 6 * shape.layers * shape.hidden * squares
    # Under LoRA the frozen weights have no gradient of their own: two thirds.
    factor = 4 if "LoRA" in name else 6
    return Speed(
        name=name,
        tokens_per_second=tokens / seconds,
        flops_per_second=(factor * ((weights - head) * tokens + head * learnt) + attention) / seconds,
        flops_per_second_6n=(6 * weights * tokens + attention) / seconds,
        memory=torch.cuda.max_memory_allocated() if on_gpu else 0,
        micro_batch=micro,
        attention=network.config._attn_implementation,
    )


def _watch(trainer: Any, skipped: int, on_gpu: bool) -> tuple[list[tuple[int, int, int]], list[float]]:
    """Let a trainer note tokens, learnt tokens and squares of lengths of each micro-batch after those skipped."""
    import torch

    counts: deque[tuple[int, int, int]] = deque()
    work: list[tuple[int, int, int]] = []
    started: list[float] = []
    collate, training_step, seen = trainer.data_collator, trainer.training_step, [0]

    def counted(examples: list[dict[str, Any]]) -> Any:
        lengths = [n for example in examples for n in example.get("seq_lengths") or [len(example["input_ids"])]]
        learnt = sum(label != -100 for example in examples for label in example["labels"])
        counts.append((sum(lengths), learnt, sum(n * n for n in lengths)))
        return collate(examples)

    def watched(*args: Any, **kwargs: Any) -> Any:
        if seen[0] == skipped:
            if on_gpu:
                torch.cuda.synchronize()
            started.append(time.perf_counter())
        seen[0] += 1
        done = counts.popleft()
        if started:
            work.append(done)
        return training_step(*args, **kwargs)

    trainer.data_collator, trainer.training_step = counted, watched
    return work, started


def _trainer(name: str, shape: Shape, device: str, micro: int, in_step: int, folder: str) -> Any:
    """Return a trainer of ours, or TRL's with its defaults for all that is not the size of a step."""
    import torch

    from benchmarks.lengths import random_plan
    from selfinstruct_train.config import TrainConfig
    from selfinstruct_train.train.arguments import make_arguments
    from selfinstruct_train.train.network.attention import attention_for
    from selfinstruct_train.train.row_trainer import make_trainer

    on_gpu, steps = device != "cpu", shape.steps + WARM_UP
    train = TrainConfig(
        method="lora" if "LoRA" in name else "full",
        packing="packed" in name,
        max_length=PACK,
        batch_size=in_step,
        per_device_batch_size=micro,
        max_steps=steps,
        save_steps=10**6,
        activation_checkpointing="off",
    )
    rows = steps * (shape.packs + 1) * PACK // 92
    plan = random_plan(folder, train, rows, shape.vocabulary)
    if name.startswith("TRL"):
        return _trl_trainer(plan, shape.network(torch.float32, device, None), micro, in_step // micro, steps, on_gpu)
    dtype = torch.bfloat16 if train.method == "lora" and on_gpu else torch.float32
    network = shape.network(dtype, device, attention_for(train, on_gpu))
    arguments = make_arguments(plan, network.num_parameters(), micro, in_step // micro, on_gpu)
    arguments = replace(arguments, save_strategy="no", logging_steps=steps)
    return make_trainer(plan, network, arguments)


def _trl_trainer(plan: Any, network: Any, micro: int, accumulation: int, steps: int, on_gpu: bool) -> Any:
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from selfinstruct_train.train.data.packing import make_dataset

    on_cpu: dict[str, Any] = {} if on_gpu else {"use_cpu": True, "bf16": False}
    arguments = SFTConfig(
        output_dir=str(plan.work),
        per_device_train_batch_size=micro,
        gradient_accumulation_steps=accumulation,
        max_steps=steps,
        save_strategy="no",
        logging_steps=steps,
        report_to="none",
        disable_tqdm=True,
        **on_cpu,
    )
    trainer = SFTTrainer(
        model=network,
        args=arguments,
        train_dataset=make_dataset(plan.rows, plan.config.train),
        processing_class=plan.tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
