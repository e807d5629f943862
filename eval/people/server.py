"""The page's server: on this machine only, behind a token in its address, with nothing in it that a model could run.

Every path begins with the token, all else is 403; another Host is refused, so a foreign page cannot reach it through a
name of its own; the policy sent along allows no script but ours, no other host and no HTML made of text.
"""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .desk import MAX_COMMENT, Desk
from .items import DATA, NO, YES
from .ratings import ADJUDICATED
from .rubric import LEVELS, QUESTIONS

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
_DATA = Path(__file__).parents[1] / "data"
_MAX_BODY = 64 * 1024
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",  # the token is in the address
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def make_app(desk: Desk, token: str) -> Starlette:
    """Return the application; everything it serves lies below /<token>/."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.responses import FileResponse, HTMLResponse, JSONResponse
    from starlette.routing import Route

    def page(_: Request) -> Response:
        return HTMLResponse(_render(desk))

    def asset(request: Request) -> Response:
        return FileResponse(_DATA / request.url.path.rpartition("/")[2])

    def get(answer: Callable[[Request], Any]) -> Callable[[Request], Response]:
        return lambda request: JSONResponse(answer(request))

    def refuse(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    def unwritable(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": f"cannot be saved: {error}"}, 503)  # the page tries again

    base = f"/{token}"
    return Starlette(
        routes=[
            Route(f"{base}/", page),
            Route(f"{base}/annotate.css", asset),
            Route(f"{base}/annotate.js", asset),
            Route(f"{base}/api/welcome", get(lambda _: desk.welcome())),
            Route(f"{base}/api/begin", get(lambda r: desk.begin(r.query_params.get("rater", "")))),
            Route(
                f"{base}/api/item",
                get(lambda r: desk.item(r.query_params.get("rater", ""), r.query_params.get("item", ""))),
            ),
            Route(f"{base}/api/save", functools.partial(_save, desk), methods=["POST"]),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"], www_redirect=False),
            Middleware(BaseHTTPMiddleware, dispatch=functools.partial(_guard, token)),
        ],
        exception_handlers={ValueError: refuse, OSError: unwritable},
    )


def serve(desk: Desk, port: int, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C; `announce` gets the address, which stands nowhere else.

    Raises:
        ValueError: the port is taken, or is none, or the server's libraries are not installed.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn
    except ModuleNotFoundError as error:
        raise ValueError(f"the page needs {error.name}: pip install -e '.[annotate]' in the checkout") from None

    token = secrets.token_urlsafe()
    with _listen(port) as listener:
        app = make_app(desk, token)
        settings = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
        announce(f"http://{HOST}:{listener.getsockname()[1]}/{token}/")
        with contextlib.suppress(KeyboardInterrupt):  # the ordinary end
            uvicorn.Server(settings).run(sockets=[listener])


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except (OSError, OverflowError) as error:
        listener.close()
        raise ValueError(
            f"annotate.port {port} cannot be used ({getattr(error, 'strerror', None) or error}); 0 takes a free one"
        ) from None
    return listener


async def _guard(token: str, request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Let nobody in without the token, and send the headers with every answer."""
    from starlette.responses import PlainTextResponse

    given = request.url.path.split("/")[1]
    if hmac.compare_digest(given.encode(), token.encode()):
        response = await call_next(request)
    else:
        response = PlainTextResponse("Open the address that `selfinstruct annotate` printed.\n", 403)
    response.headers.update(_HEADERS)
    return response


async def _save(desk: Desk, request: Request) -> Response:
    """Save one choice; a body that is too long is not read to its end."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BODY:
            return JSONResponse({"error": "too long"}, 413)
    await run_in_threadpool(desk.save, _parse(body))
    return JSONResponse({"saved": True})


def _parse(body: bytes) -> dict[str, Any]:
    try:
        choice = json.loads(body)
    except RecursionError:
        raise ValueError("brackets within brackets without end") from None
    if not isinstance(choice, dict):
        raise ValueError("a choice is an object")
    return choice


def _render(desk: Desk) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_DATA), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("annotate.html.j2").render(
        run=Path(desk.config.run_dir).name,
        set=desk.work.set,
        is_data=desk.work.set == DATA,
        num_items=len(desk.work.items),
        levels=LEVELS,
        questions=QUESTIONS,
        choices=_choices(desk),
        adjudicated=ADJUDICATED,
        max_comment=MAX_COMMENT,
    )


def _choices(desk: Desk) -> list[dict[str, str]]:
    """The buttons below each cell; `key` stands on the button."""
    if desk.work.set == DATA:
        return [{"value": o, "key": str(n), "name": o.capitalize(), "meaning": ""} for n, o in enumerate((YES, NO), 1)]
    return [{"value": v.grade, "key": v.grade, "name": v.name, "meaning": v.meaning} for v in LEVELS]
