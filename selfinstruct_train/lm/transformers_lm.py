"""Any causal LM of the transformers library behind the LM door.

It cuts a call into left-padded batches sorted by length, lets `Decoder` run them, and turns token ids into text. On
float32 the answers are the same at every batch size: choices that hang on the last bits of the logits are decided apart
(see `sampling`). In bfloat16 and float16 those bits are too coarse for that, and an answer may differ with the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..prompt_format import prompt_ids
from ..types import Completion, Request, Sampling
from .base import OnAnswer
from .decoding import Decoder, Row
from .stopping import completion_text, cut_at_stop, tokens_that_may_end, vocabulary_texts

if TYPE_CHECKING:
    from torch import Tensor

MIN_SHARED_PREFIX = 16
"""Shared prompt prefixes of fewer tokens are not worth a run of their own."""
CHUNK_BATCHES = 4
"""Batches in a chunk: sorting by length needs several, and a lost chunk should not cost much."""
FLOAT32_MARGIN = 2.0**-12
"""Logits that differ by less are decided alone; `test_logits_noise_is_far_below_the_margin` measures the noise."""


class TransformersLM:
    """A causal LM and its tokenizer, ready to complete text. See `lm.base.LM` for the promises."""

    def __init__(self, model: Any, tokenizer: Any, name: str, batch_size: int = 32, device: str = "cpu") -> None:
        import torch

        if batch_size < 1:
            raise ValueError(f"model.batch_size is {batch_size}; it must be at least 1")
        self.name = name
        self.batch_size = batch_size
        self.chunk_size = CHUNK_BATCHES * batch_size
        self._tokenizer = tokenizer
        self._vocabulary_size = int(model.get_output_embeddings().weight.shape[0])
        margin = FLOAT32_MARGIN if model.dtype in (torch.float32, torch.float64) else 0.0
        self.decoder = Decoder(model.eval(), eos_ids(model, tokenizer), device, margin)
        self._texts: list[tuple[str, str]] | None = None
        self._may_end: dict[tuple[str, ...], Tensor] = {}

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order; `on_answer` is told after each batch.

        Raises:
            ValueError: a prompt does not fit the model's context together with `max_new_tokens`, or is empty and the
                tokenizer has no token to begin with.
        """
        if not requests:
            return []
        rows = [Row(self._encoded(request, sampling), request.seed) for request in requests]
        prefix = self._shared_prefix(rows)

        def is_stopped(row: Row) -> bool:
            return cut_at_stop(completion_text(self._tokenizer, row.prompt_ids, row.new_ids), sampling.stop)[1]

        # Longest first: if memory is short, it shows at the start.
        order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].prompt_ids), i))
        may_end = self._tokens_that_may_end(sampling.stop)
        answers: dict[int, Completion] = {}
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            self.decoder.run([rows[i] for i in places], sampling, may_end, is_stopped, prefix)
            answers |= {i: self._completion(requests[i], rows[i], sampling) for i in places}
            if on_answer is not None:
                on_answer([answers[i] for i in places])
        return [answers[i] for i in range(len(requests))]

    def _encoded(self, request: Request, sampling: Sampling) -> list[int]:
        ids = prompt_ids(self._tokenizer, request.prompt)
        if not ids:
            raise ValueError(
                f"request {request.id!r}: the prompt is empty and the tokenizer has no BOS token; give a prompt"
            )
        limit = context_length(self.decoder.model.config)
        if limit is not None and len(ids) + sampling.max_new_tokens > limit:
            raise ValueError(
                f"request {request.id!r}: a prompt of {len(ids)} tokens and max_new_tokens {sampling.max_new_tokens} "
                f"exceed the model's context of {limit}; shorten the prompt or lower max_new_tokens"
            )
        return ids

    def _shared_prefix(self, rows: list[Row]) -> tuple[list[int], Any] | None:
        """Run the prompt tokens that all rows share, if there are enough of them; every row keeps one of its own."""
        first, last = min(row.prompt_ids for row in rows), max(row.prompt_ids for row in rows)
        length = next(
            (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
        )
        length = min(length, min(len(row.prompt_ids) for row in rows) - 1)
        if len(rows) < 2 or length < MIN_SHARED_PREFIX or not self.decoder.can_share_prefix():
            return None
        return first[:length], self.decoder.run_prefix(first[:length])

    def _tokens_that_may_end(self, stop: tuple[str, ...]) -> Tensor:
        """Return bool (vocabulary,): the tokens that may complete a stop string."""
        import torch

        if stop not in self._may_end:
            flags = torch.zeros(self._vocabulary_size, dtype=torch.bool)
            if stop:
                self._texts = self._texts or vocabulary_texts(self._tokenizer, self._vocabulary_size)
                flags[tokens_that_may_end(stop, self._texts)] = True
            self._may_end[stop] = flags.to(self.decoder.device)
        return self._may_end[stop]

    def _completion(self, request: Request, row: Row, sampling: Sampling) -> Completion:
        """Make the answer; its token count holds every generated token, also EOS and those of a stop string."""
        generated = row.new_ids
        if generated[-1] in self.decoder.eos_ids:
            generated = generated[:-1]
        text, stopped = cut_at_stop(completion_text(self._tokenizer, row.prompt_ids, generated), sampling.stop)
        assert row.finish_reason is not None
        reason = "stop" if stopped else row.finish_reason
        return Completion(request.id, text, reason, len(row.prompt_ids), len(row.new_ids))


def eos_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Collect the token ids that end a text, from the model's configs and the tokenizer."""
    values: list[Any] = [tokenizer.eos_token_id]
    for config in (model.config, getattr(model, "generation_config", None)):
        value = getattr(config, "eos_token_id", None)
        values += value if isinstance(value, list | tuple) else [value]
    return frozenset(value for value in values if value is not None)


def context_length(config: Any) -> int | None:
    """Return how many tokens the model's positions reach, or None where its config sets no limit."""
    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
    for key in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text_config, key, None)
        if isinstance(value, int) and value > 0:
            return value
    return None
