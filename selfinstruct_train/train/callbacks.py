"""The callbacks of a training.

They show the progress, stop at NaN, mark complete checkpoints, measure the last step, and check how the model is spread
over the processes. Each function returns a new TrainerCallback; none of them changes the weights.
"""

from __future__ import annotations

import json
import logging
import math
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.progress import Display, shown
from .checkpoints import MARK, Clock, bring_to_disk
from .launch import check_trainer
from .plan import Plan

if TYPE_CHECKING:
    from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

log = logging.getLogger(__name__)

Logs = dict[str, Any] | None


def progress_bar(description: str, stack: ExitStack) -> TrainerCallback:
    """Return the callback that shows steps and the latest loss in one line.

    Args:
        stack: closes the line, so that the next output, also an error, begins on a new one.
    """
    from transformers import TrainerCallback

    class ProgressBar(TrainerCallback):
        live: Display | None = None
        loss = ""

        def on_train_begin(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
        ) -> None:
            if state.is_world_process_zero:
                self.live = stack.enter_context(shown(description, "steps", state.max_steps))
                self.live.begin_at(state.global_step)

        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
        ) -> None:
            if self.live is not None:
                self.live.update(state.global_step, self.loss)

        def on_log(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            logs: Logs = None,
            **kwargs: Any,
        ) -> None:
            if self.live is not None and logs and "loss" in logs:
                self.loss = f"loss {float(logs['loss']):.3f}"
                self.live.update(state.global_step, self.loss)

    return ProgressBar()


def stop_at_nan() -> TrainerCallback:
    """Return the callback that raises ValueError as soon as a logged loss or gradient norm is NaN or infinite.

    The loss is logged before every checkpoint, so no checkpoint ever holds a diverged network.
    """
    from transformers import TrainerCallback

    class StopAtNan(TrainerCallback):
        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
        ) -> None:
            if control.should_save:
                control.should_log = True

        def on_log(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            logs: Logs = None,
            **kwargs: Any,
        ) -> None:
            logs = logs or {}
            for name in ("loss", "grad_norm", "eval_loss"):
                if not math.isfinite(float(logs.get(name, 0.0))):
                    raise ValueError(
                        f"step {state.global_step}: {name} is {float(logs[name])}, so the training has failed and "
                        f"stops; lower train.learning_rate ({args.learning_rate:g}), raise train.warmup_ratio, or "
                        "set train.precision: float32, each in another run_dir; earlier checkpoints are complete"
                    )

    return StopAtNan()


def mark_whole(clock: Clock) -> TrainerCallback:
    """Return the callback that marks each checkpoint as complete once every process has written its part."""
    from transformers import TrainerCallback

    class MarkWhole(TrainerCallback):
        def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
            args.distributed_state.wait_for_everyone()
            if state.is_world_process_zero:
                folder = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
                bring_to_disk(folder)
                unfinished = folder / f".{MARK}"
                unfinished.write_text(json.dumps(asdict(clock.read())), encoding="utf-8")
                unfinished.rename(folder / MARK)

    return MarkWhole()


def validation_callbacks(plan: Plan) -> list[TrainerCallback]:
    """Return the callback that has the last step measured and saved; none without validation rows."""
    if not plan.validation_rows:
        return []
    from transformers import TrainerCallback

    class MeasureTheLastStep(TrainerCallback):
        def on_step_end(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
        ) -> None:
            if state.global_step >= state.max_steps:
                control.should_evaluate = control.should_save = True

    return [MeasureTheLastStep()]


def check_the_trainer(trainer: Trainer) -> TrainerCallback:
    """Return the callback that calls `check_trainer` before the first step and logs its line."""
    from transformers import TrainerCallback

    class CheckTrainer(TrainerCallback):
        def on_train_begin(
            self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
        ) -> None:
            line = check_trainer(trainer)
            if state.is_world_process_zero:
                log.info("the model: %s", line)

    return CheckTrainer()
