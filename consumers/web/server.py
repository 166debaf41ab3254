"""The web server: one process, until a stop is asked for."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import closing

import uvicorn
from fastapi import FastAPI

from consumers.loop import Waiter
from streams.errors import ListenError


def serve(
    app: FastAPI,
    host: str,
    port: int,
    stop: Waiter,
    on_ready: Callable[[str], None],
    on_stop: Callable[[], None] = lambda: None,
    on_turn: Callable[[], None] = lambda: None,
    name: str = "desk",
) -> None:
    """Serve the application until a stop is asked for; `on_ready` is given its address.

    `on_stop` ends what would go on, such as streams, for which the server waits. `on_turn` is called about
    once a second by the server's loop. `name` is what the server is called in errors.

    Raises `ListenError`.
    """

    async def turned() -> None:
        on_turn()

    with closing(_listening(host, port, name)) as listening:
        # The server in a thread of its own leaves the signals to whoever asks for the stop.
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=3,
                callback_notify=turned,
                timeout_notify=1,
            )
        )
        thread = threading.Thread(target=server.run, args=([listening],), name=name)
        thread.start()
        shown, bound = listening.getsockname()[:2]
        on_ready(f"http://{f'[{shown}]' if ':' in shown else shown}:{bound}/")
        try:
            while thread.is_alive() and not stop.wait(0.2):
                pass
        finally:
            on_stop()
            server.should_exit = True
            thread.join()


def _listening(host: str, port: int, name: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named; an answer waits 40 ms with it.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)
    except OSError as error:
        made.close()
        msg = f"the {name} cannot listen on {host}:{port}: {error.strerror or error}"
        raise ListenError(msg) from error
    return made
