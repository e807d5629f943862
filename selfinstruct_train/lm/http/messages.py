"""What is sent to an OpenAI-compatible server and what comes back, read with distrust.

An answer is one choice with a text and a reason why it ended; anything else raises one of the exceptions here, never
gives a text. The key is taken out of everything that a server says before it is shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...config import ServerConfig
from ...core.records import Completion, FinishReason, Request, Sampling
from ..stopping import cut_at_stop
from .retry import RESTING_STATUSES, RETRIED_STATUSES, retry_after_seconds

MAX_STOP_STRINGS = 4
"""OpenAI allows so many; the others are cut by ourselves."""
CHARACTERS_PER_TOKEN = 4
"""Where a server does not count tokens: OpenAI's rule of thumb for English."""
ANSWER_REDACTED_FROM = 16
"""Keys of at least so many characters are taken out of answers too; a short one, say "none", may be a word of them."""
FILTER_CODES = ("content_filter", "content_policy_violation", "data_inspection_failed")
"""Error codes by which providers withhold an answer for what the prompt says."""
FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "eos": "stop",
    "eos_token": "stop",  # text-generation-inference
    "stop_sequence": "stop",  # text-generation-inference
    "max_tokens": "length",
}


class TransientError(Exception):
    """Asking again may help; `wait` is the server's own wish in seconds, `rests_server`: it concerns all requests."""

    def __init__(self, message: str, wait: float | None = None, rests_server: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.rests_server = rests_server


class RefusedError(Exception):
    """This request gets no answer however often it is asked; others may."""


class FilteredError(RefusedError):
    """The provider withholds the answer for what it says: a fact about this request."""


class QuotaError(Exception):
    """The account is used up: nothing will be answered until the user does something about it."""


def request_body(model: str, request: Request, sampling: Sampling, server: ServerConfig) -> dict[str, Any]:
    """Return the JSON body of one request; null in `server.extra_body` takes a field out."""
    body: dict[str, Any] = {"model": model}
    if request.chat:
        body["messages"] = [{"role": "user", "content": request.prompt}]
    else:
        body["prompt"] = request.prompt
    body |= {
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "presence_penalty": sampling.presence_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "seed": server_seed(request.seed),
    }
    if sampling.stop:
        body["stop"] = list(sampling.stop[:MAX_STOP_STRINGS])
    return {key: value for key, value in (body | server.extra_body).items() if value is not None}


def server_seed(seed: int) -> int:
    """Reduce a seed to 1 ... 2^31 - 2, which every server takes; for some, 0 and negative ones mean any seed."""
    return 1 + seed % (2**31 - 2)


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has; at least 1 unless it is empty."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def redacted(text: str, key: str | None) -> str:
    return text.replace(key, "[key]") if key else text


def read_answer(text: str, request: Request, sampling: Sampling, key: str | None) -> tuple[Completion, str]:
    """Read the body of a 200 answer into a completion and the model's name as the server tells it.

    Raises:
        TransientError: it is no answer.
        RefusedError: it is an answer of another kind than text.
    """
    try:
        body = json.loads(text)
    except ValueError:
        raise TransientError(f"malformed JSON: {_short(redacted(text, key))!r}") from None
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        said = "empty choices" if choices == [] else "no choices"
        raise TransientError(f"{said} in the answer: {_short(redacted(text, key))!r}")
    choice = choices[0]
    message = choice.get("message")
    content = (message.get("content") if isinstance(message, dict) else None) if request.chat else choice.get("text")
    if isinstance(content, str) and key and len(key) >= ANSWER_REDACTED_FROM:
        content = redacted(content, key)
    reason = choice.get("finish_reason")
    usage = body.get("usage")
    if reason == "content_filter":
        tokens = _count(usage, "prompt_tokens", request.prompt), _count(usage, "completion_tokens", "")
        return Completion(request.id, "", "content_filter", *tokens), str(body.get("model") or "")
    if reason is not None and not (isinstance(reason, str) and reason in FINISH_REASONS):
        raise RefusedError(f"the server ended the answer with finish_reason {_short(str(reason))!r}")
    if content is None and reason is not None and request.chat:
        content = ""  # a model that spent all its tokens on thinking
    if not isinstance(content, str) or (not content and reason is None):
        raise TransientError(f"no text in the answer: {_short(redacted(text, key))!r}")
    prompt_tokens = _count(usage, "prompt_tokens", request.prompt)
    completion_tokens = _count(usage, "completion_tokens", content)
    answer, stopped = cut_at_stop(content, sampling.stop)
    if stopped:
        finish: FinishReason = "stop"
    elif reason is not None:
        finish = FINISH_REASONS[reason]
    else:  # a server that does not say
        finish = "length" if completion_tokens >= sampling.max_new_tokens else "stop"
    return Completion(request.id, answer, finish, prompt_tokens, completion_tokens), str(body.get("model") or "")


def _count(usage: Any, name: str, text: str) -> int:
    value = usage.get(name) if isinstance(usage, dict) else None
    if type(value) is int and (value > 0 or (value == 0 and not text)):  # some say 0 of what they do not count
        return value
    return estimated_tokens(text)


def raise_error(
    status: int, headers: Mapping[str, str], text: str, url: str, key: str | None, request: Request
) -> None:
    """Turn an answer other than 200 into the exception that says what to do about it.

    Raises:
        TransientError, RefusedError, QuotaError: see there.
        ValueError: the request or the settings are wrong; asking again is useless.
    """
    said, code = error_of(redacted(text, key))
    what = f"HTTP {status} from {url}" + (f": {said}" if said else "")
    if code == "insufficient_quota" or status == 402:
        raise QuotaError(what)
    if code in FILTER_CODES:
        raise FilteredError(what)
    if status in RETRIED_STATUSES:
        wait = retry_after_seconds(headers.get("retry-after"))
        raise TransientError(what, wait, status in RESTING_STATUSES)
    if status in (400, 413, 422) and _names_context(said):
        raise ValueError(
            f"request {request.id!r} does not fit the model: {what}; lower max_new_tokens, or ask with shorter prompts"
        )
    raise ValueError(f"request {request.id!r} was refused: {what}")


def _names_context(message: str) -> bool:
    lower = message.lower()
    return any(words in lower for words in ("context length", "context_length", "context window", "context size"))


def error_of(text: str) -> tuple[str, str]:
    """Return the message, in one short line, and the code in a server's error body, in any of the usual shapes."""
    try:
        body = json.loads(text)
    except ValueError:
        return _short(text), ""
    error = body.get("error", body) if isinstance(body, dict) else body
    if not isinstance(error, dict):
        return _short(str(error)), ""
    message = error.get("message") or error.get("detail") or json.dumps(error)
    return _short(str(message)), str(error.get("code") or error.get("type") or "")


def _short(text: str, length: int = 300) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 3] + "..."
