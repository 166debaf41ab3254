"""The HTTP endpoint of a process: /metrics, /healthz, /readyz, and its figures as JSON under /status.

It answers in threads of its own, so that it can say that the process is stuck.
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from streams.errors import SettingsError
from streams.telemetry.health import Check, always

log = logging.getLogger(__name__)

PORTS: Final = {
    "worker": 9464,
    "learner": 9465,
    "sink": 9466,
    "notifier": 9467,
    "desk": 9468,
    "intake": 9469,
    "importer": 9470,
}
"""The port of each process where the setting names none."""
MOST_REQUESTS: Final = 16
"""Answered at once; what comes beyond is refused."""
PATIENCE_S: Final = 5.0
"""How long a client may take to ask."""
TEXT: Final = "text/plain; charset=utf-8"

Answer = tuple[int, str, bytes]
"""Status, type of content, content."""


def _nothing() -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Probes:
    """What the endpoint of a process asks it."""

    registry: CollectorRegistry
    healthy: Check = always
    ready: Check = always
    status: Callable[[], Mapping[str, Any]] = field(default=_nothing)
    """The figures behind the metrics, as plain JSON values."""

    def answer(self, path: str, accept: str = "") -> Answer:
        """Return the answer to a GET request."""
        match path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(accept)
                return HTTPStatus.OK, content_type, encode(self.registry)
            case "/healthz":
                return _verdict("healthy", self.healthy())
            case "/readyz":
                # What is stuck does no work.
                return _verdict("ready", [*self.healthy(), *self.ready()])
            case "/status":
                return HTTPStatus.OK, "application/json", json.dumps(self.status()).encode() + b"\n"
            case _:
                return HTTPStatus.NOT_FOUND, TEXT, b"there is /metrics, /healthz, /readyz and /status\n"


def _verdict(word: str, reasons: Sequence[str]) -> Answer:
    if not reasons:
        return HTTPStatus.OK, TEXT, f"{word}\n".encode()
    text = "".join(f"{reason}\n" for reason in reasons)
    return HTTPStatus.SERVICE_UNAVAILABLE, TEXT, f"not {word}\n{text}".encode()


class Endpoint:
    """Serves what a process shows of itself until it is closed; its threads end with the process."""

    def __init__(self, probes: Probes, listen: str, process: str) -> None:
        """Listen on `host:port`, or on a host alone and the port of the process, or on one that is free.

        Raises `SettingsError` where the port that was asked for cannot be had.
        """
        host, port = _address(listen)
        self._instead: str | None = None
        """Why the port of the process was not to be had."""
        try:
            self._server = _listening(host, PORTS[process] if port is None else port, probes)
        except OSError as error:
            if port is not None:
                message = f"metrics_listen: {listen} cannot be listened on: {error.strerror or error}"
                raise SettingsError(message) from error
            self._server = self._on_free_port(host, process, probes, error)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="telemetry", daemon=True
        )
        self._thread.start()

    def announce(self) -> None:
        """Log where it is."""
        if self._instead is not None:
            log.warning(
                "metrics: %s; another port is used, give each process its own with metrics_listen",
                self._instead,
            )
        log.info("metrics at %s/metrics", self.url)

    def _on_free_port(self, host: str, process: str, probes: Probes, error: OSError) -> _Server:
        try:
            server = _listening(host, 0, probes)
        except OSError as other:
            message = f"metrics_listen: {host} cannot be listened on: {other.strerror or other}"
            raise SettingsError(message) from other
        self._instead = f"port {PORTS[process]} of a {process} cannot be had: {error.strerror or error}"
        return server

    @property
    def url(self) -> str:
        """Return the address that it listens on."""
        host, port = self._server.server_address[:2]
        host = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    """A server that answers a bounded number of requests at once."""

    daemon_threads = True
    block_on_close = False
    probes: Probes

    def __init__(self, address: tuple[str, int], probes: Probes) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.probes = probes
        self._free = threading.BoundedSemaphore(MOST_REQUESTS)
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without looking up a name of the host, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "lapwing", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, if there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for another request."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log in one line: a client that goes away is no error of the process."""
        log.debug("a request for metrics was not answered", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "lapwing"
    sys_version = ""
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        """Answer."""
        try:
            status, content_type, content = self.server.probes.answer(
                self.path, self.headers.get("Accept", "")
            )
        except Exception as error:  # a figure that cannot be read is reported, and the process goes on
            log.error(
                "the request for %s failed: %s", self.path.partition("?")[0][:100], type(error).__name__
            )
            log.debug("it failed at", exc_info=True)
            status, content_type, content = HTTPStatus.INTERNAL_SERVER_ERROR, TEXT, b"see the log\n"
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Log no request: a probe comes every few seconds."""


def _address(listen: str) -> tuple[str, int | None]:
    """Return host and port of `host:port`, or of a host alone.

    >>> _address("127.0.0.1:9464"), _address("[::1]:0"), _address("::1"), _address("localhost")
    (('127.0.0.1', 9464), ('::1', 0), ('::1', None), ('localhost', None))
    """
    host, colon, port = listen.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        return listen.strip("[]"), None
    return host.strip("[]"), int(port)


def _listening(host: str, port: int, probes: Probes) -> _Server:
    return _Server((host, port), probes)
