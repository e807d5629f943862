"""Greedy answers of a network in training to prompts of token ids.

It is transformers' `generate` and not the loop of `decoding`: that loop drops finished rows and decides close choices
apart, so its number of forward passes depends on the rows. With shards, every process must make equally many. A
finished model is asked through `TransformersLM`. No text enters or leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Answer:
    """Generated tokens without the one that ended them; `stopped` is false where the limit did."""

    ids: tuple[int, ...]
    stopped: bool


@dataclass(frozen=True)
class Greedy:
    """How answers are generated."""

    max_new_tokens: int
    stop_ids: tuple[int, ...]
    """The tokens that end an answer."""
    batch_size: int
    is_synchronized: bool = False
    """Every process calls with as many prompts and goes on until all have ended; needed where weights are sharded."""


def greedy_answers(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], how: Greedy, device: str | torch.device
) -> list[Answer]:
    """Answer every prompt, in order; prompts of similar length are best next to each other.

    Args:
        model: the network, wrapped for training or not; the settings in its generation config are left aside.
        prompts: token ids, none of them empty, run in left-padded batches as they come.
        device: where the model takes its inputs.
    """
    import torch
    from transformers import GenerationConfig

    settings = GenerationConfig(
        max_new_tokens=how.max_new_tokens,
        do_sample=False,
        num_beams=1,
        repetition_penalty=1.0,
        use_cache=True,
        eos_token_id=list(how.stop_ids),
        pad_token_id=how.stop_ids[0],
    )
    _let_fsdp_generate(model)
    generate: Any = model.generate  # of a mixin that its class may not name
    answers = []
    with torch.no_grad(), _without_own_settings(model):
        for start in range(0, len(prompts), how.batch_size):
            rows = [list(prompt) for prompt in prompts[start : start + how.batch_size]]
            width = max(map(len, rows))
            ids = [[how.stop_ids[0]] * (width - len(row)) + row for row in rows]
            mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
            written = generate(
                input_ids=torch.tensor(ids, device=device),  # (batch, width)
                attention_mask=torch.tensor(mask, device=device),
                generation_config=settings,
                synced_gpus=how.is_synchronized,
            )
            answers += [_cut(row, how.stop_ids) for row in written[:, width:].tolist()]
    return answers


def _cut(ids: list[int], stop_ids: tuple[int, ...]) -> Answer:
    end = next((index for index, token in enumerate(ids) if token in stop_ids), None)
    return Answer(tuple(ids[:end]), end is not None)


@contextmanager
def _without_own_settings(model: PreTrainedModel) -> Iterator[None]:
    """Take the model's own generation config away for a while: `generate` would take from it what ours leaves open.

    An adapter's model hands its config on to the network inside, so each of them gets its own back.
    """
    from transformers import GenerationConfig

    owners: list[Any] = [module for module in model.modules() if "generation_config" in vars(module)]
    own = [owner.generation_config for owner in owners]
    for owner in owners:
        owner.generation_config = GenerationConfig()
    try:
        yield
    finally:
        for owner, config in zip(owners, own, strict=True):
            owner.generation_config = config


def _let_fsdp_generate(model: PreTrainedModel) -> None:
    """FSDP2 gathers weights around `forward` alone unless told of other methods."""
    import torch.distributed

    if not torch.distributed.is_available() or not torch.distributed.is_initialized():
        return
    from torch.distributed import fsdp

    is_told = "generate" in vars(model)
    if isinstance(model, fsdp.FSDPModule) and not is_told:
        register: Any = fsdp.register_fsdp_forward_method  # typed as if the class above were no module
        register(model, "generate")
