"""Any causal LM of the transformers library behind the LM door.

It cuts a call into shares (see `shares`), lets `Decoder` run them in batches as large as memory allows, and turns
token ids into text. On float32 the answers are the same at every batch size: choices that hang on the last bits of the
logits are decided apart (see `sampling`). In bfloat16 and float16 those bits are too coarse for that, and an answer may
differ with the batch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ...core.prompt_format import question_ids
from ...core.records import Completion, Request, Sampling
from ..base import InWork, OnAnswer
from ..stopping import completion_text, cut_at_stop, tokens_that_may_end, vocabulary_texts
from .batch import TokenSequence
from .decoding import Decoder
from .memory import is_out_of_memory, release, rows_that_fit
from .shares import Share, shares

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

CHUNK_BATCHES = 16
"""Batches in a chunk: sorting by length and rows that take the place of finished ones need several; none is lost."""
FLOAT32_MARGIN = 2.0**-12
"""Logits that differ by less are decided alone; `test_logits_noise_is_far_below_the_margin` measures the noise."""


class TransformersLM:
    """A causal LM and its tokenizer, ready to complete text. See `lm.base.LM` for the promises."""

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        name: str,
        batch_size: int = 32,
        device: str = "cpu",
        ends: frozenset[int] | None = None,
    ) -> None:
        """Take a loaded model.

        Args:
            ends: the tokens that end an answer; by default those of `eos_ids`.
        """
        import torch

        if batch_size < 1:
            raise ValueError(f"model.batch_size is {batch_size}; it must be at least 1")
        self.name = name
        self.batch_size = batch_size
        self.chunk_size = CHUNK_BATCHES * batch_size
        self._tokenizer = tokenizer
        self._vocabulary_size = int(model.get_output_embeddings().weight.shape[0])
        margin = FLOAT32_MARGIN if model.dtype in (torch.float32, torch.float64) else 0.0
        ends = eos_ids(model, tokenizer) if ends is None else ends
        self.decoder = Decoder(model.eval(), ends, device, margin)
        self._rows: list[TokenSequence] = []
        self._texts: list[tuple[str, str]] | None = None
        self._may_end: dict[tuple[str, ...], Tensor] = {}

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order; `on_answer` is told after each step that finishes some.

        Raises:
            ValueError: a prompt does not fit the model's context together with `max_new_tokens`, or is empty and the
                tokenizer has no token to begin with; a chat prompt, and the tokenizer has no chat template; a single
                row does not fit in memory.
        """
        answers: dict[int, Completion] = {}
        prompts = self.encoded(requests, sampling)
        for share in self.cut(prompts):

            def keep(new: dict[int, Completion], share: Share = share) -> None:
                named = {share.indices[i]: replace(c, request_id=requests[share.indices[i]].id) for i, c in new.items()}
                answers.update(named)
                if on_answer is not None:
                    on_answer(list(named.values()))

            rows = [TokenSequence(prompts[i], requests[i].seed) for i in share.indices]
            self.run_share(rows, share.prefix_length, sampling, keep)
        return [answers[i] for i in range(len(requests))]

    def in_work(self) -> InWork:
        """Return what is being written at this moment; any thread may ask."""
        begun = [len(row.new_ids) for row in self._rows if row.new_ids and row.finish_reason is None]
        return InWork(len(begun), sum(begun))

    def encoded(self, requests: Sequence[Request], sampling: Sampling) -> list[list[int]]:
        """Return the prompt tokens of every request, checked; errors as `complete` raises."""
        return [self._encoded(request, sampling) for request in requests]

    def cut(self, prompts: Sequence[Sequence[int]], num_processes: int = 1) -> list[Share]:
        """Cut a call into the shares that `run_share` takes."""
        return shares(prompts, self.batch_size, num_processes, is_exact=self.decoder.network.margin > 0)

    def run_share(
        self,
        rows: list[TokenSequence],
        prefix_length: int,
        sampling: Sampling,
        keep: Callable[[dict[int, Completion]], None],
    ) -> None:
        """Answer the rows of one share.

        Args:
            keep: given new answers by the rows' indices in the share; they bear no request id yet.
        """
        self._rows = rows
        try:
            self._run_rows(rows, prefix_length, sampling, keep)
        finally:
            self._rows = []

    def _run_rows(
        self,
        rows: list[TokenSequence],
        prefix_length: int,
        sampling: Sampling,
        keep: Callable[[dict[int, Completion]], None],
    ) -> None:
        """Run the rows of a share, in smaller batches where memory is short."""
        may_end = self._tokens_that_may_end(sampling.stop)
        index_of = {id(row): index for index, row in enumerate(rows)}

        def is_stopped(row: TokenSequence) -> bool:
            return cut_at_stop(completion_text(self._tokenizer, row.prompt_ids, row.new_ids), sampling.stop)[1]

        def on_finished(finished: list[TokenSequence]) -> None:
            keep({index_of[id(row)]: self._completion(row, sampling) for row in finished})

        num_slots = self.batch_size
        while rows:
            try:
                self.decoder.check_architecture()
                if not self.decoder.can_share_prefix():
                    prefix_length = 0
                prefix = self.decoder.run_prefix(rows[0].prompt_ids[:prefix_length]) if prefix_length else None
                num_slots = min(num_slots, self._rows_that_fit(rows, prefix_length, sampling))
                return self.decoder.run(rows, num_slots, sampling, may_end, is_stopped, prefix, on_finished)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                num_slots = self._after_shortage(rows, num_slots)
            release(self.decoder.network.device)
            rows = [row for row in rows if row.finish_reason is None]
            for row in rows:
                row.new_ids.clear()
        return None

    def _rows_that_fit(self, rows: list[TokenSequence], prefix_length: int, sampling: Sampling) -> int:
        longest = max(len(row.prompt_ids) for row in rows)
        own = longest - prefix_length
        in_cache = own if prefix_length and self.decoder.keeps_prefix_once() else longest
        model = self.decoder.network.model
        return rows_that_fit(
            model.config,
            model.dtype.itemsize,
            self._vocabulary_size,
            in_cache + sampling.max_new_tokens,
            own,
            self.decoder.network.device,
        )

    def _after_shortage(self, rows: list[TokenSequence], num_slots: int) -> int:
        """Return the smaller batch to try next."""
        device = self.decoder.network.device
        num_open = sum(row.finish_reason is None for row in rows)
        tried = min(num_slots, len(rows))
        if tried == 1:
            longest = max(len(row.prompt_ids) for row in rows if row.finish_reason is None)
            raise ValueError(
                f"the memory of {device} does not hold a single prompt of {longest} tokens beside the model; use a "
                "smaller model, model.dtype bfloat16, shorter prompts, or a device with more memory"
            ) from None
        logger.warning(
            "memory of %s is short with %d prompts at once; going on with %d (%d are open)",
            device,
            tried,
            tried // 2,
            num_open,
        )
        return tried // 2

    def _encoded(self, request: Request, sampling: Sampling) -> list[int]:
        ids = question_ids(self._tokenizer, request.prompt, request.chat, self.name.split("@")[0])
        if not ids:
            raise ValueError(
                f"request {request.id!r}: the prompt is empty and the tokenizer has no BOS token; give a prompt"
            )
        if max(ids) >= num_embeddings(self.decoder.network.model):
            token = self._tokenizer.convert_ids_to_tokens(max(ids))
            raise ValueError(
                f"request {request.id!r}: the prompt holds the token {token!r}, for which the model has no embedding; "
                "take it out of the text"
            )
        limit = context_length(self.decoder.network.model.config)
        if limit is not None and len(ids) + sampling.max_new_tokens > limit:
            raise ValueError(
                f"request {request.id!r}: a prompt of {len(ids)} tokens and max_new_tokens {sampling.max_new_tokens} "
                f"exceed the model's context of {limit}; shorten the prompt or lower max_new_tokens"
            )
        return ids

    def _tokens_that_may_end(self, stop: tuple[str, ...]) -> Tensor:
        """Return bool (vocabulary,): the tokens that may complete a stop string."""
        import torch

        if stop not in self._may_end:
            flags = torch.zeros(self._vocabulary_size, dtype=torch.bool)
            if stop:
                self._texts = self._texts or vocabulary_texts(self._tokenizer, self._vocabulary_size)
                flags[tokens_that_may_end(stop, self._texts)] = True
            self._may_end[stop] = flags.to(self.decoder.network.device)
        return self._may_end[stop]

    def _completion(self, row: TokenSequence, sampling: Sampling) -> Completion:
        """Make the answer; its token count holds every generated token, also EOS and those of a stop string."""
        generated = row.new_ids
        if generated[-1] in self.decoder.eos_ids:
            generated = generated[:-1]
        text, stopped = cut_at_stop(completion_text(self._tokenizer, row.prompt_ids, generated), sampling.stop)
        assert row.finish_reason is not None
        reason = "stop" if stopped else row.finish_reason
        return Completion("", text, reason, len(row.prompt_ids), len(row.new_ids))


def eos_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Collect the token ids that end a text, from the model's configs and the tokenizer."""
    values: list[Any] = [tokenizer.eos_token_id]
    for config in (model.config, getattr(model, "generation_config", None)):
        value = getattr(config, "eos_token_id", None)
        values += value if isinstance(value, list | tuple) else [value]
    return frozenset(value for value in values if value is not None)


def num_embeddings(model: PreTrainedModel) -> int:
    """Return for how many tokens a model has an embedding."""
    return int(cast("Tensor", model.get_input_embeddings().weight).shape[0])


def context_length(config: PreTrainedConfig) -> int | None:
    """Return how many tokens the model's positions reach, or None where its config sets no limit.

    With longrope (Phi-3) a longer text turns the positions of its whole batch another way: not answered here.
    """
    text_config = config.get_text_config() if hasattr(config, "get_text_config") else config
    rope = getattr(text_config, "rope_parameters", None) or {}
    if rope.get("rope_type") == "longrope":
        return int(rope.get("original_max_position_embeddings") or text_config.original_max_position_embeddings)
    for key in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        value = getattr(text_config, key, None)
        if isinstance(value, int) and value > 0:
            return value
    return None
