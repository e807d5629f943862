"""Run one training from its plan to its model folder, resuming from the last complete checkpoint.

It serves full finetuning, LoRA and QLoRA, in one process or in all that `accelerate launch` starts. Checkpoints are in
a hidden work folder beside the models. The model folder appears when it is complete: weights (safetensors), tokenizer,
log_history.json, loss.png, manifest.json and training.json. The model is verified elsewhere (`verify`).
"""

from __future__ import annotations

import functools
import gc
import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import Config
from ..core.progress import shown
from .arguments import (
    check_available,
    check_lora_targets,
    make_arguments,
    make_lora,
    micro_batches,
    num_steps,
    tracker_folder,
)
from .callbacks import check_the_trainer, mark_whole, progress_bar, stop_at_nan, validation_callbacks
from .checkpoints import Clock, find_best_again, last_whole_checkpoint, put_in_place, step_of, work_folder
from .failures import first_does, in_one_line
from .launch import check_launch, open_processes
from .network.model import check_device, load_network, make_skeleton, network_of, trains_on_gpu, uses_bfloat16
from .plan import Plan
from .row_trainer import make_trainer
from .saving.model_folder import save_model

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from trl import SFTConfig, SFTTrainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """The result of a training; `losses` are the first and the last logged one, `best_step` the best checkpoint's."""

    folder: Path
    steps: int
    losses: tuple[float, float]
    seconds: float
    best_step: int | None = None
    """None: without validation rows, the model is that of the last step."""


def check(config: Config) -> str:
    """Refuse settings that this machine or launch does not support, before anything is read; every process calls it.

    Returns:
        The actual launch, in one line.

    Raises:
        ValueError: one line with the remedy.
    """
    check_device(config.model)
    on_gpu = trains_on_gpu(config.model)
    launch = check_launch(on_gpu)
    state = open_processes(on_gpu)
    micro_batches(config, state.num_processes)
    check_available(config, on_gpu)
    return launch


def train(plan: Plan) -> Result:
    """Train the plan's model, resuming from its last complete checkpoint, and write it to `plan.folder`.

    Raises:
        ValueError: it cannot be trained as set, here or now; one line with the remedy.
    """
    import transformers

    start = time.monotonic()
    check(plan.config)
    gc.collect()  # a trainer refers to itself: without this, the previous mixture's would keep its memory
    on_gpu = trains_on_gpu(plan.config.model)
    state = open_processes(on_gpu)
    micro_batch, accumulation = micro_batches(plan.config, state.num_processes)
    skeleton = make_skeleton(plan.config.model)
    check_lora_targets(plan.config, skeleton)
    num_parameters = skeleton.num_parameters()
    transformers.utils.logging.disable_progress_bar()  # "Writing model shards" would break our bar at every checkpoint
    with ExitStack() as stack:
        first_does(lambda: stack.enter_context(work_folder(plan, _checkpoint_bytes(plan, skeleton))))
        stack.enter_context(in_one_line(plan))
        checkpoint = last_whole_checkpoint(plan.work)
        if checkpoint is not None:
            first_does(functools.partial(find_best_again, checkpoint))
        clock = Clock(checkpoint)
        steps_in_epoch, steps = num_steps(plan)
        done = step_of(checkpoint) if checkpoint is not None else 0
        # The arguments are made before the model is loaded: with them, DeepSpeed shards it while it is loaded.
        arguments = make_arguments(plan, num_parameters, micro_batch, accumulation, on_gpu, is_over=done >= steps)
        trainer = _make_trainer(plan, arguments, on_gpu, done // steps_in_epoch, clock)
        trainer.add_callback(progress_bar(f"train {plan.mixture}", stack))
        if checkpoint is not None and state.is_main_process:
            log.info("%s: resuming from %s", plan.mixture, checkpoint.name)
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
        state.wait_for_everyone()
        finished = plan.work / "finished"
        with shown(f"train {plan.mixture}, saving"):
            save_model(plan, trainer, finished, uses_bfloat16(plan.config.train, on_gpu), clock.read(), done)
        state.wait_for_everyone()
        first_does(lambda: put_in_place(plan, finished))
    return _result(plan, trainer, time.monotonic() - start)


def _checkpoint_bytes(plan: Plan, skeleton: PreTrainedModel) -> int:
    """Return the size of a checkpoint: trained weights in float32 and Adam's two numbers for each."""
    lora = make_lora(plan.config)
    if lora is None:
        return 12 * int(skeleton.num_parameters())
    import peft

    adapted: Any = peft.get_peft_model(skeleton, lora)
    return 12 * int(adapted.get_nb_trainable_parameters()[0])


def _make_trainer(plan: Plan, arguments: SFTConfig, on_gpu: bool, first_epoch: int, clock: Clock) -> SFTTrainer:
    with shown(f"train {plan.mixture}, loading {plan.config.model.path}"):
        network = load_network(plan.config.model, plan.config.train, on_gpu, plan.embeddings_needed)
    with tracker_folder(plan):
        trainer = make_trainer(
            plan,
            network,
            arguments,
            [stop_at_nan(), mark_whole(clock), *validation_callbacks(plan)],
            first_epoch,
        )
    trainer.add_callback(check_the_trainer(trainer))
    if plan.config.train.method == "qlora":
        for parameter in network_of(trainer).parameters():
            if parameter.requires_grad:  # TRL made them bfloat16, in which most updates would be lost
                parameter.data = parameter.data.float()
    return trainer


def _result(plan: Plan, trainer: SFTTrainer, seconds: float) -> Result:
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    best = trainer.state.best_global_step if trainer.args.load_best_model_at_end else None
    return Result(plan.folder, trainer.state.global_step, (losses[0], losses[-1]), seconds, best)
