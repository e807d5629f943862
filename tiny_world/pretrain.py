"""Pretrain the built-in tiny base model on the little world's text on two CPU cores; write it as a transformers model.

    python -m tiny_world.pretrain --out runs/tiny_base --tokens 22_000_000 --seed 0

Writes work files (tokenizer, token shards, checkpoint.pt, log.jsonl) to OUT/work and the model to OUT/model. The same
command resumes a run that was killed, from a checkpoint at most --checkpoint-minutes old. The schedule counts tokens,
not time. About 7,200 tokens/s on two idle cores of an EPYC 9004; on busy cores it loses more than its share.
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from tiny_world.export import write_model
from tiny_world.muon import Muon
from tiny_world.network import Network, Shape
from tiny_world.tokenizer import train_tokenizer
from tiny_world.tokens import (
    PRACTICE_FROM_SHARD,
    SHARD_TOKENS,
    TOKENIZER_SHARD,
    read_heldout,
    read_stream,
    shard_documents,
    write_stream,
)

HELDOUT_TOKENS = 65_536
MICRO_BATCH_TOKENS = 4096  # 8,192 gained 6 % at most in one noisy trial, for twice the memory
WARMUP_SHARE = 0.02
# (share of the tokens from which it holds, sequence length): short sequences are faster, long prompts come last.
LENGTHS = ((0.0, 256), (0.7, 512))
PRACTICE_LENGTHS = ((0.0, 512), (0.95, 1024))
PRACTICE_PEAK = 0.6  # the second cycle's learning rate, as a share of the first's


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tokens", type=int, default=22_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--vocab-size", type=int, default=2560)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--inner", type=int, default=768)
    parser.add_argument("--batch-tokens", type=int, default=16_384)
    parser.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--weight-decay", type=float, default=0.1)
    parser.add_argument(
        "--decay-share", type=float, default=0.5, help="share of the tokens over which lr falls to zero"
    )
    parser.add_argument("--checkpoint-minutes", type=float, default=3)
    return parser.parse_args()


def make_optimizers(network: Network, arguments: argparse.Namespace) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms; or AdamW for all."""
    shape = network.shape
    head = shape.width // shape.heads
    rows = {
        "qkv": [shape.heads * head, shape.kv_heads * head, shape.kv_heads * head],
        "gate_up": [shape.inner, shape.inner],
        "out": [shape.width],
        "down": [shape.width],
    }
    named = dict(network.named_parameters())
    matrices = {n: p for n, p in named.items() if n.split(".")[0] in rows and arguments.optimizer == "muon"}
    others = [p for n, p in named.items() if n not in matrices]
    adam_groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": arguments.weight_decay},
        {"params": [p for p in others if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(adam_groups, lr=arguments.lr, betas=(0.9, 0.95), fused=True)
    ]
    if matrices:
        parts = [(p, rows[n.split(".")[0]]) for n, p in matrices.items()]
        optimizers.append(Muon(parts, lr=arguments.lr, weight_decay=arguments.weight_decay))
    return optimizers


def learning_rate(done: float, peak: float, decay_share: float) -> float:
    """Warm up, hold, fall to zero along a line; done is the share of the tokens seen."""
    return peak * min(1.0, done / WARMUP_SHARE, (1 - done) / decay_share)


def schedule(step: int, boundary: int, num_steps: int, arguments: argparse.Namespace) -> tuple[int, float]:
    """The row length and the learning rate of a step: one cycle on the general pages, one on the practice pages."""
    if step < boundary:
        start, end, lengths, peak = 0, min(boundary, num_steps), LENGTHS, arguments.lr
    else:
        start, end, lengths, peak = boundary, num_steps, PRACTICE_LENGTHS, PRACTICE_PEAK * arguments.lr
    done = (step - start) / (end - start)
    length = next(size for share, size in reversed(lengths) if done >= share)
    return length, learning_rate((step + 1 - start) / (end - start), peak, arguments.decay_share)


def train_batch(network: Network, loss_of: Callable[[Tensor, Tensor], Tensor], tokens: Tensor, length: int) -> float:
    """Accumulate the gradient over tokens (batch tokens + 1) in rows of the length; returns the mean loss in nats."""
    size = min(MICRO_BATCH_TOKENS, len(tokens) - 1)
    starts = range(0, len(tokens) - 1, size)
    total = 0.0
    for start in starts:
        ids, targets = (tokens[start + shift : start + shift + size].view(-1, length) for shift in (0, 1))
        loss = loss_of(ids, targets) / len(starts)
        loss.backward()
        total += loss.item()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    return total


@torch.no_grad()
def heldout_loss(loss_of: Callable[[Tensor, Tensor], Tensor], tokens: Tensor, length: int) -> float:
    """Mean loss in nats over the held-out tokens in rows of the length."""
    losses = []
    for start in range(0, len(tokens) - MICRO_BATCH_TOKENS, MICRO_BATCH_TOKENS):
        ids, targets = (tokens[start + s : start + s + MICRO_BATCH_TOKENS].view(-1, length) for s in (0, 1))
        losses.append(loss_of(ids, targets).item())
    return sum(losses) / len(losses)


def keep_freed_memory() -> None:
    """Have glibc reuse large blocks instead of handing them back: page faults took 8 % of the time."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
        libc.mallopt(-2, 2**28)  # M_TOP_PAD


def prepare_text(work: Path, arguments: argparse.Namespace) -> Path:
    """Train the tokenizer and write the token shards, unless they are there; returns the tokenizer's folder."""
    folder = work / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        texts = itertools.islice(shard_documents(arguments.seed, TOKENIZER_SHARD), 8000)
        train_tokenizer(texts, arguments.vocab_size, Shape.context).save_pretrained(folder)
    write_stream(folder / "tokenizer.json", work / "tokens", arguments.seed, arguments.tokens, HELDOUT_TOKENS)
    return folder


def train(network: Network, work: Path, arguments: argparse.Namespace) -> None:
    """Train to the end of the schedule, from the checkpoint if there is one."""
    optimizers = make_optimizers(network, arguments)
    loss_of = torch.compile(network, dynamic=False)
    heldout = torch.from_numpy(read_heldout(work / "tokens"))
    batch = arguments.batch_tokens
    num_steps = arguments.tokens // batch
    checkpoint = work / "checkpoint.pt"
    settings = {k: v for k, v in vars(arguments).items() if k not in ("out", "checkpoint_minutes")}
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        if state["settings"] != settings:
            raise ValueError(f"{checkpoint} belongs to a run with {state['settings']}; give those or another --out")
        network.load_state_dict(state["network"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        first = state["step"]
        print(f"resumed after step {first} of {num_steps}", flush=True)
    log = (work / "log.jsonl").open("a")
    saved_at = window_at = time.monotonic()
    losses: list[float] = []
    boundary = PRACTICE_FROM_SHARD * SHARD_TOKENS // batch
    for step in range(first, num_steps):
        length, rate = schedule(step, boundary, num_steps, arguments)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        tokens = torch.from_numpy(read_stream(work / "tokens", step * batch, batch + 1))
        losses.append(train_batch(network, loss_of, tokens, length))
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        last = step + 1 == num_steps
        if (step + 1) % 20 == 0 or last:
            now = time.monotonic()
            speed = len(losses) * batch / (now - window_at)
            row = {"step": step + 1, "tokens": (step + 1) * batch, "loss": sum(losses) / len(losses), "lr": rate}
            if (step + 1) % 100 == 0 or last:
                row["heldout"] = heldout_loss(loss_of, heldout, length)
            minutes_left = (num_steps - step - 1) * batch / speed / 60
            log.write(json.dumps(row | {"tokens_per_second": round(speed)}) + "\n")
            log.flush()
            shown = " ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items())
            print(f"{shown} length {length} {speed:.0f} tokens/s {minutes_left:.1f} minutes left", flush=True)
            window_at, losses = time.monotonic(), []
        if last or time.monotonic() - saved_at > 60 * arguments.checkpoint_minutes:
            state = {"network": network.state_dict(), "optimizers": [o.state_dict() for o in optimizers]}
            partial = checkpoint.with_suffix(".partial")
            torch.save(state | {"step": step + 1, "settings": settings}, partial)
            partial.replace(checkpoint)
            saved_at = time.monotonic()


def main() -> None:
    arguments = parse_arguments()
    keep_freed_memory()
    work = arguments.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    tokenizer_folder = prepare_text(work, arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    vocab = len(json.loads((tokenizer_folder / "tokenizer.json").read_text())["model"]["vocab"])
    shape = Shape(vocab=vocab, width=arguments.width, layers=arguments.layers, inner=arguments.inner)
    network = Network(shape, arguments.seed)
    print(f"{sum(p.numel() for p in network.parameters()):,} parameters, vocabulary {vocab}", flush=True)
    train(network, work, arguments)
    write_model(network, tokenizer_folder, arguments.out / "model", vars(arguments))
    print(arguments.out / "model")


if __name__ == "__main__":
    main()
