"""What is found out about servers before and beside the asking: the key, who answers at all, what a 401 or 404 means.

Every failure becomes one line that says what to change. The key is never part of it.
"""

from __future__ import annotations

import json
import logging
import os
import ssl
from typing import TYPE_CHECKING, Any

from ...core.records import Request
from .messages import error_of, redacted
from .retry import Server

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
MAX_MODELS_NAMED = 8


def api_key(variable: str) -> str | None:
    """Read the key from the environment; None where the variable is unset or empty.

    Raises:
        ValueError: it cannot stand in an HTTP header.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError(f"the environment variable {variable} holds characters that no key has; set it again")
    return key or None


def ssl_context() -> ssl.SSLContext:
    """Load the certificates once; it takes longer than a request."""
    import httpx

    return httpx.create_ssl_context()


def check_servers(
    servers: list[Server], headers: dict[str, str], variable: str, key: str | None, context: ssl.SSLContext
) -> None:
    """Ask each server for its models; what it answers does not matter, a server need not know the question.

    Raises:
        ValueError: none answers, or one refuses the key.
    """
    import httpx

    failures = []
    with httpx.Client(headers=headers, verify=context, timeout=CHECK_SECONDS) as client:
        for server in servers:
            url = f"{server.url}/models"
            try:
                response = client.get(url)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                failures.append(f"{server.url}: {str(error) or type(error).__name__}")
                continue
            except httpx.TransportError:  # there is someone, if slow or odd
                continue
            if response.status_code in (401, 403):
                raise ValueError(unauthorised(response.status_code, url, response.text, variable, key))
    if len(failures) == len(servers):
        raise ValueError(f"no server answers ({'; '.join(failures)}); start one, or mend model.server.base_urls")
    for failure in failures:
        logger.warning("no server answers at %s; the others do its share", failure)


def unauthorised(status: int, url: str, text: str, variable: str, key: str | None) -> str:
    """Say that the key is refused, or absent."""
    said, _ = error_of(redacted(text, key))
    state = "which is refused" if key else "which is not set"
    return (
        f"HTTP {status} from {url}{f': {said}' if said else ''}; the key is read from the environment variable "
        f"{variable}, {state}"
    )


async def not_found(
    client: httpx.AsyncClient, server: Server, status: int, said: str, model: str, request: Request
) -> str:
    """Tell an unknown model from an absent endpoint, by what the server says of its models.

    Args:
        said: the server's own words about the failure, without the key.
    """
    models = await _models(client, server)
    endpoint = "/chat/completions" if request.chat else "/completions"
    remedy = "plain" if request.chat else "chat"
    what = f"HTTP {status} from {server.url}{endpoint}{f': {said}' if said else ''}"
    if models and model not in models:
        shown = ", ".join(models[:MAX_MODELS_NAMED]) + (", ..." if len(models) > MAX_MODELS_NAMED else "")
        return f"{what}; model.path is {model!r}, the server has {shown}"
    if not models and "model" in said.lower():
        return f"{what}; model.path is {model!r}, which must be the server's name for it"
    if not models:
        return f"{what}; model.server.base_urls must name the folder of the API, which often ends in /v1"
    return f"{what}; this server has no {endpoint} for {model!r}; set generate.prompt_form: {remedy}"


async def _models(client: httpx.AsyncClient, server: Server) -> list[str] | None:
    """Return the names that /models lists, None where it gives no list; an empty list tells no more than none."""
    import httpx

    try:
        response = await client.get(f"{server.url}/models", timeout=CHECK_SECONDS)
        body: Any = json.loads(response.text) if response.status_code == 200 else None
    except (httpx.TransportError, ValueError):
        return None
    entries = body.get("data") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        return None
    return [entry["id"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
