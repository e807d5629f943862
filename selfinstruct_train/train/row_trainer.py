"""TRL's SFTTrainer with our order of rows, our packs, our validation, and our loss where TRL's does not fit.

It takes rows that `encode` has made. Checkpoints, the model folder and failures are in `trainer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .arguments import make_lora
from .data.packing import Batch, make_collator, make_dataset, with_filler
from .data.sampler import StepSampler
from .network.attention import check_documents_apart, use_documents_attention
from .network.loss import token_weights, weighted_loss
from .plan import Plan
from .validation import measure_validation, validation_dataset

if TYPE_CHECKING:
    import torch
    from datasets import Dataset
    from torch import Tensor, nn
    from torch.utils.data import DataLoader
    from transformers import PreTrainedModel, TrainerCallback
    from transformers.trainer_utils import EvalLoopOutput
    from trl import SFTConfig, SFTTrainer


def make_trainer(
    plan: Plan,
    network: PreTrainedModel,
    arguments: SFTConfig,
    callbacks: Sequence[TrainerCallback] = (),
    first_epoch: int = 0,
) -> SFTTrainer:
    """Build the trainer of a plan, with its LoRA adapter and its validation rows if it has any.

    Args:
        first_epoch: the epoch in which a resumed training continues.

    Raises:
        ValueError: the settings do not fit this model.
    """
    from transformers import PrinterCallback

    train = plan.config.train
    dataset = make_dataset(plan.rows, train)
    if train.packing and train.attention == "auto":
        use_documents_attention(network)
    # Without it, accelerate would fill the last micro-batches with rows from the beginning of the epoch.
    together = arguments.per_device_train_batch_size * arguments.world_size if arguments.world_size > 1 else 1
    sampler = StepSampler(
        [len(ids) for ids in dataset["input_ids"]], train.batch_size, plan.config.seed, first_epoch, together
    )
    trainer = _row_trainer_class(plan, sampler)(
        model=network,
        args=arguments,
        data_collator=make_collator(plan.tokenizer, train),
        train_dataset=dataset,
        eval_dataset=validation_dataset(plan),
        processing_class=plan.tokenizer,
        peft_config=make_lora(plan.config),
        callbacks=list(callbacks),
    )
    if trainer.aux_loss_enabled and train.prompt_loss_weight:
        raise ValueError(
            f"train.prompt_loss_weight is {train.prompt_loss_weight}; mixtures of experts support 0 only, set it to 0"
        )
    trainer.model_accepts_loss_kwargs = True  # so that the step's tokens are counted; both losses divide by them
    trainer.remove_callback(PrinterCallback)
    return trainer


def _row_trainer_class(plan: Plan, row_sampler: StepSampler) -> type[SFTTrainer]:
    """Return the class; it is made here because TRL is imported only where it is used."""
    import torch
    from trl import SFTTrainer

    prompt_weight = plan.config.train.prompt_loss_weight

    class RowTrainer(SFTTrainer):
        sampler = row_sampler
        is_probed = False

        def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Any:
            return self.sampler

        def get_train_dataloader(self) -> DataLoader[Any]:
            rows = self.train_dataset
            self.train_dataset = with_filler(rows)  # at the end, where only the sampler uses it
            try:
                return super().get_train_dataloader()
            finally:
                self.train_dataset = rows

        def training_step(self, model: nn.Module, *args: Any, **kwargs: Any) -> Tensor:
            # Only now is the model as it trains: on its device, in its precision, wrapped by DDP, FSDP or DeepSpeed.
            if plan.config.train.packing and not self.is_probed:
                is_float32 = all(p.dtype == torch.float32 for p in model.parameters() if p.is_floating_point())
                check_documents_apart(model, plan.rows, is_exact=is_float32 and not self.args.bf16)
                self.is_probed = True
            return super().training_step(model, *args, **kwargs)

        def get_batch_samples(
            self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device
        ) -> tuple[list[Batch], Tensor | int | None]:
            batches, count = super().get_batch_samples(epoch_iterator, num_batches, device)
            if batches and prompt_weight:
                total = torch.stack([token_weights(batch, prompt_weight).sum() for batch in batches]).sum().to(device)
                count = self.accelerator.gather(total).sum()
            return batches, count

        def compute_loss(
            self,
            model: nn.Module,
            inputs: Batch,
            return_outputs: bool = False,
            num_items_in_batch: Tensor | int | None = None,
        ) -> Any:
            # TRL's loss computes logits in chunks to save GPU memory. On a CPU it computes those of prompt tokens too,
            # which made steps of a small model twice as long.
            weight = prompt_weight if model.training else 0.0
            if return_outputs or not (self.args.use_cpu or weight) or self.aux_loss_enabled:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            head = self.accelerator.unwrap_model(model).get_output_embeddings()
            loss = weighted_loss(model, head, inputs, weight, num_items_in_batch)
            # The count is over all processes, and DDP averages their gradients.
            return loss if num_items_in_batch is None else loss * self.accelerator.num_processes

        def evaluation_loop(self, *args: Any, **kwargs: Any) -> EvalLoopOutput:
            return measure_validation(self, plan)

    return RowTrainer
