"""Write manifest.json beside a trained model: everything needed to train it again, and its cost.

It holds no secret: core/secrets.py removes them from settings, arguments and every other text. It describes the
hardware of this machine but not its name. The home folder is written ~. Other folders (run_dir, dataset, model,
command) stay in this file; publishing removes them.
"""

from __future__ import annotations

import dataclasses
import math
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...config import Config
from ...core import secrets
from ...core.gguf import gguf_file, quantization
from ...core.model_source import fingerprint, model_source
from ...core.row_files import SUFFIXES
from ...core.storage import sha256_of
from ..checkpoints import Taken
from ..data.encode import IGNORED
from ..data.sampler import StepSampler
from ..network.model import network_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import Trainer

    from ..plan import Plan

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors")
OPTIONAL_PACKAGES = ("bitsandbytes", "deepspeed", "flash-attn")


def make_manifest(plan: Plan, trainer: Trainer, taken: Taken, first_step: int = 0) -> dict[str, Any]:
    """Return versions, hardware, config, data, base model, seed, git state, launch and figures of this training.

    Args:
        taken: the cost of all commands of this training.
        first_step: the step of the checkpoint that this command resumed from; 0: none.
    """
    settings = dataclasses.asdict(plan.config)
    manifest = {
        "format": 1,
        "started": taken.started,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": taken.seconds,
        "commands": taken.commands,
        "first_step": first_step,
        "command": _command(),
        "git": _git_state(),
        "versions": _versions(),
        "hardware": _hardware(trainer),
        "seed": plan.config.seed,
        "model": _base_model(plan.config, trainer),
        "dataset": _dataset(plan.config),
        "identity": plan.identity,
        "rows": {"trained": len(plan.rows), "held_out": len(plan.validation_rows), "dropped": plan.dropped},
        "training": _figures(plan, trainer, first_step),
        "config": secrets.without_secret_fields(settings),
    }
    return without_home(secrets.scrub(manifest, secrets.secret_values(os.environ, settings)))


def without_home(value: Any) -> Any:
    """Return JSON values with the home folder of every text as ~."""
    if isinstance(value, dict):
        return {key: without_home(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_home(item) for item in value]
    home = str(Path.home())
    return re.sub(rf"{re.escape(home)}(?=/|$)", "~", value) if isinstance(value, str) and len(home) > 1 else value


def _command() -> list[str]:
    """Return the command line without secrets."""
    script, here = Path(sys.argv[0]).resolve(), Path.cwd()
    is_command = script.name in ("selfinstruct", "selfinstruct.exe", "__main__.py")
    name = script.relative_to(here).as_posix() if script.is_relative_to(here) else script.name
    return ["selfinstruct" if is_command else name, *secrets.without_secret_arguments(sys.argv[1:])]


def _git_state() -> dict[str, Any] | None:
    """Return the commit of the working directory and whether it has changes; None: no repository, or no git."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, timeout=20, check=True).stdout.strip()

    try:
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "selfinstruct-train": _version("selfinstruct-train") or "source"}
    return found | {name: text for name in (*PACKAGES, *OPTIONAL_PACKAGES) if (text := _version(name))}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _hardware(trainer: Trainer) -> dict[str, Any]:
    import psutil
    import torch

    accelerator = trainer.accelerator
    on_gpu = accelerator.device.type == "cuda"
    found = {
        "device": torch.cuda.get_device_name() if on_gpu else _cpu_name(),
        "processes": accelerator.num_processes,
        "distributed_type": str(accelerator.distributed_type.value),
        "cpu_cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
    }
    if on_gpu:
        gpu = torch.cuda.get_device_properties(accelerator.device)
        found |= {"gpu_memory_bytes": gpu.total_memory, "cuda": torch.version.cuda, "cpu": _cpu_name()}
    return found


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _base_model(config: Config, trainer: Trainer) -> dict[str, Any]:
    """Return the base model with what identifies its weights: the fingerprint of its files, or the Hub's commit."""
    source = Path(model_source(config.model.path))
    network = network_of(trainer)
    found: dict[str, Any] = {"path": config.model.path, "revision": config.model.revision}
    gguf = gguf_file(source)
    if gguf is not None:
        found["gguf"] = {"file": gguf.name, "quantization": quantization(gguf)}
    if source.exists():
        return found | {"fingerprint": fingerprint(source)}
    return found | {"commit": getattr(network.config, "_commit_hash", None)}


def _dataset(config: Config) -> dict[str, Any]:
    """Return the dataset's files, each with its size and hash."""
    path = Path(config.run_dir) / "dataset" if config.train.dataset is None else Path(config.train.dataset).expanduser()
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
    shown = [file for file in files if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    return {
        "path": str(path),
        "files": [
            {
                "name": file.name if file == path else file.relative_to(path).as_posix(),
                "bytes": file.stat().st_size,
                "sha256": sha256_of(file),
            }
            for file in shown
        ],
    }


def _figures(plan: Plan, trainer: Trainer, first_step: int) -> dict[str, Any]:
    """Return steps, tokens, losses, peak memory, and the time and speed of the last command's steps."""
    history = trainer.state.log_history
    losses = [float(entry["loss"]) for entry in history if "loss" in entry]
    validation_losses = [float(entry["eval_loss"]) for entry in history if "eval_loss" in entry]
    steps = int(trainer.state.global_step)
    tokens, supervised = _tokens_until(plan, trainer.train_dataset, steps)
    before, _ = _tokens_until(plan, trainer.train_dataset, first_step)
    runtime = next((float(entry["train_runtime"]) for entry in reversed(history) if "train_runtime" in entry), None)
    return {
        "steps": steps,
        "tokens": tokens,
        "supervised_tokens": supervised,
        "loss_first": losses[0] if losses else None,
        "loss_last": losses[-1] if losses else None,
        "loss_best": min(losses, default=None),
        "held_out_loss_best": min(validation_losses, default=None),
        "last_command_train_seconds": None if runtime is None else round(runtime, 1),
        "tokens_per_second": round((tokens - before) / runtime, 1) if runtime and tokens > before else None,
        "peak_memory_bytes": _peak_memory(trainer),
    }


def _tokens_until(plan: Plan, dataset: Dataset, steps: int) -> tuple[int, int]:
    """Return the number of tokens, and of tokens with a label, in the first `steps` steps, without fillers."""
    lengths = [len(ids) for ids in dataset["input_ids"]]
    supervised = [sum(label != IGNORED for label in labels) for labels in dataset["labels"]]
    batch_size = plan.config.train.batch_size
    epochs, rest = divmod(steps, math.ceil(len(lengths) / batch_size))
    begun = list(StepSampler(lengths, batch_size, plan.config.seed, first_epoch=epochs))[: rest * batch_size]
    return (
        epochs * sum(lengths) + sum(lengths[number] for number in begun),
        epochs * sum(supervised) + sum(supervised[number] for number in begun),
    )


def _peak_memory(trainer: Trainer) -> int:
    """Return the peak memory of this process: on the GPU as torch counts it, else its resident memory."""
    import torch

    if trainer.accelerator.device.type == "cuda":
        return int(torch.cuda.max_memory_allocated())
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB
