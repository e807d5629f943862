"""Run one training with TRL's SFTTrainer on rows that `encode` made, and put the model in place in one step.

Full finetuning or LoRA, on one process or as many as `accelerate launch` starts. Checkpoints lie in a hidden working
folder beside the models; the model folder appears only when it is whole, with weights (safetensors), tokenizer,
log_history.json, loss.png and training.json.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..config import Config
from ..model_source import model_source
from ..storage import write_json
from .arguments import make_arguments, make_lora
from .checkpoints import drop_unfinished, last_whole_checkpoint, mark_whole, progress_bar, step_of
from .launch import check_launch
from .manifest import make_manifest
from .model import load_network, trains_on_gpu, uses_bfloat16
from .plan import IDENTITY_FILE, Plan, differing, read_identity
from .plot import plot_loss
from .row_trainer import make_trainer
from .validation import validation_callbacks, validation_dataset

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a training left; `losses` are the first and the last logged."""

    folder: Path
    steps: int
    losses: tuple[float, float]
    seconds: float


def train(plan: Plan) -> Result:
    """Train the plan's model, resuming from its last whole checkpoint, and put it at `plan.folder`.

    Raises:
        ValueError: the model cannot be loaded, or the batch size cannot be shared out over the processes.
    """
    import transformers
    from accelerate import PartialState

    start = time.monotonic()
    on_gpu = trains_on_gpu(plan.config.model)
    launch = check_launch(on_gpu)
    state = PartialState(cpu=not on_gpu)
    if state.is_main_process:
        log.info("%s: %s", plan.mixture, launch)
    micro_batch, accumulation = share_out(plan.config, state.num_processes)
    _refuse_idle_gpus(state.num_processes, on_gpu)
    if state.is_main_process:
        _prepare_work_folder(plan)
    state.wait_for_everyone()
    network = load_network(plan.config.model, plan.config.train, on_gpu, len(plan.tokenizer))
    transformers.utils.logging.disable_progress_bar()  # "Writing model shards" would break our line at every checkpoint
    checkpoint = last_whole_checkpoint(plan.work)
    done = step_of(checkpoint) // math.ceil(len(plan.rows) / plan.config.train.batch_size) if checkpoint else 0
    trainer = make_trainer(
        plan,
        network,
        make_arguments(plan, network, micro_batch, accumulation, on_gpu),
        make_lora(plan.config),
        validation_dataset(plan),
        [mark_whole(), progress_bar(f"train {plan.mixture}"), *validation_callbacks(plan)],
        first_epoch=done,
    )
    if checkpoint is not None and state.is_main_process:
        log.info("%s: resuming from %s", plan.mixture, checkpoint.name)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
    state.wait_for_everyone()
    finished = plan.work / "finished"
    if state.is_main_process:
        shutil.rmtree(finished, ignore_errors=True)
    _save(plan, trainer, finished, uses_bfloat16(plan.config.train, on_gpu), time.monotonic() - start)
    state.wait_for_everyone()
    if state.is_main_process:
        _put_in_place(plan, finished)
    state.wait_for_everyone()
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    return Result(plan.folder, trainer.state.global_step, (losses[0], losses[-1]), time.monotonic() - start)


def share_out(config: Config, num_processes: int) -> tuple[int, int]:
    """Return rows in a micro-batch and micro-batches in a step, for each process.

    Raises:
        ValueError: the batch size is no multiple of what the processes take together.
    """
    batch_size = config.train.batch_size
    if batch_size % num_processes:
        raise ValueError(
            f"train.batch_size is {batch_size}, which {num_processes} processes cannot share; make it a multiple"
        )
    micro_batch = min(config.train.per_device_batch_size, batch_size // num_processes)
    if batch_size % (micro_batch * num_processes):
        raise ValueError(
            f"train.batch_size is {batch_size}, no multiple of per_device_batch_size {micro_batch} times "
            f"{num_processes} processes; change one of them"
        )
    return micro_batch, batch_size // (micro_batch * num_processes)


def _refuse_idle_gpus(num_processes: int, on_gpu: bool) -> None:
    """Several GPUs under one process would mean DataParallel, which TRL does not support."""
    import torch

    if on_gpu and num_processes == 1 and torch.cuda.device_count() > 1:
        raise ValueError(
            f"{torch.cuda.device_count()} GPUs are visible to one process; launch with "
            "`accelerate launch --config_file configs/accelerate/ddp.yaml`, or set CUDA_VISIBLE_DEVICES=0"
        )


def _prepare_work_folder(plan: Plan) -> None:
    """Keep the checkpoints of this very plan; those of another, or cut short, are deleted."""
    found = read_identity(plan.work)
    if plan.work.exists() and found != plan.identity:
        changed = ", ".join(differing(found or {}, plan.identity))
        log.info("%s: deleting checkpoints of another training (changed: %s)", plan.mixture, changed)
        shutil.rmtree(plan.work)
    plan.work.mkdir(parents=True, exist_ok=True)
    (plan.work / IDENTITY_FILE).write_text(json.dumps({"identity": plan.identity}), encoding="utf-8")
    drop_unfinished(plan.work)


def _save(plan: Plan, trainer: Any, folder: Path, is_half: bool, seconds: float) -> None:
    """Write model, tokenizer, log and plot, weights in the precision of the training. Every process calls it."""
    import torch

    if is_half and plan.config.train.method == "full":
        trainer.accelerator.unwrap_model(trainer.model).to(torch.bfloat16)
    trainer.save_model(str(folder))
    if not trainer.args.should_save:
        return
    (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle that nothing reads
    plan.tokenizer.save_pretrained(folder)
    if plan.config.train.method != "full":
        _name_base_model(plan, folder)
    history = trainer.state.log_history
    (folder / "log_history.json").write_text(json.dumps(history, indent=1) + "\n", encoding="utf-8")
    plot_loss(history, f"{plan.mixture}: {len(plan.rows)} rows, {plan.config.train.method}", folder / "loss.png")
    write_json(folder / "manifest.json", make_manifest(plan, trainer, seconds))
    record = {
        "identity": plan.identity,
        "dropped": plan.dropped,
        "steps": trainer.state.global_step,
        "num_processes": trainer.accelerator.num_processes,
        "distributed_type": str(trainer.accelerator.distributed_type.value),
    }
    (folder / IDENTITY_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _name_base_model(plan: Plan, folder: Path) -> None:
    """Let the adapter name its base as the config does: built-in and Hub names stay, folders become absolute."""
    path = plan.config.model.path
    if Path(path).expanduser().exists():
        path = str(Path(model_source(path)).resolve())
    file = folder / "adapter_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    settings |= {"base_model_name_or_path": path, "revision": plan.config.model.revision}
    file.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _put_in_place(plan: Plan, finished: Path) -> None:
    """Move the whole model to its folder, replacing an older one, and delete the checkpoints."""
    old = plan.work / "replaced"
    if plan.folder.exists():
        plan.folder.rename(old)
    finished.rename(plan.folder)
    shutil.rmtree(plan.work)
