"""Any OpenAI-compatible server behind the LM door: `vllm serve`, llama.cpp, `transformers serve`, a hosted API.

One prompt to a request (many servers refuse lists), many requests in flight over several addresses, each answer told as
soon as it is there. Troubles that pass are asked again with growing waits; a request that stays without an answer is
reported at the end, a wrong key or model at once. Both let what is already on its way come in first: it is paid for.

Not here: what answers cost (`lm.budget`). Whether a server honours seed, penalties and stop strings is its own
affair (docs/servers.md); stop strings are cut here once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ...config import ModelConfig, ServerConfig
from ...core.records import Completion, Request, Sampling
from ..base import OnAnswer, UnansweredError
from .limits import Entry, RateLimits
from .messages import (
    FilteredError,
    QuotaError,
    RefusedError,
    TransientError,
    error_of,
    estimated_tokens,
    raise_error,
    read_answer,
    redacted,
    request_body,
)
from .retry import MAX_RETRY_AFTER_SECONDS, Server, delay_seconds, next_server
from .start import api_key, check_servers, not_found, ssl_context, unauthorised

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

CHUNKS_IN_FLIGHT = 16
"""Slots stand idle at the end of a chunk, until its last answer is there: a chunk is so many times the slots."""
CONNECT_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 1.0
GIVE_UP_AFTER = 8
"""Requests in a row that stay open, none answered between: then the servers are down, and no more are sent."""


class HttpLM:
    """A model on one or several OpenAI-compatible servers. See `lm.base.LM` for the promises.

    The name tells the model, what the user pinned it to (`model.revision`), and the extra fields sent, which may change
    the answers; not the address: a server may move.
    """

    def __init__(self, model: ModelConfig) -> None:
        self._model = model.path
        self._settings: ServerConfig = model.server
        extra = f" {json.dumps(model.server.extra_body, sort_keys=True)}" if model.server.extra_body else ""
        self.name = f"{model.path}@{model.revision or 'served'} http{extra}"
        self.chunk_size = CHUNKS_IN_FLIGHT * model.server.max_in_flight
        for noisy in ("httpx", "httpcore"):  # a line for every request otherwise
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._key = api_key(model.server.api_key_env)
        self._ssl = ssl_context()
        self._limits = RateLimits(model.server.requests_per_minute, model.server.tokens_per_minute)
        self._servers = [Server(url.rstrip("/")) for url in dict.fromkeys(model.server.base_urls)]
        self._reported: set[str] = set()
        check_servers(self._servers, self._headers(), self._settings.api_key_env, self._key, self._ssl)

    def complete(
        self, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None = None
    ) -> list[Completion]:
        """Answer every request, in order; `on_answer` is told of each answer as it arrives.

        Raises:
            ValueError: the servers refuse the key, the model or a request; what was on its way was told first.
            UnansweredError: some requests have no answer after `max_attempts`.
        """
        if not requests:
            return []
        call = _Call(self, requests, sampling, on_answer)
        run_coroutine(call.run)
        return [call.answers[request.id] for request in requests]

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def client(self) -> httpx.AsyncClient:
        import httpx

        slots = self._settings.max_in_flight
        return httpx.AsyncClient(
            headers=self._headers(),
            verify=self._ssl,
            timeout=httpx.Timeout(None, connect=min(CONNECT_SECONDS, self._settings.timeout_seconds)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=slots),
        )

    async def ask(self, client: httpx.AsyncClient, server: Server, request: Request, sampling: Sampling) -> Completion:
        """Send one request once.

        Raises:
            TransientError, RefusedError, QuotaError, ValueError: as in `http_messages`.
        """
        import httpx

        url = f"{server.url}/{'chat/completions' if request.chat else 'completions'}"
        body = request_body(self._model, request, sampling, self._settings)
        server.in_flight += 1
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                response = await client.post(url, json=body)
        except TimeoutError:
            raise TransientError(f"no answer from {url} in {self._settings.timeout_seconds:g} s") from None
        except httpx.RequestError as error:
            unreachable = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            raise TransientError(f"{url}: {str(error) or type(error).__name__}", rests_server=unreachable) from None
        finally:
            server.in_flight -= 1
        status, text = response.status_code, response.text
        if status in (401, 403):
            raise ValueError(unauthorised(status, url, text, self._settings.api_key_env, self._key))
        if status in (404, 405):
            said, _ = error_of(redacted(text, self._key))
            raise ValueError(await not_found(client, server, status, said, self._model, request))
        if status != 200:
            raise_error(status, response.headers, text, url, self._key, request)
        completion, reported = read_answer(text, request, sampling, self._key)
        self._note_reported(reported)
        return completion

    def _note_reported(self, reported: str) -> None:
        if reported and reported not in self._reported:
            self._reported.add(reported)
            if len(self._reported) > 1:
                logger.warning("the servers answer as different models: %s", ", ".join(sorted(self._reported)))

    def new_call(self) -> tuple[list[Server], RateLimits, ServerConfig]:
        """Return what one call shares with the next; no server rests from an earlier call."""
        for server in self._servers:
            server.in_flight, server.rests_until, server.failures = 0, 0.0, 0
        return self._servers, self._limits, self._settings


class _Call:
    """One `complete`: slots that take requests off a queue until it is empty, or something ends it."""

    def __init__(self, lm: HttpLM, requests: Sequence[Request], sampling: Sampling, on_answer: OnAnswer | None) -> None:
        self.answers: dict[str, Completion] = {}
        self._lm = lm
        self._servers, self._limits, self._settings = lm.new_call()
        self._num_requests = len(requests)
        self._queue = deque(requests)
        self._sampling = sampling
        self._on_answer = on_answer
        self._rng = random.Random(requests[0].seed)
        self._last_failure = ""
        self._refusals: list[str] = []
        self._open_in_a_row = 0
        self._warned: set[str] = set()
        self._fatal: Exception | None = None
        self._ended = asyncio.Event()

    async def run(self) -> None:
        num_slots = min(self._settings.max_in_flight, self._num_requests)
        async with self._lm.client() as client:
            slots = [asyncio.create_task(self._slot(client)) for _ in range(num_slots)]
            try:
                await asyncio.gather(*slots)
            finally:  # an interrupt leaves some
                for slot in slots:
                    slot.cancel()
                await asyncio.gather(*slots, return_exceptions=True)
        if self._fatal is not None:
            raise self._fatal
        if len(self.answers) < self._num_requests:
            raise UnansweredError(self._what_is_open(), others_may_be=not self._ended.is_set())

    async def _slot(self, client: httpx.AsyncClient) -> None:
        while self._queue and not self._ended.is_set():
            request = self._queue.popleft()
            try:
                completion = await self._ask_until_answered(client, request)
                if completion is not None:
                    self._tell(completion)
            except RefusedError as error:
                self._refusals.append(f"{request.id}: {error}")
            except QuotaError as error:
                self._last_failure = str(error)
                self._ended.set()
            except Exception as error:  # also what on_answer raises: the others' answers, on their way, are kept
                self._fatal = self._fatal or error
                self._ended.set()

    def _tell(self, completion: Completion) -> None:
        self._open_in_a_row = 0
        if self._on_answer is not None:
            self._on_answer([completion])
        self.answers[completion.request_id] = completion

    async def _ask_until_answered(self, client: httpx.AsyncClient, request: Request) -> Completion | None:
        """Return the answer; None if the request stays open: it failed too often, or the call ended meanwhile."""
        for attempt in range(1, self._settings.max_attempts + 1):
            turn = await self._turn(estimated_tokens(request.prompt) + self._sampling.max_new_tokens)
            if turn is None:
                return None
            server, entry = turn
            try:
                completion = await self._lm.ask(client, server, request, self._sampling)
            except FilteredError as error:
                if "content filter" not in self._warned:
                    self._warned.add("content filter")
                    logger.warning("%s: %s; kept as an empty answer", request.id, error)
                return Completion(request.id, "", "content_filter", estimated_tokens(request.prompt), 0)
            except TransientError as error:
                await self._after_failure(error, server, attempt)
                continue
            server.failures = 0
            entry.tokens = completion.prompt_tokens + completion.completion_tokens
            return completion
        self._open_in_a_row += 1
        if self._open_in_a_row >= GIVE_UP_AFTER:
            self._ended.set()
        return None

    async def _turn(self, tokens: int) -> tuple[Server, Entry] | None:
        """Wait until a server is awake and the limits allow a request; None if the call ended before."""
        while not self._ended.is_set():
            server = next_server(self._servers, time.monotonic())
            if isinstance(server, float):
                await self._sleep(server)
                continue
            entry = self._limits.enter(tokens)
            if isinstance(entry, float):
                await self._sleep(min(entry, LOOK_AGAIN_SECONDS))  # answers may count less than was reckoned
                continue
            return server, entry
        return None

    async def _after_failure(self, error: TransientError, server: Server, attempt: int) -> None:
        """Let the server rest if there is another or the trouble is its own, and the request wait if there is none."""
        self._last_failure = str(error)
        if error.wait is not None and error.wait > MAX_RETRY_AFTER_SECONDS:
            self._last_failure += f"; it asks to come back in {error.wait:.0f} s"
            self._ended.set()
            return
        alone = len(self._servers) == 1
        if error.rests_server or not alone:
            server.rest(time.monotonic(), error.wait, self._rng)
        is_last = attempt == self._settings.max_attempts
        kind = str(error).split(":")[0]
        if kind not in self._warned:
            self._warned.add(kind)
            logger.warning("%s; %s", error, "left open for now" if is_last else "asked again")
        if alone and not is_last:
            wait = delay_seconds(attempt, self._rng) if error.wait is None else error.wait
            await self._sleep(wait * self._rng.uniform(1.0, 1.1))  # not all at the same moment

    async def _sleep(self, seconds: float) -> None:
        """Sleep, or wake when the call ends."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), max(seconds, 0.001))

    def _what_is_open(self) -> str:
        num_open = self._num_requests - len(self.answers)
        why = [f"last: {self._last_failure}"] if self._last_failure else []
        if self._refusals:
            why.append(f"{len(self._refusals)} refused, e.g. {self._refusals[0]}")
        return (
            f"{num_open} of {self._num_requests} requests have no answer ({'; '.join(why)}); the answers so far are "
            "kept; give the same command again"
        )


def run_coroutine(make: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end; in a thread of its own where a loop is running already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(make())
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(make())).result()
