"""The language model of a run, and how it is reached: in this process, in vLLM or on a server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from .ranges import SettingError, check_at_least_one, check_choices, check_range


@dataclass(frozen=True)
class ServerConfig:
    """OpenAI-compatible servers, used when `model.backend` is http; the model's name there is `model.path`."""

    base_urls: tuple[str, ...] = ("http://127.0.0.1:8000/v1",)
    """Several servers of the same model share the requests."""
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; where it is unset, none is sent."""
    max_in_flight: int = 16
    """Requests on their way at once, over all servers."""
    requests_per_minute: int | None = None
    """The provider's limit; null: none."""
    tokens_per_minute: int | None = None
    """The provider's limit, prompt and completion together; null: none."""
    timeout_seconds: float = 120.0
    max_attempts: int = 8
    """Times a request is sent before it is left open; a later run of the same command asks it again."""
    extra_body: dict[str, Any] = field(default_factory=dict)
    """Fields sent with every request, e.g. {repeat_penalty: 1.0} for llama.cpp; null leaves out one of ours that a
    server refuses, e.g. {seed: null}. Part of what the answers depend on, so of the journals."""

    def __post_init__(self) -> None:
        section = "model.server"
        if not self.base_urls:
            raise SettingError(
                section, lambda at: f"{at}.base_urls is empty; name at least one, e.g. http://127.0.0.1:8000/v1"
            )
        for url in self.base_urls:
            _check_address(section, url)
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.api_key_env):
            not_a_name = "is no name of an environment variable; it names the variable, it is not the key itself"
            raise SettingError(section, lambda at: f"{at}.api_key_env {not_a_name}")
        own = {"model", "prompt", "messages", "n", "stream"} & set(self.extra_body)
        if own:
            names = ", ".join(sorted(own))
            raise SettingError(section, lambda at: f"{at}.extra_body: {names} cannot be set; the client does")
        check_at_least_one(section, self, "max_in_flight", "max_attempts", "requests_per_minute", "tokens_per_minute")
        check_range(section, self, ["timeout_seconds"], lambda x: x > 0, "it must be above 0")


def _check_address(section: str, url: str) -> None:
    parts = _http_address(url)
    if parts is None:
        shown = "an entry with a password" if "@" in url else repr(url)
        raise SettingError(
            section, lambda at: f"{at}.base_urls: {shown} is no http address; e.g. http://127.0.0.1:8000/v1"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:  # the address may be shown, and may hold no key
        raise SettingError(
            section,
            lambda at: (
                f"{at}.base_urls: the address of {parts.hostname} holds more than scheme, host, port and path; a key "
                f"belongs into the environment variable that {at}.api_key_env names"
            ),
        )


def _http_address(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").encode("idna"), parts.port  # each raises where it cannot be one
    except ValueError:
        return None
    is_plain = url.isprintable() and " " not in url
    return parts if parts.scheme in ("http", "https") and host and is_plain else None


@dataclass(frozen=True)
class VllmConfig:
    """The offline engine, used when `model.backend` is vllm (pip install 'selfinstruct-train[vllm]')."""

    tensor_parallel_size: int = 1
    data_parallel_size: int = 1
    gpu_memory_utilization: float = 0.9
    max_model_len: int | None = None
    """Tokens of prompt and completion together; null: the model's own."""


@dataclass(frozen=True)
class ModelConfig:
    """The language model: it generates, it is finetuned, it is the base of the comparison."""

    path: str = "builtin:tiny"
    """Hub id, local folder, or builtin:tiny; with backend http the name that the server knows it by."""
    backend: Literal["transformers", "http", "vllm"] = "transformers"
    """What runs it when instructions are generated; training is always done with transformers."""
    server: ServerConfig = field(default_factory=ServerConfig)
    vllm: VllmConfig = field(default_factory=VllmConfig)
    revision: str | None = None
    """Hub commit, tag or branch; pin it for a run you want to repeat. With backend http a word of your own for what is
    served, which becomes part of the model's name."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """auto: bfloat16 on a GPU that has it, else float32."""
    device: str = "auto"
    """auto: the first GPU if there is one, else cpu."""
    batch_size: int = 32
    """Prompts run together by the transformers backend; speed only, but in 16 bits an answer may differ with it."""
    trust_remote_code: bool = False
    """Run Python code that comes with the model; only for repositories you have read."""

    def __post_init__(self) -> None:
        check_choices("model", self)
        check_at_least_one("model", self, "batch_size")
