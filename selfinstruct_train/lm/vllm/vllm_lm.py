"""vLLM's offline engine behind the LM door, for GPUs: continuous batching, prefix caching, tensor parallelism.

The prompt is tokenised as everywhere here, so a BOS stands where the other backends put it, and the text is decoded and
cut from the token ids by our own code. Every request has its own seed. Answers are told as they finish.

The package is an extra and imported only when this backend is opened. Not covered: LoRA adapters (merge them first).
With `model.vllm.data_parallel_size` above 1, see `replicas`: this module is one engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...config import ModelConfig
from ...core.model_source import load_failure, model_source, weights_revision
from ...core.prompt_format import question_ids
from ...core.records import Completion, FinishReason, Request, Sampling
from ..base import OnAnswer, UnansweredError
from ..stopping import completion_text, cut_at_stop

if TYPE_CHECKING:
    from vllm import CompletionOutput, SamplingParams

CHUNK_SIZE = 1024
"""Requests of a call: enough to keep the engine's batch full for most of the time."""


class VllmLM:
    """One engine. See `lm.base.LM` for the promises."""

    def __init__(self, model: ModelConfig) -> None:
        from vllm import EngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.llm_engine import LLMEngine

        from ..transformers.loading import choose_dtype
        from ..transformers.pretrained import load_pretrained_tokenizer

        is_cpu = current_platform.is_cpu()
        source = model_source(model.path)
        dtype = str(choose_dtype(model)).removeprefix("torch.")
        options = {"revision": model.revision, "trust_remote_code": model.trust_remote_code}
        try:
            self._tokenizer = load_pretrained_tokenizer(source, **options)
            self._engine = LLMEngine.from_engine_args(
                EngineArgs(
                    model=source,
                    dtype=dtype,
                    tensor_parallel_size=model.vllm.tensor_parallel_size,
                    gpu_memory_utilization=model.vllm.gpu_memory_utilization,
                    max_model_len=model.vllm.max_model_len,
                    enable_prefix_caching=True,
                    enforce_eager=is_cpu,  # compiling for a CPU takes minutes
                    # vLLM 0.32 on a CPU: a seeded request whose prompt is taken in parts ends the engine
                    enable_chunked_prefill=False if is_cpu else None,
                    disable_log_stats=True,
                    **options,
                )
            )
        except Exception as error:  # every way in which a foreign model or too little memory can fail, told in one line
            raise ValueError(load_failure(source, error)) from error
        self.chunk_size = CHUNK_SIZE
        self.context = int(self._engine.model_config.max_model_len)
        commit = getattr(self._engine.model_config.hf_config, "_commit_hash", None)
        self.name = f"{model.path}@{weights_revision(source, commit, model.revision)} vllm {dtype}"
        self._count = 0
        self._check_weights()

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order; `on_answer` is told after each engine step that finished some.

        Raises:
            ValueError: a prompt does not fit the context together with `max_new_tokens`, is empty and the tokenizer has
                no token to begin with, or asks for a chat that the model has no template for.
            UnansweredError: the engine died.
        """
        from vllm.v1.engine.exceptions import EngineDeadError

        prompts = [self._encoded(request, sampling) for request in requests]
        answers: dict[int, Completion] = {}
        # a number of its own for every request of this engine: a call cut short may leave its ids behind
        place_of = {str(self._count + i): i for i in range(len(requests))}
        self._count += len(requests)
        try:
            for id, i in place_of.items():
                params = _sampling_params(sampling, requests[i].seed)
                self._engine.add_request(id, {"prompt_token_ids": prompts[i]}, params)
            while self._engine.has_unfinished_requests():
                finished = [output for output in self._engine.step() if output.finished]
                new = {place_of[o.request_id]: o for o in finished}
                told = {i: self._completion(requests[i], prompts[i], o.outputs[0], sampling) for i, o in new.items()}
                answers |= told
                if told and on_answer is not None:
                    on_answer(list(told.values()))
        except EngineDeadError as error:
            place_of.clear()  # there is nothing left to abort
            raise UnansweredError(
                f"vLLM's engine ended with {len(requests) - len(answers)} requests open; its own message stands above; "
                "the same command goes on from here"
            ) from error
        finally:
            open_ids = [id for id, i in place_of.items() if i not in answers]
            if open_ids:
                self._engine.abort_request(open_ids)
        return [answers[i] for i in range(len(requests))]

    def _encoded(self, request: Request, sampling: Sampling) -> list[int]:
        ids = question_ids(self._tokenizer, request.prompt, request.chat, self.name.split("@")[0])
        if not ids:
            raise ValueError(
                f"request {request.id!r}: the prompt is empty and the tokenizer has no BOS token; give a prompt"
            )
        if len(ids) + sampling.max_new_tokens > self.context:
            raise ValueError(
                f"request {request.id!r}: a prompt of {len(ids)} tokens and max_new_tokens {sampling.max_new_tokens} "
                f"exceed the model's context of {self.context}; shorten the prompt, lower max_new_tokens, or raise "
                "model.vllm.max_model_len"
            )
        return ids

    def _completion(
        self, request: Request, prompt: list[int], output: CompletionOutput, sampling: Sampling
    ) -> Completion:
        """Make the answer; its token count holds every generated token, also EOS and those of a stop string."""
        if output.finish_reason not in ("stop", "length"):
            raise ValueError(f"request {request.id!r}: vLLM ended it with {output.finish_reason!r}")
        new_ids = list(output.token_ids)
        text, stopped = cut_at_stop(completion_text(self._tokenizer, prompt, new_ids), sampling.stop)
        reason: FinishReason = "stop" if stopped or output.finish_reason == "stop" else "length"
        return Completion(request.id, text, reason, len(prompt), len(new_ids))

    def _check_weights(self) -> None:
        """Ask for one token: from NaN, vLLM would draw a token like any other."""
        from vllm import SamplingParams

        token = next(i for i in range(len(self._tokenizer)) if i not in self._tokenizer.all_special_ids)
        params = SamplingParams(temperature=0.0, max_tokens=1, logprobs=1)
        self._engine.add_request("check", {"prompt_token_ids": [token]}, params)
        found: list[float] = []
        while self._engine.has_unfinished_requests():
            for output in self._engine.step():
                found += [p.logprob for step in output.outputs[0].logprobs or [] for p in step.values()]
        if not found or any(value != value for value in found):
            raise ValueError(f"model {self.name.split('@')[0]!r} gives NaN for a prompt; its weights are broken")


def _sampling_params(sampling: Sampling, seed: int) -> SamplingParams:
    from vllm import SamplingParams

    return SamplingParams(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        presence_penalty=sampling.presence_penalty,
        frequency_penalty=sampling.frequency_penalty,
        max_tokens=sampling.max_new_tokens,
        stop=list(sampling.stop),
        seed=seed ^ (seed >> 32),  # on a CPU only the lower 32 bits count
    )
