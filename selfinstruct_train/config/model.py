"""The language model of a run, and how it is reached: in this process, in vLLM or on a server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from .ranges import SettingError, check_at_least_one, check_choices, check_range


@dataclass(frozen=True)
class ServerConfig:
    """OpenAI-compatible servers, used when `model.backend` is http. `model.path` is the model's name on the server."""

    base_urls: tuple[str, ...] = ("http://127.0.0.1:8000/v1",)
    """Addresses of the servers. Several servers of the same model share the requests."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the API key. If it is unset, no key is sent."""
    max_in_flight: int = 16
    """Maximum number of concurrent requests, over all servers."""
    requests_per_minute: int | None = None
    """Rate limit of the provider; null: no limit."""
    tokens_per_minute: int | None = None
    """Rate limit of the provider for prompt and completion tokens together; null: no limit."""
    timeout_seconds: float = 120.0
    """Timeout of a request."""
    max_attempts: int = 8
    """Number of times a request is sent before it stays unanswered. The next run of the same command sends it again."""
    extra_body: dict[str, Any] = field(default_factory=dict)
    """Extra fields of every request, e.g. {repeat_penalty: 1.0} for llama.cpp. A null value removes a default field
    that a server rejects, e.g. {seed: null}. The answers depend on these fields, so the journals record them."""

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
    """vLLM's offline engine, used when `model.backend` is vllm (pip install 'selfinstruct-train[vllm]')."""

    tensor_parallel_size: int = 1
    """Number of GPUs per replica."""
    data_parallel_size: int = 1
    """Number of replicas."""
    gpu_memory_utilization: float = 0.9
    """Fraction of GPU memory."""
    max_model_len: int | None = None
    """Maximum number of prompt and completion tokens together; null: the model's own maximum."""


@dataclass(frozen=True)
class ModelConfig:
    """The language model. It generates the data, is finetuned on them, and is the baseline of the evaluation."""

    path: str = "builtin:tiny"
    """Hub id, local folder, GGUF file, or builtin:tiny. With backend http: the model's name on the server."""
    backend: Literal["transformers", "http", "vllm"] = "transformers"
    """Library or server that runs the model for inference. Training always uses transformers."""
    server: ServerConfig = field(default_factory=ServerConfig)
    vllm: VllmConfig = field(default_factory=VllmConfig)
    revision: str | None = None
    """Hub commit, tag or branch; pin it to make a run repeatable. With backend http: a label of your own for the served
    version, which becomes part of the model's name."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Data type of the weights. auto: bfloat16 on a GPU that supports it, else float32."""
    device: str = "auto"
    """Device, e.g. cpu or cuda:1. auto: the first GPU if there is one, else cpu."""
    batch_size: int = 32
    """Batch size of the transformers backend. It changes the speed only; in 16 bits a few answers may differ."""
    trust_remote_code: bool = False
    """Run Python code from the model's repository. Use it only for repositories that you have read."""

    def __post_init__(self) -> None:
        check_choices("model", self)
        check_at_least_one("model", self, "batch_size")
