"""The start and the end of the studio's server."""

import secrets
import socket
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from maquette.errors import UserError
from maquette.extras import require
from maquette.studio.server.settings import PORT, Offer

HOST = "127.0.0.1"
_ENDS_S = 5  # for answers under way when the server is asked to end


@dataclass(frozen=True)
class Address:
    """Where the page is.

    Attributes:
        link: The page's address with the token behind the `#`, which no browser sends on.
        port: Of this computer.
        token: What the page must send; new at each start.
    """

    link: str
    port: int
    token: str


def serve(
    offer: Offer, port: int = PORT, opening: bool = True, tell: Callable[[Address], None] = lambda _: None
) -> None:
    """Serve the page until the program is asked to end.

    Args:
        offer: What the page may choose from.
        port: Of this computer; 0 for any that is free.
        opening: Open the page in the browser.
        tell: Called with the address once it is served.

    Raises:
        UserError: Where Starlette or uvicorn is not installed, and where the port is taken.
    """
    uvicorn = require("uvicorn", "studio")
    require("starlette", "studio")
    from maquette.studio.server.app import Studio

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        listening.close()
        raise UserError(f"port {port} cannot be used: {error.strerror}", hint="choose another with --port") from None
    port = listening.getsockname()[1]
    address = Address("", port, secrets.token_urlsafe(24))
    address = Address(f"http://{HOST}:{port}/#token={address.token}", port, address.token)
    studio = Studio(offer, port, address.token)
    config = uvicorn.Config(studio.app, log_level="error", access_log=False, lifespan="off", ws="none",
                            server_header=False, timeout_graceful_shutdown=_ENDS_S,
                            h11_max_incomplete_event_size=65_536)
    server = uvicorn.Server(config)

    def began() -> None:
        while not server.started and not server.should_exit:
            threading.Event().wait(0.02)
        if server.started:
            tell(address)
            if opening:
                webbrowser.open(address.link)

    threading.Thread(target=began, daemon=True).start()
    try:
        with suppress(KeyboardInterrupt):  # Ctrl-C is how it ends
            server.run(sockets=[listening])
    finally:
        studio.end()
        listening.close()
