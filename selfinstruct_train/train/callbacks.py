"""The callbacks of a training: what the Trainer does beside its steps.

They show the progress, stop at NaN, mark checkpoints as whole, measure the last step, and check how the model is spread
over the processes. Each function returns a fresh TrainerCallback.
"""

from __future__ import annotations

import json
import logging
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from .checkpoints import MARK, Clock, bring_to_disk
from .launch import check_trainer
from .plan import Plan

log = logging.getLogger(__name__)


def progress_bar(description: str) -> Any:
    """Return a Trainer callback that shows steps and the latest loss in one line."""
    from transformers import TrainerCallback

    class ProgressBar(TrainerCallback):
        bar: Any = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.is_world_process_zero:
                self.bar = tqdm(total=state.max_steps, initial=state.global_step, desc=description, unit="step")

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if self.bar is not None:
                self.bar.update(state.global_step - self.bar.n)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            if self.bar is not None and "loss" in (logs or {}):
                self.bar.set_postfix(loss=f"{float(logs['loss']):.3f}")

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.close()

        def close(self) -> None:
            """End the line: whatever is said next, an error too, stands on one of its own."""
            if self.bar is not None:
                self.bar.close()

    return ProgressBar()


def stop_at_nan() -> Any:
    """Return a Trainer callback that raises ValueError as soon as a logged loss or gradient norm is NaN or infinite.

    The loss is logged before every checkpoint, so none is ever written of a network that is spoilt.
    """
    from transformers import TrainerCallback

    class StopAtNan(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if control.should_save:
                control.should_log = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
            for name in ("loss", "grad_norm", "eval_loss"):
                if not math.isfinite(float((logs or {}).get(name, 0.0))):
                    raise ValueError(
                        f"step {state.global_step}: {name} is {float(logs[name])}, so the training has failed and "
                        f"stops; lower train.learning_rate ({args.learning_rate:g}), raise train.warmup_ratio, or "
                        "set train.precision: float32, each in another run_dir; checkpoints of earlier steps are whole"
                    )

    return StopAtNan()


def mark_whole(clock: Clock) -> Any:
    """Return a Trainer callback that marks each checkpoint once every process has written its part."""
    from transformers import TrainerCallback

    class MarkWhole(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            args.distributed_state.wait_for_everyone()
            if state.is_world_process_zero:
                folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                bring_to_disk(folder)
                unfinished = folder / f".{MARK}"
                unfinished.write_text(json.dumps(asdict(clock.read())), encoding="utf-8")
                unfinished.rename(folder / MARK)

    return MarkWhole()


def validation_callbacks(plan: Plan) -> list[Any]:
    """Return the Trainer callback that has the last step measured and saved; none without validation rows."""
    if not plan.validation_rows:
        return []
    from transformers import TrainerCallback

    class MeasureTheLastStep(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step >= state.max_steps:
                control.should_evaluate = control.should_save = True

    return [MeasureTheLastStep()]


def check_the_trainer(trainer: Any) -> Any:
    """Return a Trainer callback that calls `check_trainer` before the first step and logs its line."""
    from transformers import TrainerCallback

    class CheckTrainer(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            line = check_trainer(trainer)
            if state.is_world_process_zero:
                log.info("the model: %s", line)

    return CheckTrainer()
