"""TRL's SFTTrainer on rows that `encode` made: our order of rows, our loss where TRL's does not fit."""

from __future__ import annotations

from typing import Any

from .packing import make_collator, make_dataset
from .plan import Plan
from .sampler import StepSampler


def make_trainer(
    plan: Plan, network: Any, arguments: Any, lora: Any, eval_dataset: Any, callbacks: list[Any], first_epoch: int
) -> Any:
    """Build the trainer of a plan.

    Args:
        arguments: an SFTConfig.
        lora: a peft LoraConfig; None for full finetuning.
        eval_dataset: the held-out rows, as `validation_dataset` gives them.
        first_epoch: the epoch in which a resumed training goes on.
    """
    from transformers import PrinterCallback, Trainer
    from trl import SFTTrainer

    class RowTrainer(SFTTrainer):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return sampler

        def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
            # TRL's chunked loss head saves GPU memory but, on a CPU, scores the prompt's tokens too (+15 % time).
            return (
                Trainer.compute_loss(self, *args, **kwargs)
                if arguments.use_cpu
                else super().compute_loss(*args, **kwargs)
            )

    dataset = make_dataset(plan.rows, plan.config.train)
    sampler = StepSampler(
        [len(ids) for ids in dataset["input_ids"]], plan.config.train.batch_size, plan.config.seed, first_epoch
    )
    trainer = RowTrainer(
        model=network,
        args=arguments,
        data_collator=make_collator(plan.tokenizer, plan.config.train),
        train_dataset=dataset,
        eval_dataset=eval_dataset,
        processing_class=plan.tokenizer,
        peft_config=lora,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer
