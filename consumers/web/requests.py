"""Requests, counted by what was answered."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streams.telemetry.histogram import Histogram, HistogramFigures

UNROUTED: Final = "none"
"""The route of a request that no page answers, or that is refused before one is looked for."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER: Final = "other"
SERVER_ERRORS: Final = ("500", "503")
"""What a server answers where it is at fault; alerts count them."""
STREAM: Final = b"text/event-stream"


class RequestMeter:
    """Counts requests by the route that answers them, never by their address, which names customers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._seconds: dict[str, Histogram] = {}

    def expect(self, routes: Iterable[tuple[str, str]]) -> None:
        """Let the errors of these routes, each with its method, begin at 0.

        Prometheus sees no increase where there was no number before.
        """
        with self._lock:
            for route, method in routes:
                for status in SERVER_ERRORS:
                    self._counts[route, method, status] += 0

    def note(self, route: str, method: str, status: int, seconds: float | None) -> None:
        """Count a request; `seconds` is `None` of a stream."""
        with self._lock:
            self._counts[route, method if method in METHODS else OTHER, str(status)] += 1
            kept = self._seconds.setdefault(route, Histogram())
        if seconds is not None:
            kept.observe(seconds)

    def requests(self) -> list[tuple[str, str, str, int]]:
        """Return route, method, status and how many."""
        with self._lock:
            return [(*what, count) for what, count in sorted(self._counts.items())]

    def seconds(self) -> dict[str, HistogramFigures]:
        """Return how long answers took, by route."""
        with self._lock:
            kept = dict(self._seconds)
        return {route: found.figures() for route, found in sorted(kept.items())}


class Measured:
    """Middleware that measures all requests."""

    def __init__(self, app: ASGIApp, meter: RequestMeter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, is_stream = time.perf_counter(), 500, False

        async def noted(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                is_stream = any(
                    name == b"content-type" and value.startswith(STREAM) for name, value in message["headers"]
                )
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            seconds = None if is_stream else time.perf_counter() - begun
            self._meter.note(_route(scope), scope["method"], status, seconds)


def _route(scope: Scope) -> str:
    """Return the pattern of the route that answered, such as `/customers/{customer_id}`."""
    path = getattr(scope.get("route"), "path", None)
    if path is None and str(scope.get("path", "")).startswith("/static/"):
        return "/static"
    return UNROUTED if path is None else str(path)
