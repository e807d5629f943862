"""A reward model: a transformers sequence classifier with one output, which says how good an answer is.

It stands behind the LM door so that its scores go through a journal like any answer: the request's prompt is the whole
text from `render`, the completion's text is the raw logit. Rows run together only when equally long, so nothing is
padded and no score depends on how a model treats padding; what is left of a neighbour's influence is the rounding of
matrix products, in the last decimals. Weights are read from safetensors only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..config import ModelConfig
from ..core.gguf import gguf_file
from ..core.model_source import check_model_source, load_failure, model_source, weights_revision
from ..core.prompt_format import prompt_ids, user_message
from ..core.records import Completion, FinishReason, Request, Sampling
from .base import OnAnswer
from .transformers.loading import choose_device, choose_dtype
from .transformers.pretrained import load_pretrained_tokenizer
from .transformers.speed import warn_if_slow

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CHUNK_BATCHES = 64
"""Batches in a chunk: of many rows, more are equally long."""
TOO_LONG: FinishReason = "length"
"""The finish reason of a text that does not fit the model; it has no score, and its completion's text is empty."""


class RewardModel:
    """A loaded reward model. `chunk_size` is speed only; see `lm.base.LM`."""

    def __init__(
        self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, name: str, batch_size: int, device: str
    ) -> None:
        self.name = name
        self.batch_size = batch_size
        self.chunk_size = CHUNK_BATCHES * batch_size
        self._network = network.eval()
        self._tokenizer = tokenizer
        self._device = device
        config = network.config.get_text_config()
        limits = (getattr(config, "max_position_embeddings", None), getattr(tokenizer, "model_max_length", None))
        self._limit = min(limit for limit in (*limits, 10**9) if limit is not None)
        if config.pad_token_id is None:  # such a model refuses batches, though nothing is padded here
            config.pad_token_id = -1

    def render(self, instruction: str, input: str, output: str) -> str:
        """Return the text to be scored: the model's chat template, or plain text where it has none."""
        if not self._tokenizer.chat_template:
            return f"{instruction.strip()}\n{input.strip()}\n\n{output.strip()}"
        chat = [
            {"role": "user", "content": user_message(instruction, input)},
            {"role": "assistant", "content": output.strip()},
        ]
        return str(self._tokenizer.apply_chat_template(chat, tokenize=False))

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Score every request's prompt; `sampling` has no meaning here."""
        import torch

        rows = [self._encoded(request.prompt) for request in requests]
        order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), i))
        answers: dict[int, Completion] = {}
        while order:
            length = len(rows[order[0]])
            indices = [i for i in order[: self.batch_size] if len(rows[i]) == length]
            order = order[len(indices) :]
            if length > self._limit:
                new = {i: Completion(requests[i].id, "", TOO_LONG, length, 0) for i in indices}
            else:
                ids = torch.tensor([rows[i] for i in indices], device=self._device)  # (batch, length)
                with torch.inference_mode():
                    logits = self._network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits  # (batch, 1)
                scores = logits.float()[:, 0].tolist()
                new = {
                    i: Completion(requests[i].id, f"{score:.6f}", "stop", length, 0)
                    for i, score in zip(indices, scores, strict=True)
                }
            answers |= new
            if on_answer is not None:
                on_answer(list(new.values()))
        return [answers[i] for i in range(len(requests))]

    def _encoded(self, text: str) -> list[int]:
        """Token ids with the tokenizer's own special tokens, unless the chat template wrote them into the text."""
        if self._tokenizer.chat_template:
            return prompt_ids(self._tokenizer, text)
        return list(self._tokenizer(text)["input_ids"])


def load_reward_model(model: ModelConfig) -> RewardModel:
    """Load the reward model of a config.

    Raises:
        ValueError: no model is there, it cannot be loaded, it has no trained head, or its head has not one output.
    """
    import transformers

    source = model_source(model.path)
    check_model_source(source)
    if gguf_file(source) is not None:
        raise ValueError(f"model.path {model.path!r} is a GGUF file; give a reward model as safetensors")
    device, dtype = choose_device(model.device), choose_dtype(model)
    warn_if_slow(device, dtype, "set model.dtype: float32")
    options = {"revision": model.revision, "trust_remote_code": model.trust_remote_code}
    try:
        network, report = transformers.AutoModelForSequenceClassification.from_pretrained(
            source, dtype=dtype, use_safetensors=True, output_loading_info=True, **options
        )
        tokenizer = load_pretrained_tokenizer(source, **options)
    except Exception as error:  # every way in which a foreign model can be broken, told in one line
        raise ValueError(load_failure(source, error)) from error
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise ValueError(f"model.path {model.path!r} is no reward model: it has no weights for {missing}")
    if network.config.num_labels != 1:
        raise ValueError(
            f"model.path {model.path!r} has {network.config.num_labels} outputs; a reward model has 1, the score"
        )
    revision = weights_revision(source, getattr(network.config, "_commit_hash", None), model.revision)
    name = f"{model.path}@{revision} transformers reward {str(dtype).removeprefix('torch.')}"
    return RewardModel(network.to(device), tokenizer, name, model.batch_size, device)
