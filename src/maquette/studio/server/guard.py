"""Who is answered: the page of this server in this browser, with the token of this start, and nobody else.

A page of any other site can send requests to 127.0.0.1 from the same browser, and another name can be made to mean
127.0.0.1. So the Host must be this server's own, everything below /api/ needs the token, and whatever changes something
must come from this page.
"""

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN = "x-maquette-token"
"""The header that holds the token."""
MOST_BYTES = 64 * 2**20
"""Of a request's body."""
POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; "
          "img-src 'self' data: blob:; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; "
          "frame-ancestors 'none'")
"""The page's own policy, and that nobody may frame it."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer."""


class TooLarge(Exception):
    """A body of more than `MOST_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"at most {MOST_BYTES // 2**20} MB are taken")


class Guard:
    """An ASGI application that asks another one only where the request may be answered.

    Args:
        app: The other.
        port: At which it is served.
        token: What the page must send.
    """

    def __init__(self, app: App, port: int, token: str):
        self.app, self.token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", []), *own]}
            await send(message)

        status, why = self._refused(scope)
        if status:
            await _say(answered, status, why)
            return
        await self.app(scope, _bounded(receive), answered)

    def _refused(self, scope: Scope) -> tuple[int, str]:
        """The status and the reason of a refusal; 0 where there is none."""
        given: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            given.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        one = {name: values[0] for name, values in given.items() if len(values) == 1}
        host = one.get("host", "")
        if host not in self.hosts:
            return 421, "this server answers at 127.0.0.1 only"
        site = one.get("sec-fetch-site", "")
        if scope["path"].startswith("/api/"):
            if not hmac.compare_digest(one.get(TOKEN, "").encode(), self.token.encode()):
                return 401, "open the link that the terminal shows"
            if site not in ("", "same-origin"):
                return 403, "another page asked"
        if scope["method"] not in ("GET", "HEAD"):
            if one.get("origin") != f"http://{host}" or site != "same-origin":
                return 403, "another page asked"
        length = one.get("content-length", "0")
        if "content-length" in given and not (length.isascii() and length.isdigit()):
            return 400, "what is the length of it?"
        if int(length) > MOST_BYTES:
            return 413, str(TooLarge())
        return 0, ""


def _bounded(receive: Receive) -> Receive:
    """What is received, up to `MOST_BYTES` in all; TooLarge beyond."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise TooLarge
        return message

    return bounded


async def _say(send: Send, status: int, line: str) -> None:
    """An answer of one line."""
    body = json.dumps({"error": line}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()),
               (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
