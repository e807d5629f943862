"""A causal LM as the decoding loop sees it: token rows in, the logits after each row's last token out."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Literal

from . import kv_cache

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel

PrefixUse = Literal["once", "copied", "stepped", "never"]
"""How a prompt prefix that rows share is run.

- once: it is run once and exists once;
- copied: it is run once and copied to each row;
- stepped: it is copied, and what follows in a prompt is run token by token, for a model that starts from nothing when
  it is given several tokens;
- never: each row runs it.
"""


class Network:
    """One model on one device.

    Args:
        margin: choices between logits that differ by less are decided alone; 0: none is.
    """

    prefix_use: PrefixUse = "never"
    """Set by `trial`."""

    def __init__(self, model: PreTrainedModel, device: str, margin: float) -> None:
        self.model = model
        self.device = device
        self.margin = margin
        self.num_decided_alone = 0
        parameters = inspect.signature(model.forward).parameters
        self._cache_name = kv_cache.argument_name(model)
        self._takes_positions = "position_ids" in parameters
        self._takes_logits_to_keep = "logits_to_keep" in parameters

    @property
    def config(self) -> PreTrainedConfig:
        """The model's config."""
        config: PreTrainedConfig = self.model.config
        return config

    def padded(self, rows: list[list[int]]) -> tuple[Tensor, Tensor, Tensor]:
        """Left-pad token rows; return ids, attention mask and positions, each int64 (batch, longest)."""
        import torch

        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        return ids, mask, (mask.cumsum(1) - 1).clamp(min=0)

    def forward(self, ids: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache | None) -> Tensor:
        """Return the float32 logits after the last token of every row, (batch, vocabulary)."""
        kv_cache.set_positions(cache, positions)
        arguments: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
        if self._takes_positions:
            arguments["position_ids"] = positions
        if self._takes_logits_to_keep:
            arguments["logits_to_keep"] = 1
        arguments[self._cache_name] = cache
        if self._cache_name == "cache_params" and ids.shape[1] < mask.shape[1]:
            arguments["attention_mask"] = None  # a recurrent model knows a mask of the prompt only
        output = self.model(**arguments, use_cache=cache is not None)
        logits: Tensor = output.logits[:, -1].float()
        return logits
